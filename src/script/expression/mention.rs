//! Rules, devices and inputs that an expression names, and what it asks of the past.

use std::ops::Range;

use std::time::Duration;

use rhai::{Expr, FnCallExpr, Position};

use crate::model::history::{Asked, Kind, Window};
use crate::model::{Name, Topic, Value, ValuePath, parse_duration};
use crate::script::functions::internal::JOIN;

/// A rule that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMention {
    /// What was written: a key, or a file and a key. `None`: `holds()`, the rule itself.
    pub rule: Option<Name>,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
    /// Whether it was asked if the rule holds, which only a `while` rule can; else whether it runs.
    pub is_holds: bool,
}

/// A device that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMention {
    /// What was written.
    pub device: Name,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
    /// The property that is read of it, if one is, and where it stands.
    pub property: Option<(Name, Range<usize>)>,
}

/// An input that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputMention {
    /// What was written.
    pub input: Name,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
}

/// The calendar that `holiday()` asks.
pub(in crate::script) const HOLIDAYS: &str = "holidays";

/// A calendar that an expression or a script names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarMention {
    /// Its name.
    pub name: Name,
    /// Where, in bytes of the text.
    pub at: Range<usize>,
}

/// A call of a function that reads the past of a topic, as far as it is written out.
#[derive(Debug, Clone, PartialEq)]
pub struct PastMention {
    topic: Vec<Piece>,
    path: Vec<Piece>,
    kind: MentionedKind,
    window: Vec<Piece>,
    /// Whether the window is how long ago something was.
    is_age: bool,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
}

/// What of a series is asked.
#[derive(Debug, Clone, PartialEq)]
enum MentionedKind {
    Numbers,
    Values,
    Counted(Vec<Piece>),
    CountedValue(Value),
}

/// A part of a text: written out, or the value of a variable.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Variable(Name),
}

impl CalendarMention {
    /// Returns the calendar that a call names, and where; `None` where it's another function, or the name is computed.
    pub(in crate::script) fn of(call: &FnCallExpr) -> Option<(Name, Position)> {
        match (call.name.as_str(), call.args.first()) {
            ("calendar", Some(Expr::StringConstant(text, position))) => Some((text.as_str().into(), *position)),
            ("holiday", first) => Some((HOLIDAYS.into(), first.map_or(Position::NONE, Expr::start_position))),
            _ => None,
        }
    }
}

impl PastMention {
    /// Returns what a call of `function` asks of the past; `None` where it reads none, or what it asks is computed.
    pub(in crate::script) fn of(function: &str, arguments: &[Expr], at: Range<usize>) -> Option<PastMention> {
        if function == "known" {
            let (first, rest) = arguments.split_first()?;
            let path = rest.first().map_or(Some(Vec::new()), text)?;
            let window = vec![Piece::Text("0s".to_owned())];
            return Some(PastMention {
                topic: text(first)?,
                path,
                kind: MentionedKind::Values,
                window,
                is_age: true,
                at,
            });
        }
        let is_counted = matches!(function, "times" | "duration");
        let least = match function {
            "average" | "median" | "lowest" | "highest" | "change" | "rise" | "fall" | "integral" | "changes"
            | "at" => 2,
            "times" | "duration" => 3,
            _ => return None,
        };
        let (first, rest) = arguments.split_first()?;
        let (window, rest) = rest.split_last()?;
        let path = if arguments.len() > least { text(rest.first()?)? } else { Vec::new() };
        let kind = match function {
            "changes" | "at" => MentionedKind::Values,
            _ if is_counted => counted(rest.last()?)?,
            _ => MentionedKind::Numbers,
        };
        Some(PastMention { topic: text(first)?, path, kind, window: text(window)?, is_age: function == "at", at })
    }

    /// Returns how far back a window reaches that is a duration; `None` for others, and where it is computed.
    pub fn duration<'a>(&self, find: impl Fn(&str) -> Option<&'a Value>) -> Option<Duration> {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Variable(name) => find(name).map(ToString::to_string),
        };
        parse_duration(&self.window.iter().map(part).collect::<Option<String>>()?).ok()
    }

    /// Returns what is asked, where `find` gives the values of all variables in it.
    pub fn resolve<'a>(&self, find: impl Fn(&str) -> Option<&'a Value>) -> Option<Asked> {
        let join = |pieces: &[Piece]| -> Option<String> {
            let part = |piece: &Piece| match piece {
                Piece::Text(text) => Some(text.clone()),
                Piece::Variable(name) => find(name).map(ToString::to_string),
            };
            pieces.iter().map(part).collect()
        };
        let kind = match &self.kind {
            MentionedKind::Numbers => Kind::Numbers,
            MentionedKind::Values => Kind::Values,
            MentionedKind::CountedValue(value) => Kind::Counted(value.clone()),
            MentionedKind::Counted(pieces) => match pieces.as_slice() {
                [Piece::Variable(name)] => Kind::Counted(find(name)?.clone()),
                pieces => Kind::Counted(Value::text(join(pieces)?)),
            },
        };
        let window = join(&self.window)?;
        let reach: Duration =
            if self.is_age { parse_duration(&window).ok()? } else { Window::parse(&window).ok()?.reach() };
        let (topic, path) = (Topic::parse(&join(&self.topic)?).ok()?, ValuePath::parse(&join(&self.path)?).ok()?);
        Some(Asked { topic, path, kind, reach })
    }
}

/// Returns a text that is written out, but for variables in it.
fn text(expression: &Expr) -> Option<Vec<Piece>> {
    match expression {
        Expr::StringConstant(text, _) => Some(vec![Piece::Text(text.to_string())]),
        Expr::Variable(variable, ..) => Some(vec![Piece::Variable(variable.1.as_str().into())]),
        Expr::InterpolatedString(parts, _) => {
            parts.iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
        }
        Expr::FnCall(call, _) if call.name == JOIN => match call.args.first() {
            Some(Expr::Array(parts, _)) => {
                parts.iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
            }
            _ => None,
        },
        Expr::FnCall(call, _) if call.name == "+" && call.is_operator_call() => {
            call.args.iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
        }
        _ => None,
    }
}

fn counted(expression: &Expr) -> Option<MentionedKind> {
    Some(match expression {
        Expr::IntegerConstant(number, _) => MentionedKind::CountedValue(Value::Int(*number)),
        Expr::FloatConstant(number, _) => MentionedKind::CountedValue(Value::Float(**number)),
        Expr::BoolConstant(flag, _) => MentionedKind::CountedValue(Value::Bool(*flag)),
        other => MentionedKind::Counted(text(other)?),
    })
}
