use super::*;
use crate::output::fixture;
use crate::output::live::view::tests::press;
use crate::output::replay::{Step, steps};
use crate::run::events::RunEvent;
use ratatui_core::style::{Color, Modifier};
use squall_reports::record::Record;
use std::path::Path;

const PLAIN: Looks = Looks { colour: false, ascii: false };

/// A record as far as so many milliseconds, and whatever keys were pressed then.
fn after(record: &Record, millis: u64, keys: &str) -> (Story, View, Duration) {
    let at = Duration::from_millis(millis);
    let (mut story, mut view) = (Story::default(), View::default());
    let due = |step: &Step| step.at <= at;
    for step in steps(record, Path::new("out")).iter().filter(|step| due(step)) {
        story.take(step.at, &step.event);
        view.follow(&story);
    }
    view.is_now(at);
    press(&mut view, keys, &story);
    (story, view, at)
}

fn picture((story, view, at): &(Story, View, Duration), size: (u16, u16), looks: Looks, replay: bool) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    scene(&mut buffer, &Scene { story, view, at: *at, looks, replay });
    buffer
}

fn text(buffer: &Buffer) -> String {
    let row = |y: u16| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| row(y).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Only the arm as written, so that there is no list.
fn alone() -> Record {
    let mut record = fixture::record();
    record.arms.truncate(1);
    record
}

macro_rules! snapshot {
    ($name:literal, $picture:expr) => {
        insta::with_settings!({prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(concat!("live_", $name), text(&$picture));
        });
    };
}

#[test]
fn one_arm_on_a_usual_terminal() {
    snapshot!("80x24", picture(&after(&alone(), 7_700, ""), (80, 24), PLAIN, false));
}

#[test]
fn two_arms_side_by_side() {
    snapshot!("80x24_two_arms", picture(&after(&fixture::record(), 9_700, ""), (80, 24), PLAIN, false));
}

#[test]
fn one_arm_on_a_large_terminal() {
    snapshot!("140x40", picture(&after(&alone(), 12_700, ""), (140, 40), PLAIN, false));
}

#[test]
fn what_stays_on_a_small_terminal() {
    snapshot!("60x15", picture(&after(&fixture::record(), 7_700, ""), (60, 15), PLAIN, false));
}

#[test]
fn details_and_events() {
    snapshot!("80x24_details", picture(&after(&alone(), 9_700, "d"), (80, 24), PLAIN, false));
    snapshot!("80x24_events", picture(&after(&alone(), 9_700, "e"), (80, 24), PLAIN, false));
}

#[test]
fn with_nothing_but_ascii() {
    let looks = Looks { ascii: true, ..PLAIN };
    let drawn = text(&picture(&after(&alone(), 9_700, ""), (80, 24), looks, false));
    assert!(drawn.is_ascii(), "{drawn}");
}

#[test]
fn the_end_of_a_record() {
    snapshot!("80x24_end", picture(&after(&fixture::record(), 60_000, ""), (80, 24), PLAIN, true));
}

#[test]
fn being_stopped_says_what_is_undone() {
    let mut state = after(&alone(), 7_700, "");
    state.0.take(state.2, &RunEvent::Stopping);
    let drawn = text(&picture(&state, (80, 24), PLAIN, false));
    assert!(drawn.contains("undoing 1 fault (Ctrl-C again to leave it to the guardian)"), "{drawn}");
}

#[test]
fn rows_keep_their_places_over_the_whole_run() {
    for size in [(80, 24), (140, 40), (60, 15), (100, 30)] {
        let labels = |millis| {
            let drawn = text(&picture(&after(&alone(), millis, ""), size, PLAIN, false));
            let place = |label: &str| drawn.lines().position(|line| line.trim_start().starts_with(label));
            ["rate", "cart/1", "cart/3", "proxy says", "generator", "Ctrl-C"].map(place)
        };
        let first = labels(2_700);
        assert!(first[0].is_some() && first[5].is_some(), "{size:?}");
        for millis in (3_700..15_400).step_by(500) {
            assert_eq!(labels(millis), first, "{size:?} at {millis}");
        }
    }
}

#[test]
fn every_size_is_drawn_and_the_keys_stay() {
    let state = after(&fixture::record(), 9_700, "");
    for width in (1..200).step_by(7) {
        for height in 1..50 {
            for keys in ["", "d", "e"] {
                let state = (state.0.clone(), after(&alone(), 0, keys).1, state.2);
                let drawn = text(&picture(&state, (width, height), PLAIN, false));
                assert!(
                    width < 12 || drawn.lines().last().is_some_and(|foot| foot.contains("Ctrl-C")),
                    "{width}x{height}"
                );
            }
        }
    }
}

#[test]
fn colours_are_the_terminals_own_and_go_with_no_color() {
    let state = after(&fixture::record(), 9_700, "");
    let colours = |looks| {
        let drawn = picture(&state, (140, 40), looks, false);
        let mut all: Vec<Color> = drawn.content.iter().map(|cell| cell.fg).collect();
        all.dedup();
        all
    };
    assert!(colours(PLAIN).iter().all(|colour| *colour == Color::Reset));
    let sixteen = [Color::Reset, Color::Red, Color::Green, Color::Yellow, Color::Magenta];
    let seen = colours(Looks { colour: true, ..PLAIN });
    assert!(seen.iter().all(|colour| sixteen.contains(colour)), "{seen:?}");
    assert!(seen.contains(&Color::Yellow) && seen.contains(&Color::Green), "{seen:?}");
    let plain = picture(&state, (140, 40), PLAIN, false);
    assert!(plain.content.iter().any(|cell| cell.modifier.contains(Modifier::BOLD)), "bold is no colour");
}

#[test]
fn a_record_without_anything_in_it_is_drawn() {
    let mut record = alone();
    let empty = squall_reports::record::Arm::empty(squall_reports::record::ArmKind::Main);
    record.arms = vec![empty];
    for size in [(80, 24), (140, 40), (60, 15)] {
        for keys in ["", "d", "e"] {
            picture(&after(&record, 700, keys), size, PLAIN, true);
        }
    }
    record.arms.clear();
    assert!(text(&picture(&after(&record, 700, ""), (80, 24), PLAIN, true)).contains("nothing has begun yet"));
}

#[test]
fn texts_from_elsewhere_move_no_cursor() {
    let mut record = alone();
    record.scenario.title = "a\u{1b}[2Jb\u{202e}c".to_owned();
    record.arms[0].events[3].text = "hang\u{7} on\r\ncart/1".to_owned();
    let drawn = text(&picture(&after(&record, 7_700, ""), (80, 24), PLAIN, false));
    assert!(!drawn.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{drawn:?}");
}
