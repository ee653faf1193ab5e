//! What functions take, and what can't be among arguments that are written out: found before anything runs.

use rhai::{Expr, Position};

use crate::model::schedule::{Boundary, Weekdays};
use crate::model::{Topic, TopicFilter, ValuePath, nearest, parse_duration};
use crate::script::expression::error::ExpressionErrorKind as Kind;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum Argument {
    /// The text of a topic.
    Topic,
    /// That of a topic filter, or a list.
    Filter,
    /// That of a path into a value.
    Path,
    /// An end of a part of the day.
    End,
    /// Days of the week.
    Days,
    /// A text that names something; in words, what.
    Named(&'static str),
}

impl Argument {
    /// Returns what is wrong with the argument `index` of a call, where it is written out.
    pub(in crate::script) fn mistake(self, call: Call<'_>, index: usize) -> Option<Mistake> {
        match self {
            Argument::Topic => call.checked(index, "a topic", bad_topic),
            // Of a list, `any`, `all` and `count` are other functions.
            Argument::Filter if matches!(call.arguments.get(index), Some(Expr::Array(..))) => None,
            Argument::Filter => call.checked(index, "a topic filter", |text| {
                let error = TopicFilter::parse(text).err()?;
                Some((Kind::BadFilter, format!("`{text}` isn't a valid topic filter: {error}")))
            }),
            Argument::Path => call.checked(index, "a path", |text| {
                let error = ValuePath::parse(text).err()?;
                Some((Kind::BadPath, format!("`{text}` isn't a valid path: {error}")))
            }),
            Argument::End => call.checked(index, "a time", |text| {
                Boundary::parse(text).err().map(|error| (Kind::BadTime, error.to_string()))
            }),
            Argument::Days => call.checked(index, "weekdays", |text| {
                Weekdays::parse(text).err().map(|error| (Kind::BadWeekday, error.to_string()))
            }),
            Argument::Named(what) => call.written(index, what)?.err(),
        }
    }
}

/// An argument that can't be.
#[derive(Debug)]
pub(in crate::script) struct Mistake {
    /// What kind of mistake it is.
    pub(in crate::script) kind: Kind,
    /// Where Rhai says that it stands.
    pub(in crate::script) position: Position,
    /// What is wrong, in words.
    pub(in crate::script) message: String,
    /// What to do, where that is known.
    pub(in crate::script) help: Option<String>,
}

impl Mistake {
    /// Returns a mistake of which nobody knows what to do about it.
    pub(in crate::script) fn new(kind: Kind, position: Position, message: String) -> Mistake {
        Mistake { kind, position, message, help: None }
    }
}

/// What stands in parentheses behind the name of a function.
#[derive(Clone, Copy)]
pub(in crate::script) struct Call<'a> {
    /// The function.
    pub(in crate::script) name: &'a str,
    /// What it is given.
    pub(in crate::script) arguments: &'a [Expr],
}

impl<'a> Call<'a> {
    /// Returns the text that is written out as the argument `index`, with where it stands; anything else that is
    /// written out is a mistake.
    fn written(self, index: usize, expected: &str) -> Option<Result<(&'a str, Position), Mistake>> {
        let argument = self.arguments.get(index)?;
        if let Expr::StringConstant(text, position) = argument {
            return Some(Ok((text, *position)));
        }
        let given = kind_of_literal(argument)?;
        let message = format!("`{}` takes {expected}, not {given}", self.name);
        Some(Err(Mistake::new(Kind::WrongType, argument.start_position(), message)))
    }

    /// Checks a text that is written out.
    pub(in crate::script) fn checked(
        self,
        index: usize,
        expected: &str,
        check: impl Fn(&str) -> Option<(Kind, String)>,
    ) -> Option<Mistake> {
        match self.written(index, expected)? {
            Ok((text, position)) => check(text).map(|(kind, message)| Mistake::new(kind, position, message)),
            Err(mistake) => Some(mistake),
        }
    }

    /// Checks the keys of a map that is written out as the argument `index`, and `check`s their values.
    pub(in crate::script) fn map(
        self,
        index: usize,
        what: &str,
        known: &[&str],
        check: impl Fn(&str, &Expr) -> Option<Mistake>,
    ) -> Vec<Mistake> {
        let argument = self.arguments.get(index);
        let Some(Expr::Map(entries, _)) = argument else {
            let wrong = argument.and_then(|argument| Some((kind_of_literal_or_text(argument)?, argument)));
            let mistake = |(given, argument): (&str, &Expr)| {
                let message = format!("`{}` takes a map here, not {given}", self.name);
                Mistake::new(Kind::WrongType, argument.start_position(), message)
            };
            return wrong.map(mistake).into_iter().collect();
        };
        let mut found = Vec::new();
        for (key, value) in &entries.0 {
            if !known.contains(&key.as_str()) {
                let message = format!("`{}` isn't {what}", key.as_str());
                let near = nearest(key.as_str(), known.iter().copied());
                let help = near.map_or_else(
                    || {
                        format!(
                            "known here: {}",
                            known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
                        )
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                found.push(Mistake { help: Some(help), ..Mistake::new(Kind::BadWord, key.pos, message) });
            }
            found.extend(check(key.as_str(), value));
        }
        found
    }
}

/// Returns what is wrong with a duration that is written out.
pub(in crate::script) fn bad_duration(argument: &Expr) -> Option<Mistake> {
    let text = match argument {
        Expr::StringConstant(text, _) => text.to_string(),
        Expr::IntegerConstant(number, _) => number.to_string(),
        Expr::FloatConstant(number, _) => number.to_string(),
        other => {
            let message = format!("a duration is a text (`\"5m\"`), not {}", kind_of_literal(other)?);
            return Some(Mistake::new(Kind::WrongType, other.start_position(), message));
        }
    };
    let error = parse_duration(&text).err()?;
    Some(Mistake::new(Kind::BadDuration, argument.start_position(), error.to_string()))
}

pub(in crate::script) fn bad_topic(text: &str) -> Option<(Kind, String)> {
    Topic::parse(text).err().map(|error| (Kind::BadTopic, format!("`{text}` isn't a valid topic: {error}")))
}

/// Returns what kind of value is written out, in words; `None` for a text, and for what is computed.
pub(in crate::script) fn kind_of_literal(argument: &Expr) -> Option<&'static str> {
    Some(match argument {
        Expr::IntegerConstant(..) | Expr::FloatConstant(..) => "a number",
        Expr::BoolConstant(..) => "a boolean",
        Expr::Array(..) => "a list",
        Expr::Map(..) => "a map",
        Expr::Unit(..) => "nothing",
        Expr::DynamicConstant(value, _) if value.is_fnptr() => "a closure",
        _ => return None,
    })
}

pub(in crate::script) fn kind_of_literal_or_text(argument: &Expr) -> Option<&'static str> {
    match argument {
        Expr::StringConstant(..) => Some("a text"),
        other => kind_of_literal(other),
    }
}
