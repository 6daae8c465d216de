//! Subsets that routes choose by labels.

use super::*;
use crate::policy::{LabelSubsets, SubsetFallback, SubsetSelector};
use Health::{Healthy, Unhealthy};

fn labels(text: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    text.split_whitespace().filter_map(pair).collect()
}

/// Four endpoints, selected by `version`, or by `stage` and `version` together.
fn mesh(fallback: SubsetFallback, of_stage: Option<SubsetFallback>, default_subset: &str) -> Mesh {
    let selector =
        |keys: &[&str], fallback| SubsetSelector { keys: keys.iter().map(|key| (*key).to_owned()).collect(), fallback };
    let subsets = LabelSubsets {
        selectors: vec![selector(&["version"], None), selector(&["version", "stage"], of_stage)],
        fallback,
        default_subset: labels(default_subset),
    };
    Mesh::new(Balance::RoundRobin, 4)
        .each(&["version=v1 stage=prod", "version=v1 stage=dev", "version=v2", "stage=dev"], |endpoint, text| {
            endpoint.labels = labels(text);
        })
        .change(|cluster| cluster.subsets = Some(subsets))
}

/// Who is ever picked, and whether that is a fallback.
fn picked(mesh: &Mesh, subset: &str) -> (Vec<usize>, bool) {
    let subset = labels(subset);
    let wish = Wish { subset: &subset, ..Wish::default() };
    let mut worker = mesh.worker(0);
    let picks: Vec<_> = (0..12).filter_map(|_| worker.pick(&wish)).collect();
    let mut indices: Vec<_> = picks.iter().map(|pick| pick.index).collect();
    indices.sort_unstable();
    indices.dedup();
    (indices, picks.iter().any(|pick| pick.fell_back))
}

#[test]
fn a_subset_is_those_with_its_labels_and_asking_for_other_keys_falls_back() {
    let mesh = mesh(SubsetFallback::None, None, "");
    for (subset, expected) in [
        ("version=v1", vec![0, 1]),
        ("version=v2", vec![2]),
        ("version=v1 stage=dev", vec![1]),
        ("version=v2 stage=dev", vec![]),
        ("version=v3", vec![]),
        ("stage=dev", vec![]),
        ("version=v1 zone=a", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(picked(&mesh, subset), (expected, false), "{subset:?}");
    }
}

#[test]
fn where_there_is_no_such_subset_the_policy_says_who() {
    for (fallback, default_subset, expected) in [
        (SubsetFallback::None, "", vec![]),
        (SubsetFallback::Any, "", vec![0, 1, 2, 3]),
        (SubsetFallback::Default, "stage=dev", vec![1, 3]),
        (SubsetFallback::Default, "", vec![0, 1, 2, 3]),
        (SubsetFallback::Default, "stage=none", vec![]),
    ] {
        let mesh = mesh(fallback, None, default_subset);
        for subset in ["version=v3", "zone=a", ""] {
            let fell_back = !expected.is_empty();
            assert_eq!(picked(&mesh, subset), (expected.clone(), fell_back), "{fallback:?} {subset:?}");
        }
        assert_eq!(picked(&mesh, "version=v2"), (vec![2], false));
    }
}

#[test]
fn what_a_selector_says_goes_before_what_the_cluster_says() {
    let mesh = mesh(SubsetFallback::Any, Some(SubsetFallback::Default), "version=v2");
    assert_eq!(picked(&mesh, "version=v9 stage=dev"), (vec![2], true));
    assert_eq!(picked(&mesh, "version=v9"), (vec![0, 1, 2, 3], true));
    let none = self::mesh(SubsetFallback::Any, Some(SubsetFallback::None), "");
    assert_eq!(picked(&none, "version=v9 stage=dev"), (vec![], false));
}

#[test]
fn a_subset_that_nobody_of_is_healthy_does_not_fall_back_and_panics_by_itself() {
    let out = [Unhealthy, Unhealthy, Healthy, Healthy];
    let mesh = mesh(SubsetFallback::Any, None, "").healths(&out);
    assert_eq!(picked(&mesh, "version=v1"), (vec![0, 1], false), "in panic");
    let calm = mesh.change(|cluster| cluster.panic_percent = 0.0);
    assert_eq!(picked(&calm, "version=v1"), (vec![], false));
}

#[test]
fn subsets_do_not_share_by_the_weights_of_localities() {
    let mesh = mesh(SubsetFallback::None, None, "").localities(&[Some(1), Some(9)], &[0, 1, 0, 1]);
    let subset = labels("version=v1");
    about(&mesh.worker(7).shares(&Wish { subset: &subset, ..Wish::default() }), &[0.5, 0.5, 0.0, 0.0]);
}

#[test]
fn priorities_count_within_a_subset() {
    let mesh =
        mesh(SubsetFallback::None, None, "").priorities(&[0, 1, 0, 0]).healths(&[Unhealthy, Healthy, Healthy, Healthy]);
    assert_eq!(picked(&mesh, "version=v1"), (vec![1], false));
}
