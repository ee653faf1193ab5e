//! What happens to a home: the engine's only input.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Map, Message, Payload, RuleId, Topic, Value};

use super::effect::{Alert, RequestId};
use super::trace::StoppedBy;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Nothing but time passed.
    Tick,
    /// The daemon started: what was restored is there, the retained messages have been told.
    Started,
    /// The daemon is about to stop.
    Stopping,
    /// A message arrived.
    Message(Message),
    /// An MQTT client connected.
    ClientConnected(Arc<str>),
    /// An MQTT client went.
    ClientDisconnected(Arc<str>),
    /// A POST came to `/hook/NAME`.
    Webhook {
        /// The hook's name.
        name: Arc<str>,
        /// What was posted.
        body: Payload,
    },
    /// Somebody pressed a button of a notification.
    Pressed {
        /// The button's key.
        key: Arc<str>,
        /// What was posted.
        body: Payload,
        /// Who it was, where that is known.
        by: Option<Arc<str>>,
    },
    /// An HTTP request, a program or a delivery has ended.
    Answered {
        /// Which one.
        request: RequestId,
        /// What came back.
        answer: Answer,
    },
    /// Somebody switches a rule on or off.
    Switch {
        /// The rule.
        rule: RuleId,
        /// Which of both.
        is_enabled: bool,
    },
    /// A message arrived, and who published it is known.
    MessageFrom {
        /// The message.
        message: Message,
        /// The client.
        client: Arc<str>,
    },
    /// Somebody ends the override of a rule.
    Resume(RuleId),
    /// Somebody runs a rule's `then`.
    RunRule {
        /// The rule.
        rule: RuleId,
        /// Variables for it.
        with: Map,
    },
    /// The shell has something to say that a person should see; rules that name `homerule/alert` hear it too.
    Alert(Alert),
    /// What was recorded of a topic, before rules asked for its past.
    Recalled {
        /// The topic.
        topic: Topic,
        /// What it said, from the oldest.
        samples: Vec<(Timestamp, Value)>,
    },
    /// The wall clock was set this many milliseconds forward (negative: back), and shows the time that is told.
    ClockChanged {
        /// How far, in milliseconds.
        forward: i64,
    },
    /// The shell ended an evaluation that took too long.
    Interrupted {
        /// The rule that was at it.
        rule: RuleId,
        /// What ended it.
        by: StoppedBy,
    },
}

/// What came back from an HTTP request or a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It ended: an HTTP status with the body, or an exit status with what was printed.
    Ended {
        /// The status.
        status: i64,
        /// The body, or what was printed.
        body: Payload,
        /// How long whoever answers asks us to wait before we ask again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<Duration>,
    },
    /// It couldn't be done; in words.
    Failed(String),
}
