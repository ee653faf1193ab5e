//! What the broker says once it has let us in.

use crate::broker::packet::{Ack, Packet, PacketId, Publish};
use crate::broker::reason::Reason;
use crate::model::{Message, Origin, Payload, Qos};

use super::failure::Failure;
use super::happening::{Happening, Heard, Notice};
use super::{KEPT_PREFIX, Link, Stage};

impl Link {
    pub(super) fn take_packet(&mut self, packet: Packet) {
        if self.stage != Stage::Up {
            return self.break_off(Failure::Nonsense("something before CONNACK"));
        }
        match packet {
            Packet::Publish(publish) => self.take_publish(publish),
            Packet::PubRec(ack) if !ack.reason.is_error() => {
                if let Some((number, row)) = self.outbox.received(ack.id) {
                    self.keep_out(number, Some(row));
                }
                // Only once that is on the disk: after a restart it must not be published again.
                self.answer(Packet::PubRel(Ack::success(ack.id)));
            }
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubComp(ack) => self.take_ack(&ack),
            Packet::PubRel(ack) => {
                if self.received.remove(&ack.id) {
                    self.keep_received(ack.id, None);
                }
                // Only once that is on the disk: the next message with this number is another one.
                self.answer(Packet::PubComp(Ack::success(ack.id)));
            }
            Packet::SubAck(answer) => {
                for (filter, reason) in self.subscriptions.answered(answer.id, &answer.reasons) {
                    self.tell(Notice::SubscriptionRefused(filter, reason));
                }
                if self.subscriptions.is_answered() {
                    self.give_up_subscriptions();
                }
                self.look_whether_settled();
            }
            Packet::UnsubAck(_) => {
                self.subscriptions.given_up();
                self.keep_subscriptions();
            }
            Packet::PingResp => self.pong_due = None,
            Packet::Disconnect(word) => {
                let why = Failure::Ended(word.reason, word.reason_string);
                self.break_off(why);
            }
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::Auth(_) => self.break_off(Failure::Nonsense("a packet that only a client sends")),
        }
    }

    /// Takes note that the broker has a message of ours for good, or doesn't take it.
    fn take_ack(&mut self, ack: &Ack) {
        let Some((number, topic)) = self.outbox.done(ack.id) else { return };
        self.keep_out(number, None);
        if ack.reason.is_error() && ack.reason != Reason::PacketIdentifierNotFound {
            self.view.dropped += 1;
            self.tell(Notice::PublishRefused(topic, ack.reason));
        }
        self.pump();
    }

    fn take_publish(&mut self, publish: Publish) {
        let Some(topic) = publish.topic else {
            return self.break_off(Failure::Nonsense("a PUBLISH without a topic"));
        };
        let is_new = match (publish.qos, publish.id) {
            (Qos::ExactlyOnce, Some(id)) => {
                let is_new = self.received.insert(id);
                if is_new {
                    self.keep_received(id, Some(vec![1]));
                }
                is_new
            }
            _ => true,
        };
        let is_wanted = is_new && self.subscriptions.is_first_copy(topic.as_str(), &publish.subscription_ids);
        let is_echo = is_wanted && !publish.retain && self.echoes.is_echo(self.now, &topic, &publish.payload);
        if is_wanted
            && !is_echo
            && let Some(topic) = self.prefix.inward(topic)
        {
            if publish.retain {
                self.put_off_settling();
            }
            self.view.received += 1;
            let origin = if publish.retain { Origin::Retained } else { Origin::Live };
            let payload = Payload::from_bytes(publish.payload);
            let message =
                Message { topic, payload, qos: publish.qos, retain: publish.retain, origin, expires_at: None };
            self.happenings.push_back(Happening::Heard(Heard {
                message,
                properties: publish.properties,
                expiry: publish.expiry,
            }));
        }
        match (publish.qos, publish.id) {
            (Qos::AtLeastOnce, Some(id)) => self.answer(Packet::PubAck(Ack::success(id))),
            (Qos::ExactlyOnce, Some(id)) => self.answer(Packet::PubRec(Ack::success(id))),
            _ => {}
        }
    }

    /// Answers once what was told to be kept until now is on the disk.
    fn answer(&mut self, packet: Packet) {
        self.answered += 1;
        self.answers.push_back((self.answered, self.connection, packet));
    }

    fn keep_received(&mut self, id: PacketId, value: Option<Vec<u8>>) {
        self.keep(format!("{KEPT_PREFIX}in/{}", id.get()), value);
    }
}
