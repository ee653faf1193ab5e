//! Searches for a journal that shows a claim: some are drawn, the first that shows it is made short.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::analysis::{Claim, Pattern};
use crate::model::{Payload, RuleId, Topic};
use crate::sim::explore::journal::{Act, Entry, Journal};
use crate::sim::explore::pool::{Voice, Wanted, payloads};
use crate::sim::explore::random::Random;
use crate::sim::explore::shrink::shrink;
use crate::sim::explore::world::World;

use super::Witnesses;
use super::claims::{Played, replaced};

/// How many journals are drawn for one claim.
const TRIES: usize = 250;

const HOUR: Duration = Duration::from_hours(1);

/// Returns the shortest journal that shows a claim.
pub(super) fn find(home: &Witnesses<'_>, claim: &Claim) -> Option<Journal> {
    match claim {
        Claim::Clash { one, other, pattern } => {
            let shows = |journal: &Journal| Played::of(&home.home, journal).clashes(one, other, pattern);
            Draw::about(home, &[one, other]).search(&mut |journal| shows(journal))
        }
        Claim::Endless(rules) => {
            let about: Vec<&RuleId> = rules.iter().collect();
            let draw = Draw { most: 3, tail: Some(HOUR), ..Draw::about(home, &about) };
            draw.search(&mut |journal| ends_quietly(journal) && Played::of(&home.home, journal).is_endless(rules))
        }
        Claim::Lasts { rule, pattern } => {
            let shows =
                |journal: &Journal| waits(journal, HOUR * 12) && Played::of(&home.home, journal).lasts(rule, pattern);
            let draw = Draw { tail: Some(HOUR * 12), ..Draw::about(home, &[rule]) };
            let found = draw.search(&mut |journal| shows(journal))?;
            // A mended home ends it then, at the latest.
            let longer = with_return(&found, HOUR * 12);
            Some(longer.filter(shows).unwrap_or(found))
        }
        Claim::OrderMatters { rule, wakes, asked } => order_matters(home, rule, wakes, asked),
        Claim::Recorded { rule, topic, said } => recorded(home, rule, topic, said),
        Claim::ActsIf { rule, topic, instead, values } => acts_if(home, rule, (topic, instead), values),
        Claim::Publishes { rule, pattern } => {
            Draw::about(home, &[rule]).search(&mut |journal| Played::of(&home.home, journal).lasts(rule, pattern))
        }
        Claim::Runs(rule) => {
            Draw::about(home, &[rule]).search(&mut |journal| Played::of(&home.home, journal).by(rule).next().is_some())
        }
    }
}

/// Draws journals about some rules.
struct Draw<'a> {
    home: &'a Witnesses<'a>,
    voices: Vec<Voice>,
    /// How many messages there are at most.
    most: usize,
    /// How long nothing happens at the end.
    tail: Option<Duration>,
}

impl<'a> Draw<'a> {
    fn about(home: &'a Witnesses<'a>, rules: &[&RuleId]) -> Draw<'a> {
        let patterns = heard_by(home, rules);
        let is_meant = |voice: &&Voice| patterns.iter().any(|pattern| pattern.matches(&voice.topic));
        let voices = home.pool.topics.iter().filter(is_meant).cloned().collect();
        Draw { home, voices, most: 6, tail: None }
    }

    fn search(&self, shows: &mut dyn FnMut(&Journal) -> bool) -> Option<Journal> {
        let mut random = Random::new(170);
        for _ in 0..TRIES {
            let journal = self.draw(&mut random);
            if shows(&journal) {
                return Some(shrink(journal, shows));
            }
        }
        None
    }

    fn draw(&self, random: &mut Random) -> Journal {
        let pool = &self.home.pool;
        let start = random.pick(&pool.starts).copied().unwrap_or_default();
        let length = 1 + random.below(self.most);
        let mut journal = Journal { start, entries: Vec::new() };
        for _ in 0..length {
            let after = match random.below(4) {
                0 => Duration::ZERO,
                1 => random.pick(&pool.times).copied().unwrap_or(Duration::from_secs(1)),
                2 => self.until_due(&journal),
                _ => Duration::from_secs(1),
            };
            let said = random.pick(&self.voices).and_then(|voice| {
                let payload = random.pick(&voice.payloads)?.clone();
                Some(Act::Say { topic: voice.topic.clone(), payload, retain: false })
            });
            let hook =
                random.pick(&pool.webhooks).filter(|_| self.voices.is_empty()).map(|name| Act::Webhook(name.clone()));
            journal.entries.push(Entry { after, act: said.or(hook).unwrap_or(Act::Pass) });
        }
        let after = self.tail.unwrap_or_else(|| self.until_due(&journal));
        journal.entries.push(Entry { after, act: Act::Pass });
        journal
    }

    /// Returns how long it is until something is due next.
    fn until_due(&self, journal: &Journal) -> Duration {
        World::play(&self.home.home, journal).until_due().unwrap_or_default()
    }
}

/// Returns what these rules hear, and what those hear that write it.
fn heard_by(home: &Witnesses<'_>, rules: &[&RuleId]) -> Vec<Pattern> {
    let is_one = |id: &RuleId| rules.iter().any(|rule| rule.maker() == id.maker());
    let mut waiting: Vec<usize> = (0..home.graph.rules.len())
        .filter(|index| home.graph.rules.get(*index).is_some_and(|node| is_one(&node.rule.id)))
        .collect();
    let mut seen: BTreeSet<usize> = waiting.iter().copied().collect();
    let mut patterns = Vec::new();
    while let Some(node) = waiting.pop().and_then(|index| home.graph.rules.get(index)) {
        for reading in node.reads_of_devices().filter(|reading| !reading.pattern.is_anything()) {
            patterns.push(reading.pattern.clone());
            for (index, other) in home.graph.rules.iter().enumerate() {
                let writes = other.writes.iter().any(|writing| writing.pattern.meets(&reading.pattern));
                if writes && seen.insert(index) {
                    waiting.push(index);
                }
            }
        }
        for (_, id) in &node.others {
            for (index, other) in home.graph.rules.iter().enumerate() {
                if other.rule.id.maker() == id.maker() && seen.insert(index) {
                    waiting.push(index);
                }
            }
        }
    }
    patterns
}

/// Returns whether a journal ends with an hour in which nothing comes from outside.
fn ends_quietly(journal: &Journal) -> bool {
    journal.entries.last().is_some_and(|entry| entry.act == Act::Pass) && journal.entries.len() <= 4
}

fn waits(journal: &Journal, time: Duration) -> bool {
    journal.entries.last().is_some_and(|entry| entry.act == Act::Pass && entry.after >= time)
}

/// Returns a journal at whose end what was said last is said no more, but what was before; `None` where nothing was.
fn with_return(journal: &Journal, time: Duration) -> Option<Journal> {
    let said = |entry: &Entry| match &entry.act {
        Act::Say { topic, payload, .. } => Some((topic.clone(), payload.clone())),
        _ => None,
    };
    let (topic, last) = journal.entries.iter().rev().find_map(said)?;
    let (_, before) =
        journal.entries.iter().filter_map(said).find(|(other, payload)| *other == topic && *payload != last)?;
    let mut longer = journal.clone();
    longer.entries.push(Entry { after: Duration::ZERO, act: Act::Say { topic, payload: before, retain: false } });
    longer.entries.push(Entry { after: time, act: Act::Pass });
    Some(longer)
}

/// The rule acts where `asked` speaks first, and not where it speaks after what wakes the rule.
fn order_matters(home: &Witnesses<'_>, rule: &RuleId, wakes: &Pattern, asked: &Pattern) -> Option<Journal> {
    let draw = Draw { most: 3, tail: Some(Duration::from_mins(10)), ..Draw::about(home, &[rule]) };
    let voices = |pattern: &Pattern| -> Vec<Voice> {
        draw.voices.iter().filter(|voice| pattern.matches(&voice.topic)).cloned().collect()
    };
    let (wakers, askers) = (voices(wakes), voices(asked));
    let mut random = Random::new(176);
    let say = |voice: &Voice, random: &mut Random| {
        let payload = random.pick(&voice.payloads)?.clone();
        Some(Entry {
            after: Duration::from_secs(1),
            act: Act::Say { topic: voice.topic.clone(), payload, retain: false },
        })
    };
    let tail = Entry { after: Duration::from_mins(10), act: Act::Pass };
    for _ in 0..TRIES {
        let mut prelude = draw.draw(&mut random);
        prelude.entries.pop();
        let (waker, asker) = (random.pick(&wakers)?, random.pick(&askers)?);
        let (wake, bad, good) = (say(waker, &mut random)?, say(asker, &mut random)?, say(asker, &mut random)?);
        let last = [bad, wake, good, tail.clone()];
        if decides(home, rule, &prelude, &last) {
            return Some(without_prelude(home, rule, prelude, &last));
        }
    }
    None
}

/// Returns whether the order of the two messages decides: in the one order nothing happens, in the other the rule acts.
fn decides(home: &Witnesses<'_>, rule: &RuleId, prelude: &Journal, [bad, wake, good, tail]: &[Entry; 4]) -> bool {
    let played = |entries: &[&Entry]| {
        let all = prelude.entries.iter().chain(entries.iter().copied()).cloned();
        Played::of(&home.home, &Journal { start: prelude.start, entries: all.collect() })
    };
    let acts = played(&[bad, good, wake, tail]);
    let early = played(&[bad, good]).published.len();
    if !acts.published.iter().skip(early).any(|published| published.by.maker() == rule.maker()) {
        return false;
    }
    let before = played(&[bad]).published.len();
    early == before && played(&[bad, wake, good, tail]).published.len() == before
}

/// Returns the whole journal, with as little before the two messages as it takes.
fn without_prelude(home: &Witnesses<'_>, rule: &RuleId, mut prelude: Journal, last: &[Entry; 4]) -> Journal {
    let mut index = 0;
    while index < prelude.entries.len() {
        let mut shorter = prelude.clone();
        shorter.entries.remove(index);
        if decides(home, rule, &shorter, last) {
            prelude = shorter;
        } else {
            index += 1;
        }
    }
    prelude.entries.extend(last.iter().cloned());
    prelude
}

/// What was recorded makes the rule act three times.
fn recorded(home: &Witnesses<'_>, rule: &RuleId, topic: &Topic, said: &[(u64, Payload)]) -> Option<Journal> {
    let mut draw = Draw { most: 3, ..Draw::about(home, &[rule]) };
    draw.voices.retain(|voice| voice.topic != *topic);
    let mut random = Random::new(174);
    for round in 0..TRIES / 8 {
        let mut journal = draw.draw(&mut random);
        journal.entries.pop();
        if round == 0 {
            journal.entries.clear();
        }
        journal.entries.extend(said.iter().map(|(after, payload)| Entry {
            after: Duration::from_millis(*after),
            act: Act::Say { topic: topic.clone(), payload: payload.clone(), retain: false },
        }));
        if Played::of(&home.home, &journal).by(rule).count() >= 3 {
            return Some(journal);
        }
    }
    None
}

/// The rule would act if what it waits for were said.
fn acts_if(
    home: &Witnesses<'_>,
    rule: &RuleId,
    (topic, instead): (&Topic, &Topic),
    values: &[(Payload, Payload)],
) -> Option<Journal> {
    let mut draw = Draw::about(home, &[rule]);
    if topic != instead {
        // Where the topic is never heard, what is said beside it has its values.
        draw.voices.retain(|voice| voice.topic != *topic);
        let mut said = payloads(topic, home.known.topic(instead), &home.literals, Wanted::default());
        said.extend(payloads(topic, None, &home.literals, Wanted::default()));
        draw.voices.retain(|voice| voice.topic != *instead);
        draw.voices.push(Voice { topic: instead.clone(), payloads: said, may_retain: false, is_guessed: false });
    }
    let mended = |journal: &Journal| {
        let mut entries = Vec::new();
        for entry in &journal.entries {
            entries.push(entry.clone());
            let Act::Say { topic: said_on, payload, retain } = &entry.act else { continue };
            if said_on != instead {
                continue;
            }
            let value = values
                .iter()
                .fold(payload.value().clone(), |value, (said, meant)| replaced(&value, said.value(), meant.value()));
            let act = Act::Say { topic: topic.clone(), payload: Payload::from_value(&value), retain: *retain };
            if topic == instead {
                entries.pop();
                entries.push(Entry { after: entry.after, act });
            } else {
                entries.push(Entry { after: Duration::ZERO, act });
            }
        }
        Journal { start: journal.start, entries }
    };
    draw.search(&mut |journal| {
        let as_it_is = Played::of(&home.home, journal);
        as_it_is.by(rule).next().is_none() && Played::of(&home.home, &mended(journal)).acts_beyond(&as_it_is, rule)
    })
}
