//! A broker's URL, taken apart.

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// A broker's URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) struct BrokerUrl {
    /// Whether it is TLS.
    pub(in crate::daemon) is_tls: bool,
    /// Whether it is a WebSocket.
    pub(in crate::daemon) is_websocket: bool,
    /// The host's name or address, without brackets.
    pub(in crate::daemon) host: String,
    /// The port.
    pub(in crate::daemon) port: u16,
    /// The path of a WebSocket.
    pub(in crate::daemon) path: String,
    /// The user's name.
    pub(in crate::daemon) user: Option<String>,
    /// The password.
    pub(in crate::daemon) password: Option<String>,
}

/// Why a text isn't a broker's URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::daemon) enum BadUrl {
    /// Its scheme isn't one of MQTT's.
    #[error("`{0}` isn't a scheme of MQTT: use mqtt, mqtts, ws or wss")]
    Scheme(String),
    /// It has no host.
    #[error("the URL names no host")]
    Host,
    /// Its port isn't one.
    #[error("`{0}` isn't a port")]
    Port(String),
}

impl BrokerUrl {
    /// Takes `url` apart.
    pub(in crate::daemon) fn parse(url: &str) -> Result<BrokerUrl, BadUrl> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("mqtt", url));
        let (is_tls, is_websocket, port) = match scheme {
            "mqtt" | "tcp" => (false, false, 1883),
            "mqtts" | "ssl" => (true, false, 8883),
            "ws" => (false, true, 80),
            "wss" => (true, true, 443),
            other => return Err(BadUrl::Scheme(other.to_owned())),
        };
        let (place, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, place),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port_text)) if !port_text.contains(']') => {
                let given = port_text.parse::<u16>().ok().filter(|port| *port > 0);
                (host, given.ok_or_else(|| BadUrl::Port(port_text.to_owned()))?)
            }
            _ => (place, port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(BadUrl::Host);
        }
        let (user, password) = match user.map(|user| user.split_once(':').map_or((user, None), |(u, p)| (u, Some(p)))) {
            Some((user, password)) => (Some(decoded(user)), password.map(decoded)),
            None => (None, None),
        };
        let path = if path.is_empty() { "/mqtt".to_owned() } else { path.to_owned() };
        Ok(BrokerUrl { is_tls, is_websocket, host, port, path, user, password })
    }

    /// Returns where it is, for people.
    pub(in crate::daemon) fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Returns a part of a URL without its percent signs (RFC 3986, 2.1).
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let parse = |url: &str| BrokerUrl::parse(url).map(|url| (url.shown(), url.path, url.user, url.password));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parse("mqtt://broker"), Ok(("broker:1883".to_owned(), "/mqtt".to_owned(), None, None)));
        assert_eq!(
            parse("wss://me:p%40ss@[::1]:9001/ws"),
            Ok(("[::1]:9001".to_owned(), "/ws".to_owned(), some("me"), some("p@ss")))
        );
        assert_eq!(parse("mqtts://h").unwrap().0, "h:8883");
        assert_eq!(parse("http://h"), Err(BadUrl::Scheme("http".to_owned())));
        assert_eq!(parse("mqtt://h:0"), Err(BadUrl::Port("0".to_owned())));
        assert_eq!(parse("mqtt://:1"), Err(BadUrl::Host));
    }
}
