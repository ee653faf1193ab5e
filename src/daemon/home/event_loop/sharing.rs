//! What the loop does where several instances share the home: all decide, and each does its part.

use tracing::warn;

use crate::broker::packet::Properties;
use crate::daemon::instance::{Divided, Instance};
use crate::engine::{Effect, Event};
use crate::link::INSTANCE_PROPERTY;
use crate::model::{Message, Origin};

use super::{EventLoop, OWN_TOPICS};

impl EventLoop {
    /// Decides whether this instance does what rules ask for. Returns it if so.
    pub(super) fn divide(&mut self, effect: Effect) -> Option<Effect> {
        let Some(instance) = &mut self.parts.instance else { return Some(effect) };
        match instance.divide(self.now, effect) {
            Divided::Ours(effect) => Some(effect),
            Divided::Left => None,
            Divided::Answered(event) => {
                self.from_others.push(event);
                None
            }
        }
    }

    /// Does what was left to others and is ours now, and tells rules what came of what others did.
    pub(super) fn look_at_shares(&mut self) {
        for event in std::mem::take(&mut self.from_others) {
            self.decide(event);
        }
        let Some(instance) = self.parts.instance.as_mut().filter(|_| self.has_begun) else { return };
        let (due, undecided) = instance.take_due(self.now, self.engine.states());
        for effect in due {
            if let Effect::Publish(publication) = &effect {
                self.send_out_of(&publication.message, &publication.rule);
            }
            self.outgoing.push(effect);
        }
        for message in undecided {
            self.heed(message, None);
        }
    }

    /// Takes a message of another instance for what rules have decided here too. Returns it if it is none.
    pub(super) fn hear_unless_of_sibling(
        &mut self,
        message: Message,
        properties: Option<&Properties>,
    ) -> Option<Message> {
        let Some(instance) = &mut self.parts.instance else { return Some(message) };
        let named = properties.into_iter().flat_map(|properties| &properties.user_properties);
        let by = named.filter(|(name, _)| **name == *INSTANCE_PROPERTY).map(|(_, by)| &**by).next_back();
        // What the broker kept is what is known, whoever published it.
        if message.origin != Origin::Live || !instance.is_of_sibling(by) {
            return Some(message);
        }
        self.observers.message(self.now.wall, &message, None);
        instance.heard_of_sibling(self.now, message);
        None
    }

    /// Tells the other instances what only this one was told.
    pub(in crate::daemon) fn tell_others(&mut self, event: &Event) {
        if let Some(instance) = &mut self.parts.instance {
            instance.note_event(event);
        }
    }

    /// Sends the other instances what they must know: behind what was done.
    pub(super) fn send_words(&mut self) {
        if let Some(message) = self.parts.instance.as_mut().and_then(Instance::words) {
            self.send_out(&message);
        }
    }

    /// Returns whether this instance says how the rule or the input is that a message of our own is about.
    pub(super) fn tells_of(&self, message: &Message) -> bool {
        let about = message.topic.as_str().strip_prefix(OWN_TOPICS);
        let about = about.and_then(|rest| rest.strip_prefix("rule/").or_else(|| rest.strip_prefix("input/")));
        let instance = self.parts.instance.as_ref();
        about.zip(instance).is_none_or(|(rule, instance)| instance.tells_of(rule))
    }

    /// Begins to decide with the others, with what they know.
    pub(super) fn join(&mut self) {
        let Some(instance) = &mut self.parts.instance else { return };
        let (snapshot, unhandled) = instance.join();
        self.unhandled = unhandled;
        self.renew_engine(snapshot);
        self.must_begin = true;
        if let Some(link) = self.mqtt.link_mut() {
            let version = link.link().view().version;
            if version.is_some_and(|version| version != crate::broker::packet::Version::V5) {
                warn!(
                    "Instances that share a home need a broker with MQTT 5.0: with this one, what another instance publishes is taken for \
                     news, and rules that hear it act again."
                );
            }
        }
        self.hold(false);
    }

    /// Stops deciding until what the others know is known here too.
    pub(super) fn part(&mut self) {
        self.has_begun = false;
        self.must_begin = false;
    }

    /// Tells one that joins all that is known.
    pub(super) fn tell_all(&mut self) {
        self.keep_late();
        self.send_saved();
        let now = self.now;
        let to_do = self.parts.instance.as_mut().map(|instance| instance.snapshot(now)).unwrap_or_default();
        self.perform(to_do);
    }

    /// Says that the home is there, or leaves that to another.
    pub(super) fn say_status(&mut self, says: bool) {
        if let Some(link) = self.mqtt.link_mut() {
            link.set_says_status(says);
        }
        if says && self.has_begun {
            self.announce("online");
        }
    }

    /// Says, once this instance decides with the others, that it does its part.
    pub(super) fn say_that_it_shares(&mut self) {
        let to_do = self.parts.instance.as_mut().map(Instance::begun).unwrap_or_default();
        self.perform(to_do);
    }
}
