//! Records made in code, each a picture that is easy to draw badly: nothing to show, one point, all lost, a run that
//! was cut, an hour, 200 cells, hostile text. The pages drawn from them are looked at by `tests/pages`.
//!
//! Their requests are played through a small model, so that sums, percentiles and intervals agree as in a real run.

mod build;
mod chance;
mod judge;
mod kept;
mod nights;
mod pieces;
mod plan;
mod rehearse;
mod tally;
mod words;

use squall_reports::record::Record;

/// How many there are.
pub const COUNT: usize = MAKERS.len();

const MAKERS: [fn() -> Record; 25] = [
    pieces::healed_well,
    pieces::not_healed,
    pieces::no_arm,
    pieces::no_data,
    pieces::one_point,
    pieces::one_second,
    pieces::all_failures,
    pieces::cut_run,
    pieces::outliers,
    pieces::texts,
    pieces::control_missing,
    pieces::control_passed,
    pieces::generator_late,
    pieces::second_try,
    pieces::inconclusive,
    pieces::disagreement,
    pieces::flows,
    pieces::release,
    pieces::thirty,
    pieces::crowded,
    pieces::sweep_with_holes,
    pieces::sweep_spoken,
    pieces::searches,
    pieces::sweep_200,
    pieces::hour,
];

pub use nights::nights;

/// Makes each record when asked for it, the largest last.
pub fn records() -> impl Iterator<Item = Record> {
    MAKERS.into_iter().map(|make| make())
}
