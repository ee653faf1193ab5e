//! Who may come in by one listener, and what is in between.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::daemon::net::TlsGate;
use crate::daemon::net::websocket::Origins;

use super::stream::Stream;

/// A listener's rules.
pub(super) struct Gate {
    /// What it is called in logs and views: its address, as a URL.
    pub(super) name: Arc<str>,
    /// TLS; `None`: without.
    pub(super) tls: Option<TlsGate>,
    /// Which web pages may connect by WebSocket; `None`: it speaks plain MQTT.
    pub(super) origins: Option<Origins>,
    /// Whether clients may come without a user.
    pub(super) lets_anonymous_in: bool,
    /// Whether the common name of a client's certificate is its user.
    pub(super) names_by_certificate: bool,
}

/// What a listener reports.
pub(super) enum Arrival {
    /// A client came, and shook hands.
    Client(Newcomer),
    /// A peer came and didn't get as far as MQTT.
    Failed {
        /// Where it came from.
        address: SocketAddr,
        /// What it did, in words.
        why: String,
    },
}

/// A client that came, and of which nothing but its connection is known.
pub(super) struct Newcomer {
    pub(super) stream: Stream,
    pub(super) address: SocketAddr,
    pub(super) gate: Arc<Gate>,
    /// The common name of its certificate; `None`: it has shown none, or none that can be a user.
    pub(super) common_name: Option<Arc<str>>,
}
