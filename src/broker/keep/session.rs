//! A session and its subscriptions, as they are kept.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::broker::access::Identity;
use crate::broker::packet::{RetainHandling, SubscribeOptions, SubscriptionId, Version, Will};
use crate::broker::session::{Session, Subscription};
use crate::model::{Qos, Topic};

use super::bytes::{Reader, Writer};

/// A session, without what is kept beside it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) struct KeptSession {
    pub(in crate::broker) who: Identity,
    pub(in crate::broker) version: Version,
    pub(in crate::broker) is_bridge: bool,
    pub(in crate::broker) expiry: Duration,
    /// Since when its client is away; `None`: it was here.
    pub(in crate::broker) away_since: Option<Timestamp>,
    pub(in crate::broker) will: Option<Will>,
}

impl KeptSession {
    /// Returns what is kept of a session.
    pub(in crate::broker) fn of(session: &Session) -> KeptSession {
        KeptSession {
            who: session.who.clone(),
            version: session.version,
            is_bridge: session.is_bridge,
            expiry: session.expiry,
            away_since: session.conn.is_none().then_some(session.since),
            will: session.will.clone(),
        }
    }

    /// Returns the value to be kept. `skew`: how far the clock is ahead of the times in it.
    pub(in crate::broker) fn write(&self, skew: SignedDuration) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.text(&self.who.client);
        writer.option(self.who.user.as_deref(), Writer::text);
        writer.byte(match self.version {
            Version::V31 => 3,
            Version::V311 => 4,
            Version::V5 => 5,
        });
        writer.flag(self.is_bridge);
        writer.long(self.expiry.as_secs());
        writer.option(self.away_since, |writer, at| writer.time(at.checked_add(skew).unwrap_or(at)));
        writer.option(self.will.as_ref(), |writer, will| {
            writer.text(will.topic.as_str());
            writer.bytes(&will.payload);
            writer.byte(will.qos.into());
            writer.flag(will.retain);
            writer.number(will.delay);
            writer.option(will.expiry, Writer::number);
            writer.properties(will.properties.as_deref());
        });
        writer.finish()
    }

    /// Returns the session that a value holds; `None`: it can't be read.
    pub(in crate::broker) fn read(value: &[u8]) -> Option<KeptSession> {
        let mut reader = Reader::new(value)?;
        let client = reader.text()?;
        let user = reader.option(Reader::text)?;
        let session = KeptSession {
            who: Identity { user, client },
            version: match reader.byte()? {
                3 => Version::V31,
                4 => Version::V311,
                5 => Version::V5,
                _ => return None,
            },
            is_bridge: reader.flag()?,
            expiry: Duration::from_secs(reader.long()?),
            away_since: reader.option(Reader::time)?,
            will: reader.option(|reader| {
                Some(Will {
                    topic: Topic::from_shared(reader.text()?).ok()?,
                    payload: Bytes::copy_from_slice(reader.bytes()?),
                    qos: Qos::try_from(reader.byte()?).ok()?,
                    retain: reader.flag()?,
                    delay: reader.number()?,
                    expiry: reader.option(Reader::number)?,
                    properties: reader.properties()?,
                })
            })?,
        };
        reader.finish(session)
    }
}

/// A subscription.
pub(in crate::broker) struct KeptSubscription;

impl KeptSubscription {
    pub(in crate::broker) fn write(subscription: Subscription) -> Vec<u8> {
        let SubscribeOptions { qos, no_local, retain_as_published, retain_handling } = subscription.options;
        let mut writer = Writer::new();
        writer.byte(qos.into());
        writer.flag(no_local);
        writer.flag(retain_as_published);
        writer.byte(match retain_handling {
            RetainHandling::Send => 0,
            RetainHandling::SendIfNew => 1,
            RetainHandling::Skip => 2,
        });
        writer.option(subscription.id, |writer, id| writer.number(id.get()));
        writer.finish()
    }

    pub(in crate::broker) fn read(value: &[u8]) -> Option<Subscription> {
        let mut reader = Reader::new(value)?;
        let options = SubscribeOptions {
            qos: Qos::try_from(reader.byte()?).ok()?,
            no_local: reader.flag()?,
            retain_as_published: reader.flag()?,
            retain_handling: match reader.byte()? {
                0 => RetainHandling::Send,
                1 => RetainHandling::SendIfNew,
                2 => RetainHandling::Skip,
                _ => return None,
            },
        };
        let id = reader.option(|reader| SubscriptionId::new(reader.number()?))?;
        reader.finish(Subscription { options, id })
    }
}
