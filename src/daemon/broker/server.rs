//! Starts the broker on the addresses of the settings, runs it, and stops it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker, StorageBackendType, StorageConfig};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::daemon::input::Input;
use crate::daemon::store::{Retained, RetainedKeeper};
use crate::lang::EmbeddedBroker;

use super::Publisher;
use super::access::Access;
use super::clients::Clients;
use super::hook::Hook;
use super::subscription::Subscription;

/// The smallest packet that the library lets us allow.
const SMALLEST_PACKET: usize = 1024;

/// The messages that wait for a client that is reading: enough that a burst waits for the reader's turn.
const LANE: usize = 10_000;

/// Why the broker doesn't start, or died.
#[derive(Debug, Error)]
pub(in crate::daemon) enum BrokerError {
    /// An address can't be had.
    #[error("the broker can't listen on {address}: {reason}")]
    Bind { address: SocketAddr, reason: String },
    /// The library says no.
    #[error("the broker failed: {0}")]
    Failed(String),
}

/// The broker, bound to its addresses.
pub(in crate::daemon) struct Broker {
    server: MqttBroker,
    subscription: Subscription,
    hook: Arc<Hook>,
    inputs: mpsc::Sender<Input>,
    addresses: Vec<SocketAddr>,
}

impl Broker {
    /// Binds the addresses of `settings`. What happens will go into `inputs`.
    pub(in crate::daemon) async fn bind(
        settings: &EmbeddedBroker,
        inputs: mpsc::Sender<Input>,
    ) -> Result<Broker, BrokerError> {
        let wanted: Vec<SocketAddr> = settings.listen.iter().map(|listener| listener.address).collect();
        let mut addresses = claim(&wanted)?;
        let clients = Arc::new(Clients::default());
        let hook = Arc::new(Hook::new(inputs.clone(), Arc::clone(&clients)));
        let config = configure(settings, &addresses, Arc::clone(&hook));
        let server = MqttBroker::with_config(config).await.map_err(|error| failed(&error))?;
        let server = server.with_auth_provider(Arc::new(Access::new(clients)));
        if let ([address], Some(bound)) = (addresses.as_mut_slice(), server.local_addr()) {
            *address = bound;
        }
        hook.set_router(server.router());
        let subscription = Subscription::open(&server.router()).await.map_err(|error| failed(&error))?;
        Ok(Broker { server, subscription, hook, inputs, addresses })
    }

    /// Puts back the retained messages of before a restart, and gives those to come to `keeper`.
    pub(in crate::daemon) async fn keep_retained(&self, retained: &[Retained], keeper: RetainedKeeper) {
        self.publisher().restore(retained).await;
        self.hook.set_keeper(keeper);
    }

    /// Returns the addresses that it listens on.
    pub(in crate::daemon) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns what publishes through it.
    pub(in crate::daemon) fn publisher(&self) -> Publisher {
        Publisher::new(self.server.router())
    }

    /// Returns what stops it: [`Broker::run`] then ends.
    pub(in crate::daemon) fn stopper(&self) -> Stopper {
        Stopper(self.server.shutdown_handle())
    }

    /// Serves clients until it is stopped.
    ///
    /// # Errors
    /// When it can't go on.
    pub(in crate::daemon) async fn run(self) -> Result<(), BrokerError> {
        let Broker { mut server, subscription, inputs, .. } = self;
        tokio::select! {
            ended = server.run() => ended.map_err(|error| failed(&error)),
            () = subscription.run(inputs) => Err(BrokerError::Failed("its own subscription ended".to_owned())),
        }
    }
}

/// Stops the broker.
pub(in crate::daemon) struct Stopper(BrokerShutdownHandle);

impl Stopper {
    /// Asks it to stop; it closes its connections.
    pub(in crate::daemon) fn stop(&self) {
        self.0.shutdown();
    }
}

/// Tries each address, since the library only warns of one that it can't have, and returns them with the ports that
/// they got. A single port 0 is left to the library, so that nobody can take it in between.
fn claim(wanted: &[SocketAddr]) -> Result<Vec<SocketAddr>, BrokerError> {
    let bind = |address: &SocketAddr| {
        TcpListener::bind(address).map_err(|error| BrokerError::Bind { address: *address, reason: reason(&error) })
    };
    // All are held until all are there: two that are the same must not pass.
    let held = wanted.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    if let [only] = wanted {
        return Ok(vec![*only]);
    }
    Ok(wanted.iter().zip(&held).map(|(address, listener)| listener.local_addr().unwrap_or(*address)).collect())
}

fn configure(settings: &EmbeddedBroker, addresses: &[SocketAddr], hook: Arc<Hook>) -> BrokerConfig {
    let limits = settings.limits;
    let mut config = BrokerConfig::default().with_bind_addresses(addresses.to_vec());
    config.max_clients = limits.connections.max(1);
    config.max_packet_size = limits.packet.max(SMALLEST_PACKET);
    config.max_retained_messages = limits.retained;
    config.max_outbound_inflight = limits.inflight.max(1);
    config.client_channel_capacity = limits.queued_messages.max(LANE);
    config.storage_config = StorageConfig {
        backend: StorageBackendType::Memory,
        max_queued_messages_per_client: limits.queued_messages,
        ..StorageConfig::default()
    };
    // Who may connect is `Access`'s to say; without this the library asks for a password file.
    config.auth_config.allow_anonymous = true;
    config.event_handler = Some(hook);
    config
}

fn failed(error: &mqtt5::error::MqttError) -> BrokerError {
    BrokerError::Failed(error.to_string())
}

/// Says why an address can't be bound, and what to do.
pub(in crate::daemon) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it, or set another port".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied; ports below 1024 are the system's".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}
