//! Listens, accepts connections, and shakes hands where TLS or WebSocket is in between. Each peer has only so long for that; one
//! that stays silent keeps nobody else out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::daemon::net::websocket::{Origins, accept};
use crate::daemon::net::{TlsError, TlsFiles, TlsGate, bind, bind_reason, common_name};
use crate::lang::{EmbeddedBroker, Host, ListenAddress, Listener};

use super::gate::{Arrival, Gate, Newcomer};
use super::stream::Stream;

/// How many newcomers wait for the loop. Beyond, they wait at the system's.
const WAITING: usize = 256;

/// How long we wait when the system has no socket for a client.
const BREATH: Duration = Duration::from_millis(100);

/// Why the broker doesn't listen.
#[derive(Debug, Error)]
pub(in crate::daemon) enum ListenersError {
    /// An address can't be had.
    #[error("the broker can't listen on {address}: {reason}")]
    Bind { address: ListenAddress, reason: String },
    /// A certificate can't be used.
    #[error("the broker can't listen on {address}: {error}")]
    Tls { address: ListenAddress, error: TlsError },
    /// A task ended that must not.
    #[error("the broker doesn't listen on {0} any longer")]
    Died(Arc<str>),
}

/// All listeners, bound to their addresses.
pub(in crate::daemon) struct Listeners {
    bound: Vec<(TcpListener, Arc<Gate>)>,
    addresses: Vec<(&'static str, SocketAddr)>,
    connect_timeout: Duration,
    most_handshakes: usize,
}

impl Listeners {
    /// Binds the addresses of `settings`; the files are those of the home.
    pub(in crate::daemon) async fn bind(settings: &EmbeddedBroker, home: &Path) -> Result<Listeners, ListenersError> {
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for listener in &settings.listen {
            let wanted = &listener.address;
            let tls = tls(listener, home).map_err(|error| ListenersError::Tls { address: wanted.clone(), error })?;
            let bound = bind(wanted).await.and_then(|bound| Ok((bound.local_addr()?, bound)));
            let (address, bound) =
                bound.map_err(|error| ListenersError::Bind { address: wanted.clone(), reason: bind_reason(&error) })?;
            let scheme = scheme(listener);
            let gate = Gate {
                name: format!("{scheme}://{address}").into(),
                tls,
                origins: listener.websocket.then(|| origins(listener)),
                lets_anonymous_in: settings.lets_anonymous_in(listener),
                names_by_certificate: listener.tls.as_ref().is_some_and(|tls| tls.identity.is_some()),
            };
            listeners.push((bound, Arc::new(gate)));
            addresses.push((scheme, address));
        }
        let connect_timeout = settings.limits.connect_timeout;
        Ok(Listeners { bound: listeners, addresses, connect_timeout, most_handshakes: settings.limits.connections })
    }

    /// Returns the addresses, each with its scheme.
    pub(in crate::daemon) fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// Returns what each of them is told by.
    pub(super) fn gates(&self) -> Vec<Arc<Gate>> {
        self.bound.iter().map(|(_, gate)| Arc::clone(gate)).collect()
    }

    /// Returns where newcomers are reported, and where they are heard of.
    pub(super) fn channel() -> (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>) {
        mpsc::channel(WAITING)
    }

    /// Listens for as long as somebody hears of it.
    ///
    /// # Errors
    /// When one of them can't go on.
    pub(in crate::daemon) async fn run(self, arrivals: Arrivals) -> Result<(), ListenersError> {
        let mut tasks = JoinSet::new();
        let patience = self.connect_timeout;
        let most = self.most_handshakes;
        for (listener, gate) in self.bound {
            let arrivals = arrivals.0.clone();
            tasks.spawn(async move {
                let name = Arc::clone(&gate.name);
                Accepting { gate, arrivals, patience, most }.run(listener).await;
                name
            });
        }
        match tasks.join_next().await {
            Some(Ok(_)) if arrivals.0.is_closed() => Ok(()),
            Some(Ok(name)) => Err(ListenersError::Died(name)),
            Some(Err(_)) => Err(ListenersError::Died("one of its addresses".into())),
            None => Ok(()),
        }
    }
}

/// Where newcomers are reported.
pub(in crate::daemon) struct Arrivals(pub(super) mpsc::Sender<Arrival>);

/// One listener at work.
struct Accepting {
    gate: Arc<Gate>,
    arrivals: mpsc::Sender<Arrival>,
    patience: Duration,
    most: usize,
}

impl Accepting {
    async fn run(self, listener: TcpListener) {
        let mut handshakes = JoinSet::new();
        // Oldest first.
        let mut under_way: VecDeque<AbortHandle> = VecDeque::new();
        let mut is_told = false;
        loop {
            tokio::select! {
                () = self.arrivals.closed() => return,
                Some(_) = handshakes.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((socket, address)) => {
                        is_told = false;
                        // Without it an action waits for the next message, or 40 ms.
                        let _ = socket.set_nodelay(true);
                        if self.gate.tls.is_none() && self.gate.origins.is_none() {
                            let newcomer = self.newcomer(Stream::Plain(socket), address, None);
                            if self.arrivals.send(Arrival::Client(newcomer)).await.is_err() {
                                return;
                            }
                            continue;
                        }
                        under_way.retain(|handshake| !handshake.is_finished());
                        if under_way.len() >= self.most && let Some(oldest) = under_way.pop_front() {
                            // Whoever has been at it longest is the likeliest to be nobody.
                            oldest.abort();
                        }
                        under_way.push_back(handshakes.spawn(self.shake_hands(socket, address)));
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut is_told, true) {
                            warn!("`{}` can't take connections, and tries again: {error}.", self.gate.name);
                        }
                        sleep(BREATH).await;
                    }
                },
            }
        }
    }

    fn newcomer(&self, stream: Stream, address: SocketAddr, common_name: Option<Arc<str>>) -> Newcomer {
        Newcomer { stream, address, gate: Arc::clone(&self.gate), common_name }
    }

    /// Shakes hands with a peer, and reports how that went.
    fn shake_hands(&self, socket: TcpStream, address: SocketAddr) -> impl Future<Output = ()> + Send + 'static {
        let (gate, arrivals, patience) = (Arc::clone(&self.gate), self.arrivals.clone(), self.patience);
        async move {
            let shaken = timeout(patience, shake(socket, &gate)).await;
            let arrival = match shaken {
                Ok(Ok((stream, common_name))) => Arrival::Client(Newcomer { stream, address, gate, common_name }),
                Ok(Err(why)) => Arrival::Failed { address, why },
                Err(_) => Arrival::Failed { address, why: "the handshake took too long".to_owned() },
            };
            // Nobody hears of it only when the daemon stops.
            let _ = arrivals.send(arrival).await;
        }
    }
}

async fn shake(socket: TcpStream, gate: &Gate) -> Result<(Stream, Option<Arc<str>>), String> {
    let Some(tls) = &gate.tls else { return Ok((upgrade(socket, gate).await?, None)) };
    let secured = tls.accept(socket).await.map_err(|error| format!("the TLS handshake failed: {error}"))?;
    let name = common_name(&secured).map(Arc::from);
    Ok((upgrade(secured, gate).await?, name))
}

/// Speaks WebSocket where the listener does.
async fn upgrade<S: super::stream::Filter + 'static>(stream: S, gate: &Gate) -> Result<Stream, String> {
    let Some(origins) = &gate.origins else { return Ok(Stream::Filtered(Box::new(stream))) };
    let socket = accept(stream, origins).await.map_err(|error| format!("the WebSocket handshake failed: {error}"))?;
    Ok(Stream::Filtered(Box::new(socket)))
}

fn scheme(listener: &Listener) -> &'static str {
    match (listener.websocket, listener.tls.is_some()) {
        (false, false) => "mqtt",
        (false, true) => "mqtts",
        (true, false) => "ws",
        (true, true) => "wss",
    }
}

fn origins(listener: &Listener) -> Origins {
    let own = match &listener.address.host {
        Host::Name(name) => Some(&**name),
        Host::Ip(_) | Host::Every => None,
    };
    Origins::new(&listener.origins, own)
}

fn tls(listener: &Listener, home: &Path) -> Result<Option<TlsGate>, TlsError> {
    let Some(tls) = &listener.tls else { return Ok(None) };
    let files = TlsFiles {
        certificate: home.join(&tls.certificate),
        key: home.join(&tls.key),
        client_ca: tls.client_ca.as_ref().map(|path| home.join(path)),
    };
    TlsGate::open(files).map(Some)
}
