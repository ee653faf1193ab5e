//! Events without a topic: clients that come and go, webhooks, and the daemon's own.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::engine::inbox::About;
use crate::engine::live::subscriptions::{Part, Subscriber};
use crate::engine::trace::{Cause, CauseKind};
use crate::engine::trigger::firing::Firing;
use crate::model::{Payload, RuleId, matches_star};
use crate::rules::{ClientChange, HomeEvent, Trigger, TriggerKind};

/// An event without a topic.
pub(crate) enum Happening<'a> {
    /// A client came or went.
    Client(&'a Arc<str>, ClientChange),
    /// A webhook was called.
    Webhook(&'a Arc<str>, &'a Payload),
    /// One of the daemon's own, about a rule.
    Home(HomeEvent, Option<&'a RuleId>),
    /// One of the daemon's own, with all that it is about.
    Told(HomeEvent, &'a About),
}

impl Happening<'_> {
    /// Returns it as a cause.
    pub(crate) fn cause(&self, depth: u32) -> Cause {
        let kind = match self {
            Happening::Client(client, _) => CauseKind::Client(Arc::clone(client)),
            Happening::Webhook(name, _) => CauseKind::Webhook(Arc::clone(name)),
            Happening::Home(event, _) | Happening::Told(event, _) => CauseKind::Event(event.word().into()),
        };
        Cause { depth, ..Cause::outside(kind) }
    }

    /// Returns whether a trigger waits for it.
    pub(crate) fn fires(&self, trigger: &Trigger) -> bool {
        match (self, &trigger.kind) {
            (Happening::Client(client, change), TriggerKind::Client { pattern, is }) => {
                is == change && matches_star(pattern, client)
            }
            (Happening::Webhook(name, _), TriggerKind::Webhook(known)) => known == *name,
            (Happening::Home(event, _) | Happening::Told(event, _), TriggerKind::Event(known)) => known == event,
            _ => false,
        }
    }

    /// Returns what a trigger that it fires sets.
    pub(crate) fn firing(&self, trigger: &Trigger, cause: Cause) -> Firing {
        let mut firing = Firing::of_trigger(trigger, cause);
        match self {
            Happening::Client(client, _) => firing.client = Some(Arc::clone(client)),
            Happening::Webhook(_, body) => firing.payload = Some((*body).clone()),
            Happening::Home(_, rule) => firing.rule = rule.cloned(),
            Happening::Told(_, about) => {
                let About { rule, invariant, captures, named } = (*about).clone();
                (firing.rule, firing.invariant, firing.captures, firing.named) = (rule, invariant, captures, named);
                // Runs for different rules or rooms are different runs.
                let about = firing.rule.iter().chain(&firing.invariant).map(|id| id.as_str().into());
                firing.per = Some(about.chain(firing.captures.iter().cloned()).collect());
            }
        }
        firing
    }
}

/// Returns the name of each webhook that a rule in force, or a wait of its runs, waits for.
pub(crate) fn webhooks(core: &Core) -> impl Iterator<Item = Arc<str>> {
    core.subscriptions.of_events().filter_map(|Subscriber { rule, part }| {
        let Part::Trigger(owner, index) = part else { return None };
        core.trigger_of(&core.live.get(rule).rule, owner, index)?.webhook().cloned()
    })
}
