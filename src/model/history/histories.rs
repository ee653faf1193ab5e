//! All series that rules ask for: what comes in, what is kept, and what is wanted of the recorder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::log::{Entry, Log};
use super::series::{Sample, Series};
use super::{Asked, Kind, instant, nanos};
use crate::model::{States, Topic, Value, ValuePath};

/// How many series there may be.
const MOST: usize = 10_000;

/// How long a series stays that only a rule at run asked for, beyond what it reaches back.
const UNASKED: i64 = 24 * 3600 * 1_000_000_000;

/// How far back the recorder is asked for a topic that has no value.
const UNKNOWN: i64 = 7 * UNASKED;

/// How the keys of rows with whole series begin.
const SERIES: &str = "history/series/";

/// How those of the log do.
const LOG: &str = "history/log/";

/// All series.
#[derive(Debug, Clone)]
pub struct Histories {
    series: BTreeMap<u32, Series>,
    by_topic: BTreeMap<Topic, Vec<u32>>,
    next: u32,
    /// How many samples of a series stay exact.
    limit: usize,
    /// What is skipped.
    ignored: Vec<Value>,
    log: Log,
    /// Series that are to be written whole.
    unkept: BTreeSet<u32>,
    /// Rows that go.
    gone: BTreeSet<String>,
    /// Topics whose past is wanted of the recorder.
    recalls: BTreeSet<Topic>,
    /// What was kept of the log, until all is read.
    restoring: BTreeMap<u64, Vec<Entry>>,
}

/// The past of a topic that is wanted of the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The topic.
    pub topic: Topic,
    /// From when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Rules ask for the past of too many topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("rules ask for the past of more than {MOST} topics")]
pub struct TooManySeries;

impl Default for Histories {
    fn default() -> Histories {
        Histories {
            series: BTreeMap::new(),
            by_topic: BTreeMap::new(),
            next: 0,
            limit: 2000,
            ignored: Vec::new(),
            log: Log::default(),
            unkept: BTreeSet::new(),
            gone: BTreeSet::new(),
            recalls: BTreeSet::new(),
            restoring: BTreeMap::new(),
        }
    }
}

impl Histories {
    /// Returns one without series, in which each keeps `limit` samples exactly, and `ignored` are skipped.
    #[must_use]
    pub fn new(limit: usize, ignored: Vec<Value>) -> Histories {
        Histories { limit, ignored, ..Histories::default() }
    }

    /// Keeps what rules in force name, and what was asked at run of late: nothing else.
    pub fn keep(&mut self, named: &[Asked], states: &States, now: Timestamp) {
        self.series.values_mut().for_each(|series| series.is_named = false);
        self.keep_more(named, states, now);
        self.drop_unasked(now);
    }

    /// Keeps what a rule names, beside what is kept already.
    pub fn keep_more(&mut self, named: &[Asked], states: &States, now: Timestamp) {
        for asked in named {
            if let Ok(id) = self.prepare(asked, states, now)
                && let Some(series) = self.series.get_mut(&id)
            {
                series.is_named = true;
            }
        }
    }

    /// Returns the series of which a rule asks something, with what it holds from now on at the latest.
    ///
    /// # Errors
    /// When there are too many.
    pub fn ask(&mut self, asked: &Asked, states: &States, now: Timestamp) -> Result<&Series, TooManySeries> {
        let id = self.prepare(asked, states, now)?;
        let series = self.series.get_mut(&id).ok_or(TooManySeries)?;
        if !series.is_named {
            series.asked_at = nanos(now);
        }
        Ok(series)
    }

    /// Returns the series of a topic at a path.
    #[must_use]
    pub fn get(&self, topic: &str, path: &ValuePath) -> Option<&Series> {
        self.find(topic, path).and_then(|id| self.series.get(&id))
    }

    /// Returns whether something is asked of a topic.
    #[must_use]
    pub fn hears(&self, topic: &str) -> bool {
        self.by_topic.contains_key(topic)
    }

    /// Takes note of what a topic said. `is_said`: somebody did just now, or it was so before.
    pub fn note(&mut self, now: Timestamp, topic: &str, value: &Value, is_said: bool) {
        let Some(ids) = self.by_topic.get(topic) else { return };
        for id in ids {
            let Some(series) = self.series.get_mut(id) else { continue };
            let Some(value) = sensible(value, &series.path, &self.ignored) else { continue };
            let at = nanos(now);
            let is_first = series.len() == 0;
            if series.push(Sample { at, value, is_said }, self.limit) {
                if is_first {
                    self.unkept.insert(*id);
                }
                self.log.note(*id, at, value);
            }
        }
    }

    /// Puts what the recorder knows of a topic before its series.
    pub fn fill(&mut self, topic: &Topic, samples: &[(Timestamp, Value)]) {
        for id in self.by_topic.get(topic.as_str()).into_iter().flatten() {
            let Some(series) = self.series.get_mut(id) else { continue };
            let at_path = samples
                .iter()
                .filter_map(|(at, value)| Some((*at, sensible(value, &series.path, &self.ignored)?.clone())));
            let samples: Vec<(Timestamp, Value)> = at_path.collect();
            if !samples.is_empty() {
                series.fill(&samples, self.limit);
                self.unkept.insert(*id);
            }
        }
    }

    /// Returns whether anything is wanted of the recorder since that was last asked.
    #[must_use]
    pub fn wants_recalls(&self) -> bool {
        !self.recalls.is_empty()
    }

    /// Returns what is wanted of the recorder since this was last asked.
    pub fn take_recalls(&mut self, now: Timestamp) -> Vec<Recall> {
        let topics = std::mem::take(&mut self.recalls);
        let recall = |topic: Topic| {
            let ids = self.by_topic.get(topic.as_str())?;
            let series = || ids.iter().filter_map(|id| self.series.get(id));
            // The last value that made sense may be older than anything that is asked.
            let least = if series().any(|series| series.begins().is_none()) { UNKNOWN } else { 0 };
            let reach = series().map(|series| series.reach).max()?.max(least);
            Some(Recall { topic, since: instant(nanos(now).saturating_sub(reach)), until: now })
        };
        topics.into_iter().filter_map(recall).collect()
    }

    /// Moves all of it, as the clock was.
    pub fn shift(&mut self, by: SignedDuration) {
        let by = i64::try_from(by.as_nanos()).unwrap_or_default();
        self.series.values_mut().for_each(|series| series.shift(by));
        self.keep_all();
    }

    /// Makes all of it be written anew.
    pub fn keep_all(&mut self) {
        let rows = self.log.clear();
        self.gone.extend(rows.into_iter().map(log_key));
        self.unkept.extend(self.series.keys().copied());
    }

    /// Returns the series, each with its number.
    pub fn iter(&self) -> impl Iterator<Item = &Series> {
        self.series.values()
    }

    /// Says what is to be kept of it: what came since this was last asked, and now and then a series whole.
    pub fn save(&mut self, save: &mut impl FnMut(String, Option<String>)) {
        while let Some(key) = self.gone.pop_first() {
            save(key, None);
        }
        let mut budget = 2048;
        if let Some((number, entries)) = self.log.take() {
            budget += entries.len() * 2;
            save(log_key(number), serde_json::to_string(&entries).ok());
        }
        while let Some(id) = self.unkept.pop_first() {
            self.save_series(id, save);
        }
        let kept: usize = self.series.values().map(Series::len).sum();
        while self.log.is_long(kept) && budget > 0 {
            let behind: Vec<u32> =
                self.log.oldest().filter(|(id, row)| self.is_behind(*id, *row)).map(|(id, _)| id).collect();
            let is_last = behind.len() <= 1;
            if let Some(id) = behind.first() {
                budget = budget.saturating_sub(self.series.get(id).map_or(0, Series::len).max(1));
                self.save_series(*id, save);
            }
            if is_last && let Some(row) = self.log.drop_oldest() {
                save(log_key(row), None);
            }
        }
    }

    /// Takes back a row; `None`: it is no row of this.
    pub fn restore(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let text = |error: serde_json::Error| error.to_string();
        if let Some(number) = key.strip_prefix(SERIES) {
            let mut read = || {
                let id: u32 = number.parse().map_err(|_| "its number can't be read".to_owned())?;
                let series: Series = serde_json::from_str(value).map_err(text)?;
                self.next = self.next.max(id + 1);
                self.log.last = self.log.last.max(series.upto);
                self.insert(id, series);
                Ok(())
            };
            return Some(read());
        }
        let number = key.strip_prefix(LOG)?;
        let mut read = || {
            let number: u64 = number.parse().map_err(|_| "its number can't be read".to_owned())?;
            self.restoring.insert(number, serde_json::from_str(value).map_err(text)?);
            Ok(())
        };
        Some(read())
    }

    /// Puts what the log held into the series, once all rows are read.
    pub fn restored(&mut self) {
        for (number, entries) in std::mem::take(&mut self.restoring) {
            for Entry(id, at, value) in &entries {
                if let Some(series) = self.series.get_mut(id).filter(|series| series.upto < number) {
                    series.push(Sample { at: *at, value, is_said: true }, self.limit);
                }
            }
            self.log.restore(number, &entries);
        }
    }

    fn is_behind(&self, id: u32, row: u64) -> bool {
        self.series.get(&id).is_some_and(|series| series.upto < row)
    }

    fn save_series(&mut self, id: u32, save: &mut impl FnMut(String, Option<String>)) {
        if let Some(series) = self.series.get_mut(&id) {
            series.upto = self.log.last;
            save(series_key(id), serde_json::to_string(series).ok());
        }
    }

    /// Makes the series that is asked for, or makes it keep more.
    fn prepare(&mut self, asked: &Asked, states: &States, now: Timestamp) -> Result<u32, TooManySeries> {
        let id = match self.find(asked.topic.as_str(), &asked.path) {
            Some(id) => id,
            None => {
                if self.series.len() >= MOST {
                    self.drop_unasked(now);
                }
                if self.series.len() >= MOST {
                    return Err(TooManySeries);
                }
                let id = self.next;
                self.next += 1;
                self.insert(id, Series::new(asked.topic.clone(), asked.path.clone()));
                id
            }
        };
        let Some(series) = self.series.get_mut(&id) else { return Err(TooManySeries) };
        if series.has(&asked.kind, asked.reach) {
            return Ok(id);
        }
        let known = states.get(asked.topic.as_str()).and_then(|state| {
            let value = sensible(state.payload.value(), &asked.path, &self.ignored)?;
            Some(Sample { at: nanos(state.changed_at), value, is_said: false })
        });
        if series.extend(&asked.kind, asked.reach, known, self.limit) {
            self.unkept.insert(id);
            if series.wants_older(nanos(now)) {
                self.recalls.insert(asked.topic.clone());
            }
        }
        Ok(id)
    }

    fn insert(&mut self, id: u32, series: Series) {
        self.by_topic.entry(series.topic.clone()).or_default().push(id);
        self.series.insert(id, series);
    }

    fn find(&self, topic: &str, path: &ValuePath) -> Option<u32> {
        let ids = self.by_topic.get(topic)?;
        ids.iter().copied().find(|id| self.series.get(id).is_some_and(|series| series.path == *path))
    }

    /// Drops the series that no rule names, and none has asked for of late.
    fn drop_unasked(&mut self, now: Timestamp) {
        let now = nanos(now);
        let is_over = |series: &Series| {
            series.asked_at == 0 || now.saturating_sub(series.asked_at) > series.reach.saturating_add(UNASKED)
        };
        let over = self.series.iter().filter(|(_, series)| !series.is_named && is_over(series));
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.drop_series(id);
        }
    }

    fn drop_series(&mut self, id: u32) {
        let Some(series) = self.series.remove(&id) else { return };
        self.unkept.remove(&id);
        self.gone.insert(series_key(id));
        if let Some(ids) = self.by_topic.get_mut(series.topic.as_str()) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.by_topic.remove(series.topic.as_str());
            }
        }
    }
}

/// Returns the value at `path`, where it is one: neither missing nor ignored.
fn sensible<'a>(value: &'a Value, path: &ValuePath, ignored: &[Value]) -> Option<&'a Value> {
    let value = value.at(path)?;
    let is_ignored = value.is_null() || ignored.contains(value);
    (!is_ignored).then_some(value)
}

fn series_key(id: u32) -> String {
    format!("{SERIES}{id}")
}

/// Returns the key of a row of the log: they come in the order of their numbers.
fn log_key(number: u64) -> String {
    format!("{LOG}{number:020}")
}

impl Asked {
    /// Returns what is asked of the numbers of a topic.
    #[must_use]
    pub fn of(topic: Topic, path: ValuePath, kind: Kind, reach: std::time::Duration) -> Asked {
        Asked { topic, path, kind, reach }
    }
}
