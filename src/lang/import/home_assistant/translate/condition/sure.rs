//! Conditions that fail: Home Assistant takes them for false and goes on, so what asks them within a run here must, too.

use crate::lang::import::home_assistant::expression::{Kind, Written};
use crate::lang::import::home_assistant::translate::condition::kinds::Condition;
use crate::lang::import::home_assistant::write::Doc;

/// What may throw: conversions without something that counts instead.
const THROWING: [&str; 10] = [
    "ha::int(",
    "ha::bool(",
    "ha::timestamp(",
    "ha::letter(",
    "ha::within(",
    "ha::index_in(",
    "ha::average_of(",
    "ha::median_of(",
    "to_float(",
    "parse_",
];

impl Condition {
    /// Returns it so that it's false where it fails.
    pub(in crate::lang::import::home_assistant::translate) fn sure(self) -> Condition {
        let each = |parts: Vec<Condition>| parts.into_iter().map(Condition::sure).collect();
        match self {
            Condition::Expression(written) => Condition::Expression(sure(written, false)),
            Condition::All(parts) => Condition::All(each(parts)),
            Condition::Any(parts) => Condition::Any(each(parts)),
            Condition::Not(inner) => match *inner {
                Condition::Expression(written) => {
                    let negated = crate::lang::import::home_assistant::expression::negated(&written);
                    Condition::Expression(sure(negated, false))
                }
                other => Condition::Not(Box::new(other)),
            },
            words @ Condition::Words(_) => words,
        }
    }

    /// Returns whether it may be unknown: whether it asks what may never have been heard.
    pub(in crate::lang::import::home_assistant::translate) fn may_be_unknown(&self) -> bool {
        match self {
            Condition::Words(Doc::Inline(keys) | Doc::Map(keys)) => {
                keys.iter().any(|(key, _)| matches!(&**key, "state" | "device"))
            }
            Condition::Words(_) => false,
            Condition::Expression(written) => written.text.contains("device("),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().any(Condition::may_be_unknown),
            Condition::Not(inner) => inner.may_be_unknown(),
        }
    }
}

/// Returns an expression that gives `otherwise` where it fails; itself where it can't.
pub(in crate::lang::import::home_assistant::translate) fn sure(written: Written, otherwise: bool) -> Written {
    if !may_fail(&written.text) {
        return written;
    }
    Written::atom(format!("ha::sure(|| {}, {otherwise})", written.text), Kind::Bool)
}

fn may_fail(text: &str) -> bool {
    THROWING.iter().any(|call| text.contains(call)) || has_bare_number(text)
}

/// Returns whether `number(x)` is there without a second argument, so that it may be nothing.
fn has_bare_number(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("number(") {
        let inner = rest.get(at + "number(".len()..).unwrap_or_default();
        if !has_second_argument(inner) {
            return true;
        }
        rest = inner;
    }
    false
}

/// Returns whether there is a comma before the bracket that ends the arguments.
fn has_second_argument(arguments: &str) -> bool {
    let (mut depth, mut quote) = (0_u32, None);
    for letter in arguments.chars() {
        match (quote, letter) {
            (Some(open), _) => {
                if letter == open {
                    quote = None;
                }
            }
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ',') if depth == 0 => return true,
            (None, ')' | ']' | '}') => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            (None, _) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_default_cannot_fail() {
        assert!(has_bare_number("number(state('a', 'b, c')) > 5"));
        assert!(!has_bare_number("number(state('a', 'b, c'), 0) > 5 and number(x, 1) < 2"));
        assert!(has_bare_number("number(x, 1) < number(y)"));
    }
}
