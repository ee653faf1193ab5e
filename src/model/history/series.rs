//! A series: what one topic said at one path, as far as rules ask for it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counted::{Counted, First};
use super::numbers::{Numbers, Stats};
use super::values::Values;
use super::{Kind, Span, instant, nanos, seconds};
use crate::model::{Topic, Value, ValuePath};

/// How many values of one series may be counted: those that come at run are looked up in its values then.
const MOST_COUNTED: usize = 32;

/// The past of one topic at one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub(super) topic: Topic,
    #[serde(with = "path_text")]
    pub(super) path: ValuePath,
    /// How far back it is asked for, in nanoseconds.
    pub(super) reach: i64,
    /// Whether a rule in force names it, so that it is known before it is asked.
    pub(super) is_named: bool,
    /// When it was last asked for.
    pub(super) asked_at: i64,
    /// Up to which row of the log it holds all.
    pub(super) upto: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    numbers: Option<Numbers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Values>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counted: Vec<(Value, Counted)>,
}

/// A path is kept as its text.
mod path_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::model::ValuePath;

    pub(super) fn serialize<S: Serializer>(path: &ValuePath, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(path)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ValuePath, D::Error> {
        let text = String::deserialize(deserializer)?;
        ValuePath::parse(&text).map_err(D::Error::custom)
    }
}

/// A sample that comes into a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    pub(super) at: i64,
    pub(super) value: &'a Value,
    /// Whether somebody said it just then, or it was so before.
    pub(super) is_said: bool,
}

impl Series {
    /// Returns a series of which nothing is kept yet.
    #[must_use]
    pub fn new(topic: Topic, path: ValuePath) -> Series {
        Series {
            topic,
            path,
            reach: 0,
            is_named: false,
            asked_at: 0,
            upto: 0,
            numbers: None,
            values: None,
            counted: Vec::new(),
        }
    }

    /// Makes it keep what is asked, with what it is now as its beginning. Returns whether anything is new.
    pub(super) fn extend(&mut self, kind: &Kind, reach: Duration, known: Option<Sample<'_>>, limit: usize) -> bool {
        let reach = i64::try_from(reach.as_nanos()).unwrap_or(i64::MAX);
        let mut is_new = reach > self.reach;
        self.reach = self.reach.max(reach);
        let mut fresh = Series::new(self.topic.clone(), self.path.clone());
        match kind {
            Kind::Numbers if self.numbers.is_none() => fresh.numbers = Some(Numbers::default()),
            Kind::Values if self.values.is_none() => fresh.values = Some(Values::default()),
            Kind::Counted(value) if self.counts_of(value).is_none() && self.counted.len() < MOST_COUNTED => {
                fresh.counted.push((value.clone(), Counted::default()));
            }
            Kind::Numbers | Kind::Values | Kind::Counted(_) => return is_new,
        }
        if let Some(sample) = known {
            fresh.push(sample, limit);
        }
        is_new = true;
        self.numbers = self.numbers.take().or(fresh.numbers);
        self.values = self.values.take().or(fresh.values);
        self.counted.append(&mut fresh.counted);
        is_new
    }

    /// Returns whether it keeps what is asked, as far back.
    pub(super) fn has(&self, kind: &Kind, reach: Duration) -> bool {
        let has_kind = match kind {
            Kind::Numbers => self.numbers.is_some(),
            Kind::Values => self.values.is_some(),
            Kind::Counted(value) => self.counts_of(value).is_some() || self.counted.len() >= MOST_COUNTED,
        };
        has_kind && i128::from(self.reach) >= i128::try_from(reach.as_nanos()).unwrap_or(i128::MAX)
    }

    /// Takes a sample. Returns whether it says anything new.
    pub(super) fn push(&mut self, Sample { at, value, is_said }: Sample<'_>, limit: usize) -> bool {
        let horizon = at.saturating_sub(self.reach);
        let mut is_new = false;
        if let (Some(numbers), Some(number)) = (&mut self.numbers, value.as_number()) {
            is_new |= numbers.push(at, number, limit, horizon);
        }
        if let Some(values) = &mut self.values {
            is_new |= values.push(at, value, limit, horizon);
        }
        let first = if is_said { First::Said } else { First::WasThere };
        for (wanted, counted) in &mut self.counted {
            is_new |= counted.push(at, value.matches(wanted), first, limit, horizon);
        }
        is_new
    }

    /// Puts what was before it began in front: `older` are samples from the oldest, all before `until`. A part that
    /// thinned some of its own is left as it is.
    pub(super) fn fill(&mut self, older: &[(Timestamp, Value)], limit: usize) {
        let mut filled = Series::new(self.topic.clone(), self.path.clone());
        filled.reach = self.reach;
        let older = || older.iter().map(|(at, value)| Sample { at: nanos(*at), value, is_said: false });
        let is_before = |start: Option<i64>, sample: &Sample<'_>| start.is_none_or(|start| sample.at < start);
        if let Some(own) = self.numbers.take_if(|own| own.is_exact()) {
            let mut numbers = Numbers::default();
            let known: Vec<Sample<'_>> = older().filter(|sample| is_before(own.start(), sample)).collect();
            let known = known.iter().filter_map(|sample| Some((sample.at, sample.value.as_number()?)));
            for (at, number) in known.chain(own.exact()) {
                numbers.push(at, number, limit, at.saturating_sub(self.reach));
            }
            self.numbers = Some(numbers);
        }
        if let Some(own) = self.values.take_if(|own| own.is_exact()) {
            let mut values = Values::default();
            let known: Vec<Sample<'_>> = older().filter(|sample| is_before(own.start(), sample)).collect();
            for (at, value) in known.iter().map(|sample| (sample.at, sample.value)).chain(own.exact()) {
                values.push(at, value, limit, at.saturating_sub(self.reach));
            }
            self.values = Some(values);
        }
        for (wanted, own) in self.counted.iter_mut().filter(|(_, own)| own.is_exact()) {
            let mut counted = Counted::default();
            let known: Vec<Sample<'_>> = older().filter(|sample| is_before(own.start(), sample)).collect();
            let known = known.iter().map(|sample| (sample.at, sample.value.matches(wanted)));
            for (at, is_there) in known.chain(own.exact()) {
                counted.push(at, is_there, First::WasThere, limit, at.saturating_sub(self.reach));
            }
            *own = counted;
        }
    }

    /// Moves all of it.
    pub(super) fn shift(&mut self, by: i64) {
        self.asked_at = self.asked_at.saturating_add(by);
        if let Some(numbers) = &mut self.numbers {
            numbers.shift(by);
        }
        if let Some(values) = &mut self.values {
            values.shift(by);
        }
        self.counted.iter_mut().for_each(|(_, counted)| counted.shift(by));
    }

    /// Returns when what is kept begins; `None` where nothing was said yet.
    #[must_use]
    pub fn begins(&self) -> Option<Timestamp> {
        self.starts().min().map(instant)
    }

    /// Returns whether a part of it begins later than it is asked for, so that older samples would help.
    pub(super) fn wants_older(&self, now: i64) -> bool {
        let parts = usize::from(self.numbers.is_some()) + usize::from(self.values.is_some()) + self.counted.len();
        let oldest = now.saturating_sub(self.reach);
        self.starts().count() < parts || self.starts().any(|start| start > oldest)
    }

    /// Returns how many samples and cells are kept.
    pub(super) fn len(&self) -> usize {
        let counted: usize = self.counted.iter().map(|(_, counted)| counted.len()).sum();
        self.numbers.as_ref().map_or(0, Numbers::len) + self.values.as_ref().map_or(0, Values::len) + counted
    }

    /// Returns about how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let counted: usize = self.counted.iter().map(|(_, counted)| counted.size()).sum();
        let numbers = self.numbers.as_ref().map_or(0, Numbers::size);
        size_of::<Series>() + numbers + self.values.as_ref().map_or(0, Values::size) + counted
    }

    /// Returns the mean of its numbers over time.
    #[must_use]
    pub fn average(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.average())
    }

    /// Returns the least number at or below which at least half of the time lies.
    #[must_use]
    pub fn median(&self, span: &Span) -> Option<f64> {
        self.numbers.as_ref()?.median(span)
    }

    /// Returns the lowest number.
    #[must_use]
    pub fn lowest(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.low)
    }

    /// Returns the highest number.
    #[must_use]
    pub fn highest(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.high)
    }

    /// Returns the number at the end less that at the beginning.
    #[must_use]
    pub fn change(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.last - stats.first)
    }

    /// Returns the number at the end less the lowest.
    #[must_use]
    pub fn rise(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.last - stats.low)
    }

    /// Returns the highest number less that at the end.
    #[must_use]
    pub fn fall(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.high - stats.last)
    }

    /// Returns the numbers times the hours that they lasted.
    #[must_use]
    pub fn integral(&self, span: &Span) -> Option<f64> {
        self.stats(span).map(|stats| stats.area / 3600.0)
    }

    /// Returns how often the value changed.
    #[must_use]
    pub fn changes(&self, span: &Span) -> Option<u64> {
        self.values.as_ref()?.changes(span)
    }

    /// Returns how often it became `value`.
    #[must_use]
    pub fn times(&self, value: &Value, span: &Span) -> Option<u32> {
        self.counts_of(value)?.times(span)
    }

    /// Returns how many seconds it was `value`.
    #[must_use]
    pub fn duration(&self, value: &Value, span: &Span) -> Option<f64> {
        self.counts_of(value)?.duration(span).map(seconds)
    }

    /// Returns what the value was at an instant.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<&Value> {
        self.values.as_ref()?.at(nanos(at))
    }

    /// Returns whether what was read of a span is another thing later, though nothing is said: something in it ages, or it
    /// began after the span did.
    #[must_use]
    pub fn moves(&self, span: &Span) -> bool {
        let has_come = |after| {
            self.numbers.as_ref().is_some_and(|numbers| numbers.has_come_after(after))
                || self.values.as_ref().is_some_and(|values| values.has_come_after(after))
                || self.counted.iter().any(|(_, counted)| counted.has_come_after(after))
        };
        has_come(span.start)
    }

    /// Returns the last value; `None` where there was none.
    #[must_use]
    pub fn now(&self) -> Option<&Value> {
        self.values.as_ref()?.at(i64::MAX)
    }

    /// Returns whether it is `value` now.
    #[must_use]
    pub fn is_now(&self, value: &Value) -> bool {
        self.counts_of(value).is_some_and(Counted::is_there)
    }

    fn stats(&self, span: &Span) -> Option<Stats> {
        self.numbers.as_ref()?.stats(span)
    }

    fn counts_of(&self, value: &Value) -> Option<&Counted> {
        self.counted.iter().find(|(known, _)| known == value).map(|(_, counted)| counted)
    }

    fn starts(&self) -> impl Iterator<Item = i64> {
        let numbers = self.numbers.as_ref().and_then(Numbers::start);
        let values = self.values.as_ref().and_then(Values::start);
        numbers.into_iter().chain(values).chain(self.counted.iter().filter_map(|(_, counted)| counted.start()))
    }
}
