//! Checks of snapshots, over all rules of a file: each should be taken somewhere, and restored somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::lang::diagnostic::findings::Findings;
use crate::lang::diagnostic::near::Suggestion;
use crate::lang::text::FileText;
use crate::lang::{Code, Diagnostic, Severity, near};
use crate::model::Place;
use crate::rules::{ActionKind, Rule, Snapshot, SnapshotPart, snapshot_key, snapshot_name, snapshot_parts};
use crate::script::Template;

use super::checks::span_of;

/// A snapshot that rules take.
struct Taken<'a> {
    place: &'a Place,
    /// In all of the home; `None`: known at run only.
    name: Option<String>,
    file: &'a str,
    holds: Holds,
}

/// What is remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Topics,
    Devices,
    /// Both, or what is known at run only.
    Any,
}

/// A snapshot that rules restore.
struct Restored<'a> {
    place: &'a Place,
    /// As it's written, and in all of the home; `None`: known at run only.
    names: Option<(String, String)>,
    file: &'a str,
    has_to: bool,
}

/// Reports snapshots that are never restored, or restored and never taken, and those of which it isn't said where topics' payloads go.
/// A file with errors isn't looked at, since what it lacks may stand where the error is.
pub(in crate::lang) fn check(rules: &[(FileText, Arc<Rule>)], diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let broken: BTreeSet<&Arc<str>> = errors.map(|found| &found.label.file).collect();
    let texts: BTreeMap<Arc<str>, &FileText> = rules.iter().map(|(text, _)| (text.file(), text)).collect();
    let (mut taken, mut restored) = (Vec::new(), Vec::new());
    for (_, rule) in rules {
        for action in rule.actions() {
            match &action.kind {
                ActionKind::Snapshot(snapshot) => taken.push(taken_by(snapshot, rule, &action.place)),
                ActionKind::Restore { name, to } => restored.push(restored_by(name, to.is_some(), rule, &action.place)),
                _ => {}
            }
        }
    }
    let mut found = Found {
        texts: &texts,
        broken: &broken,
        told: BTreeSet::new(),
        meant: BTreeSet::new(),
        diagnostics: Vec::new(),
    };
    for one in &restored {
        found.check_restored(one, &taken);
    }
    for one in &taken {
        found.check_taken(one, &restored);
    }
    found.diagnostics
}

fn taken_by<'a>(snapshot: &Snapshot, rule: &'a Rule, place: &'a Place) -> Taken<'a> {
    let parts = snapshot.target.as_constant().and_then(|target| snapshot_parts(target).ok()).unwrap_or_default();
    let is_of_topics = |part: &SnapshotPart| matches!(part, SnapshotPart::Topics(_));
    let holds = match parts.iter().filter(|part| is_of_topics(part)).count() {
        0 if !parts.is_empty() => Holds::Devices,
        count if count == parts.len() && count > 0 => Holds::Topics,
        _ => Holds::Any,
    };
    let file = rule.id.file();
    Taken { place, name: snapshot.fixed_name().map(|name| snapshot_key(file, &name)), file, holds }
}

fn restored_by<'a>(name: &Template, has_to: bool, rule: &'a Rule, place: &'a Place) -> Restored<'a> {
    let file = rule.id.file();
    let name = name.as_constant().map(snapshot_name);
    Restored { place, names: name.map(|name| (name.clone(), snapshot_key(file, &name))), file, has_to }
}

impl Restored<'_> {
    /// Returns whether it may restore this snapshot.
    fn may_be(&self, taken: &Taken<'_>) -> bool {
        match (&self.names, &taken.name) {
            (Some((written, own)), Some(name)) => own == name || written == name,
            // Another file's is written with its id.
            (Some((written, _)), None) => {
                taken.file == self.file || written.strip_prefix(taken.file).is_some_and(|rest| rest.starts_with(':'))
            }
            (None, _) => true,
        }
    }
}

/// What was found.
struct Found<'a> {
    texts: &'a BTreeMap<Arc<str>, &'a FileText>,
    broken: &'a BTreeSet<&'a Arc<str>>,
    /// Where something was told: the instances of a rule share their places.
    told: BTreeSet<(Arc<str>, u32, u32)>,
    /// The snapshots that a `restore` with a slip in its name probably means.
    meant: BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Found<'_> {
    /// Returns the text of a file that is looked at, where nothing was told at this place.
    fn text_at(&mut self, place: &Place) -> Option<FileText> {
        let text = (*self.texts.get(&place.file)?).clone();
        let is_new = self.told.insert((Arc::clone(&place.file), place.line, place.column));
        (is_new && !self.broken.contains(&place.file)).then_some(text)
    }

    fn check_restored(&mut self, one: &Restored<'_>, taken: &[Taken<'_>]) {
        let Some((written, _)) = &one.names else { return };
        let fitting: Vec<&Taken<'_>> = taken.iter().filter(|taken| one.may_be(taken)).collect();
        if fitting.is_empty() {
            let Some(text) = self.text_at(one.place) else { return };
            let mut findings = Findings::new(text.file());
            let message = format!("nothing takes a snapshot named `{written}`");
            let span = span_of(one.place, &text);
            let found = findings.warning(Code::UNPAIRED_SNAPSHOT, span, message);
            let prefix = format!("{}:", one.file);
            let names = taken.iter().filter_map(|taken| taken.name.as_deref());
            let known: Vec<&str> = names.map(|name| name.strip_prefix(&prefix).unwrap_or(name)).collect();
            let other = known.iter().find(|name| name.rsplit_once(':').is_some_and(|(_, name)| name == written));
            match (other, near::nearest(written, known.iter().copied())) {
                (Some(other), _) => found.help(format!("another file's is written with its id: `restore: {other}`")),
                (None, Some(near)) => {
                    self.meant.insert(if near.contains(':') { near.to_owned() } else { format!("{prefix}{near}") });
                    found.help(Suggestion::guess(near).help)
                }
                (None, None) => found.help("take it with `snapshot: …, as: NAME`, in a rule of this file"),
            };
            self.diagnostics.extend(findings.into_vec());
            return;
        }
        let needs_to = fitting.iter().any(|taken| taken.holds == Holds::Topics);
        let only_devices = fitting.iter().all(|taken| taken.holds == Holds::Devices);
        let (is_missing, is_idle) = (needs_to && !one.has_to, only_devices && one.has_to);
        if !is_missing && !is_idle {
            return;
        }
        let Some(text) = self.text_at(one.place) else { return };
        let mut findings = Findings::new(text.file());
        let span = span_of(one.place, &text);
        if is_missing {
            let message = format!("`to` is missing: `{written}` holds payloads of topics");
            let found = findings.error(Code::MISSING_KEY, span, message);
            found.help("say where each payload goes: `to: \"${topic}/set\"`");
        } else {
            let message = format!("`to` has no effect here: `{written}` holds devices, which are commanded by name");
            findings.warning(Code::KEY_WITHOUT_EFFECT, span, message).help("leave out `to`");
        }
        self.diagnostics.extend(findings.into_vec());
    }

    fn check_taken(&mut self, one: &Taken<'_>, restored: &[Restored<'_>]) {
        let Some(name) = &one.name else { return };
        if restored.iter().any(|restored| restored.may_be(one)) || self.meant.contains(name) {
            return;
        }
        let Some(text) = self.text_at(one.place) else { return };
        let mut findings = Findings::new(text.file());
        let name = name.split_once(':').map_or(name.as_str(), |(_, name)| name);
        let span = span_of(one.place, &text);
        let message = format!("the snapshot `{name}` is never restored");
        let found = findings.warning(Code::UNPAIRED_SNAPSHOT, span, message);
        found.help(format!("add `restore: {name}` where it should be as it was"));
        self.diagnostics.extend(findings.into_vec());
    }
}
