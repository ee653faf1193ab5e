//! What is written out as an argument and can't be what the function takes: found before anything runs.

use rhai::{Expr, Position, Stmt};

use crate::model::schedule::{Boundary, Weekdays};
use crate::model::{LogLevel, Topic, TopicFilter, ValuePath, parse_duration};

use crate::model::nearest;
use crate::script::expression::error::ExpressionErrorKind as Kind;

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

/// What stands in parentheses behind the name of a function.
#[derive(Clone, Copy)]
struct Call<'a> {
    name: &'a str,
    arguments: &'a [Expr],
}

/// Functions that act when they are called.
const ACTING: [&str; 9] = ["publish", "scene", "log", "remember", "enable", "disable", "cancel", "http", "after"];

/// Returns what can't be among the arguments of the function `name` of ours.
pub(in crate::script) fn mistakes(name: &str, arguments: &[Expr]) -> Vec<Mistake> {
    let call = Call { name, arguments };
    let found = match name {
        "state" => vec![call.topic(0), call.path(1)],
        "last" | "age" | "exists" => vec![call.topic(0)],
        "states" | "any" | "all" | "count" => vec![call.filter(0)],
        "holds" | "running" | "enable" | "disable" => vec![call.text(0, "the name of a rule")],
        "between" => vec![call.boundary(0), call.boundary(1)],
        "weekday" => vec![call.weekdays(0)],
        "random" => vec![call.ends()],
        "publish" => {
            let mut found = vec![call.topic(0)];
            found.extend(call.publish_options());
            found
        }
        "scene" => vec![call.text(0, "the name of a scene")],
        "after" => call.timer(),
        "cancel" => vec![call.text(0, "the name of a timer")],
        "remember" => vec![call.text(0, "a name")],
        "log" => vec![call.level(1)],
        "http" => call.request(),
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

impl Call<'_> {
    /// Returns the text that is written out as the argument `index`, with where it stands; anything else that is
    /// written out is a mistake.
    fn written(&self, index: usize, expected: &str) -> Option<Result<(&str, Position), Mistake>> {
        let argument = self.arguments.get(index)?;
        if let Expr::StringConstant(text, position) = argument {
            return Some(Ok((text, *position)));
        }
        let given = kind_of_literal(argument)?;
        let message = format!("`{}` takes {expected}, not {given}", self.name);
        Some(Err(mistake(Kind::WrongType, argument.start_position(), message)))
    }

    fn text(&self, index: usize, expected: &str) -> Option<Mistake> {
        self.written(index, expected)?.err()
    }

    /// Checks a text that is written out.
    fn checked(&self, index: usize, expected: &str, check: impl Fn(&str) -> Option<(Kind, String)>) -> Option<Mistake> {
        match self.written(index, expected)? {
            Ok((text, position)) => check(text).map(|(kind, message)| mistake(kind, position, message)),
            Err(mistake) => Some(mistake),
        }
    }

    fn topic(&self, index: usize) -> Option<Mistake> {
        self.checked(index, "a topic", bad_topic)
    }

    fn filter(&self, index: usize) -> Option<Mistake> {
        // Of a list, `any`, `all` and `count` are other functions.
        if matches!(self.arguments.get(index), Some(Expr::Array(..))) {
            return None;
        }
        self.checked(index, "a topic filter", |text| {
            let error = TopicFilter::parse(text).err()?;
            Some((Kind::BadFilter, format!("`{text}` is no topic filter: {error}")))
        })
    }

    fn path(&self, index: usize) -> Option<Mistake> {
        self.checked(index, "a path", |text| {
            let error = ValuePath::parse(text).err()?;
            Some((Kind::BadPath, format!("`{text}` is no path: {error}")))
        })
    }

    fn boundary(&self, index: usize) -> Option<Mistake> {
        self.checked(index, "a time", |text| {
            Boundary::parse(text).err().map(|error| (Kind::BadTime, error.to_string()))
        })
    }

    fn weekdays(&self, index: usize) -> Option<Mistake> {
        self.checked(index, "weekdays", |text| {
            Weekdays::parse(text).err().map(|error| (Kind::BadWeekday, error.to_string()))
        })
    }

    fn level(&self, index: usize) -> Option<Mistake> {
        // With a number, it is the logarithm.
        self.arguments.get(index).filter(|level| matches!(level, Expr::StringConstant(..)))?;
        let mut found = self.checked(index, "a level", |text| {
            let is_known = LogLevel::ALL.iter().any(|(word, _)| *word == text);
            (!is_known).then(|| (Kind::BadWord, format!("`{text}` is no level")))
        })?;
        found.help = Some("it is `debug`, `info`, `warn` or `error`".to_owned());
        Some(found)
    }

    /// Checks the two ends of `random(low, high)`.
    fn ends(&self) -> Option<Mistake> {
        let [Expr::IntegerConstant(low, position), Expr::IntegerConstant(high, _)] = self.arguments else {
            return None;
        };
        let message = format!("`random` takes the lower number first: {low} is above {high}");
        (low > high).then(|| mistake(Kind::BadWord, *position, message))
    }

    /// Checks `after(delay, closure)` and `after(name, delay, closure)`.
    fn timer(&self) -> Vec<Option<Mistake>> {
        let delay = self.arguments.len().saturating_sub(2);
        let name = if delay > 0 { self.text(0, "the name of a timer") } else { None };
        let closure = self.arguments.get(delay + 1).and_then(|argument| {
            let given = match argument {
                Expr::DynamicConstant(value, _) if value.is_fnptr() => return None,
                // Of a closure that reads variables around it, Rhai makes a block that begins with sharing these.
                Expr::Stmt(block) if !block.statements().iter().any(|one| matches!(one, Stmt::Share(_))) => {
                    "a block, which is run at once"
                }
                Expr::FnCall(call, _) if ACTING.contains(&call.name.as_str()) => "what is done at once",
                other => kind_of_literal_or_text(other)?,
            };
            let message = format!("`after` takes a closure at the end, not {given}");
            let found = mistake(Kind::WrongType, argument.start_position(), message);
            Some(Mistake { help: Some("write `|| { … }`, or `|| publish(…)`".to_owned()), ..found })
        });
        vec![name, self.arguments.get(delay).and_then(bad_duration), closure]
    }

    /// Checks the options of `publish`.
    fn publish_options(&self) -> Vec<Option<Mistake>> {
        const KNOWN: [&str; 3] = ["qos", "retain", "if_changed"];
        let check = |key: &str, value: &Expr| {
            let position = value.start_position();
            match (key, value) {
                ("qos", Expr::IntegerConstant(0..=2, _)) | ("retain" | "if_changed", Expr::BoolConstant(..)) => None,
                ("qos", value) => kind_of_literal_or_text(value)
                    .map(|_| mistake(Kind::BadWord, position, "`qos` is 0, 1 or 2".to_owned())),
                ("retain", value) => kind_of_literal_or_text(value)
                    .map(|_| mistake(Kind::BadWord, position, "`retain` is `true` or `false`".to_owned())),
                ("if_changed", Expr::StringConstant(text, _)) => {
                    bad_topic(text).map(|(kind, message)| mistake(kind, position, message))
                }
                ("if_changed", value) => kind_of_literal(value)
                    .map(|_| mistake(Kind::BadWord, position, "`if_changed` is `true`, or a topic".to_owned())),
                _ => None,
            }
        };
        self.map(2, "an option of `publish`", &KNOWN, check)
    }

    /// Checks the map that `http` takes.
    fn request(&self) -> Vec<Option<Mistake>> {
        const KNOWN: [&str; 5] = ["url", "method", "headers", "body", "timeout"];
        let check = |key: &str, value: &Expr| if key == "timeout" { bad_duration(value) } else { None };
        let mut found = self.map(0, "a key of `http`", &KNOWN, check);
        if let Some(Expr::Map(entries, position)) = self.arguments.first()
            && !entries.0.iter().any(|(key, _)| key.as_str() == "url")
        {
            found.push(Some(mistake(Kind::BadWord, *position, "`http` needs `url`".to_owned())));
        }
        found
    }

    /// Checks the keys of a map that is written out as the argument `index`, and `check`s their values.
    fn map(
        &self,
        index: usize,
        what: &str,
        known: &[&str],
        check: impl Fn(&str, &Expr) -> Option<Mistake>,
    ) -> Vec<Option<Mistake>> {
        let argument = self.arguments.get(index);
        let Some(Expr::Map(entries, _)) = argument else {
            let wrong = argument.and_then(|argument| Some((kind_of_literal_or_text(argument)?, argument)));
            return vec![wrong.map(|(given, argument)| {
                let message = format!("`{}` takes a map here, not {given}", self.name);
                mistake(Kind::WrongType, argument.start_position(), message)
            })];
        };
        let mut found = Vec::new();
        for (key, value) in &entries.0 {
            if !known.contains(&key.as_str()) {
                let message =
                    format!("`{}` is no {}", key.as_str(), what.trim_start_matches("an ").trim_start_matches("a "));
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
                found.push(Some(Mistake { help: Some(help), ..mistake(Kind::BadWord, key.pos, message) }));
            }
            found.push(check(key.as_str(), value));
        }
        found
    }
}

/// Returns what is wrong with a duration that is written out.
fn bad_duration(argument: &Expr) -> Option<Mistake> {
    let text = match argument {
        Expr::StringConstant(text, _) => text.to_string(),
        Expr::IntegerConstant(number, _) => number.to_string(),
        Expr::FloatConstant(number, _) => number.to_string(),
        other => {
            let message = format!("a duration is a text (`\"5m\"`), not {}", kind_of_literal(other)?);
            return Some(mistake(Kind::WrongType, other.start_position(), message));
        }
    };
    let error = parse_duration(&text).err()?;
    Some(mistake(Kind::BadDuration, argument.start_position(), error.to_string()))
}

fn bad_topic(text: &str) -> Option<(Kind, String)> {
    Topic::parse(text).err().map(|error| (Kind::BadTopic, format!("`{text}` is no topic: {error}")))
}

/// Returns what kind of value is written out, in words; `None` for a text, and for what is computed.
fn kind_of_literal(argument: &Expr) -> Option<&'static str> {
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

fn kind_of_literal_or_text(argument: &Expr) -> Option<&'static str> {
    match argument {
        Expr::StringConstant(..) => Some("a text"),
        other => kind_of_literal(other),
    }
}

fn mistake(kind: Kind, position: Position, message: String) -> Mistake {
    Mistake { kind, position, message, help: None }
}
