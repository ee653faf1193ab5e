//! Decodes conditions (docs/language/conditions.md).

use crate::lang::diagnostic::near::Suggestion;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::lang::{Code, near};
use crate::model::schedule::{Boundary, BoundaryError, SunEvent, TimeWindow, Weekdays};
use crate::rules::{Condition, ConditionKind, StateCondition};

use super::decoder::Decoder;
use super::range::Hysteresis;
use super::trigger::{optional, words_of};

/// The words that make a map a condition.
pub(super) const CONDITION_WORDS: [&str; 8] = ["all", "any", "not", "state", "device", "input", "time", "sun"];

/// The help for a closure used as a condition.
const CLOSURE_AS_CONDITION: &str =
    "write the condition as text (`\"if\": \"msg.state == 'ON'\"`), or check it in the closure of `then`";

impl Decoder<'_> {
    /// Returns a condition: an expression, a list that must all hold, or a map.
    pub(super) fn condition(&mut self, node: &Node, path: &str) -> Option<Condition> {
        let kind = match &node.kind {
            NodeKind::Scalar(_) => self.expression(node).map(ConditionKind::Expression),
            NodeKind::List(items) => self.conditions(node, items, path).map(ConditionKind::All),
            NodeKind::Map(_) => self.condition_map(node, path),
            NodeKind::Closure(_) => {
                self.wrong_type(node, "a condition").help(CLOSURE_AS_CONDITION);
                None
            }
        };
        Some(Condition { kind: kind?, path: path.into(), place: self.place(node) })
    }

    fn conditions(&mut self, node: &Node, items: &[Node], path: &str) -> Option<Vec<Condition>> {
        if items.is_empty() {
            self.wrong_type(node, "a condition, or a list of them");
            return None;
        }
        let each = items.iter().enumerate();
        let conditions: Vec<_> = each.map(|(index, item)| self.condition(item, &format!("{path}[{index}]"))).collect();
        conditions.into_iter().collect()
    }

    fn condition_map(&mut self, node: &Node, path: &str) -> Option<ConditionKind> {
        let entries = node.as_map().unwrap_or_default();
        let words = words_of(entries, &CONDITION_WORDS);
        let (word, value) = match words.as_slice() {
            [(word, entry)] => (*word, &entry.value),
            [] => {
                let (span, help) = self.no_word(node, Place::Condition, &CONDITION_WORDS);
                self.findings
                    .error(Code::UNKNOWN_CONDITION, span.clone(), "this isn't a condition")
                    .suggest(span, help);
                return None;
            }
            [(_, first), (_, second), ..] => {
                let message = format!("this condition has both `{}` and `{}`", first.key.as_str(), second.key.as_str());
                let found = self.findings.error(Code::SEVERAL_CONDITIONS, second.key_span.clone(), message);
                found.relate(first.key_span.clone(), "the first one is here");
                found.help("make them items of a list (`- …`), which must all be true");
                return None;
            }
        };
        let what = format!("the condition `{word}`");
        let mut fields = Fields::of(node, &what, &self.reader.text, &mut self.reader.findings)?.at(Place::Condition);
        let path = format!("{path}.{word}");
        let kind = match word {
            "all" | "any" => {
                let conditions = self.condition_list(value, &path);
                let make = if word == "all" { ConditionKind::All } else { ConditionKind::Any };
                conditions.map(make)
            }
            "not" => self.condition(value, &path).map(|condition| ConditionKind::Not(Box::new(condition))),
            "device" => self.device_condition(&mut fields).map(ConditionKind::Device),
            "input" => self.input_condition(&mut fields).map(ConditionKind::State),
            "time" => self.time_window(value).map(ConditionKind::Time),
            "sun" => {
                self.need_location(value);
                self.word(value, &[("up", true), ("down", false)]).map(|is_up| ConditionKind::Sun { is_up })
            }
            _ => self.state_condition(&mut fields).map(ConditionKind::State),
        };
        fields.allow(&[word]);
        fields.finish(&mut self.reader.findings);
        kind
    }

    /// Returns the conditions of a list, or a single one as a list.
    fn condition_list(&mut self, node: &Node, path: &str) -> Option<Vec<Condition>> {
        match &node.kind {
            NodeKind::List(items) => self.conditions(node, items, path),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => Some(vec![self.condition(node, path)?]),
        }
    }

    fn state_condition(&mut self, fields: &mut Fields<'_>) -> Option<StateCondition> {
        let topic = fields.take("state").and_then(|node| {
            let template = self.text_template(node, "a topic")?;
            if let Some(text) = template.as_constant().and_then(crate::model::Value::as_text) {
                self.check_constant_topic(text, node)?;
            }
            Some(template)
        });
        let field = fields.take("field").map(|node| self.path(node));
        let is = fields.take("is").map(|node| self.values(node));
        let range = self.range(fields, Hysteresis::Unknown);
        let hold = fields.take("for").map(|node| self.duration(node));
        let ignored = self.ignored_in(fields, "is");
        Some(StateCondition {
            topic: topic?,
            field: optional(field)?.unwrap_or_default(),
            is: optional(is)?,
            range: range?,
            hold: optional(hold)?,
            ignored,
        })
    }

    fn time_window(&mut self, node: &Node) -> Option<TimeWindow> {
        let mut fields = Fields::of(node, "the condition `time`", &self.reader.text, &mut self.reader.findings)?
            .at(Place::Condition);
        let after = fields.take("after").map(|node| self.boundary(node));
        let before = fields.take("before").map(|node| self.boundary(node));
        let weekdays = fields.take("weekdays").map(|node| self.weekdays(node));
        if after.is_none() && before.is_none() && weekdays.is_none() {
            let span = self.mark(node);
            let found = self.findings.error(Code::MISSING_KEY, span, "`time` needs `after`, `before` or `weekdays`");
            found.help("write e.g. `time: { after: \"22:00\", before: \"06:00\" }`");
        }
        fields.finish(&mut self.reader.findings);
        let window = TimeWindow {
            after: optional(after)?,
            before: optional(before)?,
            weekdays: optional(weekdays)?.unwrap_or(Weekdays::ALL),
        };
        self.note_empty_days(node, &window);
        Some(window)
    }

    /// Warns of a part of the day that has no time on some days of the year.
    fn note_empty_days(&mut self, node: &Node, window: &TimeWindow) {
        // Any year will do: the sun's are alike.
        const YEAR: i16 = 2026;
        let Some(calendar) = &self.context.calendar else { return };
        let Some((from, to)) = window.empty_days(YEAR, calendar) else { return };
        let span = self.mark(node);
        let day = |date: jiff::civil::Date| date.strftime("%-d %B").to_string();
        let message = if (to - from).get_days() >= 364 {
            format!("`{window}` is never true here")
        } else {
            format!("`{window}` is never true from {} to {}", day(from), day(to))
        };
        let found = self.findings.warning(Code::EMPTY_WINDOW, span, message);
        found.help("the sun passes the other end before then; use a wider window if that isn't meant");
    }

    /// Returns an end of a window: a time of day, or a sun event with an offset (`sunset-30m`).
    fn boundary(&mut self, node: &Node) -> Option<Boundary> {
        let fixed = self.fixed(node, "a time of day (`\"22:00\"`) or a sun event (`sunset-30m`)")?;
        let text = fixed.text.trim();
        match Boundary::parse(text) {
            Ok(boundary) => {
                if boundary.needs_location() {
                    self.need_location(node);
                }
                return Some(boundary);
            }
            Err(BoundaryError::Unknown { text, near }) => {
                let message = format!("`{text}` isn't a time of day or a sun event");
                let words = SunEvent::ALL.map(|(word, _)| word);
                let inside = fixed.span_of(0..fixed.text.len());
                let suggestion = match near {
                    Some(word) if text == fixed.text.trim() => Suggestion::guess(word),
                    Some(word) => Suggestion::advice(near::did_you_mean(word)),
                    None => Suggestion::advice(format!("use e.g. `\"22:00\"`, or one of {}", near::list(&words))),
                };
                let found = self.findings.error(Code::BAD_TIME, fixed.span, message);
                found.suggest(inside, Some(suggestion));
            }
            Err(BoundaryError::Offset { error, .. }) => {
                let offset = text.trim_start_matches(char::is_alphabetic).trim_start();
                let span = fixed.span_of(fixed.text.len() - offset.len()..fixed.text.len());
                self.findings.error(Code::BAD_DURATION, span, error.to_string());
            }
            Err(error @ (BoundaryError::Time(_) | BoundaryError::TooFar(_))) => {
                self.findings.error(Code::BAD_TIME, fixed.span, error.to_string());
            }
        }
        None
    }
}
