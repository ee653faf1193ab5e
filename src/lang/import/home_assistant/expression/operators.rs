//! Operators, with Python's meanings.

use super::literal::{literal, quoted};
use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::entities::Codec;
use crate::lang::import::home_assistant::jinja::Binary;

/// What an entity's state is when it has none.
const NO_STATE: [&str; 3] = ["unavailable", "unknown", "none"];

impl Translator<'_> {
    pub(super) fn binary(operator: Binary, left: &Written, right: &Written, at: usize) -> Answer {
        if left.kind == Kind::Root("wait.remaining") {
            return Self::remaining(operator, right, at);
        }
        match operator {
            Binary::And | Binary::Or => Ok(Self::logic(operator, left, right)),
            Binary::Equal => Ok(Self::equal(left, right)),
            Binary::NotEqual => Ok(Self::not_equal(left, right)),
            Binary::In => Self::contains(left, right, at),
            Binary::NotIn => Self::contains(left, right, at).map(|found| Self::not(&found)),
            Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                Self::order(operator, left, right, at)
            }
            Binary::Concatenate => {
                let text = format!("{} + {}", concatenated(left), concatenated(right));
                let constant =
                    left.constant.as_ref().zip(right.constant.as_ref()).map(|(one, two)| format!("{one}{two}"));
                Ok(match constant {
                    Some(constant) => Written::constant(&constant),
                    None => Written::new(text, Kind::Text, level::SUM),
                })
            }
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::FloorDivide
            | Binary::Modulo
            | Binary::Power => Self::arithmetic(operator, left, right, at),
        }
    }

    /// Returns whether time is left of a wait: all that is known of `wait.remaining`.
    fn remaining(operator: Binary, right: &Written, at: usize) -> Answer {
        let is_over = Written::atom("wait.timed_out", Kind::Bool);
        match (operator, &*right.text) {
            (Binary::Equal | Binary::LessEqual, "0" | "0.0") => Ok(is_over),
            (Binary::NotEqual | Binary::Greater, "0" | "0.0") => Ok(Self::not(&is_over)),
            _ => refuse(at, "`wait.remaining` isn't known here: only whether it's 0 (`wait.completed`)"),
        }
    }

    fn logic(operator: Binary, left: &Written, right: &Written) -> Written {
        let is_and = operator == Binary::And;
        let (word, level) = if is_and { ("and", level::AND) } else { ("or", level::OR) };
        let both_bool = left.kind == Kind::Bool && right.kind == Kind::Bool;
        let (one, two) = (left.as_bool(), right.as_bool());
        match (&*one.text, is_and) {
            ("true", true) | ("false", false) => return right.clone(),
            ("true", false) | ("false", true) => return left.clone(),
            _ => {}
        }
        let text = format!("{} {word} {}", one.at(level), two.at(level));
        let logical = Written::new(text, Kind::Bool, level);
        if both_bool {
            return logical;
        }
        // Python gives the deciding operand itself.
        let (value, otherwise) = if is_and { (right, left) } else { (left, right) };
        let text = format!("(if {} {{ {} }} else {{ {} }})", one.text, value.text, otherwise.text);
        let kind = if left.kind == right.kind { left.kind.clone() } else { Kind::Any };
        let said = (left.said.is_some() || right.said.is_some())
            .then(|| format!("(if {} {{ {} }} else {{ {} }})", one.text, value.as_text(), otherwise.as_text()));
        // As a condition, the logical form says the same, and reads better.
        Written { said, branches: None, ..Written::atom(text, kind) }.with_logical(logical)
    }

    /// Returns whether two values are equal, an entity's state compared in our own words where it can be.
    pub(super) fn equal(left: &Written, right: &Written) -> Written {
        let comparison = |one: String, two: String| Written::new(format!("{one} == {two}"), Kind::Bool, level::COMPARE);
        for (reading, other) in [(left, right), (right, left)] {
            let Kind::Reading(codec) = &reading.kind else { continue };
            if let Some(text) = &other.constant {
                return Self::is_state(reading, codec, text);
            }
            if matches!(codec, Codec::OnOff) && other.kind == reading.kind {
                return comparison(reading.at(level::SUM), other.at(level::SUM));
            }
            return comparison(
                reading.as_text(),
                if matches!(other.kind, Kind::Reading(_)) { other.as_text() } else { other.at(level::SUM) },
            );
        }
        if let (Some(one), Some(other)) = (&left.constant, &right.constant) {
            return Written::boolean(one == other);
        }
        if left.kind == Kind::Bool && right.kind == Kind::Bool {
            match (&*left.text, &*right.text) {
                ("true", _) => return right.clone(),
                (_, "true") => return left.clone(),
                ("false", _) => return Self::not(right),
                (_, "false") => return Self::not(left),
                _ => {}
            }
        }
        // True is 1 there, and false is 0.
        let is_number = |of: &Written| matches!(of.kind, Kind::Int | Kind::Float | Kind::Number);
        if left.kind == Kind::Bool && is_number(right) || is_number(left) && right.kind == Kind::Bool {
            return comparison(left.as_number(None).at(level::SUM), right.as_number(None).at(level::SUM));
        }
        comparison(left.at(level::SUM), right.at(level::SUM))
    }

    /// Returns whether an entity is in a state.
    pub(in crate::lang::import::home_assistant) fn is_state(reading: &Written, codec: &Codec, text: &str) -> Written {
        let said =
            |text: &str| Written::new(format!("{} == {}", reading.as_text(), quoted(text)), Kind::Bool, level::COMPARE);
        if NO_STATE.contains(&text) && (*codec != Codec::Raw || text == "unknown") || text.is_empty() {
            return said(text);
        }
        match codec.value(text) {
            Some(serde_json::Value::Bool(value))
                if matches!(codec, Codec::OnOff | Codec::Words(_) | Codec::Open(_)) =>
            {
                Written::new(format!("{} == {value}", reading.at(level::SUM)), Kind::Bool, level::COMPARE)
            }
            Some(value) => {
                Written::new(format!("{} == {}", reading.at(level::SUM), literal(&value)), Kind::Bool, level::COMPARE)
            }
            None => Written::boolean(false),
        }
    }

    fn not_equal(left: &Written, right: &Written) -> Written {
        let found = Self::equal(left, right);
        if found.level == level::COMPARE
            && let Some((one, two)) = found.text.split_once(" == ")
            && !two.contains(" == ")
        {
            return Written::new(format!("{one} != {two}"), Kind::Bool, level::COMPARE);
        }
        Self::not(&found)
    }

    fn contains(item: &Written, list: &Written, at: usize) -> Answer {
        match &list.kind {
            Kind::Text | Kind::Reading(_) => {
                let part = match &item.kind {
                    Kind::Text | Kind::Reading(_) | Kind::Any => item.as_text(),
                    _ => return refuse(at, "only a text can be in a text"),
                };
                let whole = if list.said.is_some() { list.as_text() } else { list.at(level::ATOM) };
                Ok(Written::atom(format!("{whole}.contains({part})"), Kind::Bool))
            }
            Kind::List | Kind::Map | Kind::Any | Kind::Records => {
                let item = if matches!(item.kind, Kind::Reading(_)) { item.as_text() } else { item.text.clone() };
                if list.kind == Kind::Any {
                    return Ok(Written::atom(format!("ha::within({item}, {})", list.text), Kind::Bool));
                }
                Ok(Written::atom(format!("{}.contains({item})", list.at(level::ATOM)), Kind::Bool))
            }
            _ => refuse(at, "`in` needs a list or a text"),
        }
    }

    fn order(operator: Binary, left: &Written, right: &Written, at: usize) -> Answer {
        let sign = match operator {
            Binary::Less => "<",
            Binary::LessEqual => "<=",
            Binary::Greater => ">",
            _ => ">=",
        };
        let is_text = |of: &Written| matches!(of.kind, Kind::Text | Kind::Reading(_));
        let is_number = |of: &Written| {
            matches!(of.kind, Kind::Int | Kind::Float | Kind::Number | Kind::Bool | Kind::Time | Kind::Span)
        };
        let (one, two) = if is_text(left) && is_text(right) {
            (left.as_text(), right.as_text())
        } else if is_text(left) && is_number(right) || is_number(left) && is_text(right) {
            return refuse(at, "this compares a text with a number, which fails in Home Assistant too: add `| float`");
        } else if (left.kind == Kind::Time) != (right.kind == Kind::Time)
            && left.kind != Kind::Any
            && right.kind != Kind::Any
        {
            return refuse(at, "this compares a time with something that isn't one, which fails in Home Assistant too");
        } else {
            (left.at(level::SUM), right.at(level::SUM))
        };
        Ok(Written::new(format!("{one} {sign} {two}"), Kind::Bool, level::COMPARE))
    }

    fn arithmetic(operator: Binary, left: &Written, right: &Written, at: usize) -> Answer {
        let is_text = |of: &Written| matches!(of.kind, Kind::Text | Kind::Reading(_));
        if operator == Binary::Add && is_text(left) && is_text(right) {
            return Ok(Written::new(
                format!("{} + {}", concatenated(left), concatenated(right)),
                Kind::Text,
                level::SUM,
            ));
        }
        if operator == Binary::Add && left.kind == Kind::List && right.kind == Kind::List {
            return Ok(Written::new(
                format!("{} + {}", left.at(level::SUM), right.at(level::SUM)),
                Kind::List,
                level::SUM,
            ));
        }
        if operator == Binary::Modulo
            && let Some(format) = &left.constant
        {
            if right.kind == Kind::List {
                return refuse(at, "`%` with several values isn't translated: write `| format(a, b)`");
            }
            return Self::percent_format(format, std::slice::from_ref(right), at);
        }
        if operator == Binary::Multiply && (is_text(left) || is_text(right)) {
            return refuse(at, "a text that is repeated isn't translated: add `| float` if it's a number");
        }
        if is_text(left) || is_text(right) {
            return refuse(at, "this computes with a text, which fails in Home Assistant too: add `| float`");
        }
        let kind = result(operator, &left.kind, &right.kind);
        let Some(kind) = kind else {
            return refuse(at, "these can't be computed with each other");
        };
        let infix = |sign: &str, level: u8| {
            let right = if matches!(sign, "-" | "/" | "%") { right.at(level + 1) } else { right.at(level) };
            Written::new(format!("{} {sign} {right}", left.at(level)), kind.clone(), level)
        };
        Ok(match operator {
            Binary::Add => infix("+", level::SUM),
            Binary::Subtract => infix("-", level::SUM),
            Binary::Multiply => infix("*", level::PRODUCT),
            Binary::Divide => infix("/", level::PRODUCT),
            Binary::FloorDivide => Written::atom(format!("ha::floor_divide({}, {})", left.text, right.text), kind),
            Binary::Modulo => Written::atom(format!("ha::modulo({}, {})", left.text, right.text), kind),
            _ => Written::atom(format!("ha::power({}, {})", left.text, right.text), kind),
        })
    }
}

/// Returns what `operator` makes of two kinds; `None` if it can't.
#[expect(clippy::match_same_arms, reason = "a table: a line for each kind of result")]
fn result(operator: Binary, left: &Kind, right: &Kind) -> Option<Kind> {
    use Kind::{Any, Bool, Float, Int, Number, Span, Time};
    Some(match (operator, left, right) {
        (Binary::Subtract, Time, Time) => Span,
        (Binary::Add | Binary::Subtract, Time, Span | Any) => Time,
        (Binary::Add, Span, Time) => Time,
        (Binary::Add | Binary::Subtract, Span, Span) => Span,
        (Binary::Multiply, Span, Int | Float | Number) | (Binary::Multiply, Int | Float | Number, Span) => Span,
        (Binary::Divide, Span, Span) => Float,
        (Binary::Divide, Span, Int | Float | Number) => Span,
        (_, Time | Span, _) | (_, _, Time | Span) => return None,
        (Binary::Divide, Int | Float | Number | Bool | Any, Int | Float | Number | Bool | Any) => Float,
        (_, Int | Bool, Int | Bool) => Int,
        (_, Float, Int | Float | Number | Bool) | (_, Int | Number | Bool, Float) => Float,
        (_, Int | Number | Bool, Int | Number | Bool) => Number,
        (_, Any, Int | Float | Number | Bool | Any) | (_, Int | Float | Number | Bool, Any) => Any,
        _ => return None,
    })
}

/// Returns a value as a part of a text.
fn concatenated(of: &Written) -> String {
    let text = of.as_text();
    if of.said.is_none() && of.kind == Kind::Text { of.at(level::SUM) } else { text }
}
