//! Listens on an address of the settings.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;

use crate::lang::{Host, ListenAddress};

/// Listens on `address`. A name is looked up, and the first of its addresses that this machine has is taken.
///
/// # Errors
/// When the address can't be had.
pub async fn bind(address: &ListenAddress) -> io::Result<TcpListener> {
    let port = address.port;
    match &address.host {
        Host::Ip(ip) => TcpListener::bind((*ip, port)).await,
        Host::Name(name) => TcpListener::bind((&**name, port)).await,
        // That of IPv6 takes IPv4 as well, where there is IPv6.
        Host::Every => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
            }
            bound => bound,
        },
    }
}

/// Says why an address can't be had, and what to do.
#[must_use]
pub fn bind_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it, or set another port".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied; ports below 1024 are the system's".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn every_address_is_reached_by_both_families_and_a_name_by_its_own() {
        let every = bind(&ListenAddress { host: Host::Every, port: 0 }).await.unwrap();
        let port = every.local_addr().unwrap().port();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok());
        let named = bind(&ListenAddress { host: Host::Name("localhost".into()), port: 0 }).await.unwrap();
        assert!(named.local_addr().unwrap().ip().is_loopback());
        let taken = ListenAddress::from(SocketAddr::from(([127, 0, 0, 1], named.local_addr().unwrap().port())));
        if named.local_addr().unwrap().is_ipv4() {
            assert_eq!(bind(&taken).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
    }
}
