//! Writes the records of the gallery: `gallery FOLDER` makes `FOLDER/<name>/record.json` of each.

use squall_tests::gallery;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("usage: gallery FOLDER"))?;
    for record in gallery::records() {
        let place = Path::new(&folder).join(&record.scenario.slug);
        fs::create_dir_all(&place)?;
        fs::write(place.join("record.json"), serde_json::to_vec(&record)?)?;
    }
    Ok(())
}
