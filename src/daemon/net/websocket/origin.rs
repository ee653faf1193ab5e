//! Which web pages may connect: any page that a browser shows could reach loopback, and all that the browser's machine reaches.

use std::net::IpAddr;

/// Endings of names that only a home's own network can have (RFC 6761, 6762, 8375, and what routers use).
const LOCAL: [&str; 6] = [".local", ".localhost", ".lan", ".home.arpa", ".internal", ".localdomain"];

/// The web pages that may connect to a listener.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// As browsers write them, in small letters.
    allowed: Vec<String>,
    /// The name by which the listener was told to listen.
    own: Option<String>,
}

impl Origins {
    /// Returns the pages of `allowed` (`https://home.example`), besides those of the listener's own host, `own`.
    #[must_use]
    pub fn new(allowed: &[String], own: Option<&str>) -> Origins {
        let allowed = allowed.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Origins { allowed, own: own.map(str::to_ascii_lowercase) }
    }

    /// Returns whether a request with these headers may come in. Programs send no `Origin`.
    pub(super) fn allow(&self, host: &str, origin: Option<&str>) -> bool {
        let host = host.to_ascii_lowercase();
        let Some(origin) = origin.map(str::to_ascii_lowercase) else { return self.is_ours(&host) };
        if self.allowed.contains(&origin) {
            return self.is_ours(&host);
        }
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        self.is_ours(&host) && authority == Some(host.as_str())
    }

    /// Returns whether a `Host` can only mean this machine. Another's name may be made to point here, and a page under it would
    /// then be of the same origin.
    fn is_ours(&self, host: &str) -> bool {
        let name = name_of(host);
        let is_address = name.parse::<IpAddr>().is_ok();
        let is_local = !name.is_empty() && (!name.contains('.') || LOCAL.iter().any(|ending| name.ends_with(ending)));
        let is_of = |origin: &String| origin.split_once("://").is_some_and(|(_, authority)| name_of(authority) == name);
        is_address || is_local || self.own.as_deref() == Some(name) || self.allowed.iter().any(is_of)
    }
}

/// Returns a host without its port.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_hosts_may_not_connect() {
        let origins = Origins::new(&["https://Home.example".to_owned()], Some("mqtt.example"));
        for (host, origin, may) in [
            ("127.0.0.1:9001", None, true),
            ("[::1]:9001", None, true),
            ("192.168.1.5", None, true),
            ("localhost:9001", None, true),
            ("raspberrypi:9001", None, true),
            ("pi.local:9001", None, true),
            ("mqtt.example:9001", None, true),
            ("home.example", None, true),
            ("evil.example:9001", None, false),
            ("evil.example", Some("http://evil.example"), false),
            ("127.0.0.1.evil.example", None, false),
            ("", None, false),
            ("127.0.0.1:9001", Some("http://127.0.0.1:9001"), true),
            ("LOCALHOST:9001", Some("https://localhost:9001"), true),
            ("127.0.0.1:9001", Some("http://127.0.0.1:8080"), false),
            ("127.0.0.1:9001", Some("http://evil.example"), false),
            ("127.0.0.1:9001", Some("null"), false),
            ("192.168.1.5:9001", Some("https://home.example"), true),
            ("evil.example", Some("https://home.example"), false),
        ] {
            assert_eq!(origins.allow(host, origin), may, "{host} {origin:?}");
        }
    }
}
