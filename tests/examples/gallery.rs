//! Writes the records of the gallery: `gallery FOLDER` makes `FOLDER/pieces/<name>/record.json` of each, and
//! `FOLDER/nights/<run>/<name>/record.json` of runs to set beside each other.

use squall_reports::record::Record;
use squall_tests::gallery;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("usage: gallery FOLDER"))?;
    let folder = Path::new(&folder);
    for record in gallery::records() {
        write(&folder.join("pieces"), &record)?;
    }
    for (run, records) in gallery::nights() {
        for record in records {
            write(&folder.join("nights").join(&run), &record)?;
        }
    }
    Ok(())
}

fn write(run: &Path, record: &Record) -> io::Result<()> {
    let place = run.join(&record.scenario.slug);
    fs::create_dir_all(&place)?;
    fs::write(place.join("record.json"), serde_json::to_vec(record)?)
}
