//! The functions that read what was (docs/language/history.md). Each notes what it read, and until when that stays so.

use std::time::Duration;

use jiff::SignedDuration;
use rhai::{Dynamic, Expr};

use crate::model::history::{Asked, Kind as Kept, Series, Span, Window};
use crate::model::{Topic, Value, ValuePath, parse_duration};
use crate::script::evaluation::convert::{from_dynamic, to_dynamic};
use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind;

use crate::script::functions::arguments::Argument::{Path, Topic as TopicName};
use crate::script::functions::arguments::{Call, Mistake, bad_duration};
use crate::script::functions::function::{Function, Registry, function};

type Answer<T> = Result<T, Refusal>;

/// What a function reads of a part of the past.
type Read = fn(&Series, &Span) -> Option<f64>;

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 13] = [
    numbers("average", "average('topic', '5m')", "The mean over time of a topic's number.")
        .by(|row| add_numbers(row, Series::average)),
    numbers("median", "median('topic', '1h')", "The number at or below which it was for half of the time.")
        .by(|row| add_numbers(row, Series::median)),
    numbers("lowest", "lowest('topic', 'today')", "The lowest number.").by(|row| add_numbers(row, Series::lowest)),
    numbers("highest", "highest('topic', 'today')", "The highest number.").by(|row| add_numbers(row, Series::highest)),
    numbers("change", "change('topic', '1h')", "The number now, less what it was when the window began.")
        .by(|row| add_numbers(row, Series::change)),
    numbers("rise", "rise('topic', '10m')", "The number now, less the lowest in the window.")
        .by(|row| add_numbers(row, Series::rise)),
    numbers("fall", "fall('topic', '10m')", "The highest number in the window, less the number now.")
        .by(|row| add_numbers(row, Series::fall)),
    numbers(
        "integral",
        "integral('topic', 'today')",
        "The number times the hours that it lasted: watts give watt-hours.",
    )
    .by(|row| add_numbers(row, Series::integral)),
    numbers("changes", "changes('topic', 'today')", "How many times the value changed.").by(|row| {
        let loan = row.loan();
        row.add(move |topic: &str, window: &str| loan.with(|lent| lent.changes(topic, "", window)));
        let loan = row.loan();
        row.add(move |topic: &str, path: &str, window: &str| loan.with(|lent| lent.changes(topic, path, window)));
    }),
    function("times", 3, 4, "times('topic', value, 'today')", "How often the value became this one.")
        .reads()
        .takes(&[TopicName])
        .checked(path_and_window)
        .by(|row| {
            let loan = row.loan();
            row.add(move |topic: &str, value: Dynamic, window: &str| {
                loan.with(|lent| lent.times(topic, "", &value, window))
            });
            let loan = row.loan();
            row.add(move |topic: &str, path: &str, value: Dynamic, window: &str| {
                loan.with(|lent| lent.times(topic, path, &value, window))
            });
        }),
    function("duration", 3, 4, "duration('topic', value, 'today')", "How many seconds the value was this one.")
        .reads()
        .takes(&[TopicName])
        .checked(path_and_window)
        .by(|row| {
            let loan = row.loan();
            row.add(move |topic: &str, value: Dynamic, window: &str| {
                loan.with(|lent| lent.duration(topic, "", &value, window))
            });
            let loan = row.loan();
            row.add(move |topic: &str, path: &str, value: Dynamic, window: &str| {
                loan.with(|lent| lent.duration(topic, path, &value, window))
            });
        }),
    function(
        "known",
        1,
        2,
        "known('topic', \"path\")",
        "The last value that is neither missing nor ignored (`values.ignore` in homerule.yaml).",
    )
    .reads()
    .takes(&[TopicName, Path])
    .by(|row| {
        let (loan, items) = (row.loan(), row.items());
        row.add(move |topic: &str| loan.with(|lent| lent.known(topic, "", items)));
        let loan = row.loan();
        row.add(move |topic: &str, path: &str| loan.with(|lent| lent.known(topic, path, items)));
    }),
    function("at", 2, 3, "at('topic', '1h')", "What the value was so long ago.")
        .reads()
        .takes(&[TopicName])
        .checked(path_and_age)
        .by(|row| {
            let (loan, items) = (row.loan(), row.items());
            row.add(move |topic: &str, ago: &str| loan.with(|lent| lent.at(topic, "", ago, items)));
            let loan = row.loan();
            row.add(move |topic: &str, path: &str, ago: &str| loan.with(|lent| lent.at(topic, path, ago, items)));
        }),
];

/// Returns a row for a function of a topic, a path that may be left out, and a window.
const fn numbers(name: &'static str, usage: &'static str, docs: &'static str) -> Function {
    function(name, 2, 3, usage, docs).reads().takes(&[TopicName]).checked(path_and_window)
}

fn add_numbers(row: &mut Registry<'_>, read: Read) {
    let (loan, name) = (row.loan(), row.name());
    row.add(move |topic: &str, window: &str| loan.with(|lent| lent.number_of((name, read), topic, "", window)));
    let loan = row.loan();
    row.add(move |topic: &str, path: &str, window: &str| {
        loan.with(|lent| lent.number_of((name, read), topic, path, window))
    });
}

/// Checks the window, which comes last, and the path, where there is one more argument than there must be.
fn path_and_window(call: Call<'_>) -> Vec<Mistake> {
    let last = call.arguments.len().saturating_sub(1);
    let window = call.checked(last, "a window", |text| {
        Window::parse(text).err().map(|error| (ExpressionErrorKind::BadWindow, error.to_string()))
    });
    path(call, if matches!(call.name, "times" | "duration") { 4 } else { 3 }).into_iter().chain(window).collect()
}

/// Checks how long ago, which comes last, and the path.
fn path_and_age(call: Call<'_>) -> Vec<Mistake> {
    let age = call.arguments.last().filter(|_| call.arguments.len() > 1).and_then(bad_duration);
    path(call, 3).into_iter().chain(age).collect()
}

fn path(call: Call<'_>, with_path: usize) -> Option<Mistake> {
    if call.arguments.len() != with_path || !matches!(call.arguments.get(1), Some(Expr::StringConstant(..))) {
        return None;
    }
    call.checked(1, "a path", |text| {
        let error = ValuePath::parse(text).err()?;
        Some((ExpressionErrorKind::BadPath, format!("`{text}` isn't a valid path: {error}")))
    })
}

/// What a call asks.
struct Question<'a> {
    function: &'static str,
    topic: &'a str,
    path: &'a str,
    window: Window,
    kind: Kept,
}

/// What was read of a part of the past.
struct Found<T> {
    value: Option<T>,
    /// Whether it is another one later, though nothing is said.
    moves: bool,
}

impl Lent {
    fn number_of(
        &mut self,
        (function, read): (&'static str, Read),
        topic: &str,
        path: &str,
        window: &str,
    ) -> Answer<Dynamic> {
        let question = Question { function, topic, path, window: parse_window(window)?, kind: Kept::Numbers };
        let grows = function == "integral";
        let found = self.look(&question, |series, span| {
            let is_sliding = matches!(question.window, Window::Last(_));
            Found { value: read(series, span), moves: series.moves(span) || (grows && !is_sliding) }
        })?;
        Ok(found.map_or(Dynamic::UNIT, number))
    }

    fn changes(&mut self, topic: &str, path: &str, window: &str) -> Answer<Dynamic> {
        let question = Question { function: "changes", topic, path, window: parse_window(window)?, kind: Kept::Values };
        let found =
            self.look(&question, |series, span| Found { value: series.changes(span), moves: series.moves(span) })?;
        Ok(found.map_or(Dynamic::UNIT, |changes| Dynamic::from(i64::try_from(changes).unwrap_or(i64::MAX))))
    }

    fn times(&mut self, topic: &str, path: &str, value: &Dynamic, window: &str) -> Answer<Dynamic> {
        let value = from_dynamic(value).map_err(|error| refuse(&error))?;
        let kind = Kept::Counted(value.clone());
        let question = Question { function: "times", topic, path, window: parse_window(window)?, kind };
        let found = self
            .look(&question, |series, span| Found { value: series.times(&value, span), moves: series.moves(span) })?;
        Ok(found.map_or(Dynamic::UNIT, |times| Dynamic::from(i64::from(times))))
    }

    fn duration(&mut self, topic: &str, path: &str, value: &Dynamic, window: &str) -> Answer<Dynamic> {
        let value = from_dynamic(value).map_err(|error| refuse(&error))?;
        let kind = Kept::Counted(value.clone());
        let question = Question { function: "duration", topic, path, window: parse_window(window)?, kind };
        let is_sliding = matches!(question.window, Window::Last(_));
        let found = self.look(&question, |series, span| {
            let grows = !is_sliding && series.is_now(&value);
            Found { value: series.duration(&value, span), moves: series.moves(span) || grows }
        })?;
        Ok(found.map_or(Dynamic::UNIT, number))
    }

    fn at(&mut self, topic: &str, path: &str, ago: &str, items: usize) -> Answer<Dynamic> {
        let ago = parse_duration(ago).map_err(|error| refuse(&error.to_string()))?;
        let question = Question { function: "at", topic, path, window: Window::Last(ago), kind: Kept::Values };
        let then = self.world.now.checked_sub(SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX));
        let then = then.unwrap_or(jiff::Timestamp::MIN);
        let found =
            self.look(&question, |series, span| Found { value: series.at(then).cloned(), moves: series.moves(span) })?;
        match found {
            Some(value) => to_dynamic(&value, None, items).map_err(|error| refuse(&error)),
            None => Ok(Dynamic::UNIT),
        }
    }

    fn known(&mut self, topic: &str, path: &str, items: usize) -> Answer<Dynamic> {
        let series = self.series(topic, path, Kept::Values, Duration::ZERO)?;
        match series.now().cloned() {
            Some(value) => to_dynamic(&value, None, items).map_err(|error| refuse(&error)),
            None => Ok(Dynamic::UNIT),
        }
    }

    /// Returns the series of which something is read, so far back.
    fn series(&mut self, topic: &str, path: &str, kind: Kept, reach: Duration) -> Answer<&Series> {
        self.read(topic)?;
        let topic = Topic::parse(topic).map_err(|error| refuse(&format!("`{topic}` isn't a valid topic: {error}")))?;
        let path = ValuePath::parse(path).map_err(|error| refuse(&format!("`{path}` isn't a valid path: {error}")))?;
        let asked = Asked { topic, path, kind, reach };
        let world = &mut self.world;
        world.history.ask(&asked, &world.states, world.now).map_err(|error| refuse(&error.to_string()))
    }

    /// Reads what a call asks, and notes until when that stays so.
    fn look<T: Clone + IntoValue>(
        &mut self,
        question: &Question<'_>,
        read: impl FnOnce(&Series, &Span) -> Found<T>,
    ) -> Answer<Option<T>> {
        let Question { function, topic, path, window, ref kind } = *question;
        let span = window.span(self.world.now, &self.world.calendar);
        let Found { value, moves } = read(self.series(topic, path, kind.clone(), window.reach())?, &span);
        let world = &self.world;
        let next = if moves {
            Some(window.next_look(world.now, &world.calendar))
        } else {
            window.next_start(world.now, &world.calendar)
        };
        if let Some(next) = next {
            self.reads.changes_at(next);
        }
        let label = label(function, topic, path, kind, window);
        let noted = value.clone().map(IntoValue::into_value).unwrap_or_default();
        self.reads.past.insert(label.into(), noted);
        Ok(value)
    }
}

/// Returns a call as it's shown in a trace.
fn label(function: &str, topic: &str, path: &str, kind: &Kept, window: Window) -> String {
    let path = if path.is_empty() { String::new() } else { format!(", '{path}'") };
    let value = match kind {
        Kept::Counted(Value::Text(text)) => format!(", '{text}'"),
        Kept::Counted(value) => format!(", {value}"),
        Kept::Numbers | Kept::Values => String::new(),
    };
    format!("{function}('{topic}'{path}{value}, '{window}')")
}

/// What may be noted for the trace.
trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl IntoValue for u64 {
    fn into_value(self) -> Value {
        Value::Int(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

impl IntoValue for u32 {
    fn into_value(self) -> Value {
        Value::Int(self.into())
    }
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

fn parse_window(text: &str) -> Answer<Window> {
    Window::parse(text).map_err(|error| refuse(&error.to_string()))
}

/// Returns a number: a whole one where it is one; nothing where it's beyond all numbers.
fn number(number: f64) -> Dynamic {
    if !number.is_finite() {
        return Dynamic::UNIT;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it's whole, and below 2^53")]
    if number.fract() == 0.0 && number.abs() < 9e15 { Dynamic::from(number as i64) } else { Dynamic::from(number) }
}
