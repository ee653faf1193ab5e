//! Starts the broker on the addresses of the settings, runs it, and stops it.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use mqtt5::broker::BrokerConfig;
use mqtt5::broker::client_handler::ClientHandler;
use mqtt5::broker::resource_monitor::{ResourceLimits, ResourceMonitor};
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::storage::{DynamicStorage, MemoryBackend, QueueLimits, StorageBackend};
use mqtt5::broker::sys_topics::{BrokerStats, SysTopicsProvider};
use mqtt5::broker::transport::BrokerTransport;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, warn};

use crate::daemon::home::input::Input;
use crate::daemon::net::bind;
use crate::daemon::store::{Retained, RetainedKeeper};
use crate::lang::{EmbeddedBroker, ListenAddress};

use super::Publisher;
use super::access::Access;
use super::connection::{Acknowledgement, Connection};
use super::hook::Hook;
use super::subscription::Subscription;
use super::unrouted::Unrouted;

/// The smallest packet that the library lets us allow.
const SMALLEST_PACKET: usize = 1024;

/// The messages that wait for a client that is reading: enough that a burst waits for the reader's turn.
const LANE: usize = 10_000;

/// How many messages wait for a client where the settings set no limit.
const MOST_QUEUED: usize = 1 << 20;

/// How many clients may come within a second: a whole house after a power cut, and not a flood.
const CONNECTIONS_A_SECOND: u32 = 10_000;

/// How long we wait when the system has no socket for a client.
const BREATH: Duration = Duration::from_millis(100);

/// How long clients have to take their leave when the broker stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why the broker doesn't start, or died.
#[derive(Debug, Error)]
pub(in crate::daemon) enum BrokerError {
    /// An address can't be had.
    #[error("the broker can't listen on {address}: {reason}")]
    Bind { address: ListenAddress, reason: String },
    /// The library says no.
    #[error("the broker failed: {0}")]
    Failed(String),
}

/// The broker, bound to its addresses.
pub(in crate::daemon) struct Broker {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    service: Arc<Service>,
    subscription: Subscription,
    unrouted: Arc<Unrouted<Acknowledgement>>,
    hook: Arc<Hook>,
    inputs: mpsc::Sender<Input>,
}

/// What the library serves clients with.
struct Service {
    config: Arc<BrokerConfig>,
    router: Arc<MessageRouter>,
    access: Arc<Access>,
    storage: Arc<DynamicStorage>,
    stats: Arc<BrokerStats>,
    monitor: Arc<ResourceMonitor>,
    shutdown: broadcast::Sender<()>,
}

impl Broker {
    /// Binds the addresses of `settings`. What happens will go into `inputs`.
    pub(in crate::daemon) async fn bind(
        settings: &EmbeddedBroker,
        inputs: mpsc::Sender<Input>,
    ) -> Result<Broker, BrokerError> {
        let mut listeners = Vec::with_capacity(settings.listen.len());
        let mut addresses = Vec::with_capacity(settings.listen.len());
        for listener in &settings.listen {
            let address = &listener.address;
            let refused = |error| BrokerError::Bind { address: address.clone(), reason: reason(&error) };
            let bound = bind(address).await.map_err(refused)?;
            addresses.push(bound.local_addr().map_err(refused)?);
            listeners.push(bound);
        }
        let unrouted = Arc::new(Unrouted::default());
        let hook = Arc::new(Hook::new(inputs.clone(), Arc::clone(&unrouted)));
        let service = Arc::new(Service::new(configure(settings, Arc::clone(&hook)), Arc::clone(&hook)));
        hook.set_router(Arc::clone(&service.router));
        let subscription = Subscription::open(&service.router).await.map_err(|error| failed(&error))?;
        Ok(Broker { listeners, addresses, service, subscription, unrouted, hook, inputs })
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
        Publisher::new(Arc::clone(&self.service.router), self.hook.is_recorded())
    }

    /// Returns what stops it: [`Broker::run`] then ends.
    pub(in crate::daemon) fn stopper(&self) -> Stopper {
        Stopper(self.service.shutdown.clone())
    }

    /// Serves clients until it is stopped.
    ///
    /// # Errors
    /// When it can't go on.
    pub(in crate::daemon) async fn run(self) -> Result<(), BrokerError> {
        let Broker { listeners, service, subscription, unrouted, inputs, .. } = self;
        let mut stop = service.shutdown.subscribe();
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(Arc::clone(&service).listen(listener));
        }
        let sys = SysTopicsProvider::new(Arc::clone(&service.router), Arc::clone(&service.stats)).start();
        let ended = tokio::select! {
            _ = stop.recv() => Ok(()),
            () = service.tidy_up() => Ok(()),
            () = subscription.run(inputs, &unrouted) => {
                Err(BrokerError::Failed("its own subscription ended".to_owned()))
            }
        };
        sys.abort();
        // Clients that don't take their leave in time are cut off.
        let _ = timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await;
        ended
    }
}

impl Service {
    fn new(config: BrokerConfig, hook: Arc<Hook>) -> Service {
        let queue = QueueLimits {
            max_messages: config.storage_config.max_queued_messages_per_client,
            max_bytes: config.storage_config.max_queued_bytes_per_client,
        };
        let storage = Arc::new(DynamicStorage::Memory(MemoryBackend::with_queue_limits(queue)));
        let router = MessageRouter::with_storage(Arc::clone(&storage))
            .with_fallback_queue_limits(queue)
            .with_event_handler(hook)
            .with_retained_limits(config.max_retained_messages, config.max_retained_message_size);
        let limits = ResourceLimits {
            max_connections: config.max_clients,
            max_connections_per_ip: config.max_clients,
            max_message_rate_per_client: config.max_message_rate_per_client,
            max_bandwidth_per_client: config.max_bandwidth_per_client,
            max_connection_rate: CONNECTIONS_A_SECOND,
            rate_limit_window: Duration::from_secs(1),
        };
        Service {
            config: Arc::new(config),
            router: Arc::new(router),
            access: Arc::new(Access),
            storage,
            stats: Arc::new(BrokerStats::new()),
            monitor: Arc::new(ResourceMonitor::new(limits)),
            shutdown: broadcast::channel(1).0,
        }
    }

    /// Takes the clients that come, until the broker is stopped and the last has gone.
    async fn listen(self: Arc<Service>, listener: TcpListener) {
        let mut stop = self.shutdown.subscribe();
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                _ = stop.recv() => break,
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => {
                        if self.monitor.can_accept_connection(peer.ip()).await {
                            clients.spawn(Arc::clone(&self).serve(socket, peer));
                        } else {
                            warn!(client = %peer, "There are as many clients as may be (`broker.limits.connections`); one was refused.");
                        }
                    }
                    Err(error) => {
                        warn!(%error, "A client can't be let in; trying again.");
                        sleep(BREATH).await;
                    }
                },
                Some(_) = clients.join_next() => {}
            }
        }
        while clients.join_next().await.is_some() {}
    }

    /// Serves a client until it goes.
    async fn serve(self: Arc<Service>, socket: TcpStream, peer: SocketAddr) {
        if let Err(error) = socket.set_nodelay(true) {
            debug!(client = %peer, %error, "A socket doesn't take TCP_NODELAY.");
        }
        let (connection, stream) = Connection::new(socket, peer);
        let handler = ClientHandler::new(
            BrokerTransport::WebSocket(Box::new(stream)),
            peer,
            Arc::clone(&self.config),
            Arc::clone(&self.router),
            Arc::clone(&self.access) as _,
            Some(Arc::clone(&self.storage)),
            Arc::clone(&self.stats),
            Arc::clone(&self.monitor),
            self.shutdown.subscribe(),
        );
        // The library's future is large: a pointer to it moves, not it.
        if let Err(error) = Box::pin(connection.serve(handler.run())).await {
            debug!(client = %peer, %error, "A client's connection ended.");
        }
    }

    /// Forgets, now and then, what has expired.
    async fn tidy_up(&self) {
        let mut ticks = interval(self.config.storage_config.cleanup_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.storage.cleanup_expired().await {
                warn!(%error, "What has expired can't be forgotten.");
            }
            self.router.sweep_sessions().await;
            self.monitor.cleanup_expired_windows().await;
        }
    }
}

/// Stops the broker.
pub(in crate::daemon) struct Stopper(broadcast::Sender<()>);

impl Stopper {
    /// Asks it to stop; it closes its connections.
    pub(in crate::daemon) fn stop(&self) {
        // Nobody hears it only when it has ended.
        let _ = self.0.send(());
    }
}

fn configure(settings: &EmbeddedBroker, hook: Arc<Hook>) -> BrokerConfig {
    let limits = settings.limits;
    let queued = limits.queued_messages.map_or(MOST_QUEUED, NonZeroUsize::get);
    let mut config = BrokerConfig {
        max_clients: limits.connections.max(1),
        max_packet_size: limits.packet.max(SMALLEST_PACKET),
        max_retained_messages: limits.retained,
        max_outbound_inflight: limits.inflight.max(1),
        client_channel_capacity: queued.max(LANE),
        event_handler: Some(hook),
        ..BrokerConfig::default()
    };
    config.storage_config.max_queued_messages_per_client = queued;
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
