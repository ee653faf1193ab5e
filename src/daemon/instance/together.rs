//! What an instance does where all of them act: what it decides with the others, does for them and tells them.

use crate::daemon::mqtt::Moment;
use crate::engine::{Effect, Event, Snapshot};
use crate::instance::{Decision, Stream};
use crate::model::{Message, States};

use super::{Divided, Instance, ToDo, say};

impl Instance {
    /// Returns whether this instance decides what rules do: as the leader, or together with others.
    pub(in crate::daemon) fn decides(&self, now: Moment) -> bool {
        self.sharing.as_ref().map_or_else(|| self.acts(now), |sharing| sharing.is_active)
    }

    /// Decides who does what rules ask for.
    pub(in crate::daemon) fn divide(&mut self, now: Moment, effect: Effect) -> Divided {
        match &mut self.sharing {
            Some(sharing) => sharing.divide(now, effect),
            None => Divided::Ours(effect),
        }
    }

    /// Returns whether this instance tells how the rule with this id is.
    pub(in crate::daemon) fn tells_of(&self, rule: &str) -> bool {
        self.sharing.as_ref().is_none_or(|sharing| sharing.share.acts_for(rule))
    }

    /// Returns whether this is a message that another instance which shares the home has published.
    pub(in crate::daemon) fn is_of_sibling(&self, published_by: Option<&str>) -> bool {
        self.sharing.is_some() && published_by.is_some_and(|name| name != self.name)
    }

    /// Takes note of what a sibling published.
    pub(in crate::daemon) fn heard_of_sibling(&mut self, now: Moment, message: Message) {
        if let Some(sharing) = &mut self.sharing {
            sharing.heard_of_sibling(now, message);
        }
    }

    /// Takes note of something that happened here.
    pub(in crate::daemon) fn note_event(&mut self, event: &Event) {
        if let Some(sharing) = &mut self.sharing {
            sharing.note(event);
        }
    }

    /// Returns what was left to others and is ours to do now, and what siblings published that we never decided.
    pub(in crate::daemon) fn take_due(&mut self, now: Moment, states: &States) -> (Vec<Effect>, Vec<Message>) {
        let Some(sharing) = self.sharing.as_mut().filter(|sharing| sharing.is_active) else {
            return Default::default();
        };
        (sharing.take_due(now), sharing.undecided(now, states))
    }

    /// Returns what the others must be told, as a message; `None`: nothing.
    pub(in crate::daemon) fn words(&mut self) -> Option<Message> {
        let sharing = self.sharing.as_mut()?;
        let words = sharing.words();
        let packed = (!words.is_empty()).then(|| self.cipher.pack(&words))??;
        say(&sharing.topic, packed, false)
    }

    /// Begins to decide with the others: says so as soon as it can.
    pub(in crate::daemon) fn join(&mut self) -> (Snapshot, Vec<Message>) {
        if let Some(sharing) = &mut self.sharing {
            (sharing.is_active, sharing.was_cut_off) = (true, false);
            sharing.share.forget();
        }
        self.election.note_whole(true);
        self.what_is_known()
    }

    /// Rules have begun here: where instances share the home, the others learn that this one is there.
    pub(in crate::daemon) fn begun(&mut self) -> Vec<ToDo> {
        let shares = self.sharing.is_some();
        self.decided(Decision::SayAlive).filter(|_| shares).into_iter().collect()
    }

    /// Returns what a decision means where all instances act: whoever leads only tells those that join what is known, and says
    /// that the home is there.
    pub(super) fn decided_together(&mut self, decision: Decision, is_active: bool) -> Option<ToDo> {
        match decision {
            Decision::SayAlive if !is_active => None,
            Decision::Lead { epoch, .. } => {
                self.stream = Stream::new(epoch);
                Some(if is_active { ToDo::SayStatus(true) } else { ToDo::Join })
            }
            Decision::Resume | Decision::Pause => None,
            Decision::StepDown(_) => Some(ToDo::SayStatus(false)),
            Decision::SayAlive | Decision::Publish(_) | Decision::Tell(_) => self.decided_alone(decision),
        }
    }
}
