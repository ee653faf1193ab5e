//! Commands that wait until their device does what it was told: what it says is compared with what was wanted, what is missing is
//! sent again, and a newer command takes an older one's place.

use std::sync::Arc;
use std::time::Duration;

use crate::devices::CommandOptions;
use crate::engine::core::Core;
use crate::engine::effect::{Effect, Publication};
use crate::engine::inbox::Incoming;
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::run::Run;
use crate::engine::run::thread::Waiting;
use crate::engine::run::unwind::fail_waiting;
use crate::engine::trace::{Cause, DeviceStep, RunId, Step, StepKind, StepResult};
use crate::engine::trigger::message::Arrival;
use crate::model::{Map, Message, Origin, Topic, Value, ValuePath, format_duration};
use crate::script::Failure;

use super::confirming::{Confirming, Pending};
use super::release::release;

/// Makes a thread of a run that is at work wait.
pub(crate) fn begin(core: &mut Core, id: LiveId, run: &mut Run, thread: u32, confirming: Confirming) -> Waiting {
    core.deadlines.set(id, Due::Confirm(run.id, thread), Some(confirming.due));
    core.devices.waiters.add(run.id, thread, &confirming);
    if let Some(thread) = run.threads.get_mut(thread) {
        thread.confirming = Some(Box::new(confirming));
    }
    Waiting::Confirm
}

/// Arms what a thread waits for, after a restart or a reload. What is overdue after downtime is sent once more.
pub(crate) fn arm_again(core: &mut Core, id: LiveId, run: &mut Run) {
    let (now, is_start) = (core.now(), !core.has_started);
    let run_id = run.id;
    for (thread, confirming) in run.threads.confirming_mut() {
        if is_start && confirming.due <= now {
            confirming.tries = confirming.tries.max(1);
        }
        core.deadlines.set(id, Due::Confirm(run_id, thread), Some(confirming.due));
        core.devices.waiters.add(run_id, thread, confirming);
    }
}

/// A message has come: commands that wait are confirmed by it, or superseded.
pub(crate) fn heard(core: &mut Core, arrival: &Arrival, cause: &Cause) {
    let remembers = core.snapshots.has_devices();
    if core.devices.waiters.is_empty() && !remembers {
        return;
    }
    let message = &arrival.message;
    let counts = match message.origin {
        Origin::Live => true,
        // What a broker replays is an answer where the device has spoken since.
        Origin::Retained => arrival.is_news,
        Origin::Restored | Origin::Own => false,
    };
    if counts {
        for said in arrival.said.iter().filter(|said| said.origin == message.origin) {
            for (run, thread) in core.devices.waiters.of(&said.device.id) {
                hears(core, run, thread, &said.device.id, &said.property, &said.value);
            }
        }
        for (run, thread) in core.devices.waiters.of(message.topic.as_str()) {
            hears_topic(core, run, thread, message);
        }
    }
    if matches!(message.origin, Origin::Live | Origin::Own) {
        let commanded = core.devices.registry.commanded(&message.topic, &message.payload);
        for reading in commanded {
            if remembers {
                core.snapshots.note_commanded(&reading.device, [&reading.property]);
            }
            supersede(core, None, &reading.device, &reading.property, cause.run);
        }
        for (run, thread) in core.devices.waiters.of(message.topic.as_str()) {
            if cause.run != Some(run) {
                supersede_topic(core, run, thread, &message.topic);
            }
        }
    }
}

fn hears(core: &mut Core, run: RunId, thread: u32, device: &str, property: &Arc<str>, value: &Value) {
    let known = core.devices.registry.device(device).cloned();
    let Some((_, known)) = known.as_ref().and_then(|known| known.property(property)) else { return };
    edit(core, run, thread, |confirming| {
        for pending in &mut confirming.pending {
            let Pending::Device { device: id, wanted, said, .. } = pending else { continue };
            if **id != *device || !wanted.iter().any(|(name, _)| name == property) {
                continue;
            }
            wanted.retain(|(name, wanted)| name != property || !known.confirms(wanted, value));
            said.retain(|(name, _)| name != property);
            said.push((Arc::clone(property), value.clone()));
        }
        None
    });
}

fn hears_topic(core: &mut Core, run: RunId, thread: u32, message: &Message) {
    edit(core, run, thread, |confirming| {
        confirming.pending.retain_mut(|pending| {
            let Pending::Topic { state, field, is, said, .. } = pending else { return true };
            if *state != message.topic {
                return true;
            }
            let path = ValuePath::parse(field).unwrap_or_default();
            let value = message.payload.value().at(&path).cloned().unwrap_or_default();
            let is_so = is.iter().any(|wanted| value.matches(wanted));
            *said = Some(value);
            !is_so
        });
        None
    });
}

/// A newer command to a property ends the wait of older ones, but for that of the run `by`, unless `own` is given: the run at work,
/// which sends another one itself.
pub(crate) fn supersede(core: &mut Core, own: Option<&mut Run>, device: &str, property: &str, by: Option<RunId>) {
    let drop = |confirming: &mut Confirming| {
        let mut label = None;
        for pending in &mut confirming.pending {
            let Pending::Device { device: id, wanted, label: name, .. } = pending else { continue };
            let before = wanted.len();
            wanted.retain(|(name, _)| **id != *device || **name != *property);
            label = label.or((wanted.len() < before).then(|| Arc::clone(name)));
        }
        label.map(|label| DeviceStep::Superseded { of: format!("{label}.{property}").into() })
    };
    for (run, thread) in core.devices.waiters.of(device) {
        if by != Some(run) {
            edit(core, run, thread, drop);
        }
    }
    if let Some(run) = own {
        let threads: Vec<u32> = run.threads.confirming_mut().map(|(thread, _)| thread).collect();
        for thread in threads {
            settle(core, run, thread, &drop);
        }
    }
}

fn supersede_topic(core: &mut Core, run: RunId, thread: u32, topic: &Topic) {
    edit(core, run, thread, |confirming| {
        let before = confirming.pending.len();
        confirming
            .pending
            .retain(|pending| !matches!(pending, Pending::Topic { message, .. } if message.topic == *topic));
        (confirming.pending.len() < before).then(|| DeviceStep::Superseded { of: topic.text() })
    });
}

/// Changes what a thread waits for; where nothing is left, the thread goes on.
fn edit(core: &mut Core, id: RunId, thread: u32, edit: impl Fn(&mut Confirming) -> Option<DeviceStep>) {
    let Some(mut run) = core.runs.take(id) else { return };
    let goes_on = settle(core, &mut run, thread, &edit);
    core.runs.put(run);
    if goes_on {
        core.runs.push_ready_first(id);
    }
}

/// Changes what a thread of a run that was taken out waits for. Returns whether it goes on.
fn settle(core: &mut Core, run: &mut Run, thread: u32, edit: &dyn Fn(&mut Confirming) -> Option<DeviceStep>) -> bool {
    let Some(id) = run.live else { return false };
    let now = core.now();
    let path = path_of(core, run, thread);
    let Some(confirming) = run.threads.get_mut(thread).and_then(|thread| thread.confirming.as_mut()) else {
        return false;
    };
    let before = confirming.clone();
    let superseded = edit(confirming);
    confirming.pending.retain(|pending| !matches!(pending, Pending::Device { wanted, .. } if wanted.is_empty()));
    let is_done = confirming.pending.is_empty();
    let asked = confirming.asked;
    let mut steps: Vec<DeviceStep> = superseded.into_iter().collect();
    if is_done {
        if steps.is_empty() {
            steps.push(DeviceStep::Confirmed { asked });
        }
        release(core, id, run.id, thread, Some(&before));
        if let Some(thread) = run.threads.get_mut(thread) {
            thread.confirming = None;
            thread.waiting = None;
        }
    }
    for step in steps {
        run.note(Step::new(&path, now, StepKind::Set, StepResult::Device(step)));
    }
    is_done
}

/// Returns the path of the action that a thread waits in.
fn path_of(core: &Core, run: &Run, thread: u32) -> Arc<str> {
    let confirming = run.threads.get(thread).and_then(|thread| thread.confirming.as_ref());
    let rule = run.live.map(|id| &core.live.get(id).rule);
    let action = rule.zip(confirming).and_then(|(rule, confirming)| confirming.at.action(rule));
    action.map_or_else(|| "then".into(), |action| Arc::clone(&action.path))
}

/// The time for an answer is over: what is missing is sent again, or the action fails.
pub(crate) fn times_out(core: &mut Core, id: RunId, thread: u32) {
    let Some(mut run) = core.runs.take(id) else { return };
    let Some(rule) = run.live else { return core.runs.put_unchanged(run) };
    let path = path_of(core, &run, thread);
    let Some(mut confirming) = run.threads.get_mut(thread).and_then(|thread| thread.confirming.take()) else {
        return core.runs.put_unchanged(run);
    };
    let failure =
        if confirming.tries == 0 { Some(unconfirmed(&confirming)) } else { send_again(core, &run, &confirming).err() };
    if let Some(why) = failure {
        core.devices.waiters.remove(id, thread, &confirming);
        core.runs.put(run);
        return fail_waiting(core, id, thread, StepKind::Set, &Failure::plain(why));
    }
    confirming.tries -= 1;
    confirming.asked += 1;
    confirming.due = later(core.now(), confirming.within.max(Duration::from_millis(1)));
    core.deadlines.set(rule, Due::Confirm(id, thread), Some(confirming.due));
    let again = DeviceStep::Again { missing: confirming.missing(), left: confirming.tries };
    run.note(Step::new(&path, core.now(), StepKind::Set, StepResult::Device(again)));
    if let Some(thread) = run.threads.get_mut(thread) {
        thread.confirming = Some(confirming);
    }
    core.runs.put(run);
}

/// Returns why an action failed whose devices didn't do what they were told.
fn unconfirmed(confirming: &Confirming) -> String {
    let missing: Vec<String> = confirming.missing().iter().map(ToString::to_string).collect();
    let times =
        if confirming.asked == 1 { "asked once".to_owned() } else { format!("asked {} times", confirming.asked) };
    format!("not confirmed within {} ({times}): {}", format_duration(confirming.within), missing.join("; "))
}

/// Sends what is missing again.
///
/// # Errors
/// When a device is gone, or doesn't take it any more; in words.
fn send_again(core: &mut Core, run: &Run, confirming: &Confirming) -> Result<(), String> {
    let mut messages: Vec<Message> = Vec::new();
    for pending in &confirming.pending {
        match pending {
            Pending::Topic { message, .. } => messages.push(message.clone()),
            Pending::Device { device, label, wanted, .. } => {
                let Some(known) = core.devices.registry.device(device) else {
                    return Err(format!("`{label}` is gone, and hasn't done what it was told"));
                };
                let wanted: Map = wanted.iter().cloned().collect();
                let command = known.command(&wanted, &|_| None, CommandOptions::default());
                let command = command.map_err(|errors| super::set::in_words(&errors))?;
                messages.extend(command.publications.into_iter().map(super::set::message));
            }
        }
    }
    let cause = Cause { run: Some(run.id), ..run.firing.cause.clone() }.since(run.started_at);
    let depth = run.firing.cause.depth + 1;
    for message in messages {
        let publication = Publication { message: message.clone(), rule: run.rule.clone(), cause: cause.clone() };
        core.effects.push(Effect::Publish(publication));
        core.inbox.push(Incoming::Message { message, depth, run: Some(run.id), client: None });
    }
    Ok(())
}
