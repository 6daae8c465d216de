//! Runs and their figures in a file of `SQLite`. Records are the truth; what stands here can be made from them again at any time.

use super::Series;
use super::figures::{Figure, figures};
use crate::compare::Unit;
use crate::record::Record;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;

/// Raised whenever a table changes; a file of another version is to be built again.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, run TEXT NOT NULL, scenario TEXT NOT NULL, repetition INTEGER NOT NULL, started TEXT NOT NULL,
        title TEXT NOT NULL, file TEXT NOT NULL, verdict TEXT NOT NULL, machine TEXT NOT NULL, record TEXT NOT NULL,
        UNIQUE (run, scenario, repetition));
    CREATE TABLE figures (
        run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, place INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,
        value REAL NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
    CREATE INDEX by_scenario ON runs (scenario, started);
";

/// Why the history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `SQLite`.
    #[error("{0}")]
    Store(#[from] rusqlite::Error),
    /// Of another version of Squall.
    #[error(
        "the history is of version {0}, and this is version {VERSION}: `squall history rebuild` makes it anew from the records"
    )]
    Version(i64),
}

/// A run of one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// `<stamp>-<seed>`.
    pub run: String,
    /// Start, RFC 3339.
    pub started: String,
    /// The scenario's name in files.
    pub scenario: String,
    /// Its claim.
    pub title: String,
    /// PASS, FAIL, ...
    pub verdict: String,
    /// The record's file, or the folder that it lies in.
    pub record: String,
}

/// The history.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens it, or makes an empty one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::of(Connection::open(path)?)
    }

    fn of(connection: Connection) -> Result<Self, Error> {
        connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;")?;
        let version = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?;
        match version {
            VERSION => {}
            0 => connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?,
            other => return Err(Error::Version(other)),
        }
        Ok(Self { connection })
    }

    /// Adds a run; false if it is there already, or is never compared: a quick one, and one that was cut.
    pub fn add(&mut self, record: &Record, file: &str) -> Result<bool, Error> {
        if record.run.quick || !record.complete {
            return Ok(false);
        }
        let transaction = self.connection.transaction()?;
        let machine = format!("{} x {}", record.run.machine.cores, record.run.machine.cpu);
        let added = transaction
            .query_row(
                "INSERT INTO runs (run, scenario, repetition, started, title, file, verdict, machine, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING RETURNING id",
                params![
                    record.run.id,
                    record.scenario.slug,
                    record.run.repetition.0,
                    record.run.started,
                    record.scenario.title,
                    record.scenario.file,
                    record.verdict.to_string(),
                    machine,
                    file,
                ],
                |row| row.get::<_, i64>(0),
            )
            .optional()?;
        let Some(id) = added else { return Ok(false) };
        for (place, Figure { name, unit, value }) in figures(record).into_iter().enumerate() {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            transaction.execute(
                "INSERT INTO figures (run, place, name, unit, value) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                params![id, place, name, word(unit), value],
            )?;
        }
        transaction.commit()?;
        Ok(true)
    }

    /// All runs, oldest first.
    pub fn nights(&self) -> Result<Vec<Night>, Error> {
        let mut query = self.connection.prepare(
            "SELECT run, started, scenario, title, verdict, record FROM runs ORDER BY started, scenario, repetition",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Night {
                run: row.get(0)?,
                started: row.get(1)?,
                scenario: row.get(2)?,
                title: row.get(3)?,
                verdict: row.get(4)?,
                record: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every figure of every scenario over its runs, oldest first: a value a run, the median of its repetitions. Runs that prove nothing are left out, and each machine
    /// has a series of its own.
    pub fn series(&self) -> Result<Vec<Series>, Error> {
        let mut query = self.connection.prepare(
            "SELECT r.scenario, r.machine, f.name, f.unit, r.run, r.started, f.value
             FROM figures f JOIN runs r ON r.id = f.run WHERE r.verdict IN ('PASS', 'FAIL')
             ORDER BY r.scenario, r.machine, f.place, f.name, r.started, r.run",
        )?;
        let mut rows = query.query([])?;
        let mut all: Vec<Series> = Vec::new();
        while let Some(row) = rows.next()? {
            let (scenario, machine, name, unit) = (
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            );
            let (run, started, value) = (row.get::<_, String>(4)?, row.get::<_, String>(5)?, row.get::<_, f64>(6)?);
            let known =
                all.iter().rposition(|one| (&one.scenario, &one.machine, &one.name) == (&scenario, &machine, &name));
            let series = if let Some(known) = known {
                &mut all[known]
            } else {
                all.push(Series { scenario, machine, name, unit: unit_of(&unit), nights: Vec::new() });
                let last = all.len() - 1;
                &mut all[last]
            };
            series.push(run, started, value);
        }
        Ok(all)
    }
}

const UNITS: [(Unit, &str); 5] = [
    (Unit::Share, "share"),
    (Unit::ASecond, "a-second"),
    (Unit::Milliseconds, "milliseconds"),
    (Unit::MicrosecondsARequest, "microseconds-a-request"),
    (Unit::Bytes, "bytes"),
];

/// As it is written in the file, and in exports.
pub fn word(unit: Unit) -> &'static str {
    UNITS.iter().find(|(one, _)| *one == unit).map_or("", |(_, word)| word)
}

fn unit_of(word: &str) -> Unit {
    UNITS.iter().find(|(_, one)| *one == word).map_or(Unit::Milliseconds, |(unit, _)| *unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::fixture::record;

    fn store() -> Store {
        Store::of(Connection::open_in_memory().unwrap()).unwrap()
    }

    fn night(number: u32) -> Record {
        let mut record = record();
        record.run.id = format!("night-{number:02}");
        record.run.started = format!("2026-05-{number:02}T03:00:00Z");
        record
    }

    #[test]
    fn a_run_is_added_once_and_quick_or_cut_ones_never() {
        let mut store = store();
        assert!(store.add(&night(1), "a/record.json").unwrap());
        assert!(!store.add(&night(1), "b/record.json").unwrap());
        let mut quick = night(2);
        quick.run.quick = true;
        assert!(!store.add(&quick, "c").unwrap());
        assert!(!store.add(&Record { complete: false, ..night(3) }, "d").unwrap());
        let nights = store.nights().unwrap();
        assert_eq!(
            nights.iter().map(|one| (one.run.as_str(), one.record.as_str())).collect::<Vec<_>>(),
            [("night-01", "a/record.json")]
        );
    }

    #[test]
    fn figures_are_series_in_the_order_of_nights_with_repetitions_in_one() {
        let mut store = store();
        for number in [3, 1, 2] {
            store.add(&night(number), "").unwrap();
        }
        let mut again = night(2);
        again.run.repetition = (2, 2);
        store.add(&again, "").unwrap();
        let series = store.series().unwrap();
        let names: Vec<&str> = series.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"failing.success") && names.contains(&"healing.ejected(cart/1)"), "{names:?}");
        for one in &series {
            let runs: Vec<&str> = one.nights.iter().map(|night| night.run.as_str()).collect();
            assert_eq!(runs, ["night-01", "night-02", "night-03"], "{}", one.name);
        }
    }

    #[test]
    fn a_history_of_another_version_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        assert!(matches!(Store::of(connection), Err(Error::Version(99))));
    }

    #[test]
    fn every_unit_has_a_word_of_its_own() {
        for (unit, word_of) in UNITS {
            assert_eq!((word(unit), unit_of(word_of)), (word_of, unit));
        }
    }
}
