//! Draws what happens next, by chance.

use std::time::Duration;

use crate::model::Payload;

use super::journal::{Act, Entry, Journal};
use super::pool::{Pool, Voice};
use super::random::Random;
use super::world::World;

/// Times that always may pass.
const ALWAYS: [Duration; 9] = [
    Duration::ZERO,
    Duration::from_millis(1),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(7),
];

/// Who speaks in a journal, and what: all that may, or a few, so that what these say meets more often.
pub(super) struct Cast<'a> {
    speaks: Vec<(&'a Voice, Vec<&'a Payload>)>,
}

/// Draws who speaks in a journal: in every other one, up to four topics that say up to three things each.
pub(super) fn cast<'a>(pool: &'a Pool, random: &mut Random) -> Cast<'a> {
    if random.is_one_in(2) {
        return Cast { speaks: pool.topics.iter().map(|voice| (voice, voice.payloads.iter().collect())).collect() };
    }
    let mut speaks: Vec<(&Voice, Vec<&Payload>)> = Vec::new();
    for _ in 0..=random.below(4) {
        let Some(voice) = random.pick(&pool.topics) else { break };
        let mut said: Vec<&Payload> = (0..3).filter_map(|_| random.pick(&voice.payloads)).collect();
        said.dedup();
        match speaks.iter_mut().find(|(known, _)| known.topic == voice.topic) {
            Some((_, known)) => known.extend(said),
            None => speaks.push((voice, said)),
        }
    }
    Cast { speaks }
}

/// Draws the begin of a journal.
pub(super) fn begin(pool: &Pool, random: &mut Random) -> Journal {
    let start = random.pick(&pool.starts).copied().unwrap_or_default();
    Journal { start, entries: Vec::new() }
}

/// Draws how long a journal is.
pub(super) fn length(random: &mut Random) -> usize {
    [6, 12, 25, 60, 150].get(random.below(5)).copied().unwrap_or(12)
}

/// Draws what happens next in `world`.
pub(super) fn next(pool: &Pool, cast: &Cast<'_>, world: &World<'_>, random: &mut Random) -> Entry {
    let after = time(pool, world, random);
    Entry { after, act: act(pool, cast, random) }
}

fn time(pool: &Pool, world: &World<'_>, random: &mut Random) -> Duration {
    let ms = Duration::from_millis(1);
    match random.below(10) {
        // Soon: most of what happens in a home happens in seconds.
        0..=3 => ALWAYS.get(random.below(5)).copied().unwrap_or_default(),
        4 => random.pick(&ALWAYS).copied().unwrap_or_default(),
        5 | 6 => {
            let time = random.pick(&pool.times).copied().unwrap_or(Duration::from_secs(1));
            match random.below(5) {
                0 => time,
                1 => time.saturating_sub(ms),
                2 => time + ms,
                3 => Duration::from_millis(u64::try_from(time.as_millis() / 2).unwrap_or(u64::MAX)),
                _ => time.saturating_mul(2),
            }
        }
        // What is due next, and just before and after.
        _ => {
            let due = world.until_due().unwrap_or_default();
            match random.below(4) {
                0 | 1 => due,
                2 => due.saturating_sub(ms),
                _ => due + ms,
            }
        }
    }
}

fn act(pool: &Pool, cast: &Cast<'_>, random: &mut Random) -> Act {
    match random.below(24) {
        0 if !pool.webhooks.is_empty() => {
            random.pick(&pool.webhooks).map_or(Act::Pass, |name| Act::Webhook(name.clone()))
        }
        1 if !pool.clients.is_empty() => {
            let is_connected = random.is_one_in(2);
            random.pick(&pool.clients).map_or(Act::Pass, |id| Act::Client(id.clone(), is_connected))
        }
        2 => {
            let down = down(pool, random);
            if random.is_one_in(2) { Act::Kill(down) } else { Act::Restart(down) }
        }
        3 if random.is_one_in(4) => Act::Reload,
        4 => Act::Pass,
        _ => say(cast, random),
    }
}

fn say(cast: &Cast<'_>, random: &mut Random) -> Act {
    let Some((voice, said)) = random.pick(&cast.speaks) else { return Act::Pass };
    let Some(payload) = random.pick(said) else { return Act::Pass };
    let retain = voice.may_retain && random.is_one_in(2);
    Act::Say { topic: voice.topic.clone(), payload: (*payload).clone(), retain }
}

fn down(pool: &Pool, random: &mut Random) -> Duration {
    match random.below(4) {
        0 => Duration::from_secs(1),
        1 => Duration::from_mins(2),
        2 => Duration::from_hours(2),
        _ => random.pick(&pool.times).copied().unwrap_or(Duration::from_secs(30)),
    }
}
