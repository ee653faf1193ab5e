//! The home as it will be with what is imported: checked before anything is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::cli::Failure;
use crate::cli::home::zone::zone_of;
use crate::disk::home_files;
use crate::lang::import::home_assistant::Imported;
use crate::lang::{Diagnostic, Home, Secret, Severity, Source, Sources, take_unfit_for_errors};
use crate::sim::TestHome;

/// The home with the imported files.
pub(super) struct CheckedHome {
    pub(super) home: TestHome,
    errors: Vec<Diagnostic>,
}

impl CheckedHome {
    /// Reads the home in `folder`, if it is one, with the files of `imported` in it.
    ///
    /// # Errors
    /// When its time zone isn't known.
    pub(super) fn load(imported: &Imported, folder: &Path) -> Result<CheckedHome, Failure> {
        let mut sources = home_files::read_home(folder).unwrap_or_default();
        for (path, text) in &imported.files {
            if path.starts_with("rules/") || path == home_files::SETTINGS {
                sources.insert(Arc::from(path.as_str()), Source::Content(Arc::from(text.as_bytes())));
            }
        }
        if let Some(needed) = &imported.report.to_paste {
            paste(&mut sources, needed);
        }
        for (path, value) in &imported.secrets {
            let secret = Secret::File(Arc::from(path.as_str()));
            sources.insert(secret.key(), Source::Content(Arc::from(value.as_bytes())));
        }
        let Home { settings, ruleset, mut diagnostics, kept_devices } = Home::load(&sources);
        take_unfit_for_errors(&mut diagnostics);
        let home = TestHome::new(&settings, zone_of(&settings)?, ruleset).with_devices(&kept_devices);
        let errors = diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
        Ok(CheckedHome { home, errors })
    }

    /// Returns the imported rules that don't load, with the first reason of each; scenes as `scene NAME`.
    pub(super) fn rejected(&self, imported: &Imported) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for error in &self.errors {
            let Some(text) = imported.files.get(&*error.label.file) else { continue };
            if let Some(key) = rule_at(text, error.label.span.start) {
                let reason = format!(
                    "it wouldn't load, since {}. Write the rule by hand, or leave this to Home Assistant",
                    error.message
                );
                found.entry(main_rule(&key, text).to_owned()).or_insert(reason);
            }
        }
        found
    }
}

/// Adds to the settings what the report says to paste: the rules are checked as they will be then. What is there already stays.
fn paste(sources: &mut Sources, needed: &str) {
    let Some(Source::Content(bytes)) = sources.get(home_files::SETTINGS) else { return };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let known = Home::load(sources).settings.targets;
    let is_new = |line: &&str| line.trim().split_once(':').is_some_and(|(name, _)| known.get(name).is_none());
    let entries: Vec<&str> = needed.lines().filter(|line| line.starts_with("  ")).filter(is_new).collect();
    if entries.is_empty() {
        return;
    }
    let block = format!("{}\n", entries.join("\n"));
    let merged = match text.lines().find(|line| line.starts_with("notify:")) {
        None => format!("{text}\nnotify:\n{block}"),
        Some(line) => match line.strip_prefix("notify: {") {
            Some(rest) => {
                let inline = entries.iter().map(|entry| entry.trim()).collect::<Vec<_>>().join(", ");
                text.replacen(line, &format!("notify: {{ {inline}, {rest}"), 1)
            }
            None => text.replacen(line, &format!("notify:\n{}", block.trim_end()), 1),
        },
    };
    sources.insert(home_files::SETTINGS.into(), Source::Content(merged.into_bytes().into()));
}

/// Returns the rule of which a rule that only triggers it is a part; itself where it is none.
fn main_rule<'k>(key: &'k str, text: &str) -> &'k str {
    let is_number = |rest: &str| rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok());
    let main = key.rsplit_once("-trigger").filter(|(_, rest)| rest.is_empty() || is_number(rest));
    main.map(|(main, _)| main).filter(|main| text.contains(&format!("\n  {main}:\n"))).unwrap_or(key)
}

/// Returns the key of the rule that stands at a byte of a rule file; of a scene, `scene NAME`.
fn rule_at(text: &str, at: usize) -> Option<String> {
    let mut offset = 0;
    let (mut part, mut key) = (None, None);
    for line in text.split_inclusive('\n') {
        if offset > at {
            break;
        }
        offset += line.len();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_comment = line.trim_start().starts_with('#') || line.trim().is_empty();
        match indent {
            _ if is_comment => {}
            0 => part = ["rules", "scenes"].into_iter().find(|part| line.starts_with(&format!("{part}:"))),
            2 if part.is_some() => {
                let named = line.trim().split_once(':').map(|(key, _)| key.trim_matches(['"', '\'']).to_owned());
                key = match part {
                    Some("scenes") => named.map(|name| format!("scene {name}")),
                    _ => named,
                };
            }
            _ => {}
        }
    }
    key.filter(|_| part.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_belongs_to_the_rule_above_it() {
        let text = "inputs:\n  a: { type: toggle }\nscenes:\n  s:\n    x: 1\nrules:\n  # one\n  one:\n    when: a\n  two:\n    when: b\n";
        let at = |part: &str| rule_at(text, text.find(part).unwrap());
        assert_eq!(at("type"), None);
        assert_eq!(at("x: 1").as_deref(), Some("scene s"));
        assert_eq!(at("when: a").as_deref(), Some("one"));
        assert_eq!(at("when: b").as_deref(), Some("two"));
    }
}
