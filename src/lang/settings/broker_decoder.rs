//! Decodes the settings of the embedded broker.

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::{Node, NodeKind};

use super::address::AddressError;
use super::decoder::given;
use super::{BrokerSettings, EmbeddedBroker, Identity, ListenAddress, Listener, Tls, broker_limits};

/// Keys of a broker elsewhere.
const OF_EXTERNAL: [&str; 11] = [
    "user",
    "password",
    "password_file",
    "ca",
    "certificate",
    "key",
    "insecure",
    "client_id",
    "qos",
    "outbox",
    "subscribe",
];

/// Keys of the embedded broker.
pub(super) const OF_EMBEDDED: [&str; 6] = ["listen", "anonymous", "users", "acl", "limits", "sessions"];

impl Reader<'_> {
    pub(super) fn broker(&mut self, node: &Node) -> Option<BrokerSettings> {
        let mut fields = Fields::of(node, "`broker`", &self.text, &mut self.findings)?;
        let broker = match fields.take("url") {
            Some(url) => self.external_broker(url, &mut fields).map(BrokerSettings::External),
            None => Some(BrokerSettings::Embedded(self.embedded_broker(&mut fields))),
        };
        fields.finish(&mut self.findings);
        broker
    }

    fn embedded_broker(&mut self, fields: &mut Fields<'_>) -> EmbeddedBroker {
        let mut broker = EmbeddedBroker::default();
        for key in OF_EXTERNAL {
            if let Some(entry) = fields.take_entry(key) {
                let message = format!("`{key}` has no effect without `url`, which names another broker");
                self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            }
        }
        let listen = given(fields, "listen");
        let found = self.findings.len();
        if let Some(node) = listen {
            broker.listen = self.listeners(node);
        }
        broker.anonymous = given(fields, "anonymous").and_then(|node| self.flag(node));
        broker.users = self.text_of(fields, "users");
        broker.acl = self.text_of(fields, "acl");
        if let Some(node) = given(fields, "limits") {
            broker_limits::read(node, self, &mut broker.limits);
        }
        if let Some(node) = given(fields, "sessions") {
            self.sessions(node, &mut broker);
        }
        // A mistake in a listener is one mistake, whatever follows from it.
        if self.findings.len() == found {
            self.check_who_may_come_in(&broker, fields, listen);
        }
        broker
    }

    fn sessions(&mut self, node: &Node, broker: &mut EmbeddedBroker) {
        let Some(mut fields) = Fields::of(node, "`sessions`", &self.text, &mut self.findings) else { return };
        let expire = given(&mut fields, "expire").and_then(|node| self.interval(node));
        broker.session_expiry = expire.unwrap_or(broker.session_expiry);
        fields.finish(&mut self.findings);
    }

    /// Reports listeners that let in nobody, and those that would let in everybody without being told to.
    fn check_who_may_come_in(&mut self, broker: &EmbeddedBroker, fields: &mut Fields<'_>, listen: Option<&Node>) {
        let is_closed = |listener: &&Listener| {
            !broker.lets_anonymous_in(listener) && broker.users.is_none() && !listener.asks_for_certificates()
        };
        let Some(closed) = broker.listen.iter().find(is_closed) else { return };
        let is_told = |anonymous: Option<bool>| anonymous == Some(false);
        if let (true, Some(entry)) = (is_told(broker.anonymous), fields.take_entry("anonymous")) {
            let message = "nobody can connect: `anonymous` is `false` and there are no `users`";
            self.findings.error(Code::OPEN_LISTENER, entry.key_span.clone(), message).help("remove `anonymous`");
        } else if let Some(node) = listen {
            let message = if is_told(closed.anonymous) {
                format!("no client can connect to `{}`: there are no `users`", closed.address)
            } else {
                format!(
                    "no client can connect to `{}`: there are no `users`, and `anonymous` isn't `true`",
                    closed.address
                )
            };
            let span = self.mark(node);
            let found = self.findings.error(Code::OPEN_LISTENER, span, message);
            found.help("add `anonymous: true` to let anyone connect who can reach it, or listen on `127.0.0.1` for this machine only");
        }
    }

    fn listeners(&mut self, node: &Node) -> Vec<Listener> {
        match &node.kind {
            NodeKind::List(items) if items.is_empty() => {
                self.wrong_type(node, "an address, or a list of them");
                Vec::new()
            }
            NodeKind::List(items) => items.iter().filter_map(|item| self.listener(item)).collect(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => self.listener(node).into_iter().collect(),
        }
    }

    fn listener(&mut self, node: &Node) -> Option<Listener> {
        if node.as_map().is_none() {
            return self.address(node).map(Listener::plain);
        }
        let mut fields = Fields::of(node, "a listener", &self.text, &mut self.findings)?;
        let address = fields.need("address", &self.text).and_then(|node| self.address(node));
        let websocket = given(&mut fields, "websocket").and_then(|node| self.flag(node)).unwrap_or(false);
        let origins = given(&mut fields, "origins").map(|node| self.origins(node)).unwrap_or_default();
        let tls = given(&mut fields, "tls").and_then(|node| self.tls(node));
        let anonymous = given(&mut fields, "anonymous").and_then(|node| self.flag(node));
        if let (false, Some(entry)) = (websocket, fields.take_entry("origins")) {
            let message = "`origins` has no effect without `websocket: true`";
            self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
        }
        fields.finish(&mut self.findings);
        Some(Listener { address: address?, websocket, origins, tls, anonymous })
    }

    /// Returns the origins of web pages, as browsers write them: without a path.
    fn origins(&mut self, node: &Node) -> Vec<String> {
        let mut origins = Vec::new();
        for origin in self.texts(node) {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '@', '?', '#', '*'])) {
                origins.push(origin.to_ascii_lowercase());
                continue;
            }
            let message = format!("`{origin}` isn't the origin of a web page");
            let found = self.findings.error(Code::BAD_URL, node.span.clone(), message);
            found.help("use the scheme and the host without a path, e.g. `https://home.example`");
        }
        origins
    }

    fn tls(&mut self, node: &Node) -> Option<Tls> {
        let mut fields = Fields::of(node, "`tls`", &self.text, &mut self.findings)?;
        let certificate = fields.need("certificate", &self.text).and_then(|node| self.plain_text(node));
        let key = fields.need("key", &self.text).and_then(|node| self.plain_text(node));
        let client_ca = self.text_of(&mut fields, "client_ca");
        let identity = given(&mut fields, "identity");
        let identity = identity.and_then(|node| self.word(node, &[("cn", Identity::CommonName)]));
        if let (Some(_), None, Some(entry)) = (identity, &client_ca, fields.take_entry("identity")) {
            let message = "`identity` has no effect without `client_ca`, which asks clients for a certificate";
            self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
        }
        if let Some(entry) = fields.refuse("psk") {
            let message = "`psk` isn't supported";
            let found = self.findings.error(Code::UNKNOWN_KEY, entry.key_span.clone(), message);
            found.help("use a certificate and a key; devices without certificates can connect without TLS");
        }
        fields.finish(&mut self.findings);
        Some(Tls { certificate: certificate?.to_string(), key: key?.to_string(), client_ca, identity })
    }

    /// Returns an address to listen on, with its port.
    pub(super) fn address(&mut self, node: &Node) -> Option<ListenAddress> {
        let fixed = self.fixed(node, "an address (`127.0.0.1:1883`)")?;
        let text: &str = &fixed.text;
        let error = match ListenAddress::parse(text) {
            Ok(address) => return Some(address),
            Err(error) => error,
        };
        let help = match error {
            AddressError::OnlyPort(port) => {
                format!("use `127.0.0.1:{port}` for this machine only, `0.0.0.0:{port}` for all")
            }
            AddressError::NoPort => format!("add the port: `{text}:1883`"),
            AddressError::Other => "use an IP address and a port, e.g. `127.0.0.1:1883`".to_owned(),
        };
        let message = format!("`{text}` isn't a valid address to listen on");
        self.findings.error(Code::BAD_ADDRESS, fixed.span.clone(), message).help(help);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lang::settings::decoder::tests::settings;

    fn broker(yaml: &str) -> EmbeddedBroker {
        let (settings, messages) = settings(&format!("broker: {yaml}"));
        assert_eq!(messages, Vec::<String>::new(), "{yaml}");
        let BrokerSettings::Embedded(broker) = settings.broker else { panic!("{yaml}") };
        broker
    }

    fn wrong(yaml: &str) -> Vec<String> {
        settings(&format!("broker: {yaml}")).1
    }

    #[test]
    fn a_listener_has_all_that_the_docs_name() {
        let broker = broker(
            r#"
  listen:
    - "*:1883"
    - { address: "0.0.0.0:8883", tls: { certificate: c.pem, key: k.pem, client_ca: ca.pem, identity: cn } }
    - { address: "[::]:8084", websocket: true, origins: ["https://Home.example"], tls: { certificate: c.pem, key: k.pem } }
    - { address: localhost:1884, anonymous: true }
  users: users.txt
  acl: acl.txt
  sessions: { expire: 7d }
"#,
        );
        let [every, secure, web, local] = &broker.listen[..] else { panic!("{broker:?}") };
        assert_eq!(every.address.to_string(), "*:1883");
        let tls = secure.tls.as_ref().unwrap();
        assert_eq!((tls.client_ca.as_deref(), tls.identity), (Some("ca.pem"), Some(Identity::CommonName)));
        assert!(web.websocket && web.origins == ["https://home.example"]);
        assert!(!broker.lets_anonymous_in(every) && broker.lets_anonymous_in(local));
        assert_eq!(broker.session_expiry, Duration::from_hours(7 * 24));
    }

    #[test]
    fn without_users_only_loopback_and_certificates_need_no_password() {
        let first = |yaml: &str| {
            let broker = broker(yaml);
            broker.lets_anonymous_in(&broker.listen[0])
        };
        assert!(first("{ listen: 127.0.0.1:1 }"));
        assert!(!first("{ listen: 127.0.0.1:1, users: u }"));
        assert!(first("{ listen: 127.0.0.1:1, users: u, anonymous: true }"));
        assert!(first("{ listen: { address: \"*:1\", tls: { certificate: c, key: k, client_ca: a } } }"));
        assert!(first("{ listen: 0.0.0.0:1, anonymous: true }"));
    }

    #[test]
    fn a_listener_that_lets_in_nobody_is_refused() {
        assert_eq!(
            wrong("{ listen: pi.lan:1883 }"),
            ["no client can connect to `pi.lan:1883`: there are no `users`, and `anonymous` isn't `true`"]
        );
        assert_eq!(
            wrong("{ listen: { address: \"127.0.0.1:1\", anonymous: false } }"),
            ["no client can connect to `127.0.0.1:1`: there are no `users`"]
        );
        assert_eq!(
            wrong("{ anonymous: false }"),
            ["nobody can connect: `anonymous` is `false` and there are no `users`"]
        );
        assert_eq!(wrong("{ listen: [ \"*:1\", nowhere ] }"), ["`nowhere` isn't a valid address to listen on"]);
    }

    #[test]
    fn what_has_no_effect_is_told() {
        assert_eq!(
            wrong("{ listen: { address: \"127.0.0.1:1\", origins: [https://a] } }"),
            ["`origins` has no effect without `websocket: true`"]
        );
        assert_eq!(
            wrong("{ listen: { address: \"127.0.0.1:1\", websocket: true, origins: [https://a/b] } }"),
            ["`https://a/b` isn't the origin of a web page"]
        );
        assert_eq!(
            wrong("{ listen: { address: \"127.0.0.1:1\", tls: { certificate: c, key: k, identity: cn, psk: x } } }"),
            [
                "`identity` has no effect without `client_ca`, which asks clients for a certificate",
                "`psk` isn't supported"
            ]
        );
        assert_eq!(wrong("{ qos: 1 }"), ["`qos` has no effect without `url`, which names another broker"]);
    }

    #[test]
    fn each_limit_is_read_and_nothing_is_no_limit_where_that_may_be() {
        let limits = broker(
            "{ limits: { connections: 2, sessions: 3, packet: 1MiB, queued_messages: 0, queued_bytes: 0, total_queued: 4MiB, inflight: 5, \
             retained: 6, retained_bytes: 7MiB, subscriptions: 0, topic_levels: 8, messages_per_second: 9, connect_timeout: 3s } }",
        )
        .limits;
        assert_eq!((limits.connections, limits.sessions, limits.packet, limits.inflight), (2, 3, 1 << 20, 5));
        assert_eq!((limits.queued_messages, limits.queued_bytes, limits.subscriptions), (None, None, None));
        assert_eq!((limits.total_queued, limits.retained, limits.retained_bytes), (4 << 20, 6, 7 << 20));
        assert_eq!((limits.topic_levels, limits.messages_per_second.unwrap().get()), (8, 9));
        assert_eq!(limits.connect_timeout, Duration::from_secs(3));
        assert_eq!(wrong("{ limits: { topic_levels: 201 } }"), ["`201` isn't between 1 and 200"]);
        assert_eq!(wrong("{ limits: { connections: 0 } }"), ["`0` is too small; it must be at least 1"]);
    }
}
