//! Who may use the broker. Whether it may run at all with its settings is said where these are read.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use mqtt5::broker::{AuthProvider, AuthResult};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::types::ReasonCode;

use crate::model::Topic;

use super::OWN_ID;
use super::connection::Connection;

/// Lets clients in: all but one that takes our name or whose will is for a topic that clients may not publish to.
pub(super) struct Access;

impl Access {
    fn admit(connect: &ConnectPacket) -> AuthResult {
        if connect.client_id == OWN_ID {
            let reason = "the client id `homerule` is the broker's own";
            return AuthResult::fail_with_reason(ReasonCode::ClientIdentifierNotValid, reason);
        }
        if connect.will.as_ref().is_some_and(|will| open_topic(will.topic.as_str().into()).is_none()) {
            let reason = "a will goes to a topic without `$` at its begin, and without control characters";
            return AuthResult::fail_with_reason(ReasonCode::TopicNameInvalid, reason);
        }
        if let Some(connection) = Connection::served() {
            connection.note_version(connect.protocol_version);
        }
        AuthResult::success()
    }
}

/// Returns `topic` as one that clients may publish to; `None` for those with `$`, which are the broker's (MQTT 5.0, 4.7.2-1),
/// and for what is no topic: other clients would close the connection on which they read it.
pub(super) fn open_topic(topic: Arc<str>) -> Option<Topic> {
    Topic::from_shared(topic).ok().filter(|topic| !topic.as_str().starts_with('$'))
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl AuthProvider for Access {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _address: SocketAddr,
    ) -> Answer<'a, mqtt5::error::Result<AuthResult>> {
        Box::pin(std::future::ready(Ok(Access::admit(connect))))
    }

    // A refusal here would send a 3.1.1 client a malformed acknowledgement: the hook refuses instead.
    fn authorize_publish<'a>(&'a self, _client: &str, _user: Option<&'a str>, _topic: &'a str) -> Answer<'a, bool> {
        Box::pin(std::future::ready(true))
    }

    fn authorize_subscribe<'a>(&'a self, _client: &str, _user: Option<&'a str>, _filter: &'a str) -> Answer<'a, bool> {
        Box::pin(std::future::ready(true))
    }
}
