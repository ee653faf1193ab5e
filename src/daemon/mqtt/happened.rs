//! What MQTT tells the loop.

use std::sync::Arc;

use crate::broker::packet::Properties;
use crate::engine::Alert;
use crate::model::{Message, Topic};

/// Something that happened. The loop handles one before it asks for the next.
#[derive(Debug)]
pub(in crate::daemon) enum Happened {
    /// A message came, for rules and for those who look on. It has been routed to others already.
    Message(Came),
    /// A client is here. Of a link's broker nobody tells us that.
    ClientConnected(Arc<str>),
    /// A client is gone.
    ClientDisconnected(Arc<str>),
    /// Keep this for a restart, in the transaction of this turn; `None`: forget it.
    Keep {
        /// What it is. The broker's begin with `mqtt/`, a link's with `link/`.
        key: Arc<str>,
        /// Its value, which carries its version.
        value: Option<Vec<u8>>,
    },
    /// A link's broker is there, and what it had kept has come.
    Settled,
    /// A link's broker is away.
    Away,
    /// A person should see this; rules that name `homerule/alert` hear it too.
    Alert(Alert),
    /// What a rule published is held for a client that was here before the start and isn't back.
    Held {
        /// Which client.
        client: Arc<str>,
        /// The message's topic.
        topic: Topic,
    },
    /// What was held for a client that didn't come back is held no longer.
    HeldExpired {
        /// Which client.
        client: Arc<str>,
        /// How many messages.
        messages: usize,
    },
}

/// A message that came.
#[derive(Debug)]
pub(in crate::daemon) struct Came {
    /// The message. Its origin is `Live`, or `Retained` where a link's broker had kept it.
    pub(in crate::daemon) message: Message,
    /// Its properties of MQTT 5.0; `None`: it has none.
    pub(in crate::daemon) properties: Option<Arc<Properties>>,
    /// Who published it; `None`: nobody knows.
    pub(in crate::daemon) client: Option<Arc<str>>,
}
