//! `homerule init`: writes a first home, with rules that a beginner understands and their tests.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::home::home_folder::is_home;
use super::{Exit, Failure, print};

/// Writes a first home: settings, a few rules, and their tests. Overwrites nothing.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The home's folder; it is made where it isn't there.
    #[arg(default_value = ".")]
    home: PathBuf,
}

/// The files of a first home: those of the home that homerule's own repository runs.
const FILES: [(&str, &str); 7] = [
    ("homerule.yaml", include_str!("../../homerule.yaml")),
    ("rules/tv.yaml", include_str!("../../rules/tv.yaml")),
    ("rules/tv.test.yaml", include_str!("../../rules/tv.test.yaml")),
    ("rules/hall.yaml", include_str!("../../rules/hall.yaml")),
    ("rules/hall.test.yaml", include_str!("../../rules/hall.test.yaml")),
    ("rules/good_night.yaml", include_str!("../../rules/good_night.yaml")),
    ("rules/good_night.test.yaml", include_str!("../../rules/good_night.test.yaml")),
];

impl Init {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let home = self.home.as_path();
        if is_home(home) {
            let shown = home.display();
            return Err(Failure::new(format!("`{shown}` is a home already, and nothing in it was changed")));
        }
        if let Some((path, _)) = FILES.iter().find(|(path, _)| home.join(path).exists()) {
            let path = home.join(path);
            return Err(Failure::new(format!("`{}` is there already, and nothing was written", path.display())));
        }
        for (path, text) in FILES {
            write(&home.join(path), text)?;
            print::line(&format!("wrote {}", home.join(path).display()));
        }
        let folder = if home == Path::new(".") { String::new() } else { format!(" {}", home.display()) };
        print::line("");
        print::line(&format!("`homerule test{folder}` tests its rules, `homerule run{folder}` runs it"));
        Ok(Exit::Well)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failure = |error: std::io::Error| Failure::new(format!("`{}` can't be written: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failure)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failure)?;
    file.write_all(text.as_bytes()).map_err(failure)
}
