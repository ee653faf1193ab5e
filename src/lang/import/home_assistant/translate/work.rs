//! The work on one automation or script: what differs, what is refused, and its comments.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lang::Code;
use crate::lang::import::home_assistant::expression::{Refusal, Rendered, Scope, Translator, Written};
use crate::lang::import::home_assistant::load::LoadedFile;
use crate::lang::import::home_assistant::report::Reason;
use crate::lang::import::home_assistant::translate::names::Names;
use crate::lang::import::home_assistant::translate::shared::Shared;
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Comment, Node, Place};

/// What couldn't be translated was noted; the caller leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant::translate) struct Refused;

pub(in crate::lang::import::home_assistant::translate) type Answer<T> = Result<T, Refused>;

/// The work on one automation, script or helper.
pub(in crate::lang::import::home_assistant) struct Work<'a> {
    pub(in crate::lang::import::home_assistant::translate) scope: Scope<'a>,
    pub(in crate::lang::import::home_assistant::translate) names: &'a Names,
    pub(in crate::lang::import::home_assistant::translate) shared: &'a Shared,
    pub(in crate::lang::import::home_assistant::translate) files: &'a BTreeMap<Arc<str>, LoadedFile>,
    /// How it differs.
    pub(in crate::lang::import::home_assistant::translate) differs: Vec<String>,
    /// Why it's refused: each with the place.
    pub(in crate::lang::import::home_assistant::translate) refused: Vec<(Place, Reason)>,
    /// The code of what is refused where nothing more exact is known.
    pub(in crate::lang::import::home_assistant::translate) part: Code,
    /// Whether what was never heard must count as something else than unknown.
    pub(in crate::lang::import::home_assistant::translate) is_exact: bool,
    /// Rules beside its own.
    pub(in crate::lang::import::home_assistant::translate) helpers: Vec<(String, Doc)>,
    /// Comments that aren't written yet.
    pub(in crate::lang::import::home_assistant::translate) comments: Vec<Comment>,
    /// The file that the comments are of.
    pub(in crate::lang::import::home_assistant::translate) file: Arc<str>,
    /// The secrets that an action needs: the variable of each, and where it is kept. `None`: there can't be any here.
    pub(in crate::lang::import::home_assistant::translate) secrets: Option<Vec<(String, Doc)>>,
    /// Variables that are set more than once.
    pub(in crate::lang::import::home_assistant::translate) reassigned: std::collections::BTreeSet<String>,
}

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn refuse<T>(
        &mut self,
        node: &Node,
        message: impl Into<String>,
    ) -> Answer<T> {
        self.refuse_at(node.place.clone(), Reason::new(self.part, message))
    }

    /// Refuses what Home Assistant refuses, too.
    pub(in crate::lang::import::home_assistant::translate) fn refuse_as_there<T>(
        &mut self,
        node: &Node,
        message: impl Into<String>,
    ) -> Answer<T> {
        self.refuse_at(node.place.clone(), Reason::new(Code::REFUSED_THERE_TOO, message))
    }

    /// Refuses a secret where none can stand.
    fn refuse_secret<T>(&mut self, node: &Node, message: &str) -> Answer<T> {
        self.refuse_at(node.place.clone(), Reason::new(Code::SECRET_NOT_TAKEN, message))
    }

    /// Does something in which what is refused has another code.
    pub(in crate::lang::import::home_assistant::translate) fn within<T>(
        &mut self,
        part: Code,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = std::mem::replace(&mut self.part, part);
        let done = inner(self);
        self.part = outer;
        done
    }

    pub(in crate::lang::import::home_assistant::translate) fn refuse_at<T>(
        &mut self,
        place: Place,
        reason: Reason,
    ) -> Answer<T> {
        if !self.refused.iter().any(|(known, said)| *known == place && *said == reason) {
            self.refused.push((place, reason));
        }
        Err(Refused)
    }

    /// Returns whether something is switched on. A template that is always the same is one of both.
    pub(in crate::lang::import::home_assistant::translate) fn is_enabled(&mut self, node: &Node) -> Answer<bool> {
        let Some(enabled) = node.get("enabled") else { return Ok(true) };
        if !is_template(enabled) {
            return Ok(enabled.as_bool() != Some(false));
        }
        let written = self.template(enabled)?.condition();
        match &*written.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => self.refuse(enabled, "`enabled` that isn't always the same has no counterpart: use a condition"),
        }
    }

    /// Notes a difference.
    pub(in crate::lang::import::home_assistant::translate) fn differ(&mut self, how: impl Into<String>) {
        let how = how.into();
        if !self.differs.contains(&how) {
            self.differs.push(how);
        }
    }

    /// Notes that the sun is asked for, where nobody says where the home is.
    pub(in crate::lang::import::home_assistant::translate) fn needs_place(&mut self) {
        if self.scope.home.has_no_place {
            self.differ(crate::lang::import::home_assistant::outline::NO_PLACE);
        }
    }

    /// Translates a template.
    pub(in crate::lang::import::home_assistant::translate) fn template(&mut self, node: &Node) -> Answer<Rendered> {
        let text = node.to_text().unwrap_or_default();
        if let Some(secret) = node.as_scalar().and_then(|scalar| scalar.secret.as_ref()) {
            let _ = secret;
            return self.refuse_secret(
                node,
                "a template that is a secret isn't translated: write it where the secret is used",
            );
        }
        if ["next_setting", "next_rising"].iter().any(|name| text.contains(name)) {
            self.differ("when the sun rises or sets tomorrow is taken as a day after today's, a minute or two off");
        }
        if text.contains("context.id") {
            self.differ(
                "`context.id` is the same in each run here, so a button of an earlier notification counts, too",
            );
        }
        let result = Translator::new(&self.scope).template(&text);
        result.or_else(|refusal| self.refuse_template(node, &text, refusal))
    }

    fn refuse_template<T>(&mut self, node: &Node, text: &str, refusal: Refusal) -> Answer<T> {
        let before = text.get(..refusal.at.min(text.len())).unwrap_or_default();
        let mut place = node.place.clone();
        place.line = (place.line + before.matches('\n').count()).min(place.end.max(place.line));
        let rest = text.get(refusal.at..).unwrap_or_default().lines().next().unwrap_or_default().trim();
        let shown: String = rest.chars().take(40).collect();
        let message = if shown.is_empty() { refusal.message } else { format!("{} (at `{shown}`)", refusal.message) };
        let fails_there = message.contains("fails in Home Assistant too");
        let code = if fails_there { Code::REFUSED_THERE_TOO } else { Code::TEMPLATE_NOT_TAKEN };
        self.refuse_at(place, Reason::new(code, message))
    }

    /// Returns a text that may be a template, as a text of ours.
    pub(in crate::lang::import::home_assistant::translate) fn text(&mut self, node: &Node) -> Answer<String> {
        if is_template(node) {
            return self.template(node).map(|rendered| rendered.text());
        }
        if let Some((_, reason)) = node.broken() {
            let reason = reason.clone();
            return self.refuse_at(node.place.clone(), reason);
        }
        if node.as_scalar().is_some_and(|scalar| scalar.secret.is_some()) {
            return self.refuse_secret(node, "a secret isn't written into a text: put it into homerule.yaml");
        }
        match node.to_text() {
            Some(text) => Ok(crate::lang::import::home_assistant::expression::escape(&text)),
            None => self.refuse(node, "a text is needed here"),
        }
    }

    /// Returns any data as a value of ours, templates within it as Home Assistant reads what they give.
    pub(in crate::lang::import::home_assistant::translate) fn data(
        &mut self,
        node: &Node,
    ) -> Answer<serde_json::Value> {
        use crate::lang::import::home_assistant::yaml::{Kind, Value};
        match &node.kind {
            Kind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.data(item)).collect::<Answer<_>>()?;
                Ok(items.into())
            }
            Kind::Map(entries) => {
                let mut map = serde_json::Map::new();
                for entry in entries {
                    map.insert(entry.name().to_owned(), self.data(&entry.value)?);
                }
                Ok(map.into())
            }
            Kind::Broken(reason) => {
                let reason = Reason::clone(reason);
                self.refuse_at(node.place.clone(), reason)
            }
            Kind::Tagged(tag, _) => {
                let reason = format!("`{tag}` can't stand here");
                self.refuse(node, reason)
            }
            Kind::Scalar(_) if is_template(node) => self.template(node).map(|rendered| rendered.value()),
            Kind::Scalar(scalar) if scalar.secret.is_some() => self.secret(node),
            Kind::Scalar(scalar) => Ok(match &scalar.value {
                Value::Null => serde_json::Value::Null,
                Value::Bool(value) => (*value).into(),
                Value::Int(number) => (*number).into(),
                Value::Float(number) => {
                    serde_json::Number::from_f64(*number).map_or(serde_json::Value::Null, Into::into)
                }
                Value::Text | Value::Date => {
                    crate::lang::import::home_assistant::expression::escape(&scalar.text).into()
                }
            }),
        }
    }

    /// Returns a secret as a variable of the run, whose value is kept elsewhere.
    fn secret(&mut self, node: &Node) -> Answer<serde_json::Value> {
        use crate::lang::import::home_assistant::yaml::Secret;
        let name = match node.as_scalar().and_then(|scalar| scalar.secret.as_ref()) {
            Some(Secret::Named(name) | Secret::Environment(name)) => name.to_string(),
            None => String::new(),
        };
        if self.secrets.is_none() {
            return self.refuse_secret(node, "a secret isn't written into a rule: put it into homerule.yaml");
        }
        let variable = format!("secret_{}", crate::lang::import::home_assistant::words::slug(&name));
        let kept = self.secret_or_text(node)?;
        if let Some(secrets) = self.secrets.as_mut().filter(|known| known.iter().all(|(known, _)| *known != variable)) {
            secrets.push((variable.clone(), kept));
        }
        Ok(format!("${{{variable}}}").into())
    }

    /// Returns the condition that a template is.
    pub(in crate::lang::import::home_assistant::translate) fn template_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Written> {
        self.template(node).map(|rendered| rendered.condition())
    }

    /// Takes the comments above a node, and those behind its lines.
    pub(in crate::lang::import::home_assistant::translate) fn take_comments(
        &mut self,
        place: &Place,
        through_end: bool,
    ) -> Vec<String> {
        if place.file != self.file {
            return Vec::new();
        }
        let last = if through_end { place.end } else { place.line };
        let (taken, left): (Vec<Comment>, Vec<Comment>) =
            std::mem::take(&mut self.comments).into_iter().partition(|comment| comment.line <= last);
        self.comments = left;
        taken.into_iter().map(|comment| comment.text).collect()
    }

    /// Returns the source lines of a node, as a comment that shows what wasn't taken over.
    pub(in crate::lang::import::home_assistant::translate) fn original(&mut self, node: &Node) -> Vec<String> {
        self.take_comments(&node.place, true);
        let reasons: Vec<String> = self
            .refused
            .iter()
            .filter(|(place, _)| {
                place.file == node.place.file && (node.place.line..=node.place.end).contains(&place.line)
            })
            .map(|(_, reason)| reason.text.clone())
            .collect();
        let mut lines: Vec<String> = Vec::new();
        let because = reasons.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        lines.push(format!("not taken over{because}"));
        lines.extend(quoted_lines(self.files, &node.place));
        lines
    }
}

/// Returns the lines of a file at `place`, without what all of them are indented by.
pub(in crate::lang::import::home_assistant::translate) fn quoted_lines(
    files: &BTreeMap<Arc<str>, LoadedFile>,
    place: &Place,
) -> Vec<String> {
    let Some(file) = files.get(&place.file) else { return Vec::new() };
    let first = place.line.saturating_sub(1);
    let count = place.end.saturating_sub(first).max(1);
    let lines: Vec<&String> = file.lines.iter().skip(first).take(count).collect();
    let indent = |line: &&&String| line.len() - line.trim_start().len();
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(&line)).min().unwrap_or(0);
    lines.into_iter().map(|line| format!("  {}", line.get(least..).unwrap_or_default())).collect()
}

/// Returns whether a value is a template.
pub(in crate::lang::import::home_assistant::translate) fn is_template(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| {
        scalar.value == crate::lang::import::home_assistant::yaml::Value::Text
            && ["{{", "{%", "{#"].iter().any(|sign| scalar.text.contains(sign))
    })
}

/// Escapes the texts within a value.
pub(in crate::lang::import::home_assistant::translate) fn escaped(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => crate::lang::import::home_assistant::expression::escape(&text).into(),
        Json::Array(items) => items.into_iter().map(escaped).collect(),
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, escaped(value))).collect()),
        other => other,
    }
}
