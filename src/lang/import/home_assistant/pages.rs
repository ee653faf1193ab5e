//! The files that are written: one rule file for each file of Home Assistant, and those beside them.

use std::collections::{BTreeMap, BTreeSet};

use super::entities::{Source, write_file};
use super::import::{Imported, Importer, Part, Section};
use super::library;
use super::outline::{self, HomePlace};
use super::translate;
use super::trial::{NamedRules, Trial, trials};
use super::write::Doc;

impl Importer<'_> {
    /// Writes the files and the report.
    pub(super) fn finish(mut self, is_folder: bool) -> Imported {
        let mut imported = Imported::default();
        let pages = self.pages(&mut imported);
        for (entry, written) in pages {
            if let Some(entry) = self.report.entries.get_mut(entry) {
                entry.written = Some(written);
            }
        }
        for finding in self.loader.findings.drain(..).chain(self.configuration.refused.drain(..)) {
            self.report.entries.push(finding.entry());
        }
        if is_folder {
            self.unread();
        }
        let used = self.home.used();
        self.report.left =
            used.iter().filter(|(_, entity)| entity.source == Source::Bridge).map(|(id, _)| id.clone()).collect();
        self.report.prefix.clone_from(&self.home.prefix);
        self.report.notes.extend(self.shared.notes.borrow().iter().cloned());
        self.say_once();
        imported.files.insert("homeassistant-entities.yaml".to_owned(), write_file(&used, &self.home.registries));
        let calls = self.home.calls.borrow().clone();
        if !calls.is_empty() {
            imported.files.insert("homeassistant-bridge.yaml".to_owned(), translate::bridge(&calls));
        }
        if imported.files.values().any(|text| text.contains("ha::")) {
            imported.files.insert(library::PATH.to_owned(), library::TEXT.to_owned());
        }
        let place = HomePlace::of(&self.configuration);
        let needs_sun = imported
            .files
            .values()
            .any(|text| ["sunset", "sunrise", "sun.", "sun:"].iter().any(|word| text.contains(word)));
        let settings = outline::settings(&place, needs_sun, &self.shared);
        if !self.has_settings {
            self.report.notes.extend(place.note().map(ToOwned::to_owned));
        }
        if self.has_settings {
            self.report.to_paste = Some(outline::needed(&self.shared)).filter(|text| !text.is_empty());
        } else if !settings.is_empty() {
            imported.files.insert("homerule.yaml".to_owned(), settings);
        }
        imported.secrets = self.shared.secrets.borrow().clone();
        imported.report = self.report;
        imported
    }

    /// Notes what holds for the whole home.
    fn say_once(&mut self) {
        let mut say = |text: &str| self.report.notes.push(text.to_owned());
        say("Home Assistant forgets waits and timers at a restart; here they go on");
        if !self.report.left.is_empty() {
            say("what goes through Home Assistant works while Home Assistant runs");
        }
        if !self.shared.notify.borrow().is_empty() {
            say(
                "targets of notifications are placeholders that publish on `home_assistant/notify/…`: fill them in under `notify:`",
            );
        }
        if *self.home.reads_attributes.borrow() {
            say("attributes are read: `mqtt_statestream` needs `publish_attributes: true`");
        }
    }

    /// Notes the YAML files that nothing includes.
    fn unread(&mut self) {
        let aside = [
            "custom_components/",
            "blueprints/",
            "esphome/",
            "www/",
            "themes/",
            "custom_templates/",
            "deps/",
            "python_scripts/",
            "node_modules/",
        ];
        for path in self.loader.list("").unwrap_or_default() {
            let is_aside = aside.iter().any(|folder| path.starts_with(folder))
                || path.ends_with("secrets.yaml")
                || path.starts_with("ui-lovelace");
            let is_known =
                self.loader.files.contains_key(&*path) || self.report.entries.iter().any(|entry| *entry.file == *path);
            if !is_aside && !is_known && matches!(path.matches('/').count(), 0 | 1) {
                let is_ours = matches!(
                    &*path,
                    "homeassistant-entities.yaml"
                        | "homeassistant-bridge.yaml"
                        | "homerule.yaml"
                        | "known_devices.yaml"
                        | "SERVICES.yaml"
                );
                if !is_ours {
                    self.report.notes.push(format!("`{path}` isn't included by configuration.yaml, so Home Assistant doesn't read it either: it wasn't imported"));
                }
            }
        }
    }

    /// Writes the rule files, one for each file of Home Assistant, and returns where each entry's rule stands.
    fn pages(&mut self, imported: &mut Imported) -> Vec<(usize, (String, usize, String))> {
        let mut pages: BTreeMap<String, Vec<Part>> = BTreeMap::new();
        for part in std::mem::take(&mut self.parts) {
            pages.entry(page_of(&part.file)).or_default().push(part);
        }
        let rules = pages.iter().flat_map(|(name, parts)| {
            let rules = parts.iter().filter(|part| part.section == Section::Rules);
            rules.map(move |part| (part.key.clone(), format!("{name}.yaml"), &part.doc))
        });
        let named = NamedRules::new(rules);
        let mut found = Vec::new();
        for (name, mut parts) in pages {
            parts.sort_by_key(|part| (part.section, part.line));
            let mut sections: Vec<(String, Doc)> = Vec::new();
            for (section, word) in [(Section::Inputs, "inputs"), (Section::Scenes, "scenes"), (Section::Rules, "rules")]
            {
                let entries: Vec<(String, Doc)> = parts
                    .iter()
                    .filter(|part| part.section == section)
                    .map(|part| (part.key.clone(), part.doc.clone()))
                    .collect();
                if !entries.is_empty() {
                    sections.push((word.to_owned(), Doc::Map(entries)));
                }
            }
            let path = format!("rules/imported/{name}.yaml");
            let sources: BTreeSet<&str> = parts.iter().map(|part| &*part.file).collect();
            let sources = sources.into_iter().collect::<Vec<_>>().join(", ");
            let text = format!(
                "# Imported from Home Assistant: {sources}
{}",
                Doc::Map(sections).document()
            );
            let lines = key_lines(&text);
            for part in &parts {
                if let Some(entry) = part.entry {
                    let line = lines.get(part.key.as_str()).copied().unwrap_or(1);
                    found.push((entry, (path.clone(), line, part.key.clone())));
                }
            }
            let made: Vec<Trial> = parts
                .iter()
                .filter_map(|part| Some(trials(&part.key, part.title.as_ref()?, &part.doc)))
                .flatten()
                .map(|trial| Trial { rules: named.with_all_named(&trial.rule), ..trial })
                .collect();
            if !made.is_empty() {
                imported.trials.insert(path.clone(), made);
            }
            imported.files.insert(path, text);
        }
        found
    }
}

/// Returns the line of each key of the second level.
fn key_lines(text: &str) -> BTreeMap<&str, usize> {
    let mut found = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let Some(rest) = line.strip_prefix("  ") else { continue };
        if rest.starts_with([' ', '#', '-']) {
            continue;
        }
        if let Some((key, _)) = rest.split_once(':') {
            found.entry(key.trim_matches(['"', '\''])).or_insert(index + 1);
        }
    }
    found
}

/// Returns the name of the rule file that a file of Home Assistant becomes.
fn page_of(file: &str) -> String {
    if file.starts_with(".storage") {
        return "helpers".to_owned();
    }
    let stem = file.trim_end_matches(".yaml").trim_end_matches(".yml");
    let name: String = stem
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_".contains(letter) { letter } else { '-' })
        .collect();
    if name.is_empty() { "imported".to_owned() } else { name }
}
