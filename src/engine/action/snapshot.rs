//! `snapshot` and `restore`: remembers what topics say, and publishes it again.

use std::sync::Arc;

use crate::engine::instant::later;
use crate::engine::live::snapshots::Remembered;
use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Map, Qos, TopicFilter, Value};
use crate::rules::{IfChanged, Publish, Snapshot};
use crate::script::{Failure, Template};

use super::act::Act;
use super::next::Next;
use super::publish::publish_all;

/// How many topics one may hold.
const MOST_TOPICS: usize = 1000;

/// Remembers what topics say now.
///
/// # Errors
/// When the filter can't be one, or matches too many topics.
pub(crate) fn take(act: &mut Act<'_>, snapshot: &Snapshot) -> Result<Next, Failure> {
    let target = act.evaluate(|engine, scope, reads| engine.text(scope, &snapshot.target, reads))?;
    let name = match &snapshot.name {
        Some(name) => act.evaluate(|engine, scope, reads| engine.text(scope, name, reads))?,
        None => target.clone(),
    };
    let filter = TopicFilter::parse(&target)
        .map_err(|error| Failure::plain(format!("`{target}` isn't a valid topic filter: {error}")))?;
    let (now, key) = (act.at.core.now(), key_of(act, &name));
    if !snapshot.replace && act.at.core.snapshots.get(&key, now).is_some() {
        act.note(StepKind::Snapshot, StepResult::Words(format!("`{name}` is there already, and stays")));
        return Ok(Next::GoOn);
    }
    let world = &act.at.core.evaluator.world;
    let found = world.states.matching(&filter).filter(|(_, state)| {
        !state.payload.value().is_null() && !act.at.core.options.ignored.contains(state.payload.value())
    });
    let topics: Vec<_> = found.map(|(topic, state)| (topic.clone(), state.payload.clone())).collect();
    if topics.len() > MOST_TOPICS {
        return Err(Failure::plain(format!(
            "`{target}` matches {} topics, and {MOST_TOPICS} are the most",
            topics.len()
        )));
    }
    let topics_text = if topics.len() == 1 { "topic" } else { "topics" };
    act.note(StepKind::Snapshot, StepResult::Words(format!("`{name}`: {} {topics_text}", topics.len())));
    let remembered = Remembered { at: now, until: later(now, snapshot.keep), topics, filter: target };
    act.at.core.snapshots.put(key, remembered, now);
    Ok(Next::GoOn)
}

/// Publishes what is remembered under a name, each payload to where `to` says, and forgets it.
///
/// # Errors
/// When it isn't said where to, or a message can't be published.
pub(crate) fn restore(act: &mut Act<'_>, name: &Template, to: Option<&Template>) -> Result<Next, Failure> {
    let name = act.evaluate(|engine, scope, reads| engine.text(scope, name, reads))?;
    let now = act.at.core.now();
    let key = key_of(act, &name);
    let Some(remembered) = act.at.core.snapshots.get(&key, now).cloned() else {
        act.note(StepKind::Restore, StepResult::Words(format!("nothing is remembered as `{name}`")));
        return Ok(Next::GoOn);
    };
    let Some(to) = to else {
        return Err(Failure::plain(format!(
            "`restore: {name}` needs `to`: where the payloads go, e.g. `${{topic}}/set`"
        )));
    };
    let filter = TopicFilter::parse(&remembered.filter).ok();
    for (topic, payload) in &remembered.topics {
        let mut locals = Map::new();
        locals.insert("topic".into(), Value::Text(topic.text()));
        locals.insert("msg".into(), payload.value().clone());
        if let Some(captures) = filter.as_ref().and_then(|filter| filter.captures(topic)) {
            let captures = captures.into_iter().map(Value::Text).collect();
            locals.insert("captures".into(), Value::List(Arc::new(captures)));
        }
        let target =
            act.with_locals(locals, |act| act.evaluate(|engine, scope, reads| engine.topic(scope, to, reads)))?;
        let publish = Publish {
            topic: Template::Constant(Value::Text(target.text())),
            payload: Template::Constant(payload.value().clone()),
            qos: Qos::AtLeastOnce,
            retain: false,
            if_changed: IfChanged::Always,
            confirm: None,
        };
        if let Next::End(outcome) = publish_all(act, &[publish])? {
            return Ok(Next::End(outcome));
        }
    }
    if !act.at.rule.dry_run {
        act.at.core.snapshots.take(&key, now);
    }
    Ok(Next::GoOn)
}

/// Returns the name of a snapshot in all of the home: those of a file are its own, unless another file's id is written.
fn key_of(act: &Act<'_>, name: &str) -> String {
    let is_of_file = act.at.core.snapshots.get(name, act.at.core.now()).is_some();
    if name.contains(':') && is_of_file { name.to_owned() } else { format!("{}:{name}", act.at.rule.id.file()) }
}
