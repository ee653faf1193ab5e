//! `why TOPIC --as-test FILE`: writes what a publication depended on as a test that passes now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::link::daemon_client::DaemonArguments;
use crate::cli::test::Suite;
use crate::cli::{Exit, Failure, print};
use crate::explain::{Extent, Incident};
use crate::model::RuleId;
use crate::sim::IncidentTest;

/// Writes the test into `file`. It is run before: what can't be played again isn't written.
///
/// # Errors
/// When the daemon knows nothing of it, the file is none of the home, or the rules decide otherwise than they did.
pub(in crate::cli) fn write(topic: &str, file: &Path, daemon: &DaemonArguments) -> Result<Exit, Failure> {
    let place = Place::of(file, daemon.home())?;
    let client = daemon.client()?;
    let mut last = String::new();
    // What the decision is known to have read, or else all that was known then.
    for (all, extent) in [("false", Extent::Read), ("true", Extent::Everything)] {
        let answer = client.get("/api/incident", &[("topic", topic), ("all", all)])?;
        let incident: Incident = serde_json::from_value(answer)
            .map_err(|error| Failure::new(format!("the daemon's answer can't be read: {error}")))?;
        match text(&incident, extent, &place) {
            Ok(text) => {
                let path = file.display();
                fs::write(file, text).map_err(|error| Failure::new(format!("`{path}` can't be written: {error}")))?;
                print::line(&format!("{path} has a test that passes now: change what it expects, then the rules"));
                return Ok(Exit::Well);
            }
            Err(why) => last = why,
        }
    }
    Err(Failure::new(format!("what published `{topic}` can't be played again, so no test is written: {last}")))
}

/// Where the test's file stands.
pub(in crate::cli) struct Place {
    home: PathBuf,
    /// Relative to the home.
    path: String,
}

impl Place {
    /// Returns the place of the test file `file`, which isn't there yet, in the home at `home`.
    ///
    /// # Errors
    /// When it isn't a test file's name, is there already, or isn't in the home.
    pub(in crate::cli) fn of(file: &Path, home: &Path) -> Result<Place, Failure> {
        let shown = file.display();
        if !file.to_string_lossy().ends_with(".test.yaml") {
            return Err(Failure::new(format!("`{shown}` isn't a test file's name: it must end in `.test.yaml`")));
        }
        if file.exists() {
            return Err(Failure::new(format!("`{shown}` already exists: name another file")));
        }
        let home = home.canonicalize().map_err(|error| Failure::new(format!("`{}`: {error}", home.display())))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder
            .canonicalize()
            .map_err(|error| Failure::new(format!("the folder `{}` can't be read: {error}", folder.display())))?;
        let name = file.file_name().unwrap_or_default();
        let full = folder.join(name);
        let inside = full.strip_prefix(&home).map_err(|_| {
            Failure::new(format!("`{shown}` isn't in the home {}: a test belongs beside its rules", home.display()))
        })?;
        let path = inside.to_string_lossy().into_owned();
        Ok(Place { home, path })
    }

    /// Returns the home's folder.
    pub(in crate::cli) fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the test file's path, relative to the home.
    pub(in crate::cli) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path of a rule's file, relative to the test's.
    fn to_rule(&self, suite: &Suite, rule: &RuleId) -> Option<String> {
        let stem = format!("{}/{}", suite.rules_folder(), rule.file());
        let endings = [".yaml", ".yml", ".rhai"].iter().map(|ending| format!("{stem}{ending}"));
        let path = endings.into_iter().find(|path| self.home.join(path).is_file())?;
        let (mut here, mut there): (Vec<&str>, Vec<&str>) = (self.path.split('/').collect(), path.split('/').collect());
        here.pop();
        while let (Some(first), Some(second)) = (here.first(), there.first())
            && first == second
        {
            here.remove(0);
            there.remove(0);
        }
        Some(format!("{}{}", "../".repeat(here.len()), there.join("/")))
    }
}

/// Returns the test's text.
fn text(incident: &Incident, extent: Extent, place: &Place) -> Result<String, String> {
    let suite = Suite::load(&place.home, String::new(), &BTreeSet::new()).map_err(|failure| failure.to_string())?;
    if !suite.errors.is_empty() {
        return Err("the rules don't load: `homerule check` says why".to_owned());
    }
    let mut rules = Vec::new();
    for rule in &incident.rules {
        let id = RuleId::from_text(rule);
        let path = place.to_rule(&suite, &id).ok_or_else(|| format!("the file of {rule} is gone"))?;
        let key = id.key().split_once('[').map_or(id.key(), |(key, _)| key);
        let choice = format!("{path}:{key}");
        if !rules.contains(&choice) {
            rules.push(choice);
        }
    }
    IncidentTest { incident, home: &suite.home, path: &place.path, rules, extent }.write()
}
