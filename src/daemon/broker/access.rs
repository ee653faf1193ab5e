//! Who may use the broker: decided for the settings as a whole at the start, then for each client.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use mqtt5::broker::{AuthProvider, AuthResult};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::types::ReasonCode;

use crate::lang::EmbeddedBroker;

use super::OWN_ID;
use super::clients::Clients;

/// Returns why the broker must not start with these settings, with what to write; `None`: it may (spec 10).
pub(in crate::daemon) fn refusal(settings: &EmbeddedBroker) -> Option<String> {
    if let Some(listener) = settings.listen.iter().find(|listener| listener.websocket) {
        return Some(format!(
            "`broker.listen` asks for WebSocket on {}, which this version doesn't offer; take `websocket: true` out",
            listener.address
        ));
    }
    if let Some(listener) = settings.listen.iter().find(|listener| listener.tls.is_some()) {
        return Some(format!(
            "`broker.listen` asks for TLS on {}, which this version doesn't offer; take `tls` out and listen on 127.0.0.1",
            listener.address
        ));
    }
    for (key, file) in [("users", &settings.users), ("acl", &settings.acl)] {
        if let Some(file) = file {
            return Some(format!(
                "`broker.{key}: {file}` can't be kept: this version doesn't check users. Take it out, and listen on \
                 127.0.0.1 only"
            ));
        }
    }
    let exposed = settings.listen.iter().find(|listener| !listener.address.ip().is_loopback());
    match (settings.anonymous, exposed) {
        (None, Some(listener)) => Some(format!(
            "`broker.listen` is {}, which others on the network reach, and no password is asked for. Write \
             `anonymous: true` under `broker:` in homerule.yaml if everybody there may connect, or listen on 127.0.0.1",
            listener.address
        )),
        (Some(false), _) => Some(
            "`broker.anonymous` is `false` and there are no `users`: nobody could connect. Take `anonymous` out"
                .to_owned(),
        ),
        (None, None) | (Some(true), _) => None,
    }
}

/// Lets clients in: all but one that takes our name or whose will is for a topic that clients may not publish to.
pub(super) struct Access {
    clients: Arc<Clients>,
}

impl Access {
    pub(super) fn new(clients: Arc<Clients>) -> Access {
        Access { clients }
    }

    fn admit(&self, connect: &ConnectPacket) -> AuthResult {
        if connect.client_id == OWN_ID {
            let reason = "the client id `homerule` is the broker's own";
            return AuthResult::fail_with_reason(ReasonCode::ClientIdentifierNotValid, reason);
        }
        if connect.will.as_ref().is_some_and(|will| !may_publish(&will.topic)) {
            let reason = "a will can't go to a topic that begins with `$`";
            return AuthResult::fail_with_reason(ReasonCode::TopicNameInvalid, reason);
        }
        self.clients.note(&connect.client_id, connect.protocol_version);
        AuthResult::success()
    }
}

/// Returns whether clients may publish to `topic`: those with `$` are the broker's (MQTT 5.0, 4.7.2-1).
pub(super) fn may_publish(topic: &str) -> bool {
    !topic.starts_with('$')
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl AuthProvider for Access {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _address: SocketAddr,
    ) -> Answer<'a, mqtt5::error::Result<AuthResult>> {
        Box::pin(std::future::ready(Ok(self.admit(connect))))
    }

    // A refusal here would send a 3.1.1 client a malformed acknowledgement: the hook refuses instead.
    fn authorize_publish<'a>(&'a self, _client: &str, _user: Option<&'a str>, _topic: &'a str) -> Answer<'a, bool> {
        Box::pin(std::future::ready(true))
    }

    fn authorize_subscribe<'a>(&'a self, _client: &str, _user: Option<&'a str>, _filter: &'a str) -> Answer<'a, bool> {
        Box::pin(std::future::ready(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Listener;

    fn listening_on(address: &str) -> EmbeddedBroker {
        let listener = Listener { address: address.parse().unwrap(), websocket: false, tls: None };
        EmbeddedBroker { listen: vec![listener], ..EmbeddedBroker::default() }
    }

    #[test]
    fn loopback_needs_no_password() {
        assert_eq!(refusal(&listening_on("127.0.0.1:0")), None);
        assert_eq!(refusal(&listening_on("[::1]:0")), None);
    }

    #[test]
    fn an_open_network_is_refused_with_what_to_write_unless_asked_for() {
        let mut settings = listening_on("0.0.0.0:1883");
        let said = refusal(&settings).unwrap();
        assert!(said.contains("0.0.0.0:1883") && said.contains("anonymous: true"), "{said}");
        settings.anonymous = Some(true);
        assert_eq!(refusal(&settings), None);
    }
}
