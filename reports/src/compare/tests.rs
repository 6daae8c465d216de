use super::*;
use crate::stats::draws::Draws;

/// How a comparison is made up: noise of a figure from block to block, and how much slower B is.
#[derive(Clone, Copy)]
struct Made {
    blocks: usize,
    noise: f64,
    slower: f64,
}

/// Six figures, of which success is always whole, and the others move with the machine.
fn made(made: Made, seed: u64) -> Vec<Block> {
    let mut draws = Draws::new(seed);
    let mut measure = |speed: f64, slower: f64| {
        let mut time = |usual: f64| usual * speed * slower * (made.noise * draws.normal()).exp();
        let figures = [
            (Figure::Success, 1.0),
            (Figure::P50, time(5.0)),
            (Figure::P90, time(9.0)),
            (Figure::P99, time(20.0)),
            (Figure::CpuOfProxy, time(60.0)),
            (Figure::MemoryOfProxy, 2e7),
        ];
        Figures(figures.into())
    };
    (0..made.blocks)
        .map(|number| {
            let speed = if number % 3 == 0 { 1.8 } else { 1.0 };
            Block { a: measure(speed, 1.0), again: measure(speed, 1.0), b: measure(speed, made.slower) }
        })
        .collect()
}

fn verdicts(how: Made, tries: u64) -> Vec<Verdict> {
    (0..tries).map(|seed| Comparison::of("a", "b", seed, &made(how, seed), 0).verdict).collect()
}

fn share(verdicts: &[Verdict], wanted: Verdict) -> f64 {
    verdicts.iter().filter(|one| **one == wanted).count() as f64 / verdicts.len() as f64
}

#[test]
fn equal_things_are_called_changed_in_at_most_one_comparison_of_ten() {
    for (blocks, noise) in [(8, 0.03), (8, 0.2), (16, 0.03)] {
        let verdicts = verdicts(Made { blocks, noise, slower: 1.0 }, 300);
        let alarms = share(&verdicts, Verdict::Worse) + share(&verdicts, Verdict::Better);
        assert!(alarms <= 0.1, "{blocks} blocks, noise {noise}: {alarms}");
    }
}

#[test]
fn eight_blocks_find_ten_per_cent_in_nine_of_ten_tries() {
    let worse = share(&verdicts(Made { blocks: 8, noise: 0.03, slower: 1.1 }, 300), Verdict::Worse);
    assert!(worse >= 0.9, "{worse}");
    let better = share(&verdicts(Made { blocks: 8, noise: 0.03, slower: 1.0 / 1.1 }, 300), Verdict::Better);
    assert!(better >= 0.9, "{better}");
}

#[test]
fn one_figure_of_six_can_be_a_discovery_of_eight_blocks() {
    let blocks: Vec<Block> = made(Made { blocks: 8, noise: 0.01, slower: 1.0 }, 1)
        .into_iter()
        .map(|mut block| {
            block.b.0.entry(Figure::MemoryOfProxy).and_modify(|bytes| *bytes *= 1.3);
            block
        })
        .collect();
    let said = Comparison::of("a", "b", 1, &blocks, 0);
    let worse: Vec<Figure> =
        said.figures.iter().filter(|one| one.verdict == Verdict::Worse).map(|one| one.figure).collect();
    assert_eq!((said.verdict, worse), (Verdict::Worse, vec![Figure::MemoryOfProxy]));
}

#[test]
fn what_has_no_figure_or_too_few_blocks_is_undecided() {
    let of = |blocks: &[Block]| Comparison::of("a", "b", 1, blocks, 0);
    assert_eq!(of(&[]).verdict, Verdict::Undecided);
    let few = of(&made(Made { blocks: 5, noise: 0.01, slower: 2.0 }, 1));
    assert_eq!(few.verdict, Verdict::Undecided);
    let mut blocks = made(Made { blocks: 8, noise: 0.01, slower: 1.0 }, 1);
    blocks[3].b.0.remove(&Figure::P99);
    let holed = of(&blocks);
    let p99 = holed.figures.iter().find(|one| one.figure == Figure::P99).map(|one| (one.verdict, one.ratio));
    assert_eq!((p99, holed.verdict), (Some((Verdict::Undecided, None)), Verdict::Undecided));
}

#[test]
fn what_was_always_the_same_is_no_difference() {
    let said = Comparison::of("a", "b", 1, &made(Made { blocks: 8, noise: 0.05, slower: 1.0 }, 3), 0);
    let success = said.figures.iter().find(|one| one.figure == Figure::Success).cloned();
    let success = success.map(|one| (one.ratio, one.verdict, one.could_have_seen));
    assert_eq!(success, Some((Some(1.0), Verdict::NoDifference, Some(0.0))));
}
