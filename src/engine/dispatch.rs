//! Dispatch: messages and events go to their subscribers, in the rules' order (docs/language/README.md).

use std::cmp::Ordering;
use std::sync::Arc;

use super::action::request;
use super::activation::activate;
use super::condition::tracker::tracked_conditions;
use super::core::Core;
use super::device::confirm;
use super::device::follow::follow_changes;
use super::device::hear::{Said, hear};
use super::event::Event;
use super::history;
use super::inbox::Incoming;
use super::invariant;
use super::live::deadlines::{Deadline, Due};
use super::live::id::LiveId;
use super::live::owner::Owner;
use super::live::subscriptions::{Fact, Part, Subscriber};
use super::often::loop_guard;
use super::people::input;
use super::people::notify::{deliver as delivery, press};
use super::run::stepper::step_ready;
use super::run::{admission, lifecycle, timer, unwind, wait};
use super::trace::{Cause, CauseKind, RunId, StepKind};
use super::trigger::at_expression::recheck_rule;
use super::trigger::events::Happening;
use super::trigger::firing::Firing;
use super::trigger::message::{Arrival, Notice, notify};
use super::trigger::{schedule, sequence, timed};
use super::while_rule::perform;
use super::while_rule::reconsider::{While, recheck_cause, reconsider};
use super::while_rule::switch::switch;
use super::yielding;
use crate::model::{Message, Origin, Payload, Qos, RuleId, Size, Topic, Value};
use crate::rules::{ClientChange, HomeEvent, LogLevel, TriggerKind};

/// Handles one thing from the inbox.
pub(crate) fn handle(core: &mut Core, incoming: Incoming) {
    match incoming {
        Incoming::Message { message, depth, run, client } => {
            let cause = message_cause(core, &message, depth, run);
            if message.origin != Origin::Own {
                invariant::hear::on_publication(core, &message, &cause);
            }
            let is_watched = yielding::report::is_watched(core, &message.topic);
            let before = if is_watched { core.value_of(&message.topic).cloned() } else { None };
            let arrival = note_message(core, message);
            yielding::report::note_others(core, &arrival.message, client.as_ref());
            if is_watched {
                yielding::report::hear(core, &arrival.message, before.as_ref(), client.as_ref());
            }
            yielding::device::hear(core, &arrival.message, &arrival.said, client.as_ref());
            dispatch(core, &arrival, &cause);
            input::heard(core, &arrival.message);
        }
        Incoming::FactChanged { fact, cause } => dispatch_fact(core, &fact, &cause),
        Incoming::HomeEvent { event, rule, depth } => dispatch_home_event(core, event, rule.as_ref(), depth),
        Incoming::Told { event, about, depth } => dispatch_event(core, &Happening::Told(event, &about), depth),
        Incoming::WaitFailed { run, thread, why } => unwind::fail_waiting(core, run, thread, StepKind::Answer, &why),
        Incoming::RecheckWait { run, wait } => wait::recheck(core, run, wait),
        Incoming::Event(event) => handle_event(core, event),
    }
}

/// Fires a deadline that was due at `due`.
pub(crate) fn fire(core: &mut Core, due: jiff::Timestamp, Deadline { rule: id, what }: Deadline) {
    match what {
        Due::Trigger(owner, index, topic) => {
            let firings = fire_timed(core, (id, owner, index), due, topic.as_ref());
            deliver_all(core, id, owner, firings);
        }
        Due::AtRecheck(owner, index) => recheck_at(core, id, owner, index),
        Due::WhilePending => with_while(core, id, |core, it| perform::fire_pending(core, it, due)),
        Due::WhileEvery => with_while(core, id, |core, it| perform::fire_every(core, it, due)),
        Due::WhileRecheck => {
            let cause = recheck_cause(core, id, due);
            reconsider(core, id, &cause);
        }
        Due::Wake(run, thread) => core.runs.wake(run, thread, due),
        Due::Timeout(run, wait) => wait::times_out(core, run, wait),
        Due::UntilRecheck(run, wait) => {
            let cause = Cause::time(due, core.now());
            wait::recheck_until(core, run, wait, &cause);
        }
        Due::Rested => {
            if loop_guard::end_rest(core, id) {
                reconsider(core, id, &Cause::outside(CauseKind::Condition));
            }
        }
        Due::Timer(timer) => timer::fire(core, id, timer, due),
        Due::Confirm(run, thread) => confirm::times_out(core, run, thread),
        Due::Override => yielding::end::fire(core, id, due),
        Due::OverrideRecheck => yielding::end::ask(core, id, &Cause::time(due, core.now())),
        Due::Invariant => {
            core.live.edit(id).invariant.due = None;
            invariant::judge::touch(core, id, &Cause::time(due, core.now()));
        }
    }
}

/// Fires a rule's schedule late: it was due at that time, and nobody fired it.
pub(crate) fn fire_late(core: &mut Core, missed: &schedule::Missed) {
    let Some(trigger) = missed.trigger() else { return };
    core.edit_trigger(missed.id, Owner::Rule, missed.index, |state| state.fired_at = Some(missed.due));
    let firings = match &trigger.kind {
        TriggerKind::Schedule { schedule, .. } => {
            Firing::of_schedule(trigger, schedule, missed.due, (core.now(), &core.evaluator.world.calendar))
        }
        _ => vec![Firing::of_time(trigger, missed.due, core.now())],
    };
    for firing in firings {
        for firing in sequence::take(core, (missed.id, Owner::Rule, missed.index), firing) {
            deliver(core, missed.id, Owner::Rule, firing);
        }
        step_ready(core);
    }
}

/// Notes a message in the state, and makes the rules that wait for its topic.
pub(crate) fn note_message(core: &mut Core, message: Message) -> Arrival {
    let now = core.now();
    let made = if core.live.makes_for_topics() { make_for_topic(core, &message.topic) } else { Vec::new() };
    let size = core.options.payload.size(&message);
    if size == Size::TooLarge && core.told_too_large.insert(message.topic.clone()) {
        let (bytes, most) = (message.payload.bytes().len(), core.options.payload.largest());
        let text = format!(
            "`{}` is {bytes} bytes long: payloads of more than {most} bytes are neither kept as state nor recorded \
             (`limits: payload` of homerule.yaml)",
            message.topic
        );
        core.log(None, LogLevel::Warn, text);
    }
    let world = &mut core.evaluator.world;
    // A payload that nobody looks at isn't read.
    if size == Size::Fits && world.history.hears(message.topic.as_str()) {
        let is_said = matches!(message.origin, Origin::Live | Origin::Own);
        world.history.note(now, message.topic.as_str(), message.payload.value(), is_said);
    }
    let before = world.states.note(now, &message, size);
    let is_known = size == Size::Fits && before.is_some_and(|before| before.payload == message.payload);
    let is_news = message.origin != Origin::Retained || !is_known;
    let said = if size == Size::Fits { hear(core, &message) } else { Vec::new() };
    if core.has_started {
        follow_changes(core);
    }
    Arrival { message, made, said, is_news, size }
}

/// Makes the rules that `each: {topic: …}` asks for now that `topic` is there.
fn make_for_topic(core: &mut Core, topic: &Topic) -> Vec<LiveId> {
    let (made, errors) = core.live.make_for_topic(topic);
    if !made.is_empty() {
        core.evaluator.world.rule_names = core.live.names();
    }
    for id in &made {
        activate(core, *id);
    }
    for (rule, error) in errors {
        core.log(Some(&rule), LogLevel::Error, error);
    }
    made
}

/// The retained message of `topic` expired at `due`: whatever reads its state is asked again, and no trigger fires, since
/// nobody spoke.
pub(crate) fn expire(core: &mut Core, due: jiff::Timestamp, topic: Topic) {
    if !core.evaluator.world.states.expire(due, &topic) {
        return;
    }
    let cause = Cause::outside(CauseKind::Expired(topic.clone()));
    let (payload, qos, origin) = (Payload::default(), Qos::AtMostOnce, Origin::Restored);
    let message = Message { topic, payload, qos, retain: false, origin, expires_at: None };
    dispatch(core, &Arrival { message, made: Vec::new(), said: Vec::new(), is_news: false, size: Size::Fits }, &cause);
}

/// Returns a message as a cause.
pub(crate) fn message_cause(core: &Core, message: &Message, depth: u32, run: Option<RunId>) -> Cause {
    let (topic, origin) = (message.topic.clone(), message.origin);
    let kind = CauseKind::Message { sequence: core.evaluator.sequence, topic, origin };
    Cause { kind, depth, run, armed: None }
}

/// Gives a message to its subscribers, in the rules' order: those of its topic, and those of what it says of devices.
pub(crate) fn dispatch(core: &mut Core, arrival: &Arrival, cause: &Cause) {
    confirm::heard(core, arrival, cause);
    step_ready(core);
    let mut subscribers = std::mem::take(&mut core.subscribers);
    core.subscriptions.find(&arrival.message.topic, &mut subscribers);
    subscribers.extend(arrival.made.iter().map(|rule| Subscriber { rule: *rule, part: Part::While }));
    let mut fired: Option<LiveId> = None;
    if arrival.said.iter().any(|said| said.is_news) {
        let mut told: Vec<(Subscriber, Option<usize>)> = subscribers.drain(..).map(|one| (one, None)).collect();
        for (index, said) in arrival.said.iter().enumerate().filter(|(_, said)| said.is_news) {
            core.subscriptions.find(&said.topic, &mut subscribers);
            told.extend(subscribers.drain(..).map(|one| (one, Some(index))));
        }
        told.sort_unstable_by(|(left, of_left), (right, of_right)| {
            order(core, left, right).then_with(|| of_left.cmp(of_right))
        });
        // What read several of them is asked once.
        told.dedup_by(|(left, of_left), (right, of_right)| {
            left == right && (of_left == of_right || left.part.is_asked())
        });
        for (subscriber, said) in told {
            tell(core, subscriber, (arrival, said.and_then(|said| arrival.said.get(said))), cause, &mut fired);
        }
    } else {
        sort(core, &mut subscribers);
        subscribers.dedup();
        for subscriber in subscribers.drain(..) {
            tell(core, subscriber, (arrival, None), cause, &mut fired);
        }
    }
    // The room is used again.
    core.subscribers = subscribers;
}

/// Asks again, in the rules' order, whatever read `topic`, of which nothing was said.
pub(crate) fn ask_readers(core: &mut Core, topic: &Topic) {
    let mut readers = Vec::new();
    core.subscriptions.find(topic, &mut readers);
    sort(core, &mut readers);
    readers.dedup();
    let cause = Cause::outside(CauseKind::Condition);
    for Subscriber { rule: id, part } in readers {
        match part {
            Part::While => reconsider(core, id, &cause),
            Part::Until(run, wait) => wait::recheck_until(core, run, wait, &cause),
            Part::Override => yielding::end::ask(core, id, &cause),
            Part::At(owner, index) => recheck_at(core, id, owner, index),
            Part::Tracker(_) | Part::Trigger(..) => {}
        }
        step_ready(core);
    }
}

/// Tells one subscriber of a message, or of what it says of a device. `fired` is the rule that it made run last.
fn tell(
    core: &mut Core,
    Subscriber { rule: id, part }: Subscriber,
    (arrival, said): (&Arrival, Option<&Said>),
    cause: &Cause,
    fired: &mut Option<LiveId>,
) {
    match part {
        Part::Tracker(index) => match said {
            Some(said) => track(core, id, index, &said.topic, &said.value),
            None => track(core, id, index, &arrival.message.topic, arrival.state_value()),
        },
        // One message makes one run, of the first trigger that fires.
        Part::Trigger(owner, index) => {
            // One that doesn't fire leaves it to the next.
            let Some((firing, is_part)) = notify_trigger(core, (id, owner, index), (arrival, said), cause) else {
                return step_ready(core);
            };
            if is_part {
                let firings = sequence::take(core, (id, owner, index), firing);
                if !firings.is_empty() && is_more(core, id, owner, fired) {
                    deliver_all(core, id, owner, firings);
                }
            } else if is_more(core, id, owner, fired) {
                deliver(core, id, owner, firing);
            }
        }
        Part::At(owner, index) => recheck_at(core, id, owner, index),
        Part::While => reconsider(core, id, cause),
        Part::Until(run, wait) => wait::recheck_until(core, run, wait, cause),
        Part::Override => yielding::end::ask(core, id, cause),
    }
    step_ready(core);
}

/// Returns whether a firing is given to the rule, beside what was before: `fired` is the rule that the event made run last.
fn is_more(core: &Core, id: LiveId, owner: Owner, fired: &mut Option<LiveId>) -> bool {
    owner != Owner::Rule || is_invariant(core, id) || fired.replace(id) != Some(id)
}

/// Dispatches one of the daemon's own events, which is about `rule`.
pub(crate) fn dispatch_home_event(core: &mut Core, event: HomeEvent, rule: Option<&RuleId>, depth: u32) {
    dispatch_event(core, &Happening::Home(event, rule), depth);
}

/// Asks again, in the rules' order, whatever read `fact`. Too many changes in a row are a loop.
fn dispatch_fact(core: &mut Core, fact: &Fact, cause: &Cause) {
    let mut readers = core.subscriptions.readers(fact);
    sort(core, &mut readers);
    for Subscriber { rule: id, part } in readers {
        if cause.depth > core.options.chain {
            loop_guard::stop_circle(core, id);
            continue;
        }
        match part {
            Part::While => reconsider(core, id, cause),
            Part::Until(run, wait) => wait::recheck_until(core, run, wait, cause),
            Part::Override => yielding::end::ask(core, id, cause),
            Part::At(owner, index) => recheck_at(core, id, owner, index),
            Part::Tracker(_) | Part::Trigger(..) => {}
        }
        step_ready(core);
    }
}

/// Fires the triggers that wait for an event without a topic, in the rules' order.
fn dispatch_event(core: &mut Core, happening: &Happening<'_>, depth: u32) {
    let cause = happening.cause(depth);
    let mut subscribers: Vec<Subscriber> = core.subscriptions.of_events().collect();
    sort(core, &mut subscribers);
    let mut fired: Option<LiveId> = None;
    for Subscriber { rule: id, part } in subscribers {
        let Part::Trigger(owner, index) = part else { continue };
        let rule = Arc::clone(&core.live.get(id).rule);
        let trigger = core.trigger_of(&rule, owner, index);
        let Some(trigger) = trigger.filter(|trigger| happening.fires(trigger)) else { continue };
        let firing = happening.firing(&trigger, cause.clone());
        let firings = sequence::take(core, (id, owner, index), firing);
        if !firings.is_empty() && is_more(core, id, owner, &mut fired) {
            deliver_all(core, id, owner, firings);
        }
        step_ready(core);
    }
}

/// Handles an event of the shell that isn't a message.
fn handle_event(core: &mut Core, event: Event) {
    match event {
        Event::ClientConnected(client) => {
            dispatch_event(core, &Happening::Client(&client, ClientChange::Connected), 0);
        }
        Event::ClientDisconnected(client) => {
            dispatch_event(core, &Happening::Client(&client, ClientChange::Disconnected), 0);
        }
        Event::Webhook { name, body } => dispatch_event(core, &Happening::Webhook(&name, &body), 0),
        Event::Pressed { key, body, by } => {
            if let Some(pressed) = press::press(core, &key, body, by.as_ref()) {
                dispatch_event(core, &Happening::Webhook(&pressed.webhook, &pressed.body), 0);
            }
        }
        Event::Answered { request, answer } => {
            if !delivery::answered(core, request, &answer) {
                request::answer(core, request, answer);
            }
        }
        Event::Switch { rule, is_enabled } => {
            if let Some(id) = core.live.find(&rule) {
                switch(core, id, is_enabled);
            }
        }
        Event::RunRule { rule, with } => admission::fire_by_person(core, &rule, with),
        Event::Interrupted { rule, by } => {
            if let Some(id) = core.live.find(&rule) {
                lifecycle::cancel_runs(core, id, by);
            }
        }
        Event::Alert(alert) => loop_guard::raise_alert(core, alert),
        Event::Recalled { topic, samples } => history::take_recalled(core, &topic, &samples),
        Event::Stopping => dispatch_home_event(core, HomeEvent::Stopping, None, 0),
        Event::Resume(rule) => {
            if let Some(id) = core.live.find(&rule) {
                yielding::end::resume(core, id, &Cause::outside(CauseKind::Person));
            }
        }
        Event::Message(_) | Event::MessageFrom { .. } => core.inbox.push_event(event),
        Event::Tick | Event::Started | Event::ClockChanged { .. } => {}
    }
}

/// Gives a message to one trigger. Returns what it sets where it fires, and whether it's a part of a sequence.
fn notify_trigger(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    (arrival, said): (&Arrival, Option<&Said>),
    cause: &Cause,
) -> Option<(Firing, bool)> {
    let rule = Arc::clone(&core.live.get(id).rule);
    let trigger = core.trigger_of(&rule, owner, index)?;
    let firing = notify(core, &Notice { id, rule: &rule, owner, index, trigger: &trigger, arrival, said, cause })?;
    Some((firing, trigger.part_of.is_some()))
}

/// Gives what a trigger sets to the rule, or the first of it to the run that waits for it.
fn deliver_all(core: &mut Core, id: LiveId, owner: Owner, firings: Vec<Firing>) {
    let most = if owner == Owner::Rule { firings.len() } else { 1 };
    for firing in firings.into_iter().take(most) {
        deliver(core, id, owner, firing);
        step_ready(core);
    }
}

/// Returns what a trigger sets that was due, or the sequence that it is a part of.
fn fire_timed(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    due: jiff::Timestamp,
    topic: Option<&Topic>,
) -> Vec<Firing> {
    let rule = Arc::clone(&core.live.get(id).rule);
    let trigger = core.trigger_of(&rule, owner, index).map(std::borrow::Cow::into_owned);
    if let Some(trigger) = trigger.filter(|trigger| matches!(trigger.kind, TriggerKind::Sequence(_))) {
        return sequence::fire_due(core, (id, owner, index), &trigger, due);
    }
    let firings = timed::fire(core, (id, owner, index), due, topic);
    firings.into_iter().flat_map(|firing| sequence::take(core, (id, owner, index), firing)).collect()
}

/// Gives a firing to the rule or the run that waits for it.
fn deliver(core: &mut Core, id: LiveId, owner: Owner, firing: Firing) {
    match owner {
        Owner::Rule if core.live.get(id).rule.invariant.is_some() => invariant::hear::fire(core, id, firing),
        Owner::Rule => admission::fire(core, id, firing),
        Owner::Wait(run, wait) => wait::fires(core, run, wait, Some(firing)),
    }
}

/// Notes since when a `state` condition holds.
fn track(core: &mut Core, id: LiveId, index: u16, topic: &Topic, value: &Value) {
    let now = core.now();
    let rule = Arc::clone(&core.live.get(id).rule);
    if let Some((_, condition)) = tracked_conditions(&rule).get(usize::from(index)) {
        core.live.edit_tracker(id, index, topic, |tracker| tracker.note(condition, topic, value, now));
    }
}

fn recheck_at(core: &mut Core, id: LiveId, owner: Owner, index: u16) {
    match owner {
        Owner::Rule => recheck_rule(core, id, index),
        Owner::Wait(run, wait) => wait::recheck_at(core, run, wait, index),
    }
}

fn with_while(core: &mut Core, id: LiveId, act: impl FnOnce(&mut Core, While<'_>)) {
    let rule = Arc::clone(&core.live.get(id).rule);
    if let Some(it) = While::of(id, &rule) {
        act(core, it);
    }
}

/// An invariant counts each of its triggers; a rule runs once for a message.
fn is_invariant(core: &Core, id: LiveId) -> bool {
    core.live.get(id).rule.invariant.is_some()
}

fn sort(core: &Core, subscribers: &mut [Subscriber]) {
    subscribers.sort_unstable_by(|left, right| order(core, left, right));
}

fn order(core: &Core, left: &Subscriber, right: &Subscriber) -> Ordering {
    core.live.order(left.rule, right.rule).then_with(|| left.part.cmp(&right.part))
}
