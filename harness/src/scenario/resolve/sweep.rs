//! Sweeps and their expectations.

mod search;

use super::expect::{Names, absolute, check_confidence, comparable, confidence};
use super::load::{LARGEST_BODY, STREAMS};
use super::mesh;
use crate::load::wire::{Connections, Protocol};
use crate::scenario::code;
use crate::scenario::limit::Limit as Written;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Chosen, Expectation, Flow, Limit, MeshMode, Profile, Subject, Sweep};
use crate::scenario::written::{self, Cells, Placed, SweepMetrics};
use crate::units::{Bytes, Rate};
use std::fmt::Write;
use std::time::Duration;

/// At most so many cells: each costs seconds.
const MOST_CELLS: usize = 10_000;
/// Before each cell is measured, where the file does not say.
const WARM_UP: Duration = Duration::from_secs(1);
/// Measured in each cell, where the file does not say.
const MEASURE: Duration = Duration::from_secs(4);

/// Resolves the lists; a list that is not there has the one value of the flow or of the mesh.
pub(super) fn resolve(
    written: &Placed<written::Sweep>,
    flows: &[Flow],
    mode: MeshMode,
    problems: &mut Problems,
) -> Sweep {
    let each = written.each.clone().unwrap_or_default();
    let measure = each.measure.map_or(MEASURE, |span| span.0);
    let search = written.search.as_ref().map(|search| search::resolve(search, written, measure, problems));
    let rates: Vec<Rate> = if let Some(search) = &written.search {
        vec![search.from.value]
    } else if let Some(rates) = &written.rate {
        for rate in rates.iter().filter(|rate| rate.0 == 0.0) {
            problems.error(code::RANGE, rate.place, "a rate of 0 sends nothing");
        }
        rates.iter().map(|rate| rate.value).collect()
    } else {
        let own = flows.first().and_then(|flow| flow.pace.profile()).map(Profile::highest);
        own.filter(|rate| rate.0 > 0.0).into_iter().collect()
    };
    let connections: Vec<u32> = match (&written.connections, flows.first().map(|flow| flow.connections)) {
        (Some(numbers), _) => {
            for number in numbers.iter().filter(|number| number.value == 0) {
                problems.error(code::RANGE, number.place, "no request can be sent without a connection");
            }
            numbers.iter().map(|number| number.value).collect()
        }
        (None, Some(Connections::Fixed(number) | Connections::UpTo(number))) => vec![number],
        (None, _) => Vec::new(),
    };
    let modes: Vec<MeshMode> = match &written.mode {
        Some(modes) => modes.iter().map(mesh::mode).collect(),
        None => vec![mode],
    };
    if let Some(measure) = each.measure.filter(|measure| measure.0.is_zero()) {
        problems.error(code::RANGE, measure.place, "a cell of no length measures nothing");
    }
    if flows.len() != 1 {
        problems.error(code::SHAPE, written.place, "a sweep needs exactly one flow");
    }
    if let Some(flow) =
        flows.iter().find(|flow| flow.pace.profile().is_none_or(|profile| !profile.stretches.is_empty()))
    {
        problems
            .error(code::SHAPE, flow.place, "each cell of a sweep has one rate")
            .expected("a `rate`, or `{poisson: 500/s}`");
    }
    let sweep = Sweep {
        rates,
        search,
        connections,
        modes,
        protocols: protocols(written, flows, problems),
        payloads: payloads(written, problems),
        blocks: blocks(written, problems),
        warm_up: each.warm_up.map_or(WARM_UP, |span| span.0),
        measure,
    };
    let cells = sweep.cells();
    if cells == 0 && !problems.has_errors() {
        problems
            .error(code::SHAPE, written.place, "the sweep has no cell")
            .expected("`rate`, `connections`, `mode`, `protocol` and `payload`, each with at least one entry");
    }
    if cells > MOST_CELLS {
        problems.error(
            code::RANGE,
            written.place,
            format!("{} = {cells} cells, more than {MOST_CELLS}", product(&sweep)),
        );
    }
    sweep
}

/// `4 rates x 3 connections x 5 modes`: what has more than one entry.
fn product(sweep: &Sweep) -> String {
    let lists = [
        (sweep.rates.len(), "rates"),
        (sweep.connections.len(), "connections"),
        (sweep.modes.len(), "modes"),
        (sweep.protocols.len(), "protocols"),
        (sweep.payloads.len(), "payloads"),
        (sweep.blocks as usize, "blocks"),
    ];
    let several = lists.iter().filter(|(number, _)| *number > 1).map(|(number, what)| format!("{number} {what}"));
    several.collect::<Vec<_>>().join(" x ")
}

fn protocols(written: &written::Sweep, flows: &[Flow], problems: &mut Problems) -> Vec<Option<Protocol>> {
    let Some(protocols) = &written.protocol else { return vec![None] };
    let own = flows.first().map(|flow| flow.protocol);
    let streams = own.map(Protocol::streams).filter(|streams| *streams > 1).unwrap_or(STREAMS);
    let protocol = |spoken: &Placed<written::Protocol>| match spoken.value {
        written::Protocol::Http1 => Some(Protocol::Http1),
        written::Protocol::Http2 => Some(Protocol::Http2 { streams }),
        written::Protocol::Grpc => {
            problems
                .error(code::SHAPE, spoken.place, "a call of gRPC is another request, not the same in another protocol")
                .expected("`http1` and `http2`");
            None
        }
    };
    let all = protocols.iter().map(protocol).collect();
    if let (Some(Protocol::Grpc { .. }), Some(first)) = (own, protocols.first()) {
        problems.error(code::SHAPE, first.place, "the flow calls gRPC, which is spoken over HTTP/2 alone");
    }
    all
}

fn payloads(written: &written::Sweep, problems: &mut Problems) -> Vec<Option<u64>> {
    let Some(payloads) = &written.payload else { return vec![None] };
    for payload in payloads.iter().filter(|payload| payload.0 > LARGEST_BODY) {
        problems.error(code::RANGE, payload.place, format!("a body of {}", payload.value)).expected("at most 1GiB");
    }
    payloads.iter().map(|payload| Some(payload.0)).collect()
}

fn blocks(written: &written::Sweep, problems: &mut Problems) -> u32 {
    let Some(blocks) = written.blocks else { return 1 };
    if blocks.value == 0 {
        problems.error(code::RANGE, blocks.place, "no block runs no cell").expected("at least 1");
    }
    blocks.value
}

/// The limits of one block on cells.
pub(super) fn expectations(
    block: &SweepMetrics,
    names: &Names<'_>,
    problems: &mut Problems,
    found: &mut Vec<Expectation>,
) {
    let Some(sweep) = names.sweep else {
        if let Some((metric, _)) = block.metrics.limits.first() {
            problems.error(code::SHAPE, metric.place, "an expectation on a sweep, but there is no `sweep`");
        }
        return;
    };
    let chosen = chosen(&block.cells.clone().unwrap_or_default(), sweep, problems);
    let over = block.over.as_ref().map(|over| of_sweep(&over.mode, sweep, problems));
    if let Some(written) = block.over.as_ref().filter(|_| over.is_some() && over == chosen.mode) {
        problems.error(code::SHAPE, written.mode.place, "cells are compared with themselves");
    }
    check_confidence(&block.metrics, problems);
    for (metric, limit) in &block.metrics.limits {
        if !search::is_asked(sweep, block, metric, problems) {
            continue;
        }
        let resolved = match (&limit.value, over) {
            (Written::AtMostTimes { factor, phase: None }, Some(_)) if comparable(metric) => {
                Limit::AtMostTimes(*factor)
            }
            (Written::AtMostTimes { phase: None, .. }, None) => {
                problems
                    .error(code::SHAPE, limit.place, "so many times what?")
                    .help("name the cell to compare with: `over: {mode: none}`");
                continue;
            }
            (Written::AtMostTimes { .. }, _) => {
                problems
                    .error(code::SHAPE, limit.place, "a sweep has no phases to compare with")
                    .expected("`<= 1.5x`, with `over: {mode: none}` beside it");
                continue;
            }
            (_, over) => match (absolute(metric, limit, problems), over) {
                (Some(Limit::AtMost(most)), Some(_)) => Limit::AtMostMore(most),
                (Some(_), Some(_)) => {
                    problems
                        .error(code::SHAPE, limit.place, "with `over`, a limit says how much more")
                        .expected("`<=`");
                    continue;
                }
                (Some(limit), None) => limit,
                (None, _) => continue,
            },
        };
        let mut id = format!("sweep.{}", metric.value);
        let words = words(&chosen);
        if !words.is_empty() {
            // Writing to a string never fails.
            let _ = write!(id, "({})", words.join(", "));
        }
        let beside = over.map(|over| format!(" over {}", over.word())).unwrap_or_default();
        found.push(Expectation {
            id,
            place: limit.place,
            written: format!("{} {}{beside}", metric.value, limit.value),
            subject: Subject::Sweep { cells: chosen.clone(), metric: metric.value.clone(), over },
            limit: resolved,
            confidence: confidence(&block.metrics, metric),
        });
    }
}

fn chosen(written: &Cells, sweep: &Sweep, problems: &mut Problems) -> Chosen {
    let protocols: Vec<&str> = sweep.protocols.iter().flatten().map(|protocol| protocol.word()).collect();
    let payloads: Vec<Bytes> = sweep.payloads.iter().flatten().map(|payload| Bytes(*payload)).collect();
    let protocol = written.protocol.map(|spoken| {
        let value = match spoken.value {
            written::Protocol::Http1 => "http1",
            written::Protocol::Http2 => "http2",
            written::Protocol::Grpc => "grpc",
        };
        Placed { value, place: spoken.place }
    });
    Chosen {
        rate: written.rate.map(|rate| member(rate, &sweep.rates, Rate::to_string, problems)),
        connections: written.connections.map(|number| member(number, &sweep.connections, u32::to_string, problems)),
        mode: written.mode.as_ref().map(|mode| of_sweep(mode, sweep, problems)),
        protocol: protocol.map(|protocol| member(protocol, &protocols, ToString::to_string, problems)),
        payload: written.payload.map(|payload| member(payload, &payloads, Bytes::to_string, problems).0),
    }
}

/// As ids have them: `1000/s`, `64 connections`, `client`, `http2`, `bodies of 1024 B`.
fn words(chosen: &Chosen) -> Vec<String> {
    let words = [
        chosen.rate.map(|rate| rate.to_string()),
        chosen.connections.map(|number| format!("{number} connections")),
        chosen.mode.map(|mode| mode.word().to_owned()),
        chosen.protocol.map(ToOwned::to_owned),
        chosen.payload.map(|bytes| format!("bodies of {bytes} B")),
    ];
    words.into_iter().flatten().collect()
}

/// The value, and an error if the sweep's list does not hold it.
fn member<T: PartialEq + Copy>(written: Placed<T>, list: &[T], print: fn(&T) -> String, problems: &mut Problems) -> T {
    if !list.contains(&written.value) {
        let expected = if list.is_empty() {
            "what the sweep varies, and it does not vary this".to_owned()
        } else {
            format!("one of {}", list.iter().map(print).collect::<Vec<_>>().join(", "))
        };
        problems
            .error(code::UNKNOWN_NAME, written.place, format!("no cell has {}", print(&written.value)))
            .expected(expected);
    }
    written.value
}

fn of_sweep(written: &Placed<written::Mode>, sweep: &Sweep, problems: &mut Problems) -> MeshMode {
    let mode = mesh::mode(written);
    if !sweep.modes.contains(&mode) {
        problems
            .error(code::UNKNOWN_NAME, written.place, format!("no cell is in mode `{}`", mode.word()))
            .names(mode.word(), sweep.modes.iter().map(|mode| mode.word()));
    }
    mode
}
