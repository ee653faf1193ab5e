//! The home that tests run in: its settings, and its rules by the folder they stand in.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::engine::{DeviceOptions, Options};
use crate::lang::test_file::{RuleSelection, TestFile, TestLocation};
use crate::lang::{KeptDevices, Settings};
use crate::model::schedule::Calendar;
use crate::model::{Fingerprint, Secrets, nearest};
use crate::rules::{RuleEntry, Ruleset};

use super::options::engine_options;
use super::reach;

/// The home that tests run in.
#[derive(Debug, Clone)]
pub struct TestHome {
    options: Options,
    /// The folder whose rules count unless a test chooses others.
    main: Arc<str>,
    /// The rules of each folder, relative to the home.
    folders: BTreeMap<Arc<str>, Ruleset>,
}

impl TestHome {
    /// Returns the home with these settings and rules. `zone` counts where the settings name none.
    #[must_use]
    pub fn new(settings: &Settings, zone: TimeZone, rules: Ruleset) -> TestHome {
        let zone = settings.zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(zone);
        let devices = DeviceOptions { settings: settings.device_settings(""), ..DeviceOptions::default() };
        let calendar = Calendar { zone, location: settings.location, ..Calendar::default() };
        let options = engine_options(settings, calendar, Arc::new(devices), 0);
        let main: Arc<str> = settings.rules.trim_matches('/').into();
        TestHome { options, main: Arc::clone(&main), folders: BTreeMap::from([(main, rules)]) }
    }

    /// Returns the home with what its devices say of themselves, as a file of the home keeps it.
    #[must_use]
    pub fn with_devices(mut self, kept: &Arc<KeptDevices>) -> TestHome {
        let settings = self.options.devices.settings.clone();
        self.options.devices = Arc::new(DeviceOptions { settings, kept: Arc::clone(kept), ..DeviceOptions::default() });
        self
    }

    /// Returns the settings that decisions depend on.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Returns the folder whose rules count unless a test chooses others.
    #[must_use]
    pub fn main_folder(&self) -> &str {
        &self.main
    }

    /// Adds the rules of another folder, relative to the home.
    pub fn add_folder(&mut self, path: &str, rules: Ruleset) {
        self.folders.insert(path.trim_matches('/').into(), rules);
    }

    /// Returns the folder of rules that `path` lies in, where it is known.
    #[must_use]
    pub fn folder_of(&self, path: &str) -> Option<&str> {
        let folders = self.folders.keys().filter(|folder| within(path, folder).is_some());
        folders.max_by_key(|folder| folder.len()).map(|folder| &**folder)
    }

    /// Returns all rules of the home.
    #[must_use]
    pub fn all_rules(&self) -> Ruleset {
        self.folders.get(&self.main).cloned().unwrap_or_default()
    }

    /// Returns the rules that a test file chooses: those in `rules:`, or else those of the rule file with the same name
    /// next to it, or else all of the home.
    ///
    /// # Errors
    /// When it chooses none; with what it names and why.
    pub fn rules_of(&self, file: &TestFile) -> Result<Ruleset, (RuleSelection, String)> {
        match &file.rules {
            Some(selections) => self.select(selections),
            None => Ok(self
                .rules_beside(&file.path)
                .map_or_else(|| self.all_rules(), |rules| self.with_invariants(rules, None))),
        }
    }

    /// Returns the rules of the file that has the same name as the test file at `path`, if there is one.
    fn rules_beside(&self, path: &str) -> Option<Ruleset> {
        let stem = path.strip_suffix(".test.yaml").or_else(|| path.strip_suffix(".test.yml"))?;
        let folder = self.folder_of(stem)?;
        let name = within(stem, folder)?;
        let rules = self.folders.get(folder)?;
        let entries = rules.entries.iter();
        let own: Vec<RuleEntry> = entries.filter(|entry| entry.id().file() == name).cloned().collect();
        (!own.is_empty()).then(|| rules.of(own))
    }

    /// Returns the rules that are chosen, each once, in their order.
    ///
    /// # Errors
    /// When a choice chooses none; with the choice and why.
    pub fn select(&self, selections: &[RuleSelection]) -> Result<Ruleset, (RuleSelection, String)> {
        let mut chosen: BTreeMap<(Arc<str>, usize), RuleEntry> = BTreeMap::new();
        let other = selections.iter().filter_map(|selection| self.folder_of(selection.path.trim_end_matches('/')));
        let other: Vec<&str> = other.filter(|folder| **folder != *self.main).collect();
        for selection in selections {
            chosen.extend(self.find(selection).map_err(|why| (selection.clone(), why))?);
        }
        let none = Secrets::default();
        let secrets = self.folders.values().fold(none, |all, rules| all.with(&rules.secrets));
        let inputs = chosen.keys().next().and_then(|(folder, _)| self.folders.get(folder));
        let inputs = inputs.map(|rules| Arc::clone(&rules.inputs)).unwrap_or_default();
        let rules = self.all_rules().of(chosen.into_values().collect()).with_secrets(secrets).with_inputs(inputs);
        Ok(self.with_invariants(rules, other.first().copied()))
    }

    /// Returns `rules` with the invariants of the home, or of the folder that they are from, that they can keep: those of which
    /// all rules are among them that publish to what is read.
    fn with_invariants(&self, rules: Ruleset, folder: Option<&str>) -> Ruleset {
        let home = folder.and_then(|folder| self.folders.get(folder)).or_else(|| self.folders.get(&self.main));
        let invariants = home.map(|home| reach::invariants_of(home, &rules)).unwrap_or_default();
        rules.with_invariants(invariants)
    }

    /// Returns the rules that one choice chooses, by their folder and place in its order.
    fn find(&self, selection: &RuleSelection) -> Result<Vec<Chosen>, String> {
        let path = selection.path.trim_end_matches('/');
        let unknown = || match path {
            "" => "the home's own folder holds no rules: name a file, or a folder of rules".to_owned(),
            _ => format!("there are no rules at `{path}`"),
        };
        let folder = self.folder_of(path).ok_or_else(unknown)?;
        let rules = self.folders.get(folder).ok_or_else(unknown)?;
        let rest = within(path, folder).unwrap_or_default();
        let file = [".yaml", ".yml", ".rhai"].iter().find_map(|ending| rest.strip_suffix(ending)).unwrap_or(rest);
        let is_in_file = |entry: &&RuleEntry| within(entry.id().file(), file).is_some();
        let is_meant = |entry: &RuleEntry| match &selection.key {
            Some(key) => entry.id().key() == &**key || without_instance(entry.id().key()) == &**key,
            None => true,
        };
        let folder: Arc<str> = Arc::from(folder);
        let entries = rules.entries.iter().enumerate();
        let found: Vec<Chosen> = entries
            .filter(|(_, entry)| is_meant(entry) && is_in_file(entry))
            .map(|(index, entry)| ((Arc::clone(&folder), index), entry.clone()))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let mut known =
            rules.entries.iter().filter(is_in_file).map(|entry| without_instance(entry.id().key())).peekable();
        match (&selection.key, known.peek()) {
            (Some(key), Some(_)) => {
                let near = nearest(key, known);
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                Err(format!("`{path}` has no rule `{key}`{hint}"))
            }
            _ => Err(unknown()),
        }
    }

    /// Returns the settings that decisions of a test depend on. `name` feeds its seed.
    #[must_use]
    pub fn options_of(&self, file: &TestFile, name: &str) -> Options {
        let mut options = self.options.clone();
        if let Some(TestLocation { location, zone }) = &file.location {
            options.calendar.location = location.or(options.calendar.location);
            if let Some(zone) = zone.as_deref().and_then(|name| TimeZone::get(name).ok()) {
                options.calendar.zone = zone;
            }
        }
        options.seed = seed(&[&file.path, name]);
        options
    }
}

/// A rule with its folder and its place in the order of the folder.
type Chosen = ((Arc<str>, usize), RuleEntry);

/// Returns what is left of `path` below `folder`: `""` for the folder itself, `None` outside of it.
fn within<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

/// Returns a rule's id or key without the instance that `each` made.
pub(in crate::sim) fn without_instance(id: &str) -> &str {
    id.split_once('[').map_or(id, |(rule, _)| rule)
}

/// Returns a number that is the same for the same texts on every machine (FNV-1a).
fn seed(texts: &[&str]) -> u64 {
    let mut hash = Fingerprint::new();
    for text in texts {
        hash.bytes(text.as_bytes());
        hash.bytes(&[0]);
    }
    hash.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_within_its_folder_only() {
        assert_eq!(within("rules/tv.yaml", "rules"), Some("tv.yaml"));
        assert_eq!(within("rules", "rules"), Some(""));
        assert_eq!(within("rules2/tv.yaml", "rules"), None);
        assert_eq!(within("tv", ""), Some("tv"));
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("dim-light", ["dim-lights", "hall"]), Some("dim-lights"));
        assert_eq!(nearest("kitchen", ["dim-lights", "hall"]), None);
    }

    #[test]
    fn seeds_differ_by_test_and_stay_the_same() {
        assert_eq!(seed(&["a", "b"]), seed(&["a", "b"]));
        assert_ne!(seed(&["a", "b"]), seed(&["ab", ""]));
    }
}
