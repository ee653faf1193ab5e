//! `explore --save DIR`: what was found as tests that fail.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::test::Suite;
use crate::cli::why::Place;
use crate::cli::{Failure, print};
use crate::disk;
use crate::sim::{Explore, Found};

/// Writes what was found as a test into `folder`; `None` where no test can tell it, which is said.
///
/// # Errors
/// When the folder is none of the home, or can't be written to.
pub(super) fn write(search: &Explore, found: &Found, folder: &Path, suite: &Suite) -> Result<Option<PathBuf>, Failure> {
    let unwritable = |path: &Path, error: &std::io::Error| {
        Failure::new(format!("`{}` can't be written: {}", path.display(), disk::reason(error)))
    };
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let file = folder.join(format!("{}.test.yaml", found.finding.slug()));
    let place = Place::of(&file, &suite.folder)?;
    match search.to_test(found, &suite.home, place.path()) {
        Ok(text) => {
            fs::write(&file, text).map_err(|error| unwritable(&file, &error))?;
            Ok(Some(file))
        }
        Err(why) => {
            print::warning(&format!("no test is written: {why}"));
            Ok(None)
        }
    }
}
