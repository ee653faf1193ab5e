//! The report: what was taken, what differs and how, what was refused and why.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use crate::lang::Code;

/// What came of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// A line for each automation, script, scene, helper and file, in their order.
    pub entries: Vec<Entry>,
    /// What is said once for the home.
    pub notes: Vec<String>,
    /// What to add to homerule.yaml, which is never edited.
    pub to_paste: Option<String>,
    /// The first level of the topics on which Home Assistant says its states.
    pub prefix: String,
    /// The entities that go through Home Assistant.
    pub left: Vec<String>,
}

/// What came of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file of Home Assistant, relative to the configuration.
    pub file: Arc<str>,
    /// Its line.
    pub line: usize,
    /// What it's called.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// What came of it.
    pub outcome: Outcome,
    /// How it differs, or why it was refused.
    pub reasons: Vec<Reason>,
    /// The file and line here, with the rule's key.
    pub written: Option<(String, usize, String)>,
}

/// Why something was refused, or how it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of it, which has a page.
    pub code: Code,
    /// What it is, and what to do.
    pub text: String,
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// An automation.
    Automation,
    /// A script.
    Script,
    /// A scene.
    Scene,
    /// A helper.
    Helper,
    /// A file, or a part of it.
    Other,
}

/// What came of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It means the same.
    Taken,
    /// It's taken, and differs as said.
    Differs,
    /// It isn't taken; the rule is switched off.
    Refused,
}

/// Something that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) file: Arc<str>,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) reason: Reason,
}

impl Outcome {
    /// Returns the word that programs read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Taken => "taken",
            Outcome::Differs => "differs",
            Outcome::Refused => "refused",
        }
    }
}

impl Reason {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Reason {
        let text = text.into();
        let text = match advice(code).filter(|_| !has_advice(&text)) {
            Some(advice) => format!("{text}; {advice}"),
            None => text,
        };
        Reason { code, text }
    }

    /// Returns it as one line, with its code.
    fn with_code(&self) -> String {
        format!("{} ({})", one_line(&self.text), self.code)
    }
}

/// Returns what to do about a refusal of which nothing more exact is known.
fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::NOT_READ => "correct the file, and import again",
        Code::TRIGGER_NOT_TAKEN => "trigger on a state or a topic instead, or leave this to Home Assistant",
        Code::CONDITION_NOT_TAKEN => "ask for a state or write a template instead, or leave this to Home Assistant",
        Code::ACTION_NOT_TAKEN => "do it another way, or leave this to Home Assistant",
        Code::TEMPLATE_NOT_TAKEN => "write it another way, or leave this to Home Assistant",
        Code::REFUSED_THERE_TOO => "correct it, and import again",
        Code::SECRET_NOT_TAKEN => "add it to secrets.yaml, and import again",
        Code::HELPER_NOT_TAKEN => "Home Assistant can go on doing it",
        Code::NOT_LOADABLE => "write the rule by hand, or leave this to Home Assistant",
        _ => return None,
    })
}

/// Returns whether a reason says what to do already: behind a colon, or in a sentence of its own.
fn has_advice(text: &str) -> bool {
    // What stands between backticks is quoted.
    let said: String = text.split('`').step_by(2).collect::<Vec<_>>().join("x");
    [": ", "; ", ". "].iter().any(|sign| said.contains(sign))
}

/// What to do before anything acts.
const SHADOW: &str = "\
## Before you switch anything off

Let these rules run in Home Assistant's shadow first: move them to a folder beside `rules/`, and add

```yaml
shadow: { rules: new-rules, compare: live }
```

to homerule.yaml. They publish nothing there, and `homerule shadow` says what they would have done otherwise than Home Assistant. \
Once they agree, `homerule shadow --promote` puts them in force.

";

impl EntryKind {
    fn heading(self) -> &'static str {
        match self {
            EntryKind::Automation => "Automations",
            EntryKind::Script => "Scripts",
            EntryKind::Scene => "Scenes",
            EntryKind::Helper => "Helpers",
            EntryKind::Other => "Other",
        }
    }
}

impl Finding {
    pub(super) fn entry(self) -> Entry {
        let Finding { file, line, name, reason } = self;
        let (kind, outcome) = (EntryKind::Other, Outcome::Refused);
        Entry { file, line, name, kind, outcome, reasons: vec![reason], written: None }
    }
}

impl Report {
    /// Returns how many automations there are, and how many of these had each outcome.
    #[must_use]
    pub fn totals(&self) -> (usize, [usize; 3]) {
        let automations = self.entries.iter().filter(|entry| entry.kind == EntryKind::Automation);
        let mut totals = [0; 3];
        let mut found = 0;
        for entry in automations {
            found += 1;
            if let Some(total) = totals.get_mut(entry.outcome as usize) {
                *total += 1;
            }
        }
        (found, totals)
    }

    /// Returns whether all was taken as it was, with nothing left to Home Assistant.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left.is_empty() && self.entries.iter().all(|entry| entry.outcome == Outcome::Taken)
    }

    /// Returns it for programs.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let (found, [taken, differs, refused]) = self.totals();
        let entries = self.entries.iter().map(|entry| {
            json!({
                "file": &*entry.file,
                "line": entry.line,
                "name": entry.name,
                "outcome": entry.outcome.as_str(),
                "reasons": entry.reasons.iter().map(Reason::with_code).collect::<Vec<_>>(),
            })
        });
        json!({
            "automations": { "found": found, "taken": taken, "differs": differs, "refused": refused },
            "entries": entries.collect::<Vec<_>>(),
        })
    }

    /// Returns it for people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let (found, [taken, differs, refused]) = self.totals();
        let mut text = String::from("# Import from Home Assistant\n\n");
        let automations = if found == 1 { "automation" } else { "automations" };
        let _ = writeln!(
            text,
            "{found} {automations}: {taken} taken, {differs} taken with a difference, {refused} refused.\n"
        );
        if refused > 0 {
            text.push_str(
                "A refused automation is written with `enabled: false`, and its original as a comment where it stands, so that \
                 nothing acts half.\n\n",
            );
        }
        for kind in [EntryKind::Automation, EntryKind::Script, EntryKind::Scene, EntryKind::Helper, EntryKind::Other] {
            let entries: Vec<&Entry> = self.entries.iter().filter(|entry| entry.kind == kind).collect();
            if entries.is_empty() {
                continue;
            }
            let _ = writeln!(text, "## {}\n", kind.heading());
            for entry in entries {
                let place = format!("{}:{}", entry.file, entry.line);
                let written = entry.written.as_ref();
                let written =
                    written.map(|(file, line, key)| format!(" → `{file}:{line}` `{key}`")).unwrap_or_default();
                let _ =
                    writeln!(text, "- **{}**: {} (`{place}`{written})", entry.outcome.as_str(), one_line(&entry.name));
                for reason in &entry.reasons {
                    let _ = writeln!(text, "  - {}", reason.with_code());
                }
            }
            text.push('\n');
        }
        if !self.left.is_empty() {
            text.push_str("## What goes through Home Assistant\n\n");
            let _ = write!(
                text,
                "These entities aren't known as devices here, so Home Assistant says their states and carries out their commands. \
                 In its configuration.yaml, set\n\n```yaml\nmqtt_statestream:\n  base_topic: {}\n  publish_attributes: true\n```\n\n\
                 and add the automation in `homeassistant-bridge.yaml`. To move one here, name its device in \
                 `homeassistant-entities.yaml` and import again with `--entities homeassistant-entities.yaml --force`.\n\n",
                self.prefix
            );
            for id in &self.left {
                let _ = writeln!(text, "- `{id}`");
            }
            text.push('\n');
        }
        let notes: BTreeSet<&String> = self.notes.iter().collect();
        if !notes.is_empty() {
            text.push_str("## What to know\n\n");
            for note in notes {
                let _ = writeln!(text, "- {}", one_line(note));
            }
            text.push('\n');
        }
        if taken + differs > 0 {
            text.push_str(SHADOW);
        }
        if let Some(paste) = &self.to_paste {
            let _ = writeln!(
                text,
                "## To add to homerule.yaml\n\nThis file is never edited: add this yourself.\n\n```yaml\n{}\n```",
                paste.trim_end()
            );
        }
        text
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
