//! Consistent hashes. Rings and tables with their keys and endpoints are those that Envoy builds of the same endpoints.

use super::*;
use Health::{Degraded, Healthy, Unhealthy};
use proptest::prelude::*;

fn ring(min_size: u64) -> Balance {
    Balance::RingHash { min_size, max_size: 8_388_608 }
}

fn maglev(table_size: u64) -> Balance {
    Balance::Maglev { table_size }
}

/// The endpoint of each key below a number.
fn table(mesh: &Mesh, keys: u64) -> Vec<usize> {
    (0..keys).map(|key| mesh.keyed(key).unwrap()).collect()
}

#[test]
fn a_key_belongs_to_the_next_entry_of_the_ring() {
    let mesh = Mesh::new(ring(12), 6);
    for (key, expected) in [
        (0, 4),
        (833_437_586_790_550_860, 4),
        (833_437_586_790_550_861, 2),
        (3_551_244_743_356_806_947, 5),
        (3_551_244_743_356_806_948, 3),
        (16_117_243_373_044_804_880, 0),
        (16_117_243_373_044_804_889, 0),
        (16_117_243_373_044_804_890, 4),
        (u64::MAX, 4),
    ] {
        assert_eq!(mesh.keyed(key), Some(expected), "{key}");
    }
}

#[test]
fn each_endpoint_has_a_whole_number_of_entries_where_weights_are_equal() {
    let mut mesh = Mesh::new(ring(3), 2);
    // 80: 5454692015285649509, 13838424394637650569. 81: 7859399908942313493, 16064866803292627174.
    mesh.first_port = 80;
    for (key, expected) in [(0, 0), (5_454_692_015_285_649_510, 1), (7_859_399_908_942_313_494, 0), (u64::MAX, 0)] {
        assert_eq!(mesh.keyed(key), Some(expected), "{key}");
    }
    // 81 as before. 82: 8241336090459785962, 12882406409176325258.
    mesh.first_port = 81;
    for (key, expected) in [(0, 0), (7_859_399_908_942_313_494, 1), (12_882_406_409_176_325_259, 0)] {
        assert_eq!(mesh.keyed(key), Some(expected), "{key}");
    }
}

const TINY: [(u64, usize); 6] = [
    (928_266_305_478_181_108, 2),
    (4_443_673_547_860_492_590, 2),
    (5_583_722_120_771_150_861, 1),
    (6_311_230_543_546_372_928, 1),
    (13_444_792_449_719_432_967, 2),
    (16_117_243_373_044_804_889, 0),
];

/// How many of 6,000 keys at even distances each endpoint has.
fn keys_of(mesh: &Mesh) -> Vec<usize> {
    let mut worker = mesh.worker(7);
    let mut counts = vec![0; mesh.endpoints.len()];
    for at in 0..6000 {
        let hash = Some(at * (u64::MAX / 6000));
        counts[worker.pick(&Wish { hash, ..Wish::default() }).unwrap().index] += 1;
    }
    counts
}

#[test]
fn entries_of_a_ring_go_by_weight() {
    let tiny = Mesh::new(Balance::RingHash { min_size: 6, max_size: 6 }, 3).weights(&[1, 2, 3]);
    for (key, expected) in TINY {
        assert_eq!(tiny.keyed(key), Some(expected), "{key}");
    }
    let large = Mesh::new(ring(6144), 3).weights(&[1, 2, 3]);
    assert_eq!(keys_of(&large), [987, 1932, 3081]);
}

#[test]
fn entries_of_a_ring_go_by_the_weights_of_localities() {
    let weights = [Some(1), Some(2), Some(3), Some(0)];
    let tiny = Mesh::new(Balance::RingHash { min_size: 6, max_size: 6 }, 4).localities(&weights, &[0, 1, 2, 3]);
    for (key, expected) in TINY {
        assert_eq!(tiny.keyed(key), Some(expected), "{key}");
    }
    let large = Mesh::new(ring(6144), 4).localities(&weights, &[0, 1, 2, 3]);
    assert_eq!(keys_of(&large), [987, 1932, 3081, 0]);
}

#[test]
fn a_table_fills_by_turns() {
    assert_eq!(table(&Mesh::new(maglev(7), 6), 14), [2, 4, 0, 1, 5, 0, 3, 2, 4, 0, 1, 5, 0, 3]);
    let weighted = Mesh::new(maglev(17), 2).weights(&[1, 2]);
    assert_eq!(table(&weighted, 17), [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
    assert_eq!(table(&Mesh::new(maglev(17), 1).weights(&[7]), 17), [0; 17]);
}

#[test]
fn a_table_fills_by_the_weights_of_localities() {
    let same = Mesh::new(maglev(17), 2).weights(&[1, 2]).localities(&[Some(1), Some(1)], &[0, 1]);
    let expected = [1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1];
    assert_eq!(table(&same, 17), expected, "weights in different localities do not meet");
    assert_eq!(table(&same.healths(&[Unhealthy, Unhealthy]), 17), expected, "nor in panic");
    let others = [Some(8), Some(0), Some(2)];
    let different = Mesh::new(maglev(17), 3).weights(&[1, 2, 3]).localities(&others, &[0, 2, 1]);
    assert_eq!(table(&different, 17), [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn where_no_locality_has_a_weight_no_key_has_an_endpoint() {
    for balance in [ring(1024), maglev(17)] {
        let mesh = Mesh::new(balance, 2).localities(&[Some(0), None], &[0, 1]);
        assert_eq!(mesh.keyed(7), None);
    }
}

#[test]
fn further_attempts_go_along_the_ring_and_leap_in_the_table() {
    let picks = |mesh: &Mesh, key: u64, reselections: u32, avoid: &dyn Fn(usize) -> bool| {
        let wish = Wish { hash: Some(key), reselections, avoid, ..Wish::default() };
        mesh.worker(7).pick(&wish).unwrap().index
    };
    let ring = Mesh::new(ring(12), 6);
    assert_eq!(picks(&ring, 0, 2, &|_| false), 4);
    assert_eq!(picks(&ring, 0, 2, &|index| index == 4), 2);
    assert_eq!(picks(&ring, 0, 2, &|_| true), 0, "the last that was looked at");
    assert_eq!(picks(&ring, 0, 13, &|_| true), 2, "once round the ring");
    let table = Mesh::new(maglev(7), 6);
    assert_eq!(picks(&table, 10, 2, &|_| false), 1);
    assert_eq!(picks(&table, 10, 2, &|index| index == 1), 0);
    assert_eq!(picks(&table, 10, 2, &|_| true), 5);
}

#[test]
fn a_key_leads_to_a_priority_too() {
    let half = [Healthy, Unhealthy, Healthy];
    let mesh = Mesh::new(ring(12), 3).priorities(&[0, 0, 1]).healths(&half);
    assert_eq!([69, 71].map(|key| mesh.keyed(key)), [Some(0), Some(2)], "70 % are left to the first");
}

#[test]
fn in_panic_keys_are_dealt_to_all() {
    let mesh = Mesh::new(ring(12), 6).healths(&[Unhealthy; 6]);
    let pick = mesh.worker(7).pick(&Wish { hash: Some(0), ..Wish::default() }).unwrap();
    assert_eq!((pick.index, pick.panics), (4, true));
    assert_eq!(mesh.change(|cluster| cluster.panic_percent = 0.0).keyed(0), None);
}

#[test]
fn degraded_endpoints_are_never_found_by_key() {
    for balance in [ring(1024), maglev(17)] {
        assert_eq!(Mesh::new(balance, 2).healths(&[Degraded, Degraded]).keyed(7), None);
    }
}

#[test]
fn without_a_key_any_endpoint_will_do() {
    Mesh::new(maglev(65_537), 4).expect(&[0.25; 4]);
    Mesh::new(maglev(65_537), 2).weights(&[1, 3]).expect(&[0.25, 0.75]);
    let shares = Mesh::new(ring(1024), 4).shares();
    assert!(shares.iter().all(|share| (0.2..0.3).contains(share)), "{shares:?}");
}

#[test]
fn order_of_endpoints_does_not_count_in_a_table() {
    let one = Mesh::new(maglev(65_537), 3);
    let mut worker = one.worker(7);
    let addresses = ["127.0.0.1:92", "127.0.0.1:90", "127.0.0.1:91"];
    let labels = BTreeMap::new();
    let member = |(index, address): (usize, &&'static str)| Member {
        index: [2, 0, 1][index],
        priority: 0,
        locality: 0,
        weight: 1,
        health: Healthy,
        address,
        labels: &labels,
        healthy_since: None,
    };
    let turned: Vec<_> = addresses.iter().enumerate().map(member).collect();
    let other = Rotation::new(1, &one.cluster, &turned, one.begin);
    for key in 0..1000 {
        let wish = Wish { hash: Some(key), ..Wish::default() };
        let pick = other.pick(&mut Turn::new(1), &wish, one.begin, &mut worker.rng.clone(), |_| 0);
        assert_eq!(pick, worker.pick(&wish));
    }
}

/// What each of many keys leads to, before and after an endpoint has failed.
fn moved(before: Balance, after: Balance, endpoints: usize, failing: usize) -> Vec<(usize, usize)> {
    let mut healths = vec![Healthy; endpoints];
    healths[failing] = Unhealthy;
    let (before, after) = (Mesh::new(before, endpoints), Mesh::new(after, endpoints).healths(&healths));
    let after = after.change(|cluster| cluster.panic_percent = 0.0);
    let (mut before, mut after) = (before.worker(7), after.worker(7));
    let keys = (0..2000_u64).map(|key| Wish { hash: Some(hash::key(&key.to_be_bytes())), ..Wish::default() });
    keys.map(|wish| (before.pick(&wish).unwrap().index, after.pick(&wish).unwrap().index)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn only_keys_of_an_endpoint_that_left_move_on_a_ring(endpoints in 4_usize..12, failing in 0_usize..4) {
        // So that the others have as many entries as before.
        let (before, after) = (ring(100 * endpoints as u64), ring(100 * (endpoints as u64 - 1)));
        for (before, after) in moved(before, after, endpoints, failing) {
            prop_assert!(after != failing && (before == after || before == failing));
        }
    }

    #[test]
    fn few_keys_but_those_of_an_endpoint_that_left_move_in_a_table(endpoints in 4_usize..12, failing in 0_usize..4) {
        let moved = moved(maglev(65_537), maglev(65_537), endpoints, failing);
        prop_assert!(moved.iter().all(|(_, after)| *after != failing));
        let needless = moved.iter().filter(|(before, after)| before != after && *before != failing).count();
        prop_assert!(needless < moved.len() / 20, "{needless} of {}", moved.len());
    }
}
