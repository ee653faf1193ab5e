//! Whichever of them speaks MQTT: each call goes to the one that runs.

use jiff::Timestamp;

use crate::broker::Receipt;
use crate::daemon::broker::{BrokerView, OwnBroker};
use crate::daemon::link::Linked;
use crate::model::Message;

use super::{Happened, Moment, Outbound, Retained};

/// What speaks MQTT for the home. What each call does, and when, is said in [`super`].
pub(in crate::daemon) enum Mqtt {
    /// Our own broker.
    Broker(Box<OwnBroker>),
    /// A link to another one.
    Link(Box<Linked>),
}

impl Mqtt {
    /// Returns once something came. Cancel safe.
    pub(in crate::daemon) async fn ready(&mut self) {
        match self {
            Mqtt::Broker(broker) => broker.ready().await,
            Mqtt::Link(linked) => linked.ready().await,
        }
    }

    /// Takes a bounded part of what came, and does what is due.
    pub(in crate::daemon) fn begin(&mut self, now: Moment) {
        match self {
            Mqtt::Broker(broker) => broker.begin(now),
            Mqtt::Link(linked) => linked.begin(now),
        }
    }

    /// Returns the next thing that happened.
    pub(in crate::daemon) fn next(&mut self, now: Moment) -> Option<Happened> {
        match self {
            Mqtt::Broker(broker) => broker.next(now),
            Mqtt::Link(linked) => linked.next(now),
        }
    }

    /// Publishes a message of ours. It doesn't come back by [`Mqtt::next`].
    pub(in crate::daemon) fn publish(&mut self, now: Moment, outbound: Outbound<'_>) {
        match self {
            Mqtt::Broker(broker) => broker.publish(now, outbound),
            Mqtt::Link(linked) => linked.publish(now, outbound),
        }
    }

    /// Publishes what was decided before the start and may not have left.
    pub(in crate::daemon) fn publish_again(&mut self, now: Moment, message: &Message) {
        match self {
            Mqtt::Broker(broker) => broker.publish_again(now, message),
            Mqtt::Link(linked) => linked.publish(now, Outbound { message, rule: None }),
        }
    }

    /// Returns whether what was published may be lost if we are killed before it leaves, so that the loop keeps it until then.
    /// A link keeps it by itself.
    pub(in crate::daemon) fn may_lose_what_leaves(&self) -> bool {
        match self {
            Mqtt::Broker(_) => true,
            Mqtt::Link(_) => false,
        }
    }

    /// Returns how far it has come: take it before the commit.
    pub(in crate::daemon) fn receipt(&self) -> Receipt {
        match self {
            Mqtt::Broker(broker) => broker.receipt(),
            Mqtt::Link(linked) => Receipt::new(linked.receipt()),
        }
    }

    /// Lets go what waited for a commit.
    pub(in crate::daemon) fn release(&mut self, now: Moment, receipt: Receipt) {
        match self {
            Mqtt::Broker(broker) => broker.release(now, receipt),
            Mqtt::Link(linked) => linked.release(now, receipt.number()),
        }
    }

    /// Hands to the sockets what may leave.
    pub(in crate::daemon) fn send(&mut self, now: Moment) {
        match self {
            Mqtt::Broker(broker) => broker.send(now),
            Mqtt::Link(linked) => linked.send(),
        }
    }

    /// Returns when it has something to do by itself, by the steady clock.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Timestamp> {
        match self {
            Mqtt::Broker(broker) => broker.next_deadline(),
            Mqtt::Link(linked) => linked.next_deadline(),
        }
    }

    /// Tells all that must survive, by [`Mqtt::next`]: the disk knows nothing.
    pub(in crate::daemon) fn keep_all(&mut self, now: Moment) {
        match self {
            Mqtt::Broker(broker) => broker.keep_all(now),
            Mqtt::Link(linked) => linked.keep_all(now),
        }
    }

    /// Returns what is retained, at the start.
    pub(in crate::daemon) fn retained(&self) -> Vec<Retained> {
        match self {
            Mqtt::Broker(broker) => broker.retained(),
            Mqtt::Link(_) => Vec::new(),
        }
    }

    /// Returns whether all is as it should be.
    pub(in crate::daemon) fn is_well(&self) -> bool {
        match self {
            Mqtt::Broker(broker) => broker.is_well(),
            Mqtt::Link(linked) => linked.is_well(),
        }
    }

    /// Returns what is asked of our own broker; `None`: another one is used.
    pub(in crate::daemon) fn broker(&self) -> Option<BrokerView<'_>> {
        match self {
            Mqtt::Broker(broker) => Some(broker.view()),
            Mqtt::Link(_) => None,
        }
    }

    /// Returns the link to another broker; `None`: our own is used.
    pub(in crate::daemon) fn link(&self) -> Option<&Linked> {
        match self {
            Mqtt::Broker(_) => None,
            Mqtt::Link(linked) => Some(linked),
        }
    }

    /// Returns the link to another broker, to be changed; `None`: our own is used.
    pub(in crate::daemon) fn link_mut(&mut self) -> Option<&mut Linked> {
        match self {
            Mqtt::Broker(_) => None,
            Mqtt::Link(linked) => Some(linked),
        }
    }

    /// Returns whether rules may begin: what is retained is there, or won't come soon.
    pub(in crate::daemon) fn may_begin(&self, now: Moment) -> bool {
        match self {
            Mqtt::Broker(_) => true,
            Mqtt::Link(linked) => linked.may_begin(now),
        }
    }

    /// Says good-bye, and returns when that has left.
    pub(in crate::daemon) async fn stop(&mut self, now: Moment) {
        match self {
            Mqtt::Broker(broker) => broker.stop(now).await,
            Mqtt::Link(linked) => linked.stop(now).await,
        }
    }
}
