//! A whole home: all its files read together.

mod calendars;
mod checks;
mod devices;
mod link_checks;
mod scripts;
mod snapshots;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::lang::diagnostic::findings::Findings;
use crate::lang::reader::Reader;
use crate::lang::rule_file::secrets as rule_secrets;
use crate::lang::rule_file::{Context, RuleFile, check_unused_scenes, decode_invariant, decode_rule};
use crate::lang::settings::decoder::{self, SETTINGS_FILE};
use crate::lang::settings::secrets;
use crate::lang::text::FileText;
use crate::lang::yaml::tree;
use crate::lang::{BrokerSettings, Code, Diagnostic, Label, Secret, Settings, Severity};
use crate::model::schedule::Location;
use crate::model::{Secrets, is_in_topic};
use crate::rules::{Rule, RuleEntry, Ruleset};
use crate::script::Sandbox;

pub(in crate::lang) use devices::DevicesOfFiles;
pub use devices::{DEVICES_FILE, KeptDevices};
pub use source::{Source, Sources};

/// What a home's files say.
#[derive(Debug, Clone)]
pub struct Home {
    /// The settings, or their defaults if `homerule.yaml` doesn't load.
    pub settings: Settings,
    /// The rules of the files that load.
    pub ruleset: Ruleset,
    /// What devices say of themselves, as a file of the home keeps it.
    pub kept_devices: Arc<KeptDevices>,
    /// All findings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Home {
    /// Reads a home's files, except its test files.
    #[must_use]
    pub fn load(sources: &Sources) -> Home {
        Home::load_at(sources, None)
    }

    /// Reads a home's files, except its test files, as if it stood at `place`; `None`: where its settings say.
    #[must_use]
    pub fn load_at(sources: &Sources, place: Option<Location>) -> Home {
        let mut diagnostics = Vec::new();
        let mut settings = read_settings(sources, &mut diagnostics);
        settings.location = place.or(settings.location);
        let are_settings_read = !diagnostics.iter().any(|found| found.severity == Severity::Error);
        let agendas = calendars::read(sources, &settings.calendars, &mut diagnostics);
        let sandbox = Arc::new(Sandbox::new(settings.limits));
        let files = read_files(sources, &settings.rules, &sandbox, &mut diagnostics);
        let is_complete =
            files.iter().all(|file| file.is_readable) && !diagnostics.iter().any(|found| is_unread(found.code));
        diagnostics.extend(checks::check_ids(&files));
        diagnostics.extend(checks::check_inputs(&files));
        let devices = Arc::new(devices::read(sources, &settings, &mut diagnostics));
        let kept_devices = Arc::clone(&devices.kept);
        let of_settings = Some(&settings).filter(|_| are_settings_read);
        let context = Arc::new(Context::new(sandbox, files, is_complete, of_settings, devices));
        let mut decoded: Vec<(Arc<str>, RuleEntry)> = Vec::new();
        let mut invariants: Vec<(Arc<str>, RuleEntry)> = Vec::new();
        for file in &context.files {
            for index in 0..file.rules.len() {
                let entries = decode_rule(&context, file, index, &mut diagnostics);
                decoded.extend(entries.into_iter().map(|entry| (file.text.file(), entry)));
            }
            for index in 0..file.invariants.len() {
                let entries = decode_invariant(&context, file, index, &mut diagnostics);
                invariants.extend(entries.into_iter().map(|entry| (file.text.file(), entry)));
            }
        }
        diagnostics.extend(check_unused_scenes(&context));
        diagnostics.extend(context.names_unknown_devices().then(no_devices));
        let rules = rules_of(&context, &decoded);
        diagnostics.extend(checks::check(&rules));
        diagnostics.extend(snapshots::check(&rules, &diagnostics));
        if matches!(settings.broker, BrokerSettings::External(_)) {
            diagnostics.extend(link_checks::check_clients(&rules));
        }
        if are_settings_read
            && !sources.keys().any(|path| rule_file_stem(path, &settings.rules).is_some() || path.ends_with(".rhai"))
        {
            diagnostics.push(no_rules(&settings.rules));
        }
        let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error);
        let broken: BTreeSet<Arc<str>> = errors.map(|found| Arc::clone(&found.label.file)).collect();
        let good = |decoded: Vec<(Arc<str>, RuleEntry)>| -> Vec<RuleEntry> {
            decoded.into_iter().filter(|(file, _)| !broken.contains(file)).map(|(_, entry)| entry).collect()
        };
        let (entries, invariants) = (good(decoded), good(invariants));
        let secrets = context.files.iter().flat_map(|file| &file.secrets).chain(&settings.secrets).cloned();
        let secrets = Secrets::new(secrets);
        for found in &mut diagnostics {
            mask(found, &secrets);
        }
        let ruleset = Ruleset::new(entries).with_secrets(secrets);
        let ruleset = ruleset.with_inputs(Arc::clone(&context.inputs)).with_agendas(agendas);
        let ruleset = ruleset.with_invariants(invariants).with_targets(settings.targets.clone());
        let diagnostics = in_order(diagnostics, &settings.rules);
        Home { settings, ruleset, kept_devices, diagnostics }
    }

    /// Returns the secrets that the settings ask for; the shell puts their values into the sources.
    #[must_use]
    pub fn secrets(sources: &Sources) -> Vec<Secret> {
        let Some((path, source)) = sources.get_key_value(SETTINGS_FILE) else { return Vec::new() };
        let Some(text) = file_text(path, source, &mut Vec::new()) else { return Vec::new() };
        let root = tree::parse(&text, &mut Findings::new(text.file()));
        root.map(|root| secrets::find(&root)).unwrap_or_default()
    }

    /// Returns the paths of the calendars that the settings name; the shell puts these files into the sources.
    #[must_use]
    pub fn calendars(sources: &Sources) -> Vec<Arc<str>> {
        read_settings(sources, &mut Vec::new()).calendars.into_values().collect()
    }

    /// Returns the secrets that the rule files in `folder` ask for.
    #[must_use]
    pub fn secrets_of_rules(sources: &Sources, folder: &str) -> Vec<Secret> {
        let mut found: BTreeSet<Secret> = BTreeSet::new();
        for (path, source) in sources {
            let is_script = path.ends_with(".rhai") && path_inside(path, folder).is_some();
            if !is_script && rule_file_stem(path, folder).is_none() {
                continue;
            }
            let Some(text) = file_text(path, source, &mut Vec::new()) else { continue };
            // Most files name none, and need not be read twice.
            if !text.as_str().contains("file:") && !text.as_str().contains("env:") {
                continue;
            }
            if is_script {
                found.extend(rule_secrets::find_in_script(text.as_str()));
            } else if let Some(root) = tree::parse(&text, &mut Findings::new(text.file())) {
                found.extend(rule_secrets::find(&root));
            }
        }
        found.into_iter().collect()
    }

    /// Returns whether any file doesn't load.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|found| found.severity == Severity::Error)
    }
}

/// Takes secrets out of what is said of a mistake: a duration that is one, say.
fn mask(found: &mut Diagnostic, secrets: &Secrets) {
    for text in [Some(&mut found.message), found.help.as_mut()].into_iter().flatten() {
        if let Some(masked) = secrets.mask_text(text) {
            *text = masked;
        }
    }
    if found.fix.as_ref().is_some_and(|fix| secrets.mask_text(&fix.replacement).is_some()) {
        found.fix = None;
    }
}

/// Returns whether a file with such a finding may contain rules that aren't known.
fn is_unread(code: Code) -> bool {
    matches!(code, Code::UNREADABLE_FILE | Code::NOT_UTF8)
}

/// Returns the rules that were decoded, each with the text of its file.
fn rules_of(context: &Context, decoded: &[(Arc<str>, RuleEntry)]) -> Vec<(FileText, Arc<Rule>)> {
    let texts: BTreeMap<Arc<str>, &FileText> =
        context.files.iter().map(|file| (file.text.file(), &file.text)).collect();
    let rule = |(file, entry): &(Arc<str>, RuleEntry)| match entry {
        RuleEntry::Rule(rule) => Some(((*texts.get(file)?).clone(), Arc::clone(rule))),
        RuleEntry::EachTopic(_) => None,
    };
    decoded.iter().filter_map(rule).collect()
}

/// Says that rules name devices, and that nothing is known of any.
fn no_devices() -> Diagnostic {
    let mut findings = Findings::new(DEVICES_FILE.into());
    let message = format!("rules name devices, but there is no `{DEVICES_FILE}` that says which there are");
    let found = findings.warning(Code::UNKNOWN_DEVICE, 0..0, message);
    found.help("run `homerule devices --save` in this home while `homerule run` is running").clone()
}

fn no_rules(folder: &str) -> Diagnostic {
    let mut findings = Findings::new(folder.into());
    let message = format!("this home has no rules: there are no `*.yaml` files in `{folder}/`");
    let found = findings.warning(Code::NO_RULES, 0..0, message);
    found.help("run `homerule init` to create a first one").clone()
}

fn read_settings(sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Settings {
    let Some((path, source)) = sources.get_key_value(SETTINGS_FILE) else { return Settings::default() };
    let Some(text) = file_text(path, source, diagnostics) else { return Settings::default() };
    let mut reader = Reader::new(text);
    let settings = decoder::read(&mut reader, sources);
    diagnostics.extend(reader.findings.into_vec());
    settings
}

/// Reads the rule files, in the order of their paths.
fn read_files(
    sources: &Sources,
    folder: &str,
    sandbox: &Sandbox,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Arc<RuleFile>> {
    let mut files = Vec::new();
    let scripts = scripts::read(sources, folder, sandbox, diagnostics);
    for (path, source) in sources {
        if let Some((text, stem, loaded)) = scripts.get(path) {
            diagnostics.extend(check_name(path, stem));
            let (file, reader) = RuleFile::of_script(text.clone(), stem, loaded, sandbox, sources);
            diagnostics.extend(reader.findings.into_vec());
            files.push(Arc::new(file));
            continue;
        }
        if let (Source::Unreadable(_), true) = (source, is_inside(path, folder)) {
            file_text(path, source, diagnostics);
        }
        let Some(stem) = rule_file_stem(path, folder) else { continue };
        let Some(text) = file_text(path, source, diagnostics) else { continue };
        diagnostics.extend(check_name(path, stem));
        let (file, reader) = RuleFile::read(text, stem, sandbox, sources);
        diagnostics.extend(reader.findings.into_vec());
        files.push(Arc::new(file));
    }
    files
}

/// Returns what is wrong with a rule file's name: it's part of its rules' ids, so it can't contain their separators, and
/// of their topics (`homerule/rule/ID`).
fn check_name(path: &Arc<str>, stem: &str) -> Option<Diagnostic> {
    let is_bad = |letter: char| matches!(letter, ':' | '[' | ']') || !is_in_topic(letter);
    let bad = stem.chars().find(|letter| is_bad(*letter))?.escape_default();
    let message =
        format!("the name of a rule file can't contain `{bad}`, because it's part of its rules' ids and topics");
    let part = |part: &str| {
        let words: Vec<&str> = part.split(is_bad).filter(|word| !word.is_empty()).collect();
        if words.is_empty() { "x".to_owned() } else { words.join("-") }
    };
    let better: Vec<String> = stem.split('/').map(part).collect();
    let ending = path.rsplit_once('.').map_or("yaml", |(_, ending)| ending);
    let help = format!("rename the file or its folder, e.g. `{}.{ending}`", better.join("/"));
    let mut findings = Findings::new(Arc::clone(path));
    Some(findings.error(Code::BAD_NAME, 0..0, message).help(help).clone())
}

/// Returns a file's text. Reports one that can't be read or isn't UTF-8.
pub(in crate::lang) fn file_text(
    path: &Arc<str>,
    source: &Source,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<FileText> {
    let mut findings = Findings::new(Arc::clone(path));
    let text = match source {
        Source::Content(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => match text.find('\0') {
                None => Some(text),
                Some(at) => {
                    let message = format!("this file isn't UTF-8 text: there is a NUL byte at offset {at}");
                    findings.error(Code::NOT_UTF8, at..at, message).help("save it as UTF-8 in your editor");
                    None
                }
            },
            Err(error) => {
                let at = error.valid_up_to();
                let byte = bytes.get(at).copied().unwrap_or_default();
                let message = format!(
                    "this file isn't UTF-8 text: the byte {byte:#04x} at offset {at} isn't part of a character"
                );
                findings.error(Code::NOT_UTF8, at..at, message).help("save it as UTF-8 in your editor");
                None
            }
        },
        Source::Unreadable(reason) => {
            findings.error(Code::UNREADABLE_FILE, 0..0, format!("can't read `{path}`: {reason}"));
            None
        }
    };
    diagnostics.extend(findings.into_vec());
    text.map(|text| FileText::new(Arc::clone(path), text.into()))
}

/// Returns whether `path` is the rules' folder, or a folder in it.
fn is_inside(path: &str, folder: &str) -> bool {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let rest = path.trim_end_matches('/').strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && rule_file_stem(path, folder).is_none()
}

/// Returns the path under the rules' folder without its extension, if `path` is a rule file.
fn rule_file_stem<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let inside = path_inside(path, folder)?;
    let stem = inside.strip_suffix(".yaml").or_else(|| inside.strip_suffix(".yml"))?;
    let is_test = Path::new(stem).extension().is_some_and(|ending| ending == "test");
    let is_library = inside.starts_with("lib/");
    (!is_test && !is_library && !stem.is_empty()).then_some(stem)
}

/// Returns the path of a file within the rules' folder; `None` for one that's elsewhere or skipped.
pub(in crate::lang) fn path_inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let inside = if matches!(folder, "" | ".") { path } else { path.strip_prefix(folder)?.strip_prefix('/')? };
    let is_skipped = inside.split('/').any(|part| part.starts_with('.') || part.ends_with('~'));
    (!is_skipped).then_some(inside)
}

/// Returns the findings by file and place, each once: all instances of a rule find the same. Those in libraries come
/// first, since others may be their consequence.
fn in_order(diagnostics: Vec<Diagnostic>, folder: &str) -> Vec<Diagnostic> {
    let mut by_place: BTreeMap<(bool, Arc<str>, usize, usize), Vec<Diagnostic>> = BTreeMap::new();
    for found in diagnostics {
        let Label { file, span, .. } = &found.label;
        let is_library = path_inside(file, folder).is_some_and(|inside| inside.starts_with("lib/"));
        let key = (!is_library, Arc::clone(file), span.start, span.end);
        let same = by_place.entry(key).or_default();
        if !same.contains(&found) {
            same.push(found);
        }
    }
    by_place.into_values().flatten().collect()
}
