//! What must survive a restart, said as [`Effect::Save`], and taken back from a snapshot.
//!
//! At once: what a rule has armed or remembers, and runs. Late, by [`crate::engine::Engine::flush`]: topics and the last values
//! that triggers know. Deadlines and subscriptions are not kept: they follow from the rest.

use serde::{Deserialize, Serialize};

use crate::model::{RuleId, Topic, TopicState};
use crate::rules::LogLevel;

use crate::engine::core::Core;
use crate::engine::effect::Effect;
use crate::engine::kept::snapshot::{SaveKey, Snapshot};
use crate::engine::live::saved_rule::{RULE, SavedRule, from_json, to_json};
use crate::engine::live::track_key::TrackKey;
use crate::engine::run::Run;
use crate::engine::run::table::RUN;

/// How the keys of topics' rows begin.
const TOPIC: &str = "topic/";

/// How the keys of rows begin that say how a rule ran last.
const LAST_RUN: &str = "last_run/";

/// The key of the counters' row.
const COUNTERS: &str = "counters";

/// How far the home has counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    next_run: u64,
    next_request: u64,
    sequence: u64,
}

/// Says what must be kept at once.
pub(crate) fn save_at_once(core: &mut Core) {
    let Core { live, runs, snapshots, notices, commanded, effects, .. } = core;
    let mut save = |key, value| effects.push(Effect::Save { key, value });
    live.save_at_once(&mut save);
    runs.save_at_once(&mut save);
    snapshots.save(&mut save);
    notices.save(&mut save);
    commanded.save(&mut save);
}

/// Says what may be kept late; `kept` is what was last kept of the counters.
pub(crate) fn save_late(core: &mut Core, kept: &mut Option<Counters>) {
    let (next_run, next_request) = core.runs.counters();
    let counters = Counters { next_run, next_request, sequence: core.evaluator.sequence };
    let Core { live, runs, effects, evaluator, .. } = core;
    let mut save = |key, value| effects.push(Effect::Save { key, value });
    if kept.as_ref() != Some(&counters) {
        save(SaveKey(COUNTERS.into()), to_json(&counters));
        *kept = Some(counters);
    }
    evaluator.world.history.save(&mut |key, value| save(SaveKey(key.into()), value));
    for rule in std::mem::take(&mut evaluator.world.ran) {
        let last = evaluator.world.last_runs.get(&rule).and_then(to_json);
        save(SaveKey(format!("{LAST_RUN}{rule}").into()), last);
    }
    let states = &mut evaluator.world.states;
    for topic in states.take_changed() {
        save(SaveKey(format!("{TOPIC}{topic}").into()), states.get(topic.as_str()).and_then(to_json));
    }
    live.save_late(&mut save);
    runs.save_late(&mut save);
}

/// Makes all of it be kept within a second.
pub(crate) fn keep_all(core: &mut Core) {
    core.evaluator.world.states.change_all();
    core.evaluator.world.history.keep_all();
    core.live.keep_all();
    core.snapshots.keep_all();
    core.notices.keep_all();
    core.commanded.keep_all();
    core.runs.keep_all();
}

/// Takes back what was saved. What can't be read is said, and left out.
pub(crate) fn restore(core: &mut Core, saved: Snapshot) {
    // What rules know of topics needs the rules.
    let (tracks, rest): (Vec<_>, Vec<_>) = saved
        .values
        .into_iter()
        .map(|(key, value)| (TrackKey::parse(&key.0), key, value))
        .partition(|row| row.0.is_some());
    for (track, SaveKey(key), value) in rest.into_iter().chain(tracks) {
        let read = match track {
            Some(track) => core.live.restore_track(&track, &value),
            None => restore_row(core, &key, &value),
        };
        if let Err(error) = read {
            core.log(None, LogLevel::Error, format!("`{key}` in the store can't be read and is left out: {error}"));
        }
    }
    core.evaluator.world.history.restored();
}

fn restore_row(core: &mut Core, key: &str, value: &str) -> Result<(), String> {
    if let Some(topic) = key.strip_prefix(TOPIC) {
        let topic = Topic::parse(topic).map_err(|error| error.to_string())?;
        core.evaluator.world.states.restore(topic, from_json::<TopicState>(value)?);
    } else if let Some(rule) = key.strip_prefix(RULE) {
        core.live.restore(RuleId::from_text(rule), from_json::<SavedRule>(value)?);
    } else if key.starts_with(RUN) {
        core.runs.restore(from_json::<Run>(value)?);
    } else if key == COUNTERS {
        let counters = from_json::<Counters>(value)?;
        core.runs.restore_counters((counters.next_run, counters.next_request));
        core.evaluator.sequence = counters.sequence;
    } else if let Some(read) = core.evaluator.world.history.restore(key, value) {
        return read;
    } else if let Some(read) = core.snapshots.restore(key, value) {
        return read;
    } else if let Some(read) = core.notices.restore(key, value) {
        return read;
    } else if let Some(read) = core.commanded.restore(key, value) {
        return read;
    } else if let Some(rule) = key.strip_prefix(LAST_RUN) {
        core.evaluator.world.last_runs.insert(RuleId::from_text(rule), from_json(value)?);
    } else {
        return Err("nothing of that kind is kept".to_owned());
    }
    Ok(())
}
