//! Whether the addresses are free that the daemon listens on.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, ToSocketAddrs};

use super::finding::Finding;
use super::patient::Patient;
use crate::lang::{BrokerSettings, Host, ListenAddress};

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    if let Some(daemon) = &patient.daemon {
        return vec![Finding::ok(format!("the daemon listens on {}", daemon.listen.join(", ")))];
    }
    if let Some(process) = patient.process {
        return vec![Finding::error(
            format!("the daemon runs (process {process}), and doesn't answer at {}", patient.settings.web.listen),
            "see its log; if `web.listen` was changed, restart it",
        )];
    }
    let mut wanted = Vec::new();
    match &patient.settings.broker {
        BrokerSettings::Embedded(broker) => {
            wanted.extend(broker.listen.iter().map(|listener| ("broker.listen", &listener.address)));
        }
        BrokerSettings::External(_) => {}
    }
    wanted.push(("web.listen", &patient.settings.web.listen));
    wanted.into_iter().map(|(key, address)| look(key, address)).collect()
}

fn look(key: &str, address: &ListenAddress) -> Finding {
    let host = match &address.host {
        Host::Every => "0.0.0.0".to_owned(),
        Host::Ip(ip) => ip.to_string(),
        Host::Name(name) => name.to_string(),
    };
    let addresses = match (host.as_str(), address.port).to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => {
            return Finding::error(
                format!("`{host}` can't be looked up: {error}"),
                format!("set `{key}` to an address"),
            );
        }
    };
    for one in addresses {
        if let Err(error) = TcpListener::bind(one) {
            return taken(key, address, &error);
        }
    }
    Finding::ok(format!("{address} is free (`{key}`)"))
}

fn taken(key: &str, address: &ListenAddress, error: &io::Error) -> Finding {
    let (message, help) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!("another program listens on {address}"),
            format!("stop it (`ss -ltnp` shows which it is), or set another port with `{key}`"),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("{address} isn't an address of this machine"),
            format!("set `{key}` to one that `ip address` shows, or to 127.0.0.1"),
        ),
        ErrorKind::PermissionDenied => (
            format!("this user may not listen on {address}"),
            format!("ports below 1024 are reserved: set another one with `{key}`"),
        ),
        _ => (format!("{address} can't be listened on: {error}"), format!("set another address with `{key}`")),
    };
    Finding::error(message, help)
}
