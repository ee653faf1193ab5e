//! What a message does to a trigger: it fires, its hold begins or is broken, its silence is over, or nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::condition::scope::ThreadScope;
use crate::engine::core::Core;
use crate::engine::device::hear::Said;
use crate::engine::instant::{elapsed, later};
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::soon::Soon;
use crate::engine::run::unstarted;
use crate::engine::trace::{BlockedBy, Cause, Refusal};
use crate::engine::trigger::firing::{Firing, OfDevice};
use crate::model::{Map, Message, Origin, Size, Topic, TopicFilter, Value};
use crate::rules::{DeviceChoice, Question, Rule, StateTrigger, Trigger, TriggerKind};
use crate::script::{Failure, Reads};

use super::state::{Begins, Hold, MayArm, News};

/// A message whose state has been noted.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) message: Message,
    /// The rules that `each: {topic: …}` made for it.
    pub(crate) made: Vec<LiveId>,
    /// What it says of devices.
    pub(crate) said: Vec<Said>,
    /// Whether somebody spoke: a broker that replays what is known already says nothing new.
    pub(crate) is_news: bool,
    /// Whether its payload could be kept as state.
    pub(crate) size: Size,
}

impl Arrival {
    /// Returns the value that the topic's state has since: none where it was too large to keep.
    pub(crate) fn state_value(&self) -> &Value {
        match self.size {
            Size::Fits => self.message.payload.value(),
            Size::TooLarge => &Value::Null,
        }
    }
}

/// A trigger that a message is for, and the message.
pub(crate) struct Notice<'a> {
    pub(crate) id: LiveId,
    pub(crate) rule: &'a Rule,
    pub(crate) owner: Owner,
    pub(crate) index: u16,
    pub(crate) trigger: &'a Trigger,
    pub(crate) arrival: &'a Arrival,
    /// What it says of a device, where that is what the trigger is for.
    pub(crate) said: Option<&'a Said>,
    pub(crate) cause: &'a Cause,
}

impl Notice<'_> {
    fn topic(&self) -> &Topic {
        self.said.map_or(&self.arrival.message.topic, |said| &said.topic)
    }

    fn origin(&self) -> Origin {
        self.said.map_or(self.arrival.message.origin, |said| said.origin)
    }

    /// Returns the value that a trigger on a change looks at; `None` where it ignores it.
    fn value(&self, state: &StateTrigger) -> Option<&Value> {
        let payload = self.said.map_or_else(|| self.arrival.state_value(), |said| &said.value);
        if state.ignored.contains(payload, &state.field) { None } else { payload.at(&state.field) }
    }

    fn due(&self) -> Due {
        Due::Trigger(self.owner, self.index, Some(self.topic().clone()))
    }

    fn firing(&self, filter: &TopicFilter) -> Firing {
        let firing = Firing::of_trigger(self.trigger, self.cause.clone());
        let (Some(said), TriggerKind::Device(trigger)) = (self.said, &self.trigger.kind) else {
            return firing.with_message(filter, &self.arrival.message);
        };
        let of = OfDevice {
            name: Arc::clone(&said.device.label),
            area: said.device.area.clone(),
            property: Arc::clone(&said.property),
        };
        let is_one = matches!(&trigger.devices, DeviceChoice::Names(names) if names.len() == 1);
        firing.with_device(&self.arrival.message, of, !is_one)
    }
}

/// Gives a message to a trigger. Returns what it sets where it fires.
pub(crate) fn notify(core: &mut Core, notice: &Notice<'_>) -> Option<Firing> {
    match &notice.trigger.kind {
        TriggerKind::Topic { filter, payload, condition, retained } => {
            let message = &notice.arrival.message;
            let is_wanted = match message.origin {
                Origin::Live | Origin::Own => true,
                Origin::Retained => *retained,
                Origin::Restored => false,
            };
            let fits = |wanted: &Vec<Value>| wanted.iter().any(|wanted| message.payload.value().matches(wanted));
            if !is_wanted || !payload.as_ref().is_none_or(fits) {
                return None;
            }
            let firing = notice.firing(filter);
            match condition {
                Some(question) if !where_holds(core, notice, question, &firing) => None,
                Some(_) | None => Some(firing),
            }
        }
        TriggerKind::State(state) => notify_state(core, notice, state),
        TriggerKind::Device(device) => notify_device(core, notice, &device.state),
        TriggerKind::Silent { hold, .. } => {
            if notice.arrival.is_news {
                restart_silence(core, notice, *hold);
            }
            None
        }
        TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Sequence(_)
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => None,
    }
}

/// Returns whether a trigger's `where` holds; unknown counts as false, a failure is the rule's.
fn where_holds(core: &mut Core, notice: &Notice<'_>, question: &Question, firing: &Firing) -> bool {
    let (locals, thread) = match notice.owner {
        Owner::Rule => (Map::default(), ThreadScope::default()),
        Owner::Wait(run, wait) => {
            let (mut known, thread) = core.runs.scope_of_wait(run, wait);
            // What the message that is asked about sets hides what the run's own trigger has set.
            known.retain(|name, _| firing.get(name).is_none());
            (known, thread)
        }
    };
    let mut scope = core.scope_in_thread(notice.id, notice.rule, Some(firing), &locals, thread);
    scope.each_message = Value::Null;
    let failure = match core.evaluator.answer(&scope, question, &mut Reads::default()) {
        Ok(Value::Bool(holds)) => return holds,
        Ok(Value::Null) | Err(Failure { without_value: Some(_), .. }) => return false,
        Ok(value) => question.failure(format!("`where` must give true or false, and gives {}: {value}", value.kind())),
        Err(failure) => failure,
    };
    unstarted::fail(core, notice.rule, firing, Vec::new(), &failure);
    false
}

/// Gives what a device says to a trigger on it. An event is a change whatever was before it.
fn notify_device(core: &mut Core, notice: &Notice<'_>, state: &StateTrigger) -> Option<Firing> {
    let said = notice.said?;
    if !said.is_event {
        return notify_state(core, notice, state);
    }
    let fits = |wanted: &Vec<Value>| wanted.iter().any(|wanted| said.value.matches(wanted));
    let is_wanted = matches!(said.origin, Origin::Live | Origin::Own) && state.to.as_ref().is_none_or(fits);
    is_wanted.then(|| Firing { value: said.value.clone(), ..notice.firing(&state.filter) })
}

/// Gives a message to a `state` trigger: it fires, its hold is armed or broken, or nothing.
fn notify_state(core: &mut Core, notice: &Notice<'_>, state: &StateTrigger) -> Option<Firing> {
    let news = news_of(core, state, notice.origin());
    let value = notice.value(state);
    // A rule that is switched off has nothing armed; a wait of a run that goes on has.
    let may_arm = match notice.owner {
        Owner::Rule if !core.live.get(notice.id).is_enabled() => MayArm::No,
        Owner::Rule | Owner::Wait(..) => MayArm::Yes,
    };
    let moment = (news, core.now(), may_arm);
    let reaction = core.edit_track(notice.id, notice.owner, notice.index, notice.topic(), |track| {
        track.react(state, value, moment, || notice.firing(&state.filter))
    })?;
    if let Some(hold) = reaction.broken {
        core.deadlines.set(notice.id, notice.due(), None);
        if notice.owner == Owner::Rule {
            record_broken(core, notice, hold, value);
        }
    }
    match reaction.begins? {
        Begins::Firing(firing) => Some(firing),
        Begins::Armed(due) => {
            core.deadlines.set(notice.id, notice.due(), Some(due));
            None
        }
        Begins::Refused(firing) => {
            unstarted::skip(core, notice.rule, &firing, BlockedBy::Disabled);
            None
        }
    }
}

/// Records that a hold was broken before its time.
fn record_broken(core: &mut Core, notice: &Notice<'_>, hold: Hold, value: Option<&Value>) {
    let (topic, value) = (Some(notice.topic().clone()), value.cloned());
    let refusal = Refusal::HoldBroken { topic, since: hold.since, due: hold.due, value };
    let firing = Firing { cause: hold.firing.cause.clone().since(hold.since), ..hold.firing };
    unstarted::skip_with(core, notice.rule, &firing, BlockedBy::Hold, Vec::new(), Some(refusal));
}

/// Returns what a message of this origin is to a `state` trigger.
fn news_of(core: &Core, state: &StateTrigger, origin: Origin) -> News {
    match origin {
        Origin::Live | Origin::Own => News::Live,
        Origin::Restored => News::Filling,
        Origin::Retained => {
            let down = core.alive_at.map(|alive_at| elapsed(alive_at, core.now()));
            let is_caught = down.zip(state.catch_up).is_some_and(|(down, catch_up)| down <= catch_up);
            if is_caught { News::Missed } else { News::Filling }
        }
    }
}

/// A topic speaks: a `silent` trigger counts anew.
fn restart_silence(core: &mut Core, notice: &Notice<'_>, hold: Duration) {
    let due = later(core.now(), hold);
    core.edit_track(notice.id, notice.owner, notice.index, notice.topic(), |track| {
        let was_silent = track.silent_at.replace(due).is_none();
        (if was_silent { Soon::AtOnce } else { Soon::Late }, ())
    });
    core.deadlines.set(notice.id, notice.due(), Some(due));
}
