//! What the loop does for a link and for an instance: when rules begin, what is subscribed, who acts.

use tracing::{info, warn};

use crate::daemon::home::view::fingerprint;
use crate::daemon::instance::{Instance, ToDo};
use crate::daemon::shadow::Shadow;
use crate::daemon::system::watchdog::Watchdog;
use crate::engine::{Engine, SaveKey, Snapshot};
use crate::model::Message;

use super::EventLoop;

impl EventLoop {
    /// Lets rules begin, if what they need to know is there.
    pub(super) async fn begin_if_it_may(&mut self) {
        if self.has_begun {
            return;
        }
        let may = if self.parts.instance.is_some() { self.must_begin } else { self.mqtt.may_begin(self.now) };
        if !may {
            return;
        }
        self.must_begin = false;
        if let Some(link) = self.mqtt.link_mut() {
            link.begun();
            self.engine.note_reads();
        }
        self.begin().await;
        let mut unhandled = std::mem::take(&mut self.unhandled);
        if let Some(instance) = &mut self.parts.instance {
            // And what came since this instance leads.
            unhandled.extend(instance.take_unhandled());
        }
        for message in unhandled {
            self.heed(message, None);
        }
        self.say_that_it_shares();
    }

    /// Tells a link what the files in force need to hear.
    pub(super) fn look_at_needs(&mut self) {
        let Some(link) = self.mqtt.link_mut() else { return };
        let in_shadow = self.shadow.as_ref().map(Shadow::ruleset);
        link.change(self.now, &self.settings, &self.ruleset, in_shadow);
        if let Some(instance) = &mut self.parts.instance {
            link.read_back(self.now, instance.filters());
            instance.note_rules(self.now, &fingerprint(&self.ruleset.entries));
        }
    }

    /// Subscribes to what expressions read for the first time.
    pub(super) fn subscribe_to_what_was_read(&mut self) {
        if let Some(link) = self.mqtt.link_mut() {
            link.ask(self.now, self.engine.take_asked());
        }
    }

    pub(super) fn next_steady_deadline(&self) -> Option<jiff::Timestamp> {
        let lease = self.parts.instance.as_ref().and_then(Instance::next_deadline);
        self.mqtt.next_deadline().into_iter().chain(lease).min()
    }

    /// Asks the clock whether this instance still leads, before anything else is done.
    pub(super) fn look_at_lease(&mut self) {
        let Some(instance) = &mut self.parts.instance else { return };
        if instance.next_deadline().is_some_and(|due| due <= self.now.steady) {
            instance.note_rules(self.now, &fingerprint(&self.ruleset.entries));
        }
        let to_do = instance.tick(self.now);
        self.perform(to_do);
        self.look_at_shares();
    }

    pub(super) fn note_jump(&mut self, forward: i64) {
        let to_do = self.parts.instance.as_mut().map(|instance| instance.jumped(self.now, forward)).unwrap_or_default();
        self.perform(to_do);
    }

    pub(super) fn broker_settled(&mut self) {
        let is_kept = self.mqtt.link_mut().is_some_and(|link| link.link().is_session_kept());
        let to_do = self.parts.instance.as_mut().map(|one| one.settled(self.now, is_kept)).unwrap_or_default();
        self.perform(to_do);
    }

    pub(super) fn broker_away(&mut self) {
        let to_do = self.parts.instance.as_mut().map(|instance| instance.disconnected(self.now)).unwrap_or_default();
        self.perform(to_do);
    }

    /// Takes a message as an instance does. Returns it if rules are to hear it.
    pub(super) fn hear_as_instance(&mut self, message: Message) -> Option<Message> {
        let Some(instance) = &mut self.parts.instance else { return Some(message) };
        if let Some(to_do) = instance.hear(self.now, &message) {
            self.perform(to_do);
            return None;
        }
        if instance.decides(self.now) && self.has_begun {
            instance.note_handled(&message);
            return Some(message);
        }
        self.observers.message(self.now.wall, &message, None);
        instance.note_unhandled(message);
        None
    }

    /// Notes what standbys must know.
    pub(super) fn note_saved(&mut self, key: &SaveKey, value: Option<&String>) {
        let now = self.now;
        if let Some(instance) = self.parts.instance.as_mut().filter(|instance| instance.decides(now)) {
            instance.note_saved(key, value);
        }
    }

    /// Sends what was saved to the standbys: behind what was done, so that a takeover does once more what it finds undone.
    pub(super) fn send_saved(&mut self) {
        let now = self.now;
        let Some(instance) = self.parts.instance.as_mut().filter(|instance| instance.decides(now)) else { return };
        if let Some(message) = instance.saved(now) {
            self.send_out(&message);
        }
    }

    /// Says that this instance goes.
    pub(super) fn say_farewell(&mut self) {
        let farewell = self.parts.instance.as_ref().and_then(Instance::farewell);
        if let (Some(link), Some(farewell)) = (self.mqtt.link_mut(), farewell) {
            link.say(self.now, &farewell);
        }
    }

    pub(super) fn perform(&mut self, to_do: Vec<ToDo>) {
        for one in to_do {
            match one {
                ToDo::Say(message) => {
                    if let Some(link) = self.mqtt.link_mut() {
                        link.say(self.now, &message);
                    }
                }
                ToDo::Publish(message) => self.send_out(&message),
                ToDo::Lead { epoch, continues } => self.lead(epoch, continues),
                ToDo::Resume => self.hold(false),
                ToDo::Pause => self.hold(true),
                ToDo::StepDown { is_replaced } => self.step_down(is_replaced),
                ToDo::Join => self.join(),
                ToDo::Part => self.part(),
                ToDo::TellAll => self.tell_all(),
                ToDo::SayStatus(says) => self.say_status(says),
                ToDo::Decide(event) => self.from_others.push(event),
                ToDo::Keep(changes) => {
                    for (key, value) in changes {
                        self.parts.store.save(SaveKey(key.into()), value);
                    }
                }
            }
        }
    }

    /// Holds back what is to be published, or lets it go.
    pub(super) fn hold(&mut self, is_held: bool) {
        if let Some(link) = self.mqtt.link_mut() {
            link.link().hold(self.now.steady, is_held);
        }
    }

    fn drop_outbox(&mut self) {
        let Some(link) = self.mqtt.link_mut() else { return };
        let count = link.link().drop_outbox(self.now.steady);
        if count > 0 {
            warn!(
                messages = count,
                "What this instance hadn't published when it lost its lease is dropped: the new leader does it."
            );
        }
    }

    /// Begins to act, with what the last leader saved.
    fn lead(&mut self, epoch: u64, continues: bool) {
        if !continues {
            self.drop_outbox();
        }
        let Some(instance) = &mut self.parts.instance else { return };
        let (snapshot, unhandled) = instance.take_over(epoch);
        info!(rows = snapshot.values.len(), unhandled = unhandled.len(), "Rules go on from what was saved.");
        self.unhandled = unhandled;
        self.renew_engine(snapshot);
        if let Some(link) = self.mqtt.link_mut() {
            link.set_says_status(true);
            link.link().set_epoch(epoch);
        }
        self.hold(false);
        // Before anything else that is saved.
        let to_do = self.parts.instance.as_mut().map(|instance| instance.snapshot(self.now)).unwrap_or_default();
        self.perform(to_do);
        self.must_begin = true;
    }

    /// Stops acting: from now on rules are somebody else's business.
    fn step_down(&mut self, is_replaced: bool) {
        self.hold(true);
        if is_replaced {
            self.drop_outbox();
        }
        if let Some(link) = self.mqtt.link_mut() {
            link.set_says_status(false);
        }
        self.has_begun = false;
        self.must_begin = false;
        self.renew_engine(Snapshot::default());
    }

    /// Begins anew with an engine that knows what `snapshot` says.
    pub(super) fn renew_engine(&mut self, snapshot: Snapshot) {
        let is_empty = snapshot.values.is_empty();
        let options = self.parts.options.clone();
        if let Some(shadow) = &self.shadow {
            shadow.renew(self.now.wall, snapshot.clone());
        }
        let (engine, effects) = Engine::restore(self.now.wall, self.ruleset.clone(), snapshot, options);
        self.watchdog = Watchdog::start(engine.interrupter(), self.settings.limits.evaluation);
        self.engine = engine;
        if !is_empty {
            self.take_effects(effects);
        }
    }

    /// Returns who leads, where this instance doesn't act, so that whoever asks it for something may ask there.
    pub(in crate::daemon) fn leads_elsewhere(&self) -> Option<String> {
        let instance = self.parts.instance.as_ref()?;
        let is_ours = self.has_begun && instance.decides(self.now);
        (!is_ours).then(|| instance.leader().unwrap_or("nobody").to_owned())
    }
}
