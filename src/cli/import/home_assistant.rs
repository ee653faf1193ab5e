//! `homerule import home-assistant`: rules, inputs, scenes and tests from Home Assistant's configuration, and a report.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, Failure, print};
use crate::disk::{self, home_files};
use crate::lang::import::home_assistant::{Folder, Imported, Request, import};

use super::checked_home::CheckedHome;
use super::configuration_folder::ConfigurationFolder;
use super::{known_devices, tests_of_rules};

/// Where the report is written, unless another file is named.
const REPORT: &str = "import-report.md";

/// The entities file that each import writes.
const ENTITIES: &str = "homeassistant-entities.yaml";

/// What is imported, and where to.
#[derive(Debug, Args)]
pub(super) struct HomeAssistant {
    /// The configuration's folder, or one YAML file of it.
    path: PathBuf,
    /// The home that gets the rules.
    #[arg(long, value_name = "HOME", default_value = ".")]
    into: PathBuf,
    /// Which entity is which device or topic: the file that an earlier import wrote, edited.
    #[arg(long, value_name = "FILE")]
    entities: Option<PathBuf>,
    /// Where the report is written (default: import-report.md in the home).
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints what came of each automation as JSON.
    #[arg(long)]
    json: bool,
    /// Writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Overwrites files that an earlier import wrote.
    #[arg(long)]
    force: bool,
}

impl HomeAssistant {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let (folder, single) = self.configuration()?;
        let entities = self.entities_file()?;
        let named = self.entities.as_ref().map(|path| path.display().to_string());
        let mut request = Request {
            folder: &Folder { read: &|path| folder.read(path), list: &|path| folder.list(path) },
            single: single.as_deref(),
            entities: named.as_deref().zip(entities.as_deref()),
            known: known_devices::read(&self.into),
            has_settings: self.into.join(home_files::SETTINGS).exists(),
            rejected: BTreeMap::new(),
        };
        let imported = self.checked(&mut request)?;
        let report = imported.report.markdown();
        if !self.dry_run {
            self.write(&imported, &report)?;
        }
        if self.json {
            print::line(&imported.report.json().to_string());
        } else {
            self.summarize(&imported);
        }
        Ok(if imported.report.is_complete() { Exit::Well } else { Exit::No })
    }

    /// Imports, so that all that is switched on loads, with the tests of it.
    fn checked(&self, request: &mut Request<'_>) -> Result<Imported, Failure> {
        let shown = self.path.display();
        loop {
            let mut imported = import(request).map_err(|reason| Failure::new(format!("`{shown}`: {reason}")))?;
            let home = CheckedHome::load(&imported, &self.into)?;
            let rejected = home.rejected(&imported);
            let known = request.rejected.len();
            request.rejected.extend(rejected);
            if request.rejected.len() == known {
                tests_of_rules::add(&mut imported, &home);
                return Ok(imported);
            }
        }
    }

    /// Returns the configuration's folder, and the file of it if only that is meant.
    fn configuration(&self) -> Result<(ConfigurationFolder, Option<String>), Failure> {
        let failed = |error: &std::io::Error| {
            Failure::new(format!("`{}` can't be read: {}", self.path.display(), disk::reason(error)))
        };
        let found = fs::metadata(&self.path).map_err(|error| failed(&error))?;
        if found.is_dir() {
            return ConfigurationFolder::new(&self.path).map(|folder| (folder, None)).map_err(|error| failed(&error));
        }
        let real = self.path.canonicalize().map_err(|error| failed(&error))?;
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
        let folder =
            ConfigurationFolder::new(real.parent().unwrap_or(Path::new("/"))).map_err(|error| failed(&error))?;
        Ok((folder, name))
    }

    fn entities_file(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.entities else { return Ok(None) };
        let failed = |error| Failure::new(format!("`{}` can't be read: {}", path.display(), disk::reason(&error)));
        fs::read_to_string(path).map(Some).map_err(failed)
    }

    /// Writes the files. Without `--force`, nothing that is there and differs is overwritten, and then nothing is written.
    fn write(&self, imported: &Imported, report: &str) -> Result<(), Failure> {
        let report_file = self.report.clone().unwrap_or_else(|| self.into.join(REPORT));
        let mut files: BTreeMap<PathBuf, &str> =
            imported.files.iter().map(|(path, text)| (self.into.join(path), text.as_str())).collect();
        files.insert(report_file, report);
        let entities = self.into.join(ENTITIES);
        if let (Some(given), Ok(own)) = (&self.entities, entities.canonicalize())
            && given.canonicalize().is_ok_and(|given| given == own)
        {
            // A person has edited it.
            files.remove(&entities);
        }
        let is_other = |(path, text): &(&PathBuf, &&str)| match fs::read(path) {
            Ok(bytes) => bytes != text.as_bytes(),
            Err(_) => path.exists(),
        };
        let others: Vec<String> =
            files.iter().filter(is_other).map(|(path, _)| format!("`{}`", path.display())).collect();
        if !others.is_empty() && !self.force {
            let what =
                if others.len() == 1 { "is there already, and differs" } else { "are there already, and differ" };
            let message = format!(
                "{} {what}: nothing was written. With `--force` they're overwritten, and with `--dry-run` nothing is",
                others.join(", ")
            );
            return Err(Failure::new(message));
        }
        for (path, text) in &files {
            write_file(path, text, 0o644)?;
        }
        for (path, value) in &imported.secrets {
            write_file(&self.into.join(path), value, 0o600)?;
        }
        Ok(())
    }

    fn summarize(&self, imported: &Imported) {
        let report = &imported.report;
        let (found, [taken, differs, refused]) = report.totals();
        let automations = if found == 1 { "automation" } else { "automations" };
        print::line(&format!(
            "{found} {automations}: {taken} taken, {differs} taken with a difference, {refused} refused"
        ));
        for entry in report.entries.iter().filter(|entry| entry.outcome.as_str() == "refused") {
            let reason = entry.reasons.first().map_or("", |reason| &reason.text);
            print::line(&format!("{}:{}: {}: {reason}", entry.file, entry.line, entry.name));
        }
        if !report.left.is_empty() {
            let entities = if report.left.len() == 1 { "entity goes" } else { "entities go" };
            print::line(&format!("{} {entities} through Home Assistant", report.left.len()));
        }
        if !self.dry_run {
            let file = self.report.clone().unwrap_or_else(|| self.into.join(REPORT));
            print::line(&format!("{} says what came of each", file.display()));
        }
    }
}

fn write_file(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("`{}` can't be written: {}", path.display(), disk::reason(&error)));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    if mode == 0o600 && path.exists() {
        fs::remove_file(path).map_err(failed)?;
    }
    let opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}
