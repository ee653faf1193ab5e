//! Addresses to listen on, with what people write for them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// Of this machine.
    pub host: Host,
    /// The port; 0: any that is free.
    pub port: u16,
}

/// The part of an address in front of its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// `*`: all addresses of this machine, of IPv4 and IPv6.
    Every,
    /// One address, or all of its family.
    Ip(IpAddr),
    /// A name, looked up when the daemon starts.
    Name(Arc<str>),
}

/// What is wrong with a text that isn't an address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AddressError {
    /// It is a port, or begins with a colon and is one.
    OnlyPort(u16),
    /// It has no port.
    NoPort,
    /// Anything else.
    Other,
}

impl ListenAddress {
    /// Returns an address of this machine that nobody else reaches.
    #[must_use]
    pub const fn loopback(port: u16) -> ListenAddress {
        ListenAddress { host: Host::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)), port }
    }

    /// Reads what people write: `127.0.0.1:1883`, `[::]:1883`, `::1:1883`, `*:1883`, `localhost:1883`, `pi.lan:1883`.
    pub(super) fn parse(text: &str) -> Result<ListenAddress, AddressError> {
        let (host, port) = text.rsplit_once(':').ok_or_else(|| AddressError::of(text))?;
        let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| is_port).ok_or_else(|| AddressError::of(text))?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => Host::Ip(inner.parse::<Ipv6Addr>().map_err(|_| AddressError::Other)?.into()),
            None => Host::parse(host).ok_or_else(|| AddressError::of(text))?,
        };
        Ok(ListenAddress { host, port })
    }

    /// Returns whether only programs of this machine can reach it. What a name stands for isn't known here, so others can.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        matches!(self.host, Host::Ip(address) if address.is_loopback())
    }

    /// Returns where something that listens on it is reached from this machine, as it stands in a URL.
    #[must_use]
    pub fn reachable(&self) -> String {
        let host = self.reachable_host();
        if host.contains(':') { format!("[{host}]:{}", self.port) } else { format!("{host}:{}", self.port) }
    }

    /// Returns the same without the port.
    #[must_use]
    pub fn reachable_host(&self) -> String {
        match &self.host {
            Host::Ip(IpAddr::V6(address)) if address.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
            Host::Every => Ipv4Addr::LOCALHOST.to_string(),
            Host::Ip(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            Host::Ip(address) => address.to_string(),
            Host::Name(name) => name.to_string(),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Host> {
        match text {
            "*" => return Some(Host::Every),
            "localhost" => return Some(Host::Ip(Ipv4Addr::LOCALHOST.into())),
            _ => {}
        }
        if let Ok(address) = text.parse() {
            return Some(Host::Ip(address));
        }
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let has_letters = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        (has_letters && text.bytes().all(is_letter)).then(|| Host::Name(text.into()))
    }
}

impl AddressError {
    fn of(text: &str) -> AddressError {
        match text.strip_prefix(':').unwrap_or(text).parse() {
            Ok(port) => AddressError::OnlyPort(port),
            Err(_) if !text.contains(':') && Host::parse(text).is_some() => AddressError::NoPort,
            Err(_) if text.parse::<IpAddr>().is_ok() => AddressError::NoPort,
            Err(_) => AddressError::Other,
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> ListenAddress {
        ListenAddress { host: Host::Ip(address.ip()), port: address.port() }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Every => write!(formatter, "*:{}", self.port),
            Host::Ip(address) => write!(formatter, "{}", SocketAddr::new(*address, self.port)),
            Host::Name(name) => write!(formatter, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, shown, is_loopback) in [
            ("127.0.0.1:1883", "127.0.0.1:1883", true),
            ("0.0.0.0:1883", "0.0.0.0:1883", false),
            ("localhost:1883", "127.0.0.1:1883", true),
            ("[::]:1883", "[::]:1883", false),
            ("[::1]:1883", "[::1]:1883", true),
            ("::1:1883", "[::1]:1883", true),
            (":::1883", "[::]:1883", false),
            ("fe80::1:1883", "[fe80::1]:1883", false),
            ("*:1883", "*:1883", false),
            ("192.168.1.5:0", "192.168.1.5:0", false),
            ("pi.lan:1883", "pi.lan:1883", false),
            ("my-host_2:1883", "my-host_2:1883", false),
        ] {
            let address = ListenAddress::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!((address.to_string().as_str(), address.is_loopback()), (shown, is_loopback), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_address_says_what_is_missing() {
        for (text, error) in [
            ("1883", AddressError::OnlyPort(1883)),
            (":1883", AddressError::OnlyPort(1883)),
            ("127.0.0.1", AddressError::NoPort),
            ("::1", AddressError::NoPort),
            ("localhost", AddressError::NoPort),
            ("*", AddressError::NoPort),
            ("", AddressError::Other),
            ("host:", AddressError::Other),
            ("host:port", AddressError::Other),
            ("host:99999", AddressError::Other),
            ("host:+1", AddressError::Other),
            ("[host]:1", AddressError::Other),
            ("1.2.3:1", AddressError::Other),
            ("a b:1", AddressError::Other),
            ("mqtt://host:1883", AddressError::Other),
        ] {
            assert_eq!(ListenAddress::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_listens_everywhere_is_reached_by_loopback() {
        for (text, host) in [
            ("*:1", "127.0.0.1"),
            ("0.0.0.0:1", "127.0.0.1"),
            ("[::]:1", "::1"),
            ("10.0.0.1:1", "10.0.0.1"),
            ("pi.lan:1", "pi.lan"),
        ] {
            assert_eq!(ListenAddress::parse(text).unwrap().reachable_host(), host);
        }
    }
}
