//! `homerule schema`: what an editor needs to check and complete YAML files.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Exit, Failure, print};
use crate::lang::{FileKind, schema_of_all};

/// Writes the JSON Schema of rule, test or settings files to standard output; without a kind, one that each of them fits.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// The kind of file.
    kind: Option<Kind>,
    /// Write all three into this folder instead: `rules.schema.json`, `tests.schema.json`, `settings.schema.json`.
    #[arg(long, value_name = "FOLDER", conflicts_with = "kind")]
    into: Option<PathBuf>,
}

/// A kind of file, as a word of the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Rules: `rules/**/*.yaml`.
    Rules,
    /// Tests: `*.test.yaml`.
    Tests,
    /// `homerule.yaml`.
    Settings,
}

impl Kind {
    fn of_file(self) -> FileKind {
        match self {
            Kind::Rules => FileKind::Rules,
            Kind::Tests => FileKind::Tests,
            Kind::Settings => FileKind::Settings,
        }
    }
}

impl Schema {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        match (self.into, self.kind) {
            (Some(folder), _) => write_all(&folder)?,
            (None, Some(kind)) => print::json(&kind.of_file().schema())?,
            (None, None) => print::json(&schema_of_all())?,
        }
        Ok(Exit::Well)
    }
}

fn write_all(folder: &std::path::Path) -> Result<(), Failure> {
    let failure = |path: &std::path::Path, error: std::io::Error| {
        Failure::new(format!("`{}` can't be written: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| failure(folder, error))?;
    for (kind, name) in [(Kind::Rules, "rules"), (Kind::Tests, "tests"), (Kind::Settings, "settings")] {
        let path = folder.join(format!("{name}.schema.json"));
        let text = serde_json::to_string_pretty(&kind.of_file().schema());
        let text = text.map_err(|error| Failure::new(error.to_string()))?;
        fs::write(&path, text + "\n").map_err(|error| failure(&path, error))?;
        print::line(&format!("wrote {}", path.display()));
    }
    Ok(())
}
