//! What the broker tells the shell: what happened, and what must be done about it.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::{Message, Topic};

use super::connection::{Conn, Peer};
use super::packet::{Properties, Version};
use super::reason::Reason;

/// Something that happened. The shell handles one before it asks for the next.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A message was published, and has been routed to its subscribers.
    Published(Published),
    /// A client asks to be let in: answer with [`super::Broker::admit`].
    Admit(Conn, Credentials),
    /// A client is here.
    Connected(Connected),
    /// A client is gone.
    Disconnected(Disconnected),
    /// Keep this for a restart; `None`: forget it. Folding all of them gives what [`super::Broker::restore`] takes.
    Keep {
        /// What it is; begins with `mqtt/`.
        key: Arc<str>,
        /// Its value, which carries its version.
        value: Option<Vec<u8>>,
    },
    /// Write what is left, then close this connection.
    Close(Conn),
    /// A peer wasn't let in, or its connection ended before it was.
    Refused(Refused),
    /// Something wasn't taken or delivered.
    Dropped(Dropped),
    /// What a rule published is held for a client that was here before the start and isn't back.
    Held {
        /// Which client.
        client: Arc<str>,
        /// On which topic.
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

/// A message of a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The message.
    pub message: Message,
    /// Its properties; `None`: it has none.
    pub properties: Option<Arc<Properties>>,
    /// Who published it.
    pub client: Arc<str>,
    /// Whether it is the client's will.
    pub is_will: bool,
}

/// What a client says of itself.
#[derive(Clone, PartialEq)]
pub struct Credentials {
    /// Where it came from.
    pub peer: Peer,
    /// Its identifier; empty: it gets one.
    pub client: Arc<str>,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// The password.
    pub password: Option<Bytes>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of every log.
        f.debug_struct("Credentials").field("client", &self.client).field("user", &self.user).finish_non_exhaustive()
    }
}

/// The answer to [`Happening::Admit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The client is let in as this user; `None`: anonymously.
    Accepted(Option<Arc<str>>),
    /// It isn't.
    Refused(Reason),
}

/// A client that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Connected {
    /// Its identifier.
    pub client: Arc<str>,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// Where it came from.
    pub peer: Peer,
    /// What it speaks.
    pub version: Version,
    /// Whether we knew its session.
    pub session_present: bool,
    /// Whether it took over from a connection that was still there.
    pub took_over: bool,
}

/// A client that went.
#[derive(Debug, Clone, PartialEq)]
pub struct Disconnected {
    /// Its identifier.
    pub client: Arc<str>,
    /// Why.
    pub reason: End,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client said good-bye.
    Goodbye,
    /// The connection broke.
    Lost,
    /// The client said nothing for one and a half times its keep alive.
    Silent,
    /// Another connection with the client's identifier came.
    TakenOver,
    /// The client broke the protocol, or a limit.
    Fault(Fault),
    /// We were asked to end it.
    Dismissed(Reason),
    /// We are stopping.
    Stopping,
}

impl End {
    /// Returns what went wrong, in words; `None`: nothing did.
    #[must_use]
    pub fn error(self) -> Option<&'static str> {
        match self {
            End::Goodbye | End::Stopping => None,
            End::Lost => Some("the connection was lost"),
            End::Silent => Some("nothing came for one and a half times the keep alive"),
            End::TakenOver => Some("another connection with the same client identifier came"),
            End::Fault(fault) => Some(fault.words),
            End::Dismissed(_) => Some("its user was removed or has a new password"),
        }
    }
}

/// What a peer did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The standard's code for it.
    pub reason: Reason,
    /// In words.
    pub words: &'static str,
}

impl Fault {
    pub(super) const fn new(reason: Reason, words: &'static str) -> Fault {
        Fault { reason, words }
    }

    pub(super) const fn protocol(words: &'static str) -> Fault {
        Fault { reason: Reason::ProtocolError, words }
    }
}

/// A peer that wasn't let in.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Where it came from.
    pub peer: Peer,
    /// Who it said it is; `None`: it didn't get that far.
    pub client: Option<Arc<str>>,
    /// Why; `None`: it went by itself.
    pub fault: Option<Fault>,
}

/// Something that wasn't taken or delivered: the first of its kind since the client connected. Each would be too many.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropped {
    /// Of or for which client.
    pub client: Arc<str>,
    /// On which topic, or with which filter.
    pub topic: Arc<str>,
    /// Why.
    pub why: Drop,
}

/// Why something wasn't taken or delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drop {
    /// The client may not publish there.
    PublishDenied,
    /// The client may not subscribe to that.
    SubscribeDenied,
    /// Nobody publishes below `$`.
    Reserved,
    /// The topic has too many levels.
    TooManyLevels,
    /// There are as many retained messages as there may be; it was delivered all the same.
    RetainedFull,
    /// The client has as many subscriptions as it may.
    TooManySubscriptions,
    /// The client's queue is full.
    QueueFull,
    /// The packet is larger than the client takes.
    TooLarge,
    /// It was of no more use when its turn came.
    Expired,
}

impl Drop {
    /// Returns the word for it in counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Drop::PublishDenied => "publish_denied",
            Drop::SubscribeDenied => "subscribe_denied",
            Drop::Reserved => "reserved",
            Drop::TooManyLevels => "too_many_levels",
            Drop::RetainedFull => "retained_full",
            Drop::TooManySubscriptions => "too_many_subscriptions",
            Drop::QueueFull => "queue_full",
            Drop::TooLarge => "too_large",
            Drop::Expired => "expired",
        }
    }
}
