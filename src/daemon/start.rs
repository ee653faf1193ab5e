//! Starts the daemon, watches over its tasks, and stops it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::disk::home_files::{FilesError, SETTINGS, Scan};
use crate::disk::recorded;
use crate::engine::{self, DeviceOptions, Engine};
use crate::lang::{BrokerSettings, Code, EmbeddedBroker, Home, Settings, take_refusals_for_errors};
use crate::model::schedule::Calendar;
use crate::sim;

use super::banner::Banner;
use super::broker::{self, AccessFiles, FileProblem, Listeners, ListenersError, OwnBroker};
use super::files::reload::{Loaded, Reloader, Request, Subject, tell_stale};
use super::home::event_loop::{EventLoop, Parts};
use super::home::input::{Input, Link, WAITING};
use super::instance::Instance;
use super::link::{LinkError, Linked};
use super::mqtt::{Moment, Mqtt, Retained};
use super::observers::Observers;
use super::observers::screen::{Format, Screen};
use super::observers::shown::Shown;
use super::outside::Outside;
use super::recorder::Recorder;
use super::shadow::begin as shadow;
use super::store::{self, Opened, StoreError};
use super::system::clock::{self, Clock, Pace};
use super::system::logging::{self, LogError, report};
use super::system::zone::system_zone;
use super::system::{open_files, sd_notify};
use super::web::{Web, WebError};
use crate::api::findings;

/// Where the daemon says in its data that it listens: the settings may be broken while it runs.
pub(crate) const ADDRESS_FILE: &str = "address";

/// How long the loop has for its last effects, and for taking leave of clients.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long clients, and those who ask over the web, have to take what was sent to them.
const FAREWELL: Duration = Duration::from_secs(1);

/// How the daemon is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The home's folder.
    pub home: PathBuf,
    /// Don't start if a file doesn't load.
    pub strict: bool,
    /// Don't show messages and rules.
    pub quiet: bool,
    /// What is logged; `None`: what an operator wants to see.
    pub log: Option<String>,
    /// How things are shown.
    pub format: Format,
    /// How fast time passes; `None`: as outside.
    pub pace: Option<Pace>,
    /// The folder of rules that run beside those in force, relative to the home; `None`: as the settings say.
    pub shadow: Option<PathBuf>,
}

/// How the daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody asked it to stop.
    Stopped,
    /// It didn't start, since a file doesn't load and it was told to be strict.
    Refused,
}

/// Why the daemon didn't start, or died.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The home can't be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The log's filter can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The settings don't load. With the defaults it would be another home: other addresses, other permissions.
    #[error("`homerule.yaml` doesn't load: see above. Fix it, or remove it to run with the defaults")]
    SettingsBroken,
    /// The settings ask for what this version can't keep.
    #[error("`homerule.yaml` needs something that this version doesn't support: see above")]
    NotOffered,
    /// The settings ask for what can't be.
    #[error("{0}")]
    Settings(String),
    /// The system doesn't let us.
    #[error("{what}: {error}")]
    System {
        /// What we wanted.
        what: &'static str,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The data can't be used.
    #[error("{0}")]
    Store(String),
    /// The broker doesn't start, or died.
    #[error("{0}")]
    Broker(String),
    /// The HTTP interface doesn't start, or died.
    #[error("{0}")]
    Web(String),
    /// A part of the daemon ended that must not.
    #[error("{0} ended unexpectedly, and the daemon with it; please report this with the log")]
    Died(&'static str),
}

impl From<StoreError> for DaemonError {
    fn from(error: StoreError) -> DaemonError {
        DaemonError::Store(error.to_string())
    }
}

impl From<ListenersError> for DaemonError {
    fn from(error: ListenersError) -> DaemonError {
        DaemonError::Broker(error.to_string())
    }
}

impl From<FileProblem> for DaemonError {
    fn from(problem: FileProblem) -> DaemonError {
        DaemonError::Broker(problem.to_string())
    }
}

impl From<LinkError> for DaemonError {
    fn from(error: LinkError) -> DaemonError {
        DaemonError::Settings(error.to_string())
    }
}

impl From<WebError> for DaemonError {
    fn from(error: WebError) -> DaemonError {
        DaemonError::Web(error.to_string())
    }
}

/// Runs the home until a signal ends it.
///
/// # Errors
/// When it doesn't start, or a part of it dies.
pub fn run(options: &Options) -> Result<Ended, DaemonError> {
    if let Some(pace) = options.pace {
        clock::set_pace(pace);
    }
    logging::start(options.log.as_deref(), options.format)?;
    // One thread serves the sockets and decides: a hand-over to another costs more than a rule.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| DaemonError::System { what: "the runtime can't start", error })?;
    let ended = runtime.block_on(serve(options));
    // A request that a rule made may still wait for its answer.
    runtime.shutdown_background();
    logging::finish();
    ended
}

async fn serve(options: &Options) -> Result<Ended, DaemonError> {
    // A home that is only shown ends with its terminal.
    let hangup = if options.pace.is_some() { Heard::Stop("SIGHUP") } else { Heard::Reload };
    let signals = Signals::new(hangup)?;
    let folder = std::path::absolute(&options.home)
        .map_err(|error| DaemonError::System { what: "the current folder can't be read", error })?;
    let (loaded, scan) = Loaded::read(&folder, &Subject::InForce)?;
    let is_broken = loaded.findings.iter().any(|finding| finding.is_error() && finding.file == SETTINGS);
    if !is_broken && loaded.home.diagnostics.iter().any(|found| found.code == Code::NOT_OFFERED) {
        let mut refused = loaded.home.diagnostics;
        take_refusals_for_errors(&mut refused);
        report(&findings(&refused, &scan.sources), options.format);
        return Err(DaemonError::NotOffered);
    }
    report(&loaded.findings, options.format);
    if is_broken {
        return Err(DaemonError::SettingsBroken);
    }
    if options.strict && loaded.home.has_errors() {
        return Ok(Ended::Refused);
    }
    let opened = store::open(folder.join(&loaded.home.settings.data))?;
    let loaded = loaded.with_last_good(&scan, &opened.kept.sources);
    tell_stale(&loaded.stale);
    if options.strict && !loaded.stale.is_empty() {
        return Ok(Ended::Refused);
    }
    let daemon = Daemon::start(options, &folder, opened, loaded, scan).await?;
    daemon.watch_over(signals).await
}

/// The running parts.
struct Daemon {
    link: Link,
    requests: mpsc::Sender<Request>,
    /// To those who watch the files of the shadow.
    of_shadow: Option<mpsc::Sender<Request>>,
    stopping: watch::Sender<bool>,
    listeners: Listening,
    event_loop: JoinHandle<()>,
    web: JoinHandle<Result<(), WebError>>,
    reloader: JoinHandle<()>,
}

/// What takes in clients, until it is told to stop.
type Listening = JoinHandle<Result<(), ListenersError>>;

/// Binds the listeners of our own broker, and reads who may connect; `None` where it is another broker.
async fn bind(broker: &BrokerSettings, folder: &Path) -> Result<Option<(AccessFiles, Listeners)>, DaemonError> {
    let BrokerSettings::Embedded(embedded) = broker else { return Ok(None) };
    if let Some(most) = open_files::make_room(embedded.limits.connections) {
        warn!(
            "The system lets homerule have {most} files open, too few for {} clients: raise it with `LimitNOFILE=` or `ulimit -n`.",
            embedded.limits.connections
        );
    }
    let access = AccessFiles::read(embedded, folder)?;
    Ok(Some((access, Listeners::bind(embedded, folder).await?)))
}

/// Starts our own broker with what was kept of it.
fn own_broker(
    now: Moment,
    settings: &EmbeddedBroker,
    (access, listeners): (AccessFiles, Listeners),
    kept: Vec<(Arc<str>, Vec<u8>)>,
    old_retained: &[Retained],
) -> (Mqtt, Listening) {
    let parts = broker::Parts { settings, listeners: &listeners, access, kept, old_retained, seed: random() };
    let (broker, arrivals, unreadable) = OwnBroker::new(now, parts);
    for key in unreadable {
        error!("`{key}` can't be read and is left out.");
    }
    (Mqtt::Broker(Box::new(broker)), tokio::spawn(listeners.run(arrivals)))
}

/// Returns what stands for listeners where nobody listens: it ends with the daemon.
fn nobody(mut stop: watch::Receiver<bool>) -> Listening {
    tokio::spawn(async move {
        // An error means that the daemon has gone.
        let _ = stop.changed().await;
        Ok(())
    })
}

impl Daemon {
    async fn start(
        options: &Options,
        folder: &Path,
        opened: Opened,
        loaded: Loaded,
        scan: Scan,
    ) -> Result<Daemon, DaemonError> {
        // Longer than most: what a start does, in its order.
        let Opened { store, kept } = opened;
        let settings = &loaded.home.settings;
        let zone = zone(settings)?;
        logging::set_zone(zone.clone());
        let (sender, inputs) = mpsc::channel(WAITING);
        let link = Link::new(sender.clone());
        drop(sender);
        let own = bind(&settings.broker, folder).await?;
        let (requests, requested) = mpsc::channel(16);
        let (stopping, stop) = watch::channel(false);
        let web = Web::bind(settings, folder, link.clone(), requests.clone(), stop).await?;
        let addresses = own.as_ref().map(|(_, listeners)| listeners.addresses()).unwrap_or_default();
        let banner = Banner::new(folder, addresses, web.address(), &loaded);
        let mut screen = Screen::start(options.format, options.quiet, zone.clone());
        banner.show(&mut screen);
        let address = folder.join(&settings.data).join(ADDRESS_FILE);
        if let Err(error) = std::fs::write(&address, format!("{}\n", url("http", web.address()))) {
            info!("`{}` can't be written: {error}.", address.display());
        }
        let mut clock = Clock::start(kept.snapshot.alive_at);
        let now = clock.read().now;
        let (mqtt, listeners) = match (own, &settings.broker) {
            (Some(own), BrokerSettings::Embedded(embedded)) => {
                own_broker(now, embedded, own, kept.broker, &kept.old_retained)
            }
            (_, BrokerSettings::External(external)) => {
                let linked = Linked::new(now, settings, external, folder, kept.link)?;
                (Mqtt::Link(Box::new(linked)), nobody(stopping.subscribe()))
            }
            (None, BrokerSettings::Embedded(_)) => return Err(DaemonError::Died("the broker")),
        };
        let wanted = shadow::wanted(folder, options.shadow.as_ref(), settings);
        let known = wanted.is_some().then(|| kept.snapshot.clone());
        let options = engine_options(folder, &loaded.home, zone);
        let shown = Shown::new(options.payload.clone(), &loaded.home.ruleset.secrets);
        let instance = settings.instance.as_ref().map(|one| Instance::new(now, one, folder, &kept.snapshot));
        let instance = instance.transpose().map_err(DaemonError::Settings)?;
        let engine = Engine::restore(now.wall, loaded.home.ruleset.clone(), kept.snapshot, options.clone());
        let in_force = (&loaded.home.ruleset, settings);
        let shadow = shadow::start(wanted, folder, in_force, (known, options.clone()), (now.wall, link.clone()))?;
        let states = engine.0.states();
        let recorder = Recorder::start(recorded::folder(folder, settings), settings.recorder.clone(), states, &shown);
        let parts = Parts {
            inputs,
            clock,
            outside: Outside::new(link.clone(), settings.allow.clone()),
            store,
            retained: mqtt.retained(),
            outbox: kept.outbox,
            kept_sources: kept.sources,
            old_keys: kept.old_keys,
            listen: banner.urls(),
            options,
            instance,
            shadow: shadow.shadow,
        };
        let observers = Observers::new(settings, screen, recorder, shown, now.wall);
        let good = loaded.sources.clone();
        let event_loop = EventLoop::new(parts, mqtt, observers, engine, loaded);
        let reloader = Reloader::new((folder.to_owned(), Subject::InForce), link.clone(), requested, scan, good);
        Ok(Daemon {
            link,
            requests,
            of_shadow: shadow.requests,
            stopping,
            event_loop: tokio::spawn(event_loop.run()),
            listeners,
            web: tokio::spawn(web.run()),
            reloader: tokio::spawn(async move {
                match shadow.reloader {
                    Some(of_shadow) => tokio::select! { () = reloader.run() => {}, () = of_shadow.run() => {} },
                    None => reloader.run().await,
                }
            }),
        })
    }

    /// Waits until a signal ends the daemon. If one of its parts ends by itself, so does the whole: a daemon that looks
    /// alive and moves nothing is worse than none.
    async fn watch_over(mut self, mut signals: Signals) -> Result<Ended, DaemonError> {
        sd_notify::notify("READY=1");
        let watchdog = sd_notify::watchdog();
        loop {
            tokio::select! {
                ended = &mut self.listeners => return Err(match ended {
                    Ok(Err(error)) => error.into(),
                    Ok(Ok(())) | Err(_) => DaemonError::Died("the broker"),
                }),
                ended = &mut self.web => return Err(match ended {
                    Ok(Err(error)) => error.into(),
                    Ok(Ok(())) | Err(_) => DaemonError::Died("the HTTP interface"),
                }),
                _ = &mut self.event_loop => return Err(DaemonError::Died("the loop that decides")),
                _ = &mut self.reloader => return Err(DaemonError::Died("the watch on the files")),
                heard = signals.next() => match heard {
                    Heard::Stop(name) => {
                        info!("Stopping: {name}.");
                        break;
                    }
                    Heard::Reload => self.ask_for_reload(),
                },
                () = beat(watchdog, &self.link) => sd_notify::notify("WATCHDOG=1"),
            }
        }
        self.stop().await;
        Ok(Ended::Stopped)
    }

    fn ask_for_reload(&self) {
        // When it is full, a reload is about to happen.
        let _ = self.requests.try_send(None);
        let _ = self.of_shadow.as_ref().map(|requests| requests.try_send(None));
    }

    async fn stop(self) {
        sd_notify::notify("STOPPING=1");
        let last_words = async {
            if self.link.send(Input::Stop).await.is_ok() {
                // It ended well, or we end anyway.
                let _ = self.event_loop.await;
            }
        };
        if timeout(LAST_WORDS, last_words).await.is_err() {
            warn!("The loop that decides didn't end in time.");
        }
        // The web's task takes this, unless it has ended.
        let _ = self.stopping.send(true);
        let farewell = async {
            let _ = self.listeners.await;
            let _ = self.web.await;
        };
        if timeout(FAREWELL, farewell).await.is_err() {
            info!("Some connections were cut off.");
        }
    }
}

/// Waits for the next sign of life that systemd wants, which the loop itself must give.
async fn beat(interval: Option<Duration>, link: &Link) {
    let Some(interval) = interval else { return std::future::pending().await };
    tokio::time::sleep(interval).await;
    if link.ask(|_| ()).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The signals that the daemon hears.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// What SIGHUP asks for.
    at_hangup: Heard,
}

impl Signals {
    fn new(at_hangup: Heard) -> Result<Signals, DaemonError> {
        let hear = |kind| signal(kind).map_err(|error| DaemonError::System { what: "signals can't be heard", error });
        Ok(Signals {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
            hangup: hear(SignalKind::hangup())?,
            at_hangup,
        })
    }

    async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.terminate.recv() => Heard::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Heard::Stop("SIGINT"),
            _ = self.hangup.recv() => self.at_hangup,
        }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy)]
enum Heard {
    /// To stop; with the signal's name.
    Stop(&'static str),
    /// To read the files again.
    Reload,
}

fn zone(settings: &Settings) -> Result<TimeZone, DaemonError> {
    match &settings.zone {
        None => system_zone().map_err(DaemonError::Settings),
        Some(name) => TimeZone::get(name).map_err(|error| {
            DaemonError::Settings(format!("`location.timezone` is `{name}`, which isn't a known time zone: {error}"))
        }),
    }
}

fn engine_options(folder: &Path, home: &Home, zone: TimeZone) -> engine::Options {
    let settings = &home.settings;
    let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let devices = DeviceOptions {
        settings: settings.device_settings(&name),
        kept: Arc::clone(&home.kept_devices),
        ..DeviceOptions::default()
    };
    let calendar = Calendar { zone, location: settings.location, ..Calendar::default() };
    engine::Options { secret: secret(), ..sim::engine_options(settings, calendar, Arc::new(devices), random()) }
}

/// Returns a number that differs from start to start, made of the standard library's random keys.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Returns what nobody can guess.
fn secret() -> Arc<[u8]> {
    let mut bytes = [0; 32];
    if getrandom::fill(&mut bytes).is_err() {
        // A system without random numbers has random keys of hashes all the same.
        bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random().to_le_bytes()));
    }
    bytes.into()
}

/// Returns the address as a URL's.
pub(super) fn url(scheme: &str, address: SocketAddr) -> String {
    format!("{scheme}://{address}")
}
