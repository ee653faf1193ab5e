//! mosquitto.conf as `broker:` of homerule.yaml.

use std::fmt::Write as _;

use super::options::{Fate, fate};

/// The settings that a configuration becomes, and what of it doesn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// `broker:`, as YAML.
    pub settings: String,
    /// What has no counterpart, or needs a look.
    pub notes: Vec<Note>,
}

/// What a person should know about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line, counted from 1.
    pub line: usize,
    /// What becomes of it.
    pub message: String,
}

/// Translates the configuration in `text`.
#[must_use]
pub fn import(text: &str) -> Imported {
    let mut importer = Importer::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (option, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        importer.option(index + 1, option, value.trim());
    }
    importer.finish()
}

#[derive(Default)]
struct Importer {
    listeners: Vec<Listener>,
    broker: Broker,
    /// The bridge whose options are being read.
    is_in_bridge: bool,
    notes: Vec<Note>,
}

/// What counts for all listeners.
#[derive(Default)]
struct Broker {
    anonymous: Option<bool>,
    users: Option<String>,
    acl: Option<String>,
    session_expiry: Option<String>,
    /// The keys and values of `limits`, in order.
    limits: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct Listener {
    line: usize,
    port: u16,
    host: Option<String>,
    is_websocket: bool,
    origins: Vec<String>,
    certificate: Option<String>,
    key: Option<String>,
    authority: Option<String>,
    asks_for_certificates: bool,
    has_identity: bool,
    connections: Option<String>,
}

impl Importer {
    fn option(&mut self, line: usize, option: &str, value: &str) {
        if option == "connection" {
            self.is_in_bridge = true;
            let message = format!(
                "the bridge `{value}` has no counterpart: to use that broker instead of homerule's own, set `broker.url`"
            );
            self.note(line, message);
        } else if option == "listener" {
            self.is_in_bridge = false;
            self.begin_listener(line, value);
        } else if !self.is_in_bridge && !self.of_listener(line, option, value) && !self.of_broker(line, option, value) {
            self.other(line, option, value);
        }
    }

    fn begin_listener(&mut self, line: usize, value: &str) {
        let mut words = value.split_whitespace();
        match words.next().and_then(|port| port.parse().ok()) {
            Some(0) | None => {
                self.note(line, format!("`listener {value}` has no counterpart: there are no Unix sockets"));
            }
            Some(port) => {
                let host = words.next().map(ToOwned::to_owned);
                self.listeners.push(Listener { line, port, host, ..Listener::default() });
            }
        }
    }

    /// Returns the listener that an option is about: the last one, or the default one.
    fn listener(&mut self, line: usize) -> &mut Listener {
        if self.listeners.is_empty() {
            self.listeners.push(Listener { line, port: 1883, ..Listener::default() });
        }
        let last = self.listeners.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is one")]
        &mut self.listeners[last]
    }

    /// Takes an option of a listener; returns whether it is one.
    fn of_listener(&mut self, line: usize, option: &str, value: &str) -> bool {
        let text = || Some(value.to_owned());
        match option {
            "port" => match value.parse() {
                Ok(port) => self.listener(line).port = port,
                Err(_) => self.note(line, format!("`{value}` isn't a port")),
            },
            "bind_address" => self.listener(line).host = text(),
            "protocol" => self.listener(line).is_websocket = value == "websockets",
            "websockets_origin" => self.listener(line).origins.push(value.to_owned()),
            "certfile" => self.listener(line).certificate = text(),
            "keyfile" => self.listener(line).key = text(),
            "cafile" => self.listener(line).authority = text(),
            "require_certificate" => self.listener(line).asks_for_certificates = value == "true",
            "use_identity_as_username" => self.listener(line).has_identity = value == "true",
            "max_connections" => self.listener(line).connections = text().filter(|value| !value.starts_with('-')),
            _ => return false,
        }
        true
    }

    /// Takes an option of the whole broker; returns whether it is one.
    fn of_broker(&mut self, line: usize, option: &str, value: &str) -> bool {
        match option {
            "allow_anonymous" => self.broker.anonymous = Some(value == "true"),
            "password_file" | "acl_file" => {
                let file = if option == "acl_file" { &mut self.broker.acl } else { &mut self.broker.users };
                if file.as_deref().is_some_and(|known| known != value) {
                    self.note(
                        line,
                        format!("`{option} {value}` is left out: homerule has one such file for all listeners"),
                    );
                } else {
                    *file = Some(value.to_owned());
                }
            }
            "persistent_client_expiration" => match duration(value) {
                Some(duration) => self.broker.session_expiry = Some(duration),
                None => self.note(line, format!("`{value}` isn't a duration")),
            },
            "max_inflight_messages" => self.limit(line, option, "inflight", value),
            "max_queued_messages" => self.limit(line, option, "queued_messages", value),
            "max_queued_bytes" => self.limit(line, option, "queued_bytes", value),
            "max_packet_size" | "message_size_limit" => self.limit(line, option, "packet", value),
            _ => return false,
        }
        true
    }

    fn limit(&mut self, line: usize, option: &str, key: &'static str, value: &str) {
        let may_be_none = matches!(key, "queued_messages" | "queued_bytes");
        match value.parse::<u64>() {
            Ok(0) if !may_be_none => {
                self.note(
                    line,
                    format!("`{option} 0` has no counterpart: homerule always limits that, and keeps its default"),
                );
            }
            Ok(_) => self.broker.limits.push((key, value.to_owned())),
            Err(_) => self.note(line, format!("`{value}` isn't a number")),
        }
    }

    fn other(&mut self, line: usize, option: &str, value: &str) {
        match fate(option) {
            Some(Fate::Needless) => {}
            Some(Fate::Missing(why)) => self.note(line, format!("`{option}` has no counterpart: {why}")),
            None => self.note(line, format!("`{option} {value}` isn't known, and was left out")),
        }
    }

    fn note(&mut self, line: usize, message: String) {
        self.notes.push(Note { line, message });
    }

    fn finish(mut self) -> Imported {
        let mut settings = String::from("broker:\n");
        let is_default = self.listeners.is_empty();
        let listeners = std::mem::take(&mut self.listeners);
        if !is_default {
            settings.push_str("  listen:\n");
        }
        for listener in &listeners {
            self.check(listener);
            settings.push_str(&listener.yaml());
        }
        let guarded = |listener: &Listener| listener.asks_for_certificates && listener.authority.is_some();
        // mosquitto lets strangers in where no listener is set, and then listens for this machine only; as homerule does.
        let anonymous = self.broker.anonymous.unwrap_or(is_default);
        if anonymous && !(is_default && self.broker.users.is_none()) {
            settings.push_str("  anonymous: true\n");
        } else if !anonymous && self.broker.users.is_none() && !listeners.iter().all(guarded) {
            let line = listeners.first().map_or(1, |listener| listener.line);
            self.note(
                line,
                "nobody can connect: there is no `password_file`, and `allow_anonymous` isn't `true`".to_owned(),
            );
        }
        for (key, file) in [("users", &self.broker.users), ("acl", &self.broker.acl)] {
            if let Some(file) = file {
                let _ = writeln!(settings, "  {key}: {}", quoted(file));
            }
        }
        if let Some(expire) = &self.broker.session_expiry {
            let _ = writeln!(settings, "  sessions: {{ expire: {expire} }}");
        }
        let connections = listeners.iter().find_map(|listener| listener.connections.clone());
        let limits = connections.map(|number| ("connections", number)).into_iter().chain(self.broker.limits);
        let limits: Vec<String> = limits.map(|(key, value)| format!("{key}: {value}")).collect();
        if !limits.is_empty() {
            let _ = writeln!(settings, "  limits: {{ {} }}", limits.join(", "));
        }
        if settings == "broker:\n" {
            "broker: {}\n".clone_into(&mut settings);
        }
        self.notes.sort_by_key(|note| note.line);
        Imported { settings, notes: self.notes }
    }

    /// Notes what of a listener can't be kept.
    fn check(&mut self, listener: &Listener) {
        let line = listener.line;
        if listener.authority.is_some() && !listener.asks_for_certificates {
            let message = "clients' certificates were optional (`cafile` without `require_certificate`), and aren't looked at now; to ask all clients for one, set `client_ca`";
            self.note(line, message.to_owned());
        }
        if listener.has_identity && !listener.asks_for_certificates {
            self.note(line, "`use_identity_as_username` has no effect without `require_certificate`".to_owned());
        }
        if listener.certificate.is_some() != listener.key.is_some() {
            self.note(line, "TLS needs both `certfile` and `keyfile`: this listener is without TLS".to_owned());
        }
        if !listener.is_websocket && !listener.origins.is_empty() {
            self.note(line, "`websockets_origin` has no effect without `protocol websockets`".to_owned());
        }
    }
}

impl Listener {
    /// Returns it as an item of `listen`.
    fn yaml(&self) -> String {
        let host = match self.host.as_deref() {
            None => "*".to_owned(),
            Some(host) if host.contains(':') => format!("[{host}]"),
            Some(host) => host.to_owned(),
        };
        let address = quoted(&format!("{host}:{}", self.port));
        let mut keys = vec![format!("address: {address}")];
        if self.is_websocket {
            keys.push("websocket: true".to_owned());
            if !self.origins.is_empty() {
                let origins: Vec<String> = self.origins.iter().map(|origin| quoted(origin)).collect();
                keys.push(format!("origins: [{}]", origins.join(", ")));
            }
        }
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            let mut tls = format!("certificate: {}, key: {}", quoted(certificate), quoted(key));
            if let Some(authority) = self.authority.as_ref().filter(|_| self.asks_for_certificates) {
                let _ = write!(tls, ", client_ca: {}", quoted(authority));
                tls.push_str(if self.has_identity { ", identity: cn" } else { "" });
            }
            keys.push(format!("tls: {{ {tls} }}"));
        }
        if keys.len() == 1 { format!("    - {address}\n") } else { format!("    - {{ {} }}\n", keys.join(", ")) }
    }
}

/// Returns a text as YAML, in quotes where it needs them.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '.' | '_' | '-');
    let begins_plain = text.starts_with(|letter: char| letter.is_alphanumeric() || letter == '/');
    let has_port = text.rsplit_once(':').is_some_and(|(host, port)| host.chars().all(is_plain) && !port.is_empty());
    if begins_plain && (text.chars().all(is_plain) || has_port) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Returns mosquitto's `14d`, `2m` (months) and `1y` as a duration of homerule.
fn duration(text: &str) -> Option<String> {
    let number: u64 = text.get(..text.len().checked_sub(1)?)?.parse().ok()?;
    match text.chars().last()? {
        'h' => Some(format!("{number}h")),
        'd' => Some(format!("{number}d")),
        'w' => Some(format!("{}d", number * 7)),
        'm' => Some(format!("{}d", number * 30)),
        'y' => Some(format!("{}d", number * 365)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{BrokerSettings, Code, Home, Identity, Source, Sources};

    fn imported(text: &str) -> (String, Vec<String>) {
        let imported = import(text);
        (imported.settings, imported.notes.iter().map(|note| format!("{}: {}", note.line, note.message)).collect())
    }

    #[test]
    fn a_guarded_broker_keeps_all_its_listeners() {
        let text = "# ours\nper_listener_settings false\nlistener 1883 localhost\nlistener 8883\ncertfile /etc/m/cert.pem\nkeyfile /etc/m/key.pem\n\
                    cafile /etc/m/ca.pem\nrequire_certificate true\nuse_identity_as_username true\nlistener 9001 ::\nprotocol websockets\n\
                    allow_anonymous false\npassword_file /etc/mosquitto/passwd\nacl_file acl's.txt\npersistence true\n\
                    persistent_client_expiration 2m\nmax_queued_messages 0\nmax_inflight_messages 50\nmax_connections -1\n";
        let (settings, notes) = imported(text);
        assert_eq!(
            settings,
            "broker:\n  listen:\n    - localhost:1883\n    \
             - { address: '*:8883', tls: { certificate: /etc/m/cert.pem, key: /etc/m/key.pem, client_ca: /etc/m/ca.pem, identity: cn } }\n    \
             - { address: '[::]:9001', websocket: true }\n  users: /etc/mosquitto/passwd\n  acl: 'acl''s.txt'\n  \
             sessions: { expire: 60d }\n  limits: { queued_messages: 0, inflight: 50 }\n"
        );
        assert_eq!(notes, Vec::<String>::new());
        let source = Source::Content(settings.as_bytes().into());
        let home = Home::load(&Sources::from([("homerule.yaml".into(), source)]));
        let wrong: Vec<_> = home.diagnostics.iter().filter(|found| found.code != Code::NOT_OFFERED).collect();
        assert!(wrong.iter().all(|found| found.code == Code::NO_RULES), "{wrong:#?}");
        let BrokerSettings::Embedded(broker) = home.settings.broker else { panic!("another broker") };
        assert_eq!(broker.listen[1].tls.as_ref().unwrap().identity, Some(Identity::CommonName));
        assert_eq!(broker.acl.as_deref(), Some("acl's.txt"));
    }

    #[test]
    fn an_empty_configuration_is_the_default_one() {
        assert_eq!(imported("# nothing\n"), ("broker: {}\n".to_owned(), Vec::new()));
        assert_eq!(
            imported("listener 1883\nallow_anonymous true\n").0,
            "broker:\n  listen:\n    - '*:1883'\n  anonymous: true\n"
        );
    }

    #[test]
    fn what_has_no_counterpart_is_told_with_its_line() {
        let text = "listener 1883\nplugin /usr/lib/x.so\nmax_packet_size 0\ncafile ca.pem\nwhatever 1\npsk_file p\n\
                    connection upstream\naddress other:1883\ntopic # both\n";
        let (_, notes) = imported(text);
        let parts = [
            "1: clients' certificates were optional",
            "1: nobody can connect",
            "2: `plugin` has no counterpart",
            "3: `max_packet_size 0` has no counterpart",
            "5: `whatever 1` isn't known",
            "6: `psk_file` has no counterpart",
            "7: the bridge `upstream` has no counterpart",
        ];
        assert_eq!(notes.len(), parts.len(), "{notes:#?}");
        for (note, part) in notes.iter().zip(parts) {
            assert!(note.starts_with(part), "{note}");
        }
    }
}
