//! Runs of several nights, for the pages that set runs beside each other.

use super::pieces;
use squall_reports::record::Record;

/// Of each night the scenarios that ran: healed, the release, the sweep. The second is not healed in the last two nights, the
/// third was left out in one, and a policy was changed on the last day.
pub fn nights() -> Vec<(String, Vec<Record>)> {
    (16..=20).map(|day| night(day, day - 15)).collect()
}

fn night(day: u64, seed: u64) -> (String, Vec<Record>) {
    let id = format!("202611{day}T021000Z-{seed}");
    let mut records = vec![pieces::healed_well(), if day >= 19 { pieces::not_healed() } else { pieces::healed_well() }];
    if day != 17 {
        records.push(pieces::sweep_200());
    }
    for (number, record) in records.iter_mut().enumerate() {
        record.run.id.clone_from(&id);
        record.run.started = format!("2026-11-{day}T02:10:0{number}.000000000Z");
        record.run.seed = seed;
        if number == 1 {
            "an instance that never answers is left alone".clone_into(&mut record.scenario.title);
            "hanging".clone_into(&mut record.scenario.slug);
        }
        if day == 20 {
            record
                .scenario
                .policies
                .iter_mut()
                .for_each(|file| file.text = file.text.replace("attempts: 1,", "attempts: 3,"));
        }
    }
    (id, records)
}
