//! Rule files that are scripts: what they pass to `rule(key, map)` becomes the same tree that YAML is read into, so that
//! every key has one meaning and one set of mistakes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lang::diagnostic::findings::Findings;
use crate::lang::reader::Reader;
use crate::lang::text::FileText;
use crate::lang::yaml::scalar;
use crate::lang::yaml::tree::{Entry, Node, NodeKind, Scalar};
use crate::lang::{Code, Severity, Sources};
use crate::model::{PlacedText, Value};
use crate::script::{
    ExpressionErrorKind, Given, GivenKind, LiteralCall, LoadedScript, Sandbox, ScriptError, ScriptErrorKind,
};

use super::decoder::Decoder;
use super::file::RuleFile;
use super::secrets;

impl RuleFile {
    /// Returns a script as a rule file, and its mistakes.
    pub(in crate::lang) fn of_script<'a>(
        text: FileText,
        stem: &str,
        loaded: &LoadedScript,
        sandbox: &'a Sandbox,
        sources: &Sources,
    ) -> (RuleFile, Reader<'a>) {
        let mut file = RuleFile::empty(text.clone(), stem);
        let mut reader = Reader::new(text);
        reader.sandbox = Some(sandbox);
        report(&loaded.errors, &mut reader.findings);
        file.is_script = true;
        file.past.clone_from(&loaded.past);
        file.calendars.clone_from(&loaded.calendars);
        file.is_readable = loaded.errors.iter().all(ScriptError::may_run);
        let mut first: BTreeMap<(bool, &str), std::ops::Range<usize>> = BTreeMap::new();
        for rule in &loaded.rules {
            if let Some(first) = first.get(&(rule.is_invariant, &*rule.key)) {
                let what = if rule.is_invariant { "invariant" } else { "rule" };
                let message = format!("the {what} `{}` is defined twice", rule.key);
                let found = reader.findings.error(Code::DUPLICATE_RULE, rule.key_span.clone(), message);
                if *first != rule.key_span {
                    found.relate(first.clone(), "it's defined here first");
                }
                found.help(format!("give each {what} its own name"));
                continue;
            }
            first.insert((rule.is_invariant, &rule.key), rule.key_span.clone());
            let place = reader.text.place(rule.key_span.start);
            let key = PlacedText::new(
                Arc::clone(&rule.key),
                Arc::clone(&place.file),
                [crate::model::Stretch {
                    offset: 0,
                    file_offset: rule.key_span.start,
                    line: place.line,
                    column: place.column,
                }]
                .into(),
            );
            let mut value = node(&rule.map);
            secrets::fill_in(&mut value, sources, &mut reader, &mut file.secrets);
            let key_value = Value::Text(Arc::clone(&rule.key));
            let entry = Entry { key, key_value, key_span: rule.key_span.clone(), value };
            if rule.is_invariant {
                file.add_invariant(&entry, &mut reader);
            } else {
                file.add_rule(&entry, &mut reader);
            }
        }
        (file, reader)
    }
}

/// Reports the mistakes in a script.
pub(in crate::lang) fn report(errors: &[ScriptError], findings: &mut Findings) {
    for error in errors {
        let code = match error.kind {
            ScriptErrorKind::Syntax => Code::SCRIPT_SYNTAX,
            ScriptErrorKind::UnknownVariable => Code::UNKNOWN_VARIABLE,
            ScriptErrorKind::UnknownFunction => Code::UNKNOWN_FUNCTION,
            ScriptErrorKind::BadImport => Code::BAD_IMPORT,
            ScriptErrorKind::TooLarge => Code::TOO_LARGE,
            ScriptErrorKind::Failed => Code::SCRIPT_FAILED,
            ScriptErrorKind::Argument(kind) => Code::of(kind),
        };
        let found = findings.error(code, error.at.clone(), error.message.clone()).help_if(error.help.clone());
        if error.kind == ScriptErrorKind::Argument(ExpressionErrorKind::NeverEqual) {
            found.severity = Severity::Warning;
        }
    }
}

fn node(given: &Given) -> Node {
    let kind = match &given.kind {
        GivenKind::Scalar(value, text) => {
            let is_plain = !matches!(value, Value::Text(_));
            let value = match value {
                // What YAML can't express is read as its text.
                Value::Time(_) | Value::Blob(_) => Value::text(text.as_str()),
                value => value.clone(),
            };
            NodeKind::Scalar(Scalar { text: text.clone(), is_plain, value })
        }
        GivenKind::List(items) => NodeKind::List(items.iter().map(node).collect()),
        GivenKind::Map(entries) => NodeKind::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    key_value: scalar::resolve(entry.key.as_str()),
                    key_span: entry.key_span.clone(),
                    value: node(&entry.value),
                })
                .collect(),
        ),
        GivenKind::Closure(closure) => NodeKind::Closure(closure.clone()),
    };
    Node { span: given.span.clone(), kind }
}

impl Decoder<'_> {
    /// Checks a rule or a scene that a closure names.
    pub(super) fn check_literal_call(&mut self, call: &LiteralCall) {
        let (text, span) = (call.text.as_str(), call.at.clone());
        match call.function.as_str() {
            "holds" | "running" | "enable" | "disable" | "remaining" | "enabled" | "last_run" => {
                let id = self.find_rule(text, span.clone());
                if let Some(id) = id.filter(|_| call.function == "holds") {
                    self.check_holds(&id, span);
                }
            }
            "scene" => {
                self.find_scene(text, span);
            }
            "notify" => {
                self.known_target(text, span);
            }
            _ => {}
        }
    }
}
