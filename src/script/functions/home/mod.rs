//! The functions that read the state of topics. Each notes what it read.

pub(super) mod calendars;
pub(super) mod dates;
pub(super) mod history;
pub(super) mod others;

use rhai::{Dynamic, FnPtr, NativeCallContext};

use crate::model::{Origin, Topic, TopicFilter, Value, ValuePath};
use crate::script::evaluation::convert::{Budget, from_dynamic, to_dynamic};
use crate::script::evaluation::loan::{Lent, Loan};
use crate::script::evaluation::moment::{Moment, seconds};
use crate::script::evaluation::refusal::{Refusal, refuse};

use super::arguments::Argument::{Filter, Path, Topic as TopicName};
use super::function::{Function, Kind, function};
use super::lists;

type Answer<T> = Result<T, Refusal>;

/// The functions. Those that count over topics are also asked of lists, which [`lists`] answers.
pub(super) static ROWS: [Function; 8] = [
    function(
        "state",
        1,
        3,
        "state('topic', \"path\", default)",
        "The latest value of a topic, `()` where there is none; with a path, what is there, or the default.",
    )
    .reads()
    .takes(&[TopicName, Path])
    .by(|state| {
        let (loan, items) = (state.loan(), state.items());
        state.add(move |topic: &str| loan.with(|lent| lent.state(topic, "", Dynamic::UNIT, items)));
        let loan = state.loan();
        state.add(move |topic: &str, path: &str| loan.with(|lent| lent.state(topic, path, Dynamic::UNIT, items)));
        let loan = state.loan();
        state.add(move |topic: &str, path: &str, default: Dynamic| {
            loan.with(|lent| lent.state(topic, path, default, items))
        });
    }),
    function(
        "last",
        1,
        1,
        "last('topic')",
        "A topic's last message: `#{ msg, payload, at, changed_at, retained }`, `()` where there is none.",
    )
    .reads()
    .takes(&[TopicName])
    .by(|last| {
        let (loan, items) = (last.loan(), last.items());
        last.add(move |topic: &str| loan.with(|lent| lent.last(topic, items)));
    }),
    function("age", 1, 1, "age('topic')", "Seconds since a topic's last message; `()` for one that was never seen.")
        .reads()
        .gives(Kind::Number)
        .takes(&[TopicName])
        .by(|age| {
            let loan = age.loan();
            age.add(move |topic: &str| loan.with(|lent| lent.age(topic)));
        }),
    function("exists", 1, 1, "exists('topic')", "Whether a topic has a value now.")
        .reads()
        .gives(Kind::Boolean)
        .takes(&[TopicName])
        .by(|exists| {
            let loan = exists.loan();
            exists.add(move |topic: &str| loan.with(|lent| lent.exists(topic)));
        }),
    function(
        "states",
        1,
        1,
        "states('filter')",
        "The topics of a filter that have a value: a list of `#{ topic, captures, msg }`.",
    )
    .reads()
    .gives(Kind::List)
    .takes(&[Filter])
    .by(|states| {
        let (loan, budget) = (states.loan(), states.budget());
        states.add(move |filter: &str| loan.with(|lent| lent.states(filter, budget)));
    }),
    function(
        "any",
        2,
        2,
        "any('filter', value)",
        "Whether a topic of a filter has this value, or one for which the closure is true; of a list: whether an item is so.",
    )
    .reads()
    .gives(Kind::Boolean)
    .takes(&[Filter])
    .by(|any| {
        let (loan, items) = (any.loan(), any.items());
        any.add(move |context: NativeCallContext, filter: &str, wanted: Dynamic| -> Answer<bool> {
            let (_, found) = matching(&context, &loan, filter, &wanted, items)?;
            Ok(found > 0)
        });
        lists::add_any(any);
    }),
    function(
        "all",
        2,
        2,
        "all('filter', value)",
        "Whether all topics of a filter have this value, or the closure is true for it, and there is one; of a list: for all items.",
    )
    .reads()
    .gives(Kind::Boolean)
    .takes(&[Filter])
    .by(|all| {
        let (loan, items) = (all.loan(), all.items());
        all.add(move |context: NativeCallContext, filter: &str, wanted: Dynamic| -> Answer<bool> {
            let (all, found) = matching(&context, &loan, filter, &wanted, items)?;
            Ok(all > 0 && found == all)
        });
        lists::add_all(all);
    }),
    function(
        "count",
        2,
        2,
        "count('filter', value)",
        "How many topics of a filter have this value, or satisfy the closure; of a list: how many items.",
    )
    .reads()
    .gives(Kind::Number)
    .takes(&[Filter])
    .by(|count| {
        let (loan, items) = (count.loan(), count.items());
        count.add(move |context: NativeCallContext, filter: &str, wanted: Dynamic| -> Answer<i64> {
            let (_, found) = matching(&context, &loan, filter, &wanted, items)?;
            Ok(i64::try_from(found).unwrap_or(i64::MAX))
        });
        lists::add_count(count);
    }),
];

impl Lent {
    /// Notes that `topic` was read, and returns the value of its last message.
    pub(super) fn read(&mut self, topic: &str) -> Answer<Value> {
        let topic = Topic::parse(topic).map_err(|error| refuse(&format!("`{topic}` isn't a valid topic: {error}")))?;
        let state = self.world.states.get(topic.as_str());
        let value = state.map_or(Value::Null, |state| state.payload.value().clone());
        if state.is_none_or(|state| !state.has_had_value) && self.reads.without_value.is_none() {
            self.reads.without_value = Some(topic.clone());
        }
        self.reads.topics.insert(topic);
        Ok(value)
    }

    fn state(&mut self, topic: &str, path: &str, default: Dynamic, items: usize) -> Answer<Dynamic> {
        let value = self.read(topic)?;
        let path = ValuePath::parse(path).map_err(|error| refuse(&format!("`{path}` isn't a valid path: {error}")))?;
        match value.at(&path) {
            Some(value) if !value.is_null() => {
                to_dynamic(value, None, items).map_err(|error| refuse(&format!("can't read `{topic}`: {error}")))
            }
            _ => Ok(default),
        }
    }

    fn last(&mut self, topic: &str, items: usize) -> Answer<Dynamic> {
        let value = self.read(topic)?;
        let Some(state) = self.world.states.get(topic) else { return Ok(Dynamic::UNIT) };
        let zone = &self.world.calendar.zone;
        let time = |at: jiff::Timestamp| Dynamic::from(Moment(at.to_zoned(zone.clone())));
        let payload = match state.payload.text() {
            Some(text) => Dynamic::from(text.to_owned()),
            None => Dynamic::from_blob(state.payload.bytes().to_vec()),
        };
        let message =
            to_dynamic(&value, None, items).map_err(|error| refuse(&format!("can't read `{topic}`: {error}")))?;
        let map: rhai::Map = [
            ("msg", message),
            ("payload", payload),
            ("at", time(state.at)),
            ("changed_at", time(state.changed_at)),
            ("retained", (state.origin == Origin::Retained).into()),
        ]
        .into_iter()
        .map(|(key, value)| (key.into(), value))
        .collect();
        Ok(Dynamic::from_map(map))
    }

    fn age(&mut self, topic: &str) -> Answer<Dynamic> {
        self.read(topic)?;
        self.reads.clock = true;
        let state = self.world.states.get(topic);
        Ok(state.map_or(Dynamic::UNIT, |state| seconds(self.world.now.duration_since(state.at))))
    }

    fn exists(&mut self, topic: &str) -> Answer<bool> {
        Ok(!self.read(topic)?.is_null())
    }

    /// Notes that `filter` was read, and returns its topics that have a value now.
    fn read_filter(&mut self, filter: &str) -> Answer<Vec<(Topic, TopicFilter, Value)>> {
        let filter = TopicFilter::parse(filter)
            .map_err(|error| refuse(&format!("`{filter}` isn't a valid topic filter: {error}")))?;
        let found = self
            .world
            .states
            .matching(&filter)
            .map(|(topic, state)| (topic.clone(), filter.clone(), state.payload.value().clone()))
            .filter(|(_, _, value)| !value.is_null())
            .collect();
        self.reads.filters.insert(filter);
        Ok(found)
    }

    fn states(&mut self, filter: &str, mut budget: Budget) -> Answer<rhai::Array> {
        let mut item = |(topic, filter, value): (Topic, TopicFilter, Value)| -> Answer<Dynamic> {
            let captures = filter.captures(&topic).unwrap_or_default();
            let captures = captures.iter().map(|capture| Dynamic::from(capture.to_string())).collect();
            let message = budget.spend_on(&value).map_err(|error| refuse(&format!("can't read `{topic}`: {error}")))?;
            let map: rhai::Map = [
                ("topic", Dynamic::from(topic.as_str().to_owned())),
                ("captures", Dynamic::from_array(captures)),
                ("msg", message),
            ]
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect();
            Ok(Dynamic::from_map(map))
        };
        self.read_filter(filter)?.into_iter().map(&mut item).collect()
    }
}

/// Returns how many topics of `filter` have a value, and how many of these are as `wanted`: match the value
/// (docs/language/values.md), or satisfy the closure.
fn matching(
    context: &NativeCallContext,
    loan: &Loan,
    filter: &str,
    wanted: &Dynamic,
    items: usize,
) -> Answer<(usize, usize)> {
    let found = loan.with(|lent| lent.read_filter(filter))?;
    let all = found.len();
    let Some(closure) = wanted.read_lock::<FnPtr>().map(|closure| closure.clone()) else {
        let pattern = from_dynamic(wanted).map_err(|error| refuse(&error))?;
        return Ok((all, found.iter().filter(|(_, _, value)| value.matches(&pattern)).count()));
    };
    let mut count = 0;
    for (index, (topic, _, value)) in found.iter().enumerate() {
        let message =
            to_dynamic(value, None, items).map_err(|error| refuse(&format!("can't read `{topic}`: {error}")))?;
        count += usize::from(lists::satisfies(context, &closure, &message, index)?);
    }
    Ok((all, count))
}
