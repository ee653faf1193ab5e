//! Our own broker in the one loop: the core, its sockets, and what runs beside it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{error, info};

use crate::broker::access::Users;
use crate::broker::reason::Reason;
use crate::broker::{
    Besides, Broker, Conn, Credentials, Drop, Dropped, Happening, Limits, Peer, Receipt, RetainedView, Settings,
};
use crate::daemon::mqtt::{Came, Happened, Moment, Outbound, Retained};
use crate::daemon::system::clock::is_paced;
use crate::engine::{Alert, AlertKind};
use crate::lang::{BrokerLimits, EmbeddedBroker};
use crate::model::{Message, one_line};

use super::access_files::{AccessFiles, Changed, Content};
use super::admission::{Admission, Checked};
use super::farewell::Farewells;
use super::gate::{Arrival, Gate, Newcomer};
use super::listeners::{Arrivals, Listeners};
use super::log::Log;
use super::sockets::Sockets;
use super::view::{BrokerView, Counts};

/// So many newcomers are taken in a turn.
const NEWCOMERS: usize = 64;

/// Where both clocks have moved apart by this, what is kept is kept anew: it is by the clock of the wall.
const DRIFT: Duration = Duration::from_millis(500);

/// What clients were told last comes so long before the end of the connection: some libraries drop what they read together with that.
const BEFORE_GOODBYE: Duration = Duration::from_millis(50);

/// How long clients have to take their leave when the daemon stops.
const LAST_LEAVE: Duration = Duration::from_secs(2);

/// What the broker begins with.
pub(in crate::daemon) struct Parts<'a> {
    pub(in crate::daemon) settings: &'a EmbeddedBroker,
    /// Where it listens.
    pub(in crate::daemon) listeners: &'a Listeners,
    /// Who may do what.
    pub(in crate::daemon) access: AccessFiles,
    /// What was kept of it.
    pub(in crate::daemon) kept: Vec<(Arc<str>, Vec<u8>)>,
    /// What earlier versions of homerule retained.
    pub(in crate::daemon) old_retained: &'a [Retained],
    /// What makes the names of nameless clients differ from start to start.
    pub(in crate::daemon) seed: u64,
}

/// Our own broker.
pub(in crate::daemon) struct OwnBroker {
    core: Broker,
    sockets: Sockets,
    /// What is known of each connection besides, by its place.
    guests: Vec<Option<Guest>>,
    gates: BTreeMap<Arc<str>, Arc<Gate>>,
    admission: Admission,
    arrivals: mpsc::Receiver<Arrival>,
    arrived: Vec<Arrival>,
    checks: mpsc::UnboundedReceiver<Checked>,
    checked: Vec<Checked>,
    changes: mpsc::Receiver<Changed>,
    changed: Vec<Changed>,
    watch: JoinHandle<()>,
    /// Connections that end with this turn.
    closing: Vec<Conn>,
    farewells: Farewells,
    log: Log,
    counts: Counts,
    /// What is wrong with a file, by its name.
    faults: BTreeMap<Arc<str>, String>,
    most_connections: usize,
    /// How far the clock of the wall was ahead when the core was last told.
    ahead: SignedDuration,
}

/// What is known of a connection besides what the core knows.
struct Guest {
    conn: Conn,
    address: SocketAddr,
    gate: Arc<Gate>,
    common_name: Option<Arc<str>>,
}

impl OwnBroker {
    /// Returns the broker with what was kept; where newcomers are to be reported; and the keys of what can't be read.
    pub(in crate::daemon) fn new(now: Moment, parts: Parts<'_>) -> (OwnBroker, Arrivals, Vec<Arc<str>>) {
        let Parts { settings, listeners, access, kept, old_retained, seed } = parts;
        let (mut core, unreadable) = Broker::restore(now.steady, core_settings(settings, seed), kept);
        if !now.ahead().is_zero() {
            core.clock_changed(now.ahead());
        }
        for retained in old_retained {
            if let Some(view) = taken_over(retained, now) {
                core.take_over_retained(now.steady, &view);
            }
        }
        let gates = listeners.gates();
        let (watch, changes) = access.watch(gates.clone());
        let AccessFiles { users, acl, .. } = access;
        if let Some(acl) = acl {
            core.set_acl(acl);
        }
        let (admission, checks) = Admission::new(users);
        let (sender, arrivals) = Listeners::channel();
        let broker = OwnBroker {
            core,
            sockets: Sockets::default(),
            guests: Vec::new(),
            gates: gates.into_iter().map(|gate| (Arc::clone(&gate.name), gate)).collect(),
            admission,
            arrivals,
            arrived: Vec::new(),
            checks,
            checked: Vec::new(),
            changes,
            changed: Vec::new(),
            watch,
            closing: Vec::new(),
            farewells: Farewells::default(),
            log: Log::default(),
            counts: Counts::default(),
            faults: BTreeMap::new(),
            most_connections: settings.limits.connections,
            ahead: now.ahead(),
        };
        (broker, Arrivals(sender), unreadable)
    }

    /// Returns once something came.
    pub(in crate::daemon) async fn ready(&mut self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // What has ended brings nothing any more, and is noticed by its owner.
        let brings = |polled: Poll<usize>| matches!(polled, Poll::Ready(count) if count > 0);
        let mut is_ready = !self.core.is_idle() || !self.arrived.is_empty();
        if self.arrived.is_empty() {
            is_ready |= brings(self.arrivals.poll_recv_many(context, &mut self.arrived, NEWCOMERS));
        }
        is_ready |= brings(self.checks.poll_recv_many(context, &mut self.checked, NEWCOMERS));
        is_ready |= brings(self.changes.poll_recv_many(context, &mut self.changed, 1));
        is_ready |= self.sockets.poll_any(context).is_ready();
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes what came, and does what is due.
    pub(in crate::daemon) fn begin(&mut self, now: Moment) {
        if now.ahead().saturating_sub(self.ahead).unsigned_abs() >= DRIFT && !is_paced() {
            self.clock_changed(now);
        }
        if self.core.next_deadline().is_some_and(|due| due <= now.steady) {
            self.core.tick(now.steady);
        }
        for arrival in std::mem::take(&mut self.arrived) {
            self.welcome(now, arrival);
        }
        for checked in std::mem::take(&mut self.checked) {
            for (conn, verdict) in self.admission.checked(now.steady, checked) {
                self.core.admit(now.steady, conn, verdict);
            }
        }
        for changed in std::mem::take(&mut self.changed) {
            self.change_access(now, changed);
        }
        self.sockets.read(now.steady, &mut self.core);
    }

    fn welcome(&mut self, now: Moment, arrival: Arrival) {
        let Newcomer { stream, address, gate, common_name } = match arrival {
            Arrival::Client(newcomer) => newcomer,
            Arrival::Failed { address, why } => {
                self.counts.failed_handshakes += 1;
                self.log.failed(&address.to_string(), &why);
                return;
            }
        };
        let peer = Peer { address: address.to_string().into(), listener: Arc::clone(&gate.name) };
        let Some(conn) = self.core.open(now.steady, peer) else {
            self.log.too_many(&address.to_string(), self.most_connections);
            return;
        };
        self.sockets.add(conn, stream);
        let place = conn.slot();
        if self.guests.len() <= place {
            self.guests.resize_with(place + 1, || None);
        }
        if let Some(room) = self.guests.get_mut(place) {
            *room = Some(Guest { conn, address, gate, common_name });
        }
    }

    /// Returns the next thing that happened.
    pub(in crate::daemon) fn next(&mut self, now: Moment) -> Option<Happened> {
        loop {
            match self.core.poll(now.steady)? {
                Happening::Keep { key, value } => return Some(Happened::Keep { key, value }),
                Happening::Published(published) => {
                    return Some(Happened::Message(Came {
                        message: published.message,
                        properties: published.properties,
                        client: Some(published.client),
                    }));
                }
                Happening::Admit(conn, credentials) => self.admit(now, conn, credentials),
                Happening::Connected(connected) => {
                    self.log.connected(&connected);
                    return Some(Happened::ClientConnected(connected.client));
                }
                Happening::Disconnected(disconnected) => {
                    self.log.disconnected(&disconnected);
                    return Some(Happened::ClientDisconnected(disconnected.client));
                }
                Happening::Close(conn) => self.closing.push(conn),
                Happening::Refused(refused) => self.log.refused(&refused),
                Happening::Dropped(dropped) => {
                    self.log.dropped(&dropped);
                    if dropped.why == Drop::QueueFull {
                        return Some(Happened::Alert(full(&dropped)));
                    }
                }
                Happening::Held { client, topic } => return Some(Happened::Held { client, topic }),
                Happening::HeldExpired { client, messages } => {
                    return Some(Happened::HeldExpired { client, messages });
                }
            }
        }
    }

    fn admit(&mut self, now: Moment, conn: Conn, credentials: Credentials) {
        let guest = self.guests.get(conn.slot()).and_then(Option::as_ref).filter(|guest| guest.conn == conn);
        let Some(guest) = guest else { return };
        let (address, gate, name) = (guest.address, &guest.gate, guest.common_name.as_ref());
        if let Some(verdict) = self.admission.ask(now.steady, conn, address, gate, name, credentials) {
            self.core.admit(now.steady, conn, verdict);
        }
    }

    /// Publishes a message of ours.
    pub(in crate::daemon) fn publish(&mut self, now: Moment, outbound: Outbound<'_>) {
        let rule = outbound.rule.map(|rule| rule.as_str().into());
        self.core.publish(now.steady, outbound.message, Besides { rule, ..Besides::default() });
    }

    /// Publishes what was decided before the start and may not have left.
    pub(in crate::daemon) fn publish_again(&mut self, now: Moment, message: &Message) {
        if message.retain {
            // What earlier versions kept so. We keep what is retained with what was decided.
            self.core.publish(now.steady, message, Besides::default());
        } else {
            self.core.publish_again(now.steady, message);
        }
    }

    /// Returns how far it has come.
    pub(in crate::daemon) fn receipt(&self) -> Receipt {
        self.core.receipt()
    }

    /// Lets go what waited for the disk.
    pub(in crate::daemon) fn release(&mut self, now: Moment, receipt: Receipt) {
        self.core.release(now.steady, receipt);
    }

    /// Writes to each client what may leave, and closes the connections that end.
    pub(in crate::daemon) fn send(&mut self, now: Moment) {
        self.sockets.write(now.steady, &mut self.core);
        for conn in std::mem::take(&mut self.closing) {
            if let Some(stream) = self.sockets.remove(conn) {
                self.farewells.say(stream, self.core.output(conn));
            }
            self.core.closed(now.steady, conn);
        }
    }

    /// Returns when it has something to do by itself, by the steady clock.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Timestamp> {
        self.core.next_deadline()
    }

    /// Takes note that the clock of the wall shows another time.
    fn clock_changed(&mut self, now: Moment) {
        let ahead = now.ahead();
        self.core.clock_changed(ahead.saturating_sub(self.ahead));
        self.ahead = ahead;
    }

    /// Tells all that must survive.
    pub(in crate::daemon) fn keep_all(&mut self, now: Moment) {
        self.core.keep_all(now.steady);
    }

    /// Returns all that is retained, with its times by the clock of the wall.
    pub(in crate::daemon) fn retained(&self) -> Vec<Retained> {
        let retained = |view: RetainedView| Retained {
            topic: view.topic.text(),
            payload: view.payload,
            qos: view.qos,
            at: view.at,
            expires_at: view.expires_at,
        };
        self.core.retained().into_iter().map(retained).collect()
    }

    /// Returns what is asked of it.
    pub(in crate::daemon) fn view(&self) -> BrokerView<'_> {
        let counts =
            Counts { wrong_passwords: self.admission.wrong, throttled: self.admission.throttled, ..self.counts };
        BrokerView { core: &self.core, counts, faults: self.faults.values().cloned().collect() }
    }

    /// Returns whether each of its files is in force.
    pub(in crate::daemon) fn is_well(&self) -> bool {
        self.faults.is_empty()
    }

    /// Says good-bye to all clients. Their sessions stay, and their wills come after the next start, unless they are back.
    pub(in crate::daemon) async fn stop(&mut self, now: Moment) {
        self.arrivals.close();
        self.watch.abort();
        sleep(BEFORE_GOODBYE).await;
        self.core.stop(now.steady);
        while let Some(happening) = self.core.poll(now.steady) {
            if let Happening::Close(conn) = happening {
                self.closing.push(conn);
            }
        }
        self.send(now);
        if timeout(LAST_LEAVE, self.farewells.all()).await.is_err() {
            info!("Some clients were cut off.");
        }
    }

    fn change_access(&mut self, now: Moment, changed: Changed) {
        let Changed { file, content } = changed;
        match content {
            Err(problem) => {
                error!("`{file}` changed and isn't in force: {problem}. What it said before is.");
                self.faults.insert(file, problem.to_string());
                return;
            }
            Ok(Content::Users(users)) => self.change_users(now, users),
            Ok(Content::Acl(acl)) => self.core.set_acl(acl),
            Ok(Content::Certificate) => {}
        }
        self.faults.remove(&file);
        info!("`{file}` was read again and is in force.");
    }

    /// Takes new users over, and ends the connections of those that are gone or have another password.
    fn change_users(&mut self, now: Moment, users: Users) {
        let Some(before) = self.admission.change(users) else { return };
        let Some(users) = self.admission.users().cloned() else { return };
        let is_named_by_certificate =
            |listener: &str| self.gates.get(listener).is_some_and(|gate| gate.names_by_certificate);
        let here = self.core.clients().filter_map(|view| Some((view.client, view.user?, view.peer?)));
        let by_password = here.filter(|(_, _, peer)| !is_named_by_certificate(&peer.listener));
        let gone = by_password.filter(|(_, user, _)| users.get(user).is_none() || users.get(user) != before.get(user));
        let gone: Vec<Arc<str>> = gone.map(|(client, ..)| client).collect();
        for client in gone {
            self.core.dismiss(now.steady, &client, Reason::NotAuthorized);
        }
    }
}

impl std::ops::Drop for OwnBroker {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Returns what a person should know of a client's full queue.
fn full(dropped: &Dropped) -> Alert {
    let (client, topic) = (one_line(&dropped.client), one_line(&dropped.topic));
    let message =
        format!("the queue of client `{client}` is full: messages for it are dropped, the first on `{topic}`");
    Alert { kind: AlertKind::QueueFull, rule: None, invariant: None, message }
}

/// Returns what an earlier version retained. Its time is by the clock of before the start.
fn taken_over(retained: &Retained, now: Moment) -> Option<RetainedView> {
    let Retained { payload, qos, at, expires_at, .. } = retained.clone();
    let topic = retained.to_message()?.topic;
    let at = at.checked_add(now.ahead()).unwrap_or(at);
    Some(RetainedView { topic, payload, qos, at, client: None, expires_at, properties: None })
}

fn core_settings(settings: &EmbeddedBroker, seed: u64) -> Settings {
    let BrokerLimits {
        connections,
        sessions,
        packet,
        queued_messages,
        queued_bytes,
        total_queued,
        inflight,
        retained,
        retained_bytes,
        subscriptions,
        topic_levels,
        messages_per_second,
        connect_timeout,
    } = settings.limits;
    let or_none = |limit: Option<NonZeroUsize>| limit.map_or(0, NonZeroUsize::get);
    Settings {
        limits: Limits {
            connections,
            packet,
            queued_messages: or_none(queued_messages),
            queued_bytes: or_none(queued_bytes),
            inflight,
            retained,
            retained_bytes,
            subscriptions: or_none(subscriptions),
            topic_levels,
            messages_per_second: u32::try_from(or_none(messages_per_second)).unwrap_or(u32::MAX),
            connect_timeout,
            sessions,
            total_queued,
        },
        session_expiry: settings.session_expiry,
        seed,
        ..Settings::default()
    }
}
