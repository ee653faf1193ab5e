//! A whole template: what it gives as a condition, as a text, and as a value.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::literal::escape;
use super::scope::Macro;
use super::translator::{Refusal, Translator, refuse};
use super::written::{Kind, Written};
use crate::lang::import::home_assistant::jinja::{Expression, Part, parse};

/// A piece of what a template gives.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Piece {
    Text(String),
    Value(Written),
    /// A text of white space only, of which a template has none around it.
    Space(Written),
    /// Each condition with its pieces, and those of `else`.
    If(Vec<(Written, Vec<Piece>)>, Vec<Piece>),
}

/// What a template gives, white space around it cut off.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Rendered {
    pub(in crate::lang::import::home_assistant) pieces: Vec<Piece>,
}

/// How deeply conditions may be nested.
const DEEPEST: usize = 40;

impl Translator<'_> {
    /// Translates a template.
    ///
    /// # Errors
    /// When it can't be parsed, or has no counterpart, with its place.
    pub(in crate::lang::import::home_assistant) fn template(&mut self, text: &str) -> Result<Rendered, Refusal> {
        let parts = parse(text).map_err(|error| Refusal { at: error.at, message: error.message })?;
        self.attributes = attributes_of_each(text);
        self.reads_names = text.contains("name");
        self.reads_domains = text.contains("domain") || text.contains("object_id");
        let mut pieces = self.pieces(&parts, 0)?;
        trim_start(&mut pieces);
        trim_end(&mut pieces);
        Ok(Rendered { pieces })
    }

    pub(super) fn pieces(&mut self, parts: &[Part], depth: usize) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text.clone())),
                Part::Output(expression) => {
                    let written = self.output(expression)?;
                    pieces.push(match &written.constant {
                        Some(text) => Piece::Text(text.clone()),
                        None => Piece::Value(written),
                    });
                }
                Part::If(branches, otherwise) => {
                    if depth > DEEPEST {
                        return refuse(0, "conditions are nested too deeply");
                    }
                    pieces.push(self.branches(branches, otherwise, depth)?);
                }
                Part::Set(name, value) => {
                    self.set(name, value)?;
                }
                Part::SetBlock(name, parts) => {
                    let pieces = self.pieces(parts, depth + 1)?;
                    let written = as_expression(&pieces);
                    self.locals.push((name.clone(), written));
                }
                Part::For(names, list, condition, parts) => {
                    pieces.extend(self.each(names, list, condition.as_ref(), parts)?);
                }
                Part::Macro(name, parameters, parts) => {
                    let made = Macro { parameters: parameters.clone(), parts: parts.clone() };
                    self.macros.push((name.clone(), made));
                }
                Part::Other(word, at) => return refuse(*at, format!("`{{% {word} %}}` has no counterpart here")),
            }
        }
        Ok(pieces)
    }

    fn output(&mut self, expression: &Expression) -> Result<Written, Refusal> {
        let written = self.expression(expression)?;
        match &written.kind {
            Kind::State(entity) => {
                let entity = entity.clone();
                refuse(expression.at, format!("`{entity}` as a whole isn't a text: add `.state`"))
            }
            // The ids of an area or a label are a list.
            Kind::States(_) if !written.text.is_empty() => Ok(written),
            Kind::States(_) | Kind::Domain(_) | Kind::Root(_) | Kind::Fired(_) => {
                refuse(expression.at, "this isn't a text")
            }
            _ => Ok(written),
        }
    }
}

/// Returns the attributes that a template may read of each of several state objects.
fn attributes_of_each(text: &str) -> BTreeSet<String> {
    let mapped = text.split("'state_attr',").skip(1).map(|rest| rest.trim_start().trim_start_matches(['\'', '"']));
    let names = text.split("attributes.").skip(1).chain(mapped).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    });
    names.filter(|name| !name.is_empty() && name != "friendly_name").collect()
}

fn trim_start(pieces: &mut Vec<Piece>) {
    while let Some(first) = pieces.first_mut() {
        match first {
            Piece::Text(text) => {
                *text = text.trim_start().to_owned();
                if !text.is_empty() {
                    return;
                }
                pieces.remove(0);
            }
            Piece::Space(_) => {
                pieces.remove(0);
            }
            Piece::Value(_) => return,
            Piece::If(branches, otherwise) => {
                for (_, pieces) in branches.iter_mut() {
                    trim_start(pieces);
                }
                trim_start(otherwise);
                if !is_empty(branches, otherwise) {
                    return;
                }
                pieces.remove(0);
            }
        }
    }
}

/// Returns whether nothing is written in any case.
fn is_empty(branches: &[(Written, Vec<Piece>)], otherwise: &[Piece]) -> bool {
    otherwise.is_empty() && branches.iter().all(|(_, pieces)| pieces.is_empty())
}

fn trim_end(pieces: &mut Vec<Piece>) {
    while let Some(last) = pieces.last_mut() {
        match last {
            Piece::Text(text) => {
                *text = text.trim_end().to_owned();
                if !text.is_empty() {
                    return;
                }
                pieces.pop();
            }
            Piece::Space(_) => {
                pieces.pop();
            }
            Piece::Value(_) => return,
            Piece::If(branches, otherwise) => {
                for (_, pieces) in branches.iter_mut() {
                    trim_end(pieces);
                }
                trim_end(otherwise);
                if !is_empty(branches, otherwise) {
                    return;
                }
                pieces.pop();
            }
        }
    }
}

/// Returns pieces as one expression of a text, or of the value if there is only one.
pub(super) fn as_expression(pieces: &[Piece]) -> Written {
    match pieces {
        [] => Written::constant(""),
        [Piece::Text(text)] => Written::constant(text),
        [Piece::Value(written) | Piece::Space(written)] => written.clone(),
        [Piece::If(branches, otherwise)] => {
            let branches =
                branches.iter().map(|(condition, pieces)| (condition.clone(), as_expression(pieces))).collect();
            Written::choice(branches, as_expression(otherwise))
        }
        several => {
            let parts: Vec<String> =
                several.iter().map(|piece| as_expression(std::slice::from_ref(piece)).as_text()).collect();
            Written::new(parts.join(" + "), Kind::Text, super::written::level::SUM)
        }
    }
}

impl Rendered {
    /// Returns the text, if it is always the same.
    pub(in crate::lang::import::home_assistant) fn constant(&self) -> Option<String> {
        match self.pieces.as_slice() {
            [] => Some(String::new()),
            [Piece::Text(text)] => Some(text.clone()),
            several => several
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// Returns it as one expression.
    pub(in crate::lang::import::home_assistant) fn expression(&self) -> Written {
        as_expression(&self.pieces)
    }

    /// Returns it as Home Assistant takes a condition: true where its text is `true`, in whatever case.
    pub(in crate::lang::import::home_assistant) fn condition(&self) -> Written {
        is_true(&as_expression(&self.pieces))
    }

    /// Returns it as Home Assistant takes a trigger: `on`, `yes`, `1` and numbers are true too.
    pub(in crate::lang::import::home_assistant) fn trigger(&self) -> Written {
        let written = as_expression(&self.pieces);
        match &written.kind {
            Kind::Bool => written,
            Kind::Reading(_) => Written::atom(format!("ha::triggers({})", written.as_text()), Kind::Bool),
            _ => match &written.constant {
                Some(text) => Written::boolean(matches!(&*text.to_lowercase(), "1" | "true" | "yes" | "on" | "enable")),
                None => Written::atom(format!("ha::triggers({})", written.text), Kind::Bool),
            },
        }
    }

    /// Returns whether white space may be left around it, which only what it gives at run time tells.
    fn may_have_space(&self) -> bool {
        let is_open = |piece: &Piece| match piece {
            Piece::Text(_) | Piece::Space(_) => false,
            Piece::Value(written) => {
                let text = written.text.as_str();
                text.starts_with("ha::join(")
                    || text.contains(".reduce(|so_far")
                    || text.ends_with(" '")
                    || text.ends_with("\\n'")
            }
            Piece::If(branches, otherwise) => {
                self.pieces.len() > 1 && (otherwise.is_empty() || branches.iter().any(|(_, pieces)| pieces.is_empty()))
            }
        };
        [self.pieces.first(), self.pieces.last()].into_iter().flatten().any(is_open)
    }

    /// Returns it as a text of ours: `on ${…}`.
    pub(in crate::lang::import::home_assistant) fn text(&self) -> String {
        if self.may_have_space() {
            let written = as_expression(&self.pieces);
            let whole = Written::new(written.as_text(), Kind::Text, written.level);
            return format!("${{{}.trim()}}", whole.at(super::written::level::ATOM));
        }
        let mut text = String::new();
        let is_alone = self.pieces.len() == 1;
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(&escape(literal)),
                Piece::Value(written) if is_alone && is_number_text(written) => {
                    // A text that is a number as a whole is one there, so `21.50` becomes 21.5.
                    let _ = write!(text, "${{ha::native_text({})}}", written.text);
                }
                Piece::Value(written) | Piece::Space(written) => {
                    let value = if written.is_plain_text() { written.text.clone() } else { written.as_text() };
                    let _ = write!(text, "${{{value}}}");
                }
                Piece::If(..) => {
                    let written = as_expression(std::slice::from_ref(piece));
                    let _ = write!(text, "${{{}}}", written.as_text());
                }
            }
        }
        text
    }

    /// Returns it as the value that Home Assistant reads out of the text: a number, a list, or the text.
    pub(in crate::lang::import::home_assistant) fn value(&self) -> serde_json::Value {
        if let Some(text) = self.constant() {
            return native(&text).unwrap_or_else(|| escape(&text).into());
        }
        match self.pieces.as_slice() {
            [_] => {
                let written = natively(&as_expression(&self.pieces));
                format!("${{{}}}", written.text).into()
            }
            [Piece::Text(first), .., Piece::Text(last)]
                if first.starts_with('[') && last.ends_with(']') || first.starts_with('{') && last.ends_with('}') =>
            {
                format!("${{ha::native({})}}", self.expression().as_text()).into()
            }
            _ => self.text().into(),
        }
    }
}

/// Returns whether a text that is a number is written with places that the number doesn't need.
fn is_number_text(written: &Written) -> bool {
    written.text.starts_with("decimal(") || written.text.starts_with("ha::rounded(")
}

/// Returns whether Home Assistant takes a value for true in a condition.
fn is_true(written: &Written) -> Written {
    match (&written.kind, &written.constant) {
        (Kind::Bool, _) => written.clone(),
        (_, Some(text)) => Written::boolean(text.eq_ignore_ascii_case("true")),
        _ => match &written.branches {
            Some(branches) => {
                let of = branches.of.iter().map(|(condition, value)| (condition.clone(), is_true(value))).collect();
                Written::choice(of, is_true(&branches.otherwise))
            }
            None => Written::atom(format!("ha::is_true({})", written.as_text()), Kind::Bool),
        },
    }
}

/// Returns a value as what Home Assistant reads out of its text.
fn natively(written: &Written) -> Written {
    if let Some(text) = &written.constant {
        return match native(text) {
            Some(value) => Written::atom(super::literal::literal(&value), Kind::Any),
            None => written.clone(),
        };
    }
    match (&written.branches, &written.kind) {
        (Some(branches), _) => {
            let of = branches.of.iter().map(|(condition, value)| (condition.clone(), natively(value))).collect();
            Written::choice(of, natively(&branches.otherwise))
        }
        (
            None,
            Kind::Reading(
                crate::lang::import::home_assistant::entities::Codec::OnOff
                | crate::lang::import::home_assistant::entities::Codec::Words(_)
                | crate::lang::import::home_assistant::entities::Codec::Open(_)
                | crate::lang::import::home_assistant::entities::Codec::Clock,
            ),
        ) => Written::atom(written.as_text(), Kind::Text),
        (None, _) => written.clone(),
    }
}

/// Returns the value in a constant text, as Python's `literal_eval` reads it where Home Assistant asks it.
fn native(text: &str) -> Option<serde_json::Value> {
    match text {
        "True" => return Some(true.into()),
        "False" => return Some(false.into()),
        _ => {}
    }
    let has_zero = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    if has_zero || text.starts_with('+') {
        return None;
    }
    let json = text
        .starts_with(['[', '{'])
        .then(|| text.replace('\'', "\"").replace("True", "true").replace("False", "false"));
    serde_json::from_str(json.as_deref().unwrap_or(text))
        .ok()
        .filter(|value: &serde_json::Value| value.is_number() || value.is_array() || value.is_object())
}
