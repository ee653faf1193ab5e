//! What the user's files allow: a comment `# homerule: allow HR170` on the line before, or `allow: [HR170]` on a rule.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::{Code, Diagnostic, Places, Severity, Source, Sources};
use crate::model::Place;
use crate::rules::{RuleEntry, Ruleset};

/// Something that allows a kind of warning.
#[derive(Debug, Clone)]
struct Allow {
    code: Code,
    /// Where it stands.
    place: Place,
    /// Which lines of its file it is about.
    lines: std::ops::RangeInclusive<u32>,
    /// Whether it allowed anything.
    is_used: bool,
}

/// All that the files of a home allow.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    all: Vec<Allow>,
}

impl Allowed {
    /// Returns what the files in `sources`, with these rules, allow.
    #[must_use]
    pub fn new(sources: &Sources, rules: &Ruleset) -> Allowed {
        let starts: BTreeSet<(Arc<str>, u32)> =
            rules.entries.iter().map(|entry| (Arc::clone(&entry.place().file), entry.place().line)).collect();
        let end_of = |place: &Place| {
            let next = starts.range((Arc::clone(&place.file), place.line + 1)..).next();
            next.filter(|(file, _)| *file == place.file).map_or(u32::MAX, |(_, line)| line.saturating_sub(1))
        };
        let mut all = Vec::new();
        for entry in &*rules.entries {
            let RuleEntry::Rule(rule) = entry else { continue };
            for code in &rule.allow {
                let lines = rule.place.line..=end_of(&rule.place);
                all.push(Allow { code: Code(*code), place: rule.place.clone(), lines, is_used: false });
            }
        }
        for (path, source) in sources {
            let Source::Content(bytes) = source else { continue };
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            if text.contains("homerule: allow") {
                comments(path, text, &starts, &end_of, &mut all);
            }
        }
        Allowed { all }
    }

    /// Returns whether a warning is allowed. One of a rule may be allowed where the rule begins, too.
    pub fn allows(&mut self, found: &Diagnostic, places: &mut Places<'_>) -> bool {
        if found.severity != Severity::Warning {
            return false;
        }
        let line = places.line(&found.label);
        let mut is_allowed = false;
        for allow in &mut self.all {
            if allow.code == found.code && allow.place.file == found.label.file && allow.lines.contains(&line) {
                (allow.is_used, is_allowed) = (true, true);
            }
        }
        is_allowed
    }

    /// Returns warnings of what allows nothing.
    pub fn idle(&self, places: &mut Places<'_>) -> Vec<Diagnostic> {
        let idle = self.all.iter().filter(|allow| !allow.is_used);
        let mut told: Vec<(&Place, Code)> = Vec::new();
        let mut found = Vec::new();
        for allow in idle {
            if !told.contains(&(&allow.place, allow.code)) {
                told.push((&allow.place, allow.code));
                let message = format!("there is no {} here that this could allow", allow.code);
                let help = Some("remove it: what it allowed is mended, or stands elsewhere".to_owned());
                found.push(places.warning(Code::IDLE_ALLOW, &allow.place, message, help));
            }
        }
        found
    }
}

/// Adds what comments allow: on the next line that isn't a comment; where a rule begins there, in all of it.
fn comments(
    path: &Arc<str>,
    text: &str,
    starts: &BTreeSet<(Arc<str>, u32)>,
    end_of: &dyn Fn(&Place) -> u32,
    all: &mut Vec<Allow>,
) {
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let comment = line.trim_start().strip_prefix('#').or_else(|| line.trim_start().strip_prefix("//"));
        let Some(codes) = comment.and_then(|comment| comment.trim_start().strip_prefix("homerule: allow")) else {
            continue;
        };
        let is_comment = |line: &&&str| line.trim_start().starts_with(['#']) || line.trim_start().starts_with("//");
        let skipped = lines.iter().skip(index + 1).take_while(is_comment).count();
        let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
        let next = number(index + 1 + skipped);
        let begins = starts.contains(&(Arc::clone(path), next));
        let end = if begins { end_of(&Place { file: Arc::clone(path), line: next, column: 1 }) } else { next };
        let column = u32::try_from(line.len() - line.trim_start().len() + 1).unwrap_or(1);
        for code in codes.split([',', ' ']).filter_map(code) {
            let place = Place { file: Arc::clone(path), line: number(index), column };
            all.push(Allow { code, place, lines: next..=end, is_used: false });
        }
    }
}

/// Reads a code: `HR170`.
fn code(text: &str) -> Option<Code> {
    text.trim().strip_prefix("HR")?.parse().ok().map(Code)
}
