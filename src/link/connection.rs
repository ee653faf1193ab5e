//! A connection: how it begins, what is sent on it by time, and how it ends.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::codec::{Answer, ClientDecoder, Said, publish_length};
use crate::broker::packet::{Connect, Packet, PacketId, Properties, Publish, Version, Will};
use crate::broker::reason::Reason;
use crate::model::Qos;

use super::failure::Failure;
use super::happening::{Connected, Disconnected, Happening, Lack, Notice};
use super::outbox::{Out, Step};
use super::retry::STABLE;
use super::{INSTANCE_PROPERTY, KEPT_PREFIX, Link, PATIENCE, Stage};

/// How many messages with `QoS` 1 and 2 may be on their way to us.
const RECEIVE: NonZeroU16 = NonZeroU16::MIN.saturating_add(999);

/// How many of ours may be on their way, where the broker takes so many.
const SEND: u16 = 500;

/// Once nothing retained came for this long after the answers to our subscriptions, all of it is taken to have come.
const QUIET: Duration = Duration::from_millis(300);

/// And after this time in any case.
const LATEST: Duration = Duration::from_secs(10);

impl Link {
    /// Takes note that the shell has opened a connection.
    pub fn opened(&mut self, now: Timestamp) {
        self.tell_time(now);
        if self.stage != Stage::Opening {
            return;
        }
        self.connection += 1;
        self.decoder = ClientDecoder::new(self.version, self.settings.packet);
        self.output.clear();
        self.heard_at = self.now;
        self.stage = Stage::Greeting(self.after(PATIENCE));
        let connect = self.connect();
        self.send(&Packet::Connect(Box::new(connect)));
    }

    /// Takes note that the shell couldn't open a connection.
    pub fn failed(&mut self, now: Timestamp, why: Failure) {
        self.tell_time(now);
        if self.stage == Stage::Opening {
            self.end(why);
        }
    }

    /// Takes note that the connection ended.
    pub fn closed(&mut self, now: Timestamp) {
        self.tell_time(now);
        match self.stage {
            Stage::Greeting(_) if self.version == Version::V5 && !self.is_version_known => {
                // Brokers that don't know 5.0 say nothing, some of them.
                self.version = Version::V311;
                self.stage = Stage::Resting(self.now);
            }
            Stage::Greeting(_) => {
                if !self.is_version_known {
                    self.version = self.settings.version;
                }
                self.end(Failure::Dropped);
            }
            Stage::Up => self.end(Failure::Lost),
            Stage::Resting(_) | Stage::Opening | Stage::Stopped => {}
        }
    }

    /// Takes bytes that came.
    pub fn read(&mut self, now: Timestamp, bytes: &[u8]) {
        self.tell_time(now);
        if !matches!(self.stage, Stage::Greeting(_) | Stage::Up) {
            return;
        }
        self.heard_at = self.now;
        self.decoder.push(bytes);
        loop {
            match self.decoder.next_packet() {
                Ok(Some(Said::Answer(answer))) => self.take_answer(&answer),
                Ok(Some(Said::Packet(packet))) => self.take_packet(packet),
                Ok(None) => return,
                Err(error) => return self.break_off(Failure::Nonsense(error.message)),
            }
            if !matches!(self.stage, Stage::Greeting(_) | Stage::Up) {
                return;
            }
        }
    }

    /// Ends the connection from our side.
    pub(super) fn break_off(&mut self, why: Failure) {
        self.happenings.push_back(Happening::Close);
        self.end(why);
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.tell_time(now);
        match self.stage {
            Stage::Resting(due) if due <= self.now => {
                self.stage = Stage::Opening;
                self.happenings.push_back(Happening::Open);
            }
            Stage::Greeting(due) if due <= self.now => self.break_off(Failure::NoAnswer),
            Stage::Up => match self.pong_due {
                Some(due) if due <= self.now => self.break_off(Failure::Silent),
                None if self.ping_due() <= self.now => {
                    self.send(&Packet::PingReq);
                    self.pong_due = Some(self.after(PATIENCE.min(self.settings.keep_alive)));
                    self.echoes.clean(self.now);
                }
                _ => {}
            },
            Stage::Resting(_) | Stage::Opening | Stage::Greeting(_) | Stage::Stopped => {}
        }
        if self.settle.is_some_and(|(due, _)| due <= self.now) {
            self.settle = None;
            self.happenings.push_back(Happening::Settled);
        }
    }

    pub(super) fn ping_due(&self) -> Timestamp {
        let last = self.sent_at.min(self.heard_at);
        last.checked_add(self.settings.keep_alive / 2).unwrap_or(Timestamp::MAX)
    }

    fn connect(&self) -> Connect {
        let is_new = self.version == Version::V5;
        let will = self.settings.will.as_ref().map(|will| Will {
            topic: self.prefix.outward(&will.topic),
            payload: will.payload.clone(),
            qos: Qos::AtLeastOnce,
            retain: true,
            delay: 0,
            expiry: None,
            properties: None,
        });
        Connect {
            version: self.version,
            is_bridge: false,
            client_id: self.settings.client_id.clone(),
            // A session that isn't kept needs no beginning.
            clean_start: self.settings.session_expiry.is_zero(),
            keep_alive: u16::try_from(self.settings.keep_alive.as_secs().max(1)).unwrap_or(u16::MAX),
            will,
            user: self.settings.user.clone(),
            password: self.settings.password.clone(),
            session_expiry: is_new.then(|| u32::try_from(self.settings.session_expiry.as_secs()).unwrap_or(u32::MAX)),
            receive_maximum: is_new.then_some(RECEIVE),
            maximum_packet_size: u32::try_from(self.settings.packet).ok().and_then(NonZeroU32::new).filter(|_| is_new),
            topic_alias_maximum: 0,
            request_response_information: false,
            request_problem_information: true,
            authentication_method: None,
        }
    }

    fn take_answer(&mut self, answer: &Answer) {
        if !matches!(self.stage, Stage::Greeting(_)) {
            return self.break_off(Failure::Nonsense("a second CONNACK"));
        }
        let is_old = answer.is_old || answer.reason == Reason::UnsupportedProtocolVersion;
        if self.version == Version::V5 && is_old && answer.reason.is_error() {
            self.version = Version::V311;
            self.stage = Stage::Resting(self.now);
            self.happenings.push_back(Happening::Close);
            return;
        }
        if answer.reason.is_error() {
            return self.break_off(Failure::Refused(answer.reason, answer.reason_string.clone()));
        }
        if self.version != Version::V5 && !self.is_version_known {
            self.tell(Notice::OldVersion);
        }
        self.is_version_known = true;
        self.stage = Stage::Up;
        self.pong_due = None;
        self.note_lacks(answer);
        if let Some(seconds) = answer.server_keep_alive.filter(|seconds| *seconds > 0) {
            self.settings.keep_alive = self.settings.keep_alive.min(Duration::from_secs(seconds.into()));
        }
        let session_present = answer.session_present;
        if !session_present {
            for id in std::mem::take(&mut self.received) {
                self.keep(format!("{KEPT_PREFIX}in/{}", id.get()), None);
            }
        }
        self.view.connects += 1;
        self.view.since = Some(self.now);
        self.is_session_kept = session_present;
        self.echoes.reconnected(self.now, session_present);
        let window = answer.receive_maximum.map_or(SEND, |most| most.get().min(SEND));
        self.outbox.connected(window.into());
        self.happenings.push_back(Happening::Connected(Connected { version: self.version, session_present }));
        self.subscriptions.connected(session_present);
        // Before anything of ours can come back.
        self.subscribe(true);
        self.latest_settle = self.after(LATEST);
        self.look_whether_settled();
        self.pump();
    }

    fn note_lacks(&mut self, answer: &Answer) {
        self.lacks.clear();
        self.has_subscription_ids = answer.has_subscription_ids;
        self.largest =
            answer.maximum_packet_size.map_or(usize::MAX, |most| usize::try_from(most.get()).unwrap_or(usize::MAX));
        self.maximum_qos = answer.maximum_qos;
        self.has_retained = answer.has_retained;
        let expiry = u32::try_from(self.settings.session_expiry.as_secs()).unwrap_or(u32::MAX);
        for (lack, is_there) in [
            (Lack::Version5, self.version != Version::V5),
            (Lack::Retained, !answer.has_retained),
            (Lack::Wildcards, !answer.has_wildcards),
            (Lack::Qos(answer.maximum_qos.into()), answer.maximum_qos != Qos::ExactlyOnce),
            (Lack::Sessions, answer.session_expiry.is_some_and(|kept| kept < expiry.min(60))),
        ] {
            if is_there {
                self.lacks.insert(lack);
            }
        }
        if let Some(most) = answer.maximum_packet_size.filter(|most| most.get() < 1 << 20) {
            self.lacks.insert(Lack::Packets(most.get()));
        }
    }

    /// Asks for what is wanted: for all of it, or only for what the broker doesn't have.
    pub(super) fn subscribe(&mut self, all: bool) {
        let packets = self.subscriptions.ask(all, self.has_subscription_ids, self.version == Version::V5);
        let has_asked = !packets.is_empty();
        for packet in &packets {
            self.send(packet);
        }
        if has_asked {
            self.keep_subscriptions();
        } else {
            self.give_up_subscriptions();
        }
    }

    pub(super) fn keep_subscriptions(&mut self) {
        let row = self.subscriptions.row();
        self.keep(format!("{KEPT_PREFIX}subscriptions/held"), Some(row));
    }

    pub(super) fn give_up_subscriptions(&mut self) {
        if let Some(packet) = self.subscriptions.give_up() {
            self.send(&packet);
        }
    }

    /// Waits for what is retained, once all subscriptions are answered.
    pub(super) fn look_whether_settled(&mut self) {
        if self.subscriptions.is_answered() && self.settle.is_none() && self.latest_settle > self.now {
            self.settle = Some((self.after(QUIET).min(self.latest_settle), self.latest_settle));
            self.latest_settle = Timestamp::MIN;
        }
    }

    /// Takes note that something retained came.
    pub(super) fn put_off_settling(&mut self) {
        let quiet = self.after(QUIET);
        if let Some((due, latest)) = &mut self.settle {
            *due = quiet.min(*latest);
        }
    }

    /// Sends what waits, as far as it may.
    pub(super) fn pump(&mut self) {
        while self.may_publish() {
            let Some(step) = self.outbox.next_step(self.is_session_kept) else { return };
            match step {
                Step::Release(id) => {
                    self.send(&Packet::PubRel(crate::broker::packet::Ack::success(id)));
                }
                Step::Publish { number, id, out, dup } => {
                    let is_sent = self.send_out(id, &out, dup);
                    let is_over = id.is_none() || !is_sent || self.maximum_qos == Qos::AtMostOnce;
                    if is_over {
                        if let Some(id) = id {
                            self.outbox.done(id);
                        }
                        self.keep_out(number, None);
                    }
                }
            }
        }
    }

    /// Sends one message. Returns false for one that the broker doesn't take.
    pub(super) fn send_out(&mut self, id: Option<PacketId>, out: &Out, dup: bool) -> bool {
        let qos = out.qos.min(self.maximum_qos);
        let publish = Publish {
            dup: dup && qos != Qos::AtMostOnce,
            qos,
            retain: out.retain && self.has_retained,
            topic: Some(out.topic.clone()),
            id: id.filter(|_| qos != Qos::AtMostOnce),
            alias: None,
            expiry: None,
            subscription_ids: Vec::new(),
            properties: self.properties_of(out),
            payload: out.payload.clone(),
        };
        if publish_length(&publish, self.version) > self.largest {
            self.view.dropped += 1;
            self.tell(Notice::TooLarge(out.topic.clone()));
            return false;
        }
        self.send(&Packet::Publish(publish));
        self.view.sent += 1;
        if self.version != Version::V5 && self.subscriptions.hears(out.topic.as_str()) {
            self.echoes.await_back(self.now, &out.topic, &out.payload);
        }
        true
    }

    fn properties_of(&self, out: &Out) -> Option<Arc<Properties>> {
        if self.version != Version::V5 {
            return None;
        }
        let epoch = self.epoch.filter(|_| self.prefix.is_ours(&out.topic));
        let epoch = epoch.map(|epoch| ("homerule-epoch".into(), epoch.to_string().into()));
        let instance = self.instance.clone().filter(|_| out.is_of_rule);
        let instance = instance.map(|name| (INSTANCE_PROPERTY.into(), name));
        let user_properties: Vec<_> = epoch.into_iter().chain(instance).collect();
        (!user_properties.is_empty()).then(|| Arc::new(Properties { user_properties, ..Properties::default() }))
    }

    fn end(&mut self, why: Failure) {
        let was_up = self.stage == Stage::Up;
        let has_lasted = self.view.since.and_then(|since| since.checked_add(STABLE).ok());
        if was_up && has_lasted.is_some_and(|stable| stable <= self.now) {
            self.retry.reset();
        }
        let pause = self.retry.pause(why.needs_a_person());
        let words = why.words(&self.settings);
        let is_known = !was_up && self.view.last_error.as_ref() == Some(&words);
        self.stage = Stage::Resting(self.after(pause));
        self.pong_due = None;
        self.settle = None;
        self.output.clear();
        self.outbox.disconnected();
        if was_up || self.view.since.is_none() {
            self.view.since = Some(self.now);
        }
        self.view.last_error = Some(words.clone());
        let next_try = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.happenings.push_back(Happening::Disconnected(Disconnected { why, was_up, words, is_known, next_try }));
    }
}
