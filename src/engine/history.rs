//! The past of topics: what rules in force ask of it is kept, and what the recorder knows is put before it.

use jiff::Timestamp;

use crate::model::history::Asked;
use crate::model::{Topic, Value};

use super::core::Core;
use super::dispatch::ask_readers;
use super::effect::Effect;
use super::live::id::LiveId;

/// Keeps what the rules in force name, and nothing else.
pub(crate) fn keep_what_is_asked(core: &mut Core) {
    let named: Vec<Asked> = core.live.iter().flat_map(|(_, live)| live.rule.past.iter().cloned()).collect();
    let world = &mut core.evaluator.world;
    world.history.keep(&named, &world.states, world.now);
}

/// Keeps what a rule names that was made for a topic.
pub(crate) fn keep_what_rule_asks(core: &mut Core, id: LiveId) {
    let named = core.live.get(id).rule.past.clone();
    let world = &mut core.evaluator.world;
    world.history.keep_more(&named, &world.states, world.now);
}

/// Asks the shell for the past of topics that the recorder may know.
pub(crate) fn recall(core: &mut Core) {
    let world = &mut core.evaluator.world;
    if !world.history.wants_recalls() {
        return;
    }
    let recalls = world.history.take_recalls(world.now);
    core.effects.extend(recalls.into_iter().map(Effect::Recall));
}

/// Takes what the recorder knows of a topic.
pub(crate) fn take_recalled(core: &mut Core, topic: &Topic, samples: &[(Timestamp, Value)]) {
    core.evaluator.world.history.fill(topic, samples);
    ask_readers(core, topic);
}
