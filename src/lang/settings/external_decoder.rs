//! Decodes the settings of another broker.

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::Node;
use crate::model::Qos;

use super::broker_decoder::OF_EMBEDDED;
use super::decoder::given;
use super::{ClientCertificate, ExternalBroker, Password};

/// The schemes of a broker's URL, and whether it is TLS.
const SCHEMES: [(&str, bool); 4] = [("mqtt", false), ("mqtts", true), ("ws", false), ("wss", true)];

impl Reader<'_> {
    pub(super) fn external_broker(&mut self, url: &Node, fields: &mut Fields<'_>) -> Option<ExternalBroker> {
        for key in OF_EMBEDDED {
            if fields.take(key).is_some() {
                let help = "with `url`, homerule uses that broker instead of its own; remove one of them";
                fields.conflict("url", key, help, &mut self.findings);
            }
        }
        let url = self.broker_url(url);
        let mut broker = ExternalBroker::at(url.clone().unwrap_or_default());
        broker.user = self.text_of(fields, "user");
        broker.password = self.text_of(fields, "password").map(Password);
        broker.password_file = self.text_of(fields, "password_file");
        broker.ca = self.text_of(fields, "ca");
        broker.certificate = self.client_certificate(fields);
        broker.insecure = given(fields, "insecure").and_then(|node| self.flag(node)).unwrap_or(false);
        broker.client_id = self.text_of(fields, "client_id");
        broker.qos = given(fields, "qos").and_then(|node| self.link_qos(node)).unwrap_or(broker.qos);
        if let Some(node) = given(fields, "outbox") {
            self.outbox(node, &mut broker);
        }
        if let Some(node) = given(fields, "subscribe") {
            broker.subscribe = self.filters(node);
        }
        if broker.password.is_some() && broker.password_file.is_some() {
            let help = "remove one of them; `password: { file: secret.txt }` reads a file too";
            fields.conflict("password", "password_file", help, &mut self.findings);
        }
        if let Some(url) = &url {
            self.check_link(url, &broker, fields);
        }
        url.map(|_| broker)
    }

    /// Reports what the URL makes meaningless.
    fn check_link(&mut self, url: &str, broker: &ExternalBroker, fields: &mut Fields<'_>) {
        let is_tls = SCHEMES.iter().any(|(scheme, is_tls)| *is_tls && url.split("://").next() == Some(scheme));
        for key in ["ca", "certificate", "key", "insecure"] {
            if let (false, Some(entry)) = (is_tls, fields.take_entry(key)) {
                let message = format!("`{key}` has no effect without TLS");
                let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
                found.help("for TLS the URL begins with `mqtts://` or `wss://`");
            }
        }
        if let (true, Some(_), Some(entry)) = (broker.insecure, &broker.ca, fields.take_entry("ca")) {
            let message = "`ca` has no effect with `insecure: true`, which takes any certificate";
            self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
        }
        let user = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(user, _)| user);
        if let (Some(user), Some(_), Some(entry)) = (user, &broker.user, fields.take_entry("user")) {
            let name = user.split(':').next().unwrap_or_default();
            let message = format!("the URL names the user `{name}` already");
            self.findings.error(Code::CONFLICTING_KEYS, entry.key_span.clone(), message).help("remove one of them");
        }
        let has_password = broker.password.is_some() || broker.password_file.is_some();
        if has_password && broker.user.is_none() && user.is_none() {
            let key = if broker.password.is_some() { "password" } else { "password_file" };
            if let Some(entry) = fields.take_entry(key) {
                let message = format!("`{key}` has no effect without `user`");
                self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            }
        }
    }

    fn client_certificate(&mut self, fields: &mut Fields<'_>) -> Option<ClientCertificate> {
        let (certificate, key) = (self.text_of(fields, "certificate"), self.text_of(fields, "key"));
        for (there, missing, is_wrong) in [
            ("certificate", "key", certificate.is_some() && key.is_none()),
            ("key", "certificate", key.is_some() && certificate.is_none()),
        ] {
            if let (true, Some(entry)) = (is_wrong && !fields.has(missing), fields.take_entry(there)) {
                let message = format!("`{there}` has no effect without `{missing}`");
                self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            }
        }
        Some(ClientCertificate { certificate: certificate?, key: key? })
    }

    fn link_qos(&mut self, node: &Node) -> Option<Qos> {
        match self.integer(node, 0..3)? {
            0 => Some(Qos::AtMostOnce),
            1 => Some(Qos::AtLeastOnce),
            _ => Some(Qos::ExactlyOnce),
        }
    }

    fn outbox(&mut self, node: &Node, broker: &mut ExternalBroker) {
        let Some(mut fields) = Fields::of(node, "`outbox`", &self.text, &mut self.findings) else { return };
        let messages = given(&mut fields, "messages").and_then(|node| self.integer(node, 1..u64::MAX));
        broker.outbox = messages.and_then(|number| usize::try_from(number).ok()).unwrap_or(broker.outbox);
        fields.finish(&mut self.findings);
    }

    fn broker_url(&mut self, node: &Node) -> Option<String> {
        let fixed = self.fixed(node, "a broker's URL (`mqtt://host:1883`)")?;
        let (scheme, rest) = fixed.text.split_once("://").unwrap_or(("", &fixed.text));
        let host = rest.rsplit('@').next().unwrap_or_default();
        let host = host.split(['/', '?']).next().unwrap_or_default();
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host, None),
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if SCHEMES.iter().any(|(known, _)| *known == scheme) && !name.is_empty() && is_port {
            return Some(fixed.text.to_string());
        }
        let message = format!("`{}` isn't a valid broker URL", without_password(&fixed.text));
        let help = "use e.g. `mqtt://host:1883`, or `mqtts://user@host:8883` for TLS";
        self.findings.error(Code::BAD_URL, fixed.span, message).help(help);
        None
    }
}

/// Returns a URL as it may be shown.
fn without_password(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    let (scheme, user) = before.split_once("://").map_or(("", before), |(scheme, user)| (scheme, user));
    let name = user.split(':').next().unwrap_or_default();
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{name}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::BrokerSettings;
    use crate::lang::settings::decoder::tests::settings;

    fn wrong(yaml: &str) -> Vec<String> {
        settings(&format!("broker: {yaml}")).1
    }

    #[test]
    fn another_broker_has_all_that_the_docs_name() {
        let yaml = "broker: { url: mqtts://broker.lan:8883, user: homerule, password: s3cret, ca: ca.pem, certificate: c.pem, key: k.pem, \
                    client_id: homerule-main, qos: 2, outbox: { messages: 5 }, subscribe: [a/#, b] }";
        let (settings, messages) = settings(yaml);
        assert_eq!(messages, Vec::<String>::new());
        assert!(!format!("{settings:?}").contains("s3cret"), "a password is never shown");
        let BrokerSettings::External(broker) = settings.broker else { panic!("{settings:?}") };
        assert_eq!((broker.url.as_str(), broker.user.as_deref()), ("mqtts://broker.lan:8883", Some("homerule")));
        assert_eq!(broker.password, Some(Password("s3cret".to_owned())));
        assert_eq!(broker.certificate.unwrap().key, "k.pem");
        assert_eq!((broker.qos, broker.outbox, broker.subscribe.len()), (Qos::ExactlyOnce, 5, 2));
        assert_eq!((broker.client_id.as_deref(), broker.insecure), (Some("homerule-main"), false));
    }

    #[test]
    fn a_user_may_stand_in_the_url() {
        let (settings, messages) = settings("broker: { url: mqtts://me@host:8883, password_file: p, client_id: c }");
        assert_eq!(messages, Vec::<String>::new());
        assert!(matches!(settings.broker, BrokerSettings::External(broker) if broker.url == "mqtts://me@host:8883"));
    }

    #[test]
    fn what_has_no_effect_or_is_said_twice_is_told() {
        for (yaml, message) in [
            ("{ url: mqtt://h, ca: c }", "`ca` has no effect without TLS"),
            (
                "{ url: mqtts://h, ca: c, insecure: true }",
                "`ca` has no effect with `insecure: true`, which takes any certificate",
            ),
            ("{ url: mqtt://a@h, user: b }", "the URL names the user `a` already"),
            ("{ url: mqtt://h, password: b }", "`password` has no effect without `user`"),
            ("{ url: mqtts://h, key: b }", "`key` has no effect without `certificate`"),
            (
                "{ url: mqtt://a@h, password: b, password_file: c }",
                "`password` and `password_file` can't be used together in `broker`",
            ),
            ("{ url: mqtt://h, qos: 3 }", "`3` isn't between 0 and 2"),
            ("{ url: mqtt://h, outbox: { messages: 0 } }", "`0` is too small; it must be at least 1"),
            ("{ url: 'http://u:secret@h' }", "`http://u@h` isn't a valid broker URL"),
        ] {
            assert_eq!(wrong(yaml), [message], "{yaml}");
        }
    }
}
