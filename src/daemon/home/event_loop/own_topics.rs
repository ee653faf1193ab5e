//! The topics that are ours: what clients publish there is put right again, at most once a second. One that is overwritten
//! again and again is reported and left.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::model::{Message, Topic};

use super::{EventLoop, STATUS_TOPIC};

/// How often one is put right in a row.
const MOST: u32 = 10;

/// Once nobody wrote there for this long, it begins anew.
const CALM: SignedDuration = SignedDuration::from_secs(10);

/// The topics of ours that clients published to.
#[derive(Debug, Default)]
pub(super) struct Overwritten(BTreeMap<Topic, Place>);

#[derive(Debug)]
struct Place {
    last: Timestamp,
    /// How often it was put right in a row.
    times: u32,
    is_wrong: bool,
}

impl EventLoop {
    /// Notes what a client published, where that is a topic of ours.
    pub(super) fn note_overwritten(&mut self, message: &Message) {
        let is_status = message.topic.as_str() == STATUS_TOPIC && message.payload.text() != Some("online");
        if !is_status && !self.observers.rule_topics.is_overwritten_by(message) {
            return;
        }
        let now = self.now.wall;
        let place = self.overwritten.0.entry(message.topic.clone());
        let place = place.or_insert(Place { last: now, times: 0, is_wrong: false });
        if now.duration_since(place.last) > CALM {
            place.times = 0;
        }
        (place.last, place.is_wrong) = (now, true);
    }

    /// Puts right what clients overwrote.
    pub(super) fn restore_own_topics(&mut self) {
        let mut wrong = Vec::new();
        for (topic, place) in self.overwritten.0.iter_mut().filter(|(_, place)| place.is_wrong) {
            place.is_wrong = false;
            place.times += 1;
            match place.times {
                times if times <= MOST => wrong.push(topic.clone()),
                times if times == MOST + 1 => {
                    warn!("A client keeps publishing to `{topic}`, which is homerule's own: it's left as it is.");
                }
                _ => {}
            }
        }
        for topic in wrong {
            if topic.as_str() == STATUS_TOPIC {
                self.announce("online");
            } else {
                self.observers.rule_topics.tell_again(&topic);
            }
        }
    }
}
