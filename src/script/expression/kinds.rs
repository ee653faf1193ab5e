//! What kind of value an expression is known to give whenever it is asked: two kinds are never equal, nor in order.

use std::collections::BTreeSet;

use rhai::{Expr, FnCallExpr, Position};

use crate::model::Name;

use crate::script::functions::function::Kind;
use crate::script::functions::internal::{COPY, JOIN};
use crate::script::functions::table::in_expression;

impl Kind {
    fn in_words(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Boolean => "a boolean",
            Kind::List => "a list",
            Kind::Map => "a map",
            Kind::Time => "a time",
        }
    }
}

/// A comparison that never gives anything else.
#[derive(Debug)]
pub(in crate::script) struct Doubt {
    /// Where its operator stands.
    pub(in crate::script) position: Position,
    /// What is wrong, in words.
    pub(in crate::script) message: String,
    /// What to do, where that is known.
    pub(in crate::script) help: Option<String>,
}

/// What is known of the variables.
pub(in crate::script) struct Kinds<'a> {
    /// Those that hold texts, beside the built-in ones.
    pub(in crate::script) texts: &'a BTreeSet<Name>,
    /// In a script: the parameter that is the event, of which the built-in ones are read; `""` where there is none.
    pub(in crate::script) event: Option<&'a str>,
    /// Parameters of closures within an expression, which hide other variables.
    pub(in crate::script) hidden: &'a [String],
}

/// The built-in variables of which the kind is known; each may be `()` too.
const VARIABLES: [(&str, Kind); 7] = [
    ("now", Kind::Time),
    ("topic", Kind::Text),
    ("payload", Kind::Text),
    ("origin", Kind::Text),
    ("qos", Kind::Number),
    ("retained", Kind::Boolean),
    ("captures", Kind::List),
];

/// Properties of the built-in variables.
const PROPERTIES: [(&str, Kind, &[&str]); 4] = [
    ("now", Kind::Number, &["hour", "minute", "second", "day", "month", "year", "unix", "week", "yearday", "days"]),
    ("now", Kind::Text, &["weekday", "date", "time"]),
    ("sun", Kind::Boolean, &["up"]),
    ("sun", Kind::Number, &["elevation", "azimuth"]),
];

/// Properties that a text has.
const OF_TEXTS: [&str; 5] = ["len", "is_empty", "bytes", "chars", "bits"];

impl Kinds<'_> {
    /// Returns what is to be said of the comparison that `call`, at `position`, is.
    pub(in crate::script) fn doubt(&self, call: &FnCallExpr, position: Position) -> Option<Doubt> {
        let operator = call.name.as_str();
        let [left, right] = call.args.as_slice() else { return None };
        if !call.is_operator_call() || !matches!(operator, "==" | "!=" | "<" | ">" | "<=" | ">=") {
            return None;
        }
        let (one, other) = (self.kind(left)?, self.kind(right)?);
        if one == other {
            return None;
        }
        let (one_in_words, other_in_words) = (one.in_words(), other.in_words());
        let message = match operator {
            "==" => format!("{one_in_words} is compared with {other_in_words}: they are never equal"),
            "!=" => format!("{one_in_words} is compared with {other_in_words}: they always differ"),
            _ => format!("{one_in_words} and {other_in_words} have no order: `{operator}` always fails here"),
        };
        Some(Doubt { position, message, help: self.help(left, right).or_else(|| self.help(right, left)) })
    }

    /// Returns the property that `expression` reads of the message's text, which has none such, with its place.
    pub(in crate::script) fn lost_property<'e>(&self, expression: &'e Expr) -> Option<(&'e str, Position)> {
        let Expr::Dot(chain, ..) = expression else { return None };
        let (is_payload, rest) = match (&chain.rhs, self.event) {
            (Expr::Dot(inner, ..), Some(event)) if variable(&chain.lhs) == Some(event) => {
                (matches!(&inner.lhs, Expr::Property(name, _) if name.2 == "payload"), &inner.rhs)
            }
            (rest, None) => (self.built_in(&chain.lhs) == Some("payload"), rest),
            _ => return None,
        };
        let first = match rest {
            Expr::Dot(rest, ..) | Expr::Index(rest, ..) => &rest.lhs,
            only => only,
        };
        match first {
            Expr::Property(name, position) if is_payload && !OF_TEXTS.contains(&name.2.as_str()) => {
                Some((name.2.as_str(), *position))
            }
            _ => None,
        }
    }

    /// Returns what to write where `one` is compared with a value of another kind.
    fn help(&self, one: &Expr, other: &Expr) -> Option<String> {
        if self.built_in(one) == Some("payload") {
            return Some("`payload` is the message's text; its value, a number perhaps, is `msg`".to_owned());
        }
        if self.kind(one) == Some(Kind::List) && matches!(called(one), Some("states")) {
            return Some(
                "`states(filter)` gives a list of topics; the value of one topic is `state(topic)`".to_owned(),
            );
        }
        match (self.kind(one)?, other) {
            (Kind::Time, Expr::StringConstant(..)) => {
                Some("write `now.time > \"20:00\"`, or `between(\"20:00\", \"06:00\")`".to_owned())
            }
            (Kind::Text, Expr::IntegerConstant(number, _)) => {
                Some(format!("write the number in quotes: `\"{number}\"`"))
            }
            (Kind::Number, Expr::StringConstant(text, _)) if text.parse::<f64>().is_ok() => {
                Some(format!("write the number without quotes: `{text}`"))
            }
            _ => None,
        }
    }

    /// Returns the kind of value that an expression gives; `None` where that shows only when it is asked.
    fn kind(&self, expression: &Expr) -> Option<Kind> {
        match expression {
            Expr::StringConstant(..) | Expr::InterpolatedString(..) => Some(Kind::Text),
            Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some(Kind::Number),
            Expr::BoolConstant(..) | Expr::And(..) | Expr::Or(..) => Some(Kind::Boolean),
            Expr::Array(..) => Some(Kind::List),
            Expr::Map(..) => Some(Kind::Map),
            Expr::FnCall(call, _) => self.of_call(call),
            Expr::Custom(..) if variable(expression) == Some("now") => Some(Kind::Time),
            Expr::Variable(..) => self.of_variable(self.built_in(expression)?),
            Expr::Dot(chain, ..) => match &chain.rhs {
                Expr::MethodCall(call, _) => of_function(&call.name),
                Expr::Property(property, _) => match self.built_in(expression) {
                    Some(name) => self.of_variable(name),
                    None => self.of_property(&chain.lhs, &property.2),
                },
                _ => None,
            },
            _ => None,
        }
    }

    fn of_call(&self, call: &FnCallExpr) -> Option<Kind> {
        match (call.name.as_str(), call.args.as_slice()) {
            (JOIN, _) => Some(Kind::Text),
            (COPY, [argument]) => self.kind(argument),
            _ if !call.namespace.is_empty() => None,
            ("==" | "!=" | "<" | ">" | "<=" | ">=" | "!", _) if call.is_operator_call() => Some(Kind::Boolean),
            (name, _) => of_function(name),
        }
    }

    /// Returns the built-in variable that an expression reads, by its name or of the event.
    fn built_in<'e>(&self, expression: &'e Expr) -> Option<&'e str> {
        match (expression, self.event) {
            (Expr::Dot(chain, ..), Some(event)) => match &chain.rhs {
                Expr::Property(property, _) if variable(&chain.lhs) == Some(event) => Some(property.2.as_str()),
                _ => None,
            },
            (Expr::Variable(..), None) => {
                variable(expression).filter(|name| !self.hidden.iter().any(|hidden| hidden == name))
            }
            _ => None,
        }
    }

    fn of_variable(&self, name: &str) -> Option<Kind> {
        if self.event.is_none() && self.texts.contains(name) {
            return Some(Kind::Text);
        }
        VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    fn of_property(&self, owner: &Expr, property: &str) -> Option<Kind> {
        let owner = variable(owner).filter(|name| !self.hidden.iter().any(|hidden| hidden == name))?;
        let known = PROPERTIES.iter().find(|(name, _, properties)| *name == owner && properties.contains(&property));
        known.map(|(_, kind, _)| *kind)
    }
}

/// Returns the name of a variable, or of a word that stands for one.
fn variable(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Variable(variable, ..) if variable.2.is_empty() => Some(variable.1.as_str()),
        Expr::Custom(custom, _) => match custom.tokens.as_slice() {
            [word] => Some(word.as_str()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the function that an expression calls.
fn called(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::FnCall(call, _) => Some(call.name.as_str()),
        _ => None,
    }
}

fn of_function(name: &str) -> Option<Kind> {
    in_expression(name)?.gives
}
