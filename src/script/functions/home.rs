//! The functions that read the home: its state, its rules, its time. Each notes what it read.

use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};

use crate::model::schedule::{Boundary, TimeWindow, Weekdays};
use crate::model::{RuleId, Topic, TopicFilter, Value, ValuePath};

use super::lists::satisfies;
use crate::script::evaluation::convert::{Budget, from_dynamic, kind, to_dynamic};
use crate::script::evaluation::loan::{Lent, Loan};
use crate::script::evaluation::moment::{Moment, seconds};
use crate::script::evaluation::operators::number;
use crate::script::evaluation::refusal::{Refusal, refuse};

type Answer<T> = Result<T, Refusal>;

/// Registers the functions, which find the home in `loan`. `items` bounds what they give.
pub(in crate::script) fn register(engine: &mut Engine, loan: &Loan, items: usize) {
    let lent = loan.clone();
    engine.register_fn("state", move |topic: &str| lent.with(|lent| lent.state(topic, "", Dynamic::UNIT, items)));
    let lent = loan.clone();
    engine.register_fn("state", move |topic: &str, path: &str| {
        lent.with(|lent| lent.state(topic, path, Dynamic::UNIT, items))
    });
    let lent = loan.clone();
    engine.register_fn("state", move |topic: &str, path: &str, default: Dynamic| {
        lent.with(|lent| lent.state(topic, path, default, items))
    });
    let lent = loan.clone();
    engine.register_fn("last", move |topic: &str| lent.with(|lent| lent.last(topic, items)));
    let lent = loan.clone();
    engine.register_fn("age", move |topic: &str| lent.with(|lent| lent.age(topic)));
    let lent = loan.clone();
    engine.register_fn("exists", move |topic: &str| lent.with(|lent| lent.exists(topic)));
    let lent = loan.clone();
    engine.register_fn("states", move |filter: &str| lent.with(|lent| lent.states(filter, items)));
    register_counting(engine, loan, items);
    register_rules(engine, loan);
    register_times(engine, loan);
    register_chance(engine, loan);
}

fn register_counting(engine: &mut Engine, loan: &Loan, items: usize) {
    let lent = loan.clone();
    engine.register_fn("any", move |ctx: NativeCallContext, filter: &str, wanted: Dynamic| -> Answer<bool> {
        let (_, found) = matching(&ctx, &lent, filter, &wanted, items)?;
        Ok(found > 0)
    });
    let lent = loan.clone();
    engine.register_fn("all", move |ctx: NativeCallContext, filter: &str, wanted: Dynamic| -> Answer<bool> {
        let (all, found) = matching(&ctx, &lent, filter, &wanted, items)?;
        Ok(all > 0 && found == all)
    });
    let lent = loan.clone();
    engine.register_fn("count", move |ctx: NativeCallContext, filter: &str, wanted: Dynamic| -> Answer<i64> {
        let (_, found) = matching(&ctx, &lent, filter, &wanted, items)?;
        Ok(i64::try_from(found).unwrap_or(i64::MAX))
    });
}

fn register_rules(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("holds", move || {
        lent.with(|lent| {
            let rule = lent.rule.clone();
            Ok(lent.holds(rule))
        })
    });
    let lent = loan.clone();
    engine.register_fn("holds", move |rule: &str| {
        lent.with(|lent| {
            let rule = lent.find_rule(rule)?;
            Ok(lent.holds(rule))
        })
    });
    let lent = loan.clone();
    engine.register_fn("running", move |rule: &str| {
        lent.with(|lent| {
            let rule = lent.find_rule(rule)?;
            let is_running = lent.world.running.get(&rule).is_some_and(|runs| *runs > 0);
            lent.reads.running.insert(rule);
            Ok(is_running)
        })
    });
}

fn register_times(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("between", move |after: &str, before: &str| {
        lent.with(|lent| {
            let window =
                TimeWindow { after: Some(boundary(after)?), before: Some(boundary(before)?), weekdays: Weekdays::ALL };
            lent.reads.clock = true;
            if let Some(at) = window.next_change(lent.world.now, &lent.world.calendar) {
                lent.reads.changes_at(at);
            }
            Ok(window.contains(lent.world.now, &lent.world.calendar))
        })
    });
    let lent = loan.clone();
    engine.register_fn("weekend", move || {
        lent.with(|lent| {
            let today = lent.today();
            Ok(today == jiff::civil::Weekday::Saturday || today == jiff::civil::Weekday::Sunday)
        })
    });
    let lent = loan.clone();
    engine.register_fn("weekday", move |days: &str| {
        lent.with(|lent| {
            let days = Weekdays::parse(days).map_err(|error| refuse(&error.to_string()))?;
            Ok(days.contains(lent.today()))
        })
    });
}

fn register_chance(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("random", move || lent.with(|lent| Ok(lent.draw())));
    let lent = loan.clone();
    engine.register_fn("random", move |low: Dynamic, high: Dynamic| -> Answer<Dynamic> {
        if let (Ok(low), Ok(high)) = (low.as_int(), high.as_int()) {
            if low > high {
                return Err(refuse(&format!("`random` takes the lower number first: {low} is above {high}")));
            }
            return lent.with(|lent| Ok(lent.draw_between(low, high).into()));
        }
        let (Some(from), Some(to)) = (number(&low), number(&high)) else {
            return Err(refuse(&format!("`random` takes two numbers, not {} and {}", kind(&low), kind(&high))));
        };
        if from > to {
            return Err(refuse(&format!("`random` takes the lower number first: {from} is above {to}")));
        }
        lent.with(|lent| Ok((from + lent.draw() * (to - from)).into()))
    });
    let lent = loan.clone();
    engine.register_fn("random", move |list: rhai::Array| -> Answer<Dynamic> {
        let last = i64::try_from(list.len()).unwrap_or(i64::MAX) - 1;
        if last < 0 {
            return Err(refuse("`random` can't choose from an empty list"));
        }
        let index = lent.with(|lent| Ok(lent.draw_between(0, last)))?;
        Ok(usize::try_from(index).ok().and_then(|index| list.get(index).cloned()).unwrap_or(Dynamic::UNIT))
    });
}

impl Lent {
    /// Notes that `topic` was read, and returns the value of its last message.
    fn read(&mut self, topic: &str) -> Answer<Value> {
        let topic = Topic::parse(topic).map_err(|error| refuse(&format!("`{topic}` is no topic: {error}")))?;
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
        let path = ValuePath::parse(path).map_err(|error| refuse(&format!("`{path}` is no path: {error}")))?;
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
            ("retained", state.retained.into()),
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
        let filter =
            TopicFilter::parse(filter).map_err(|error| refuse(&format!("`{filter}` is no topic filter: {error}")))?;
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

    fn states(&mut self, filter: &str, items: usize) -> Answer<rhai::Array> {
        let mut budget = Budget { items };
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

    fn find_rule(&self, text: &str) -> Answer<RuleId> {
        let mut found = self.world.rule_names.find(text, self.rule.file());
        if found.len() > 1 {
            let names = found.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
            return Err(refuse(&format!("`{text}` may be any of {names}: write the file too")));
        }
        found.pop().ok_or_else(|| refuse(&format!("there is no rule `{text}`")))
    }

    fn holds(&mut self, rule: RuleId) -> bool {
        let is_holding = self.world.holding.contains(&rule);
        self.reads.holds.insert(rule);
        is_holding
    }

    fn today(&mut self) -> jiff::civil::Weekday {
        self.reads.clock = true;
        self.world.local().weekday()
    }

    /// Returns the next number from 0 to below 1.
    fn draw(&mut self) -> f64 {
        const STEPS: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
        let step = (self.draw_bits() >> 11) as f64;
        step / STEPS
    }

    /// Returns the next whole number from `low` to `high`, both included.
    fn draw_between(&mut self, low: i64, high: i64) -> i64 {
        let span = u128::from(high.abs_diff(low)) + 1;
        let offset = (u128::from(self.draw_bits()) * span) >> 64;
        i64::try_from(i128::from(low) + i128::try_from(offset).unwrap_or(0)).unwrap_or(high)
    }

    /// Returns the next 64 random bits: `SplitMix64` of what the draw depends on.
    fn draw_bits(&mut self) -> u64 {
        self.draws += 1;
        self.reads.random = true;
        let mut bits = self.entropy.wrapping_add(self.draws.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}

/// Returns how many topics of `filter` have a value, and how many of these are as `wanted`: match the value
/// (spec 2.2), or satisfy the closure.
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
        count += usize::from(satisfies(context, &closure, &message, index)?);
    }
    Ok((all, count))
}

/// Reads an end of a window: a time of day, or a sun event with an offset (`sunset-30m`).
fn boundary(text: &str) -> Answer<Boundary> {
    Boundary::parse(text).map_err(|error| refuse(&error.to_string()))
}
