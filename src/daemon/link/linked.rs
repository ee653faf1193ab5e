//! The link as the loop sees it: one of the two that speak MQTT (see [`crate::daemon::mqtt`]).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout_at;
use tracing::{info, warn};

use super::needed::needed;
use super::settings::{LinkError, client_id, link_settings, target};
use super::wire::{Wire, Wires};
use crate::api::LinkStatus;
use crate::daemon::mqtt::{Came, Happened, Moment, Outbound};
use crate::instance::mark;
use crate::lang::{ExternalBroker, InstanceRole, Settings};
use crate::link::{Connected, Disconnected, Happening, Link, covers};
use crate::model::{Message, Origin, Payload, Qos, Topic, TopicFilter};
use crate::rules::Ruleset;

/// The key of the random part of our client identifier.
const CLIENT_ID: &str = "link/client-id";

/// How long rules wait at the start for what the broker keeps.
const BEGIN_WITHIN: Duration = Duration::from_secs(3);

/// How long we wait at the end for what the broker hasn't acknowledged.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_millis(500);

/// How long it waits before it says again that it is there, and how often it does.
const BETWEEN_STATUS: Duration = Duration::from_secs(1);
const MOST_STATUS_REPEATS: u32 = 10;

/// Where the daemon says that it is there.
const STATUS_TOPIC: &str = "homerule/status";

/// The link to another broker.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own")]
pub(in crate::daemon) struct Linked {
    link: Link,
    /// The steady time of the last turn.
    now: Timestamp,
    wires: Wires,
    address: Arc<str>,
    /// The random part of it is kept.
    client_id: String,
    /// What the loop is told besides what the link tells.
    besides: VecDeque<Happened>,
    /// What files name.
    needed: BTreeSet<Arc<str>>,
    /// What was read when rules ran.
    asked: BTreeSet<Arc<str>>,
    /// Filters that also bring our own messages.
    read_back: BTreeSet<Arc<str>>,
    /// What each topic last said, as far as it may be said again as retained.
    said: BTreeMap<Topic, u64>,
    /// Whether what is retained has come once: from then on what comes again unchanged is no news.
    has_settled: bool,
    /// When rules begin, whether or not what is retained has come; `None`: they have begun, or may.
    begin_by: Option<Timestamp>,
    has_begun: bool,
    /// Whether this instance is the one that says that the home is there.
    says_status: bool,
    /// Whether there are other instances of the home, which say so too.
    has_siblings: bool,
    /// When we say again that we are there; `None`: nobody said otherwise.
    status_due: Option<Timestamp>,
    status_repeats: u32,
    /// Which complaints were told already.
    told: BTreeSet<String>,
    /// How many messages were dropped since that was last told.
    dropped: u64,
}

impl Linked {
    /// Returns a link that begins to dial with the first turn. `kept` are the rows that an earlier one told to be kept.
    ///
    /// # Errors
    /// When the settings can't be used.
    pub(in crate::daemon) fn new(
        now: Moment,
        settings: &Settings,
        broker: &ExternalBroker,
        folder: &Path,
        kept: Vec<(Arc<str>, Vec<u8>)>,
    ) -> Result<Linked, LinkError> {
        let mut kept = kept;
        let known = kept.iter().position(|(key, _)| **key == *CLIENT_ID).map(|place| kept.swap_remove(place).1);
        let known = known.and_then(|id| String::from_utf8(id).ok());
        let mut besides = VecDeque::new();
        let id = known.unwrap_or_else(|| {
            let id = client_id(settings);
            besides.push_back(Happened::Keep { key: CLIENT_ID.into(), value: Some(id.clone().into_bytes()) });
            id
        });
        if broker.insecure {
            warn!("`broker.insecure` is set: any server that answers at `{}` is taken for the broker.", broker.url);
        }
        let settings_of_link = link_settings(settings, broker, folder, &id)?;
        let wires = Wires::new(target(broker, folder)?);
        let address = Arc::clone(&settings_of_link.address);
        let (mut link, unreadable) = Link::new(now.steady, settings_of_link, kept);
        // One of several instances publishes nothing before it leads.
        link.hold(now.steady, settings.instance.is_some());
        if let Some(instance) = settings.instance.as_ref().filter(|instance| instance.role != InstanceRole::Standby) {
            link.set_instance(&instance.name);
        }
        for key in unreadable {
            warn!("`{key}` in the store can't be read and is left out.");
            besides.push_back(Happened::Keep { key, value: None });
        }
        Ok(Linked {
            link,
            now: now.steady,
            wires,
            address,
            client_id: id,
            besides,
            needed: BTreeSet::new(),
            asked: BTreeSet::new(),
            read_back: BTreeSet::new(),
            said: BTreeMap::new(),
            has_settled: false,
            begin_by: now.steady.checked_add(BEGIN_WITHIN).ok(),
            has_begun: false,
            says_status: settings.instance.is_none(),
            has_siblings: settings.instance.is_some(),
            status_due: None,
            status_repeats: 0,
            told: BTreeSet::new(),
            dropped: 0,
        })
    }

    /// Returns once something came. May be dropped at any time.
    pub(in crate::daemon) async fn ready(&mut self) {
        self.wires.ready().await;
    }

    /// Reads some of what came.
    pub(in crate::daemon) fn begin(&mut self, now: Moment) {
        self.now = now.steady;
        self.say_status_again(now);
        for wire in self.wires.take() {
            match wire {
                Wire::Opened => self.link.opened(now.steady),
                Wire::Failed(why) => self.link.failed(now.steady, why),
                Wire::Read(bytes) => self.link.read(now.steady, &bytes),
                Wire::Closed => self.link.closed(now.steady),
            }
        }
    }

    /// Returns the next thing that happened; `None`: all is told.
    pub(in crate::daemon) fn next(&mut self, now: Moment) -> Option<Happened> {
        if let Some(besides) = self.besides.pop_front() {
            return Some(besides);
        }
        while let Some(happening) = self.link.poll(now.steady) {
            match happening {
                Happening::Open => self.wires.open(),
                Happening::Close => {
                    let rest = self.link.take_output();
                    self.wires.write(rest);
                    self.wires.close();
                }
                Happening::Keep { key, value } => return Some(Happened::Keep { key, value }),
                Happening::Heard(heard) => {
                    if self.is_news(&heard.message) {
                        let mut message = heard.message;
                        let lasts = heard.expiry.map(|seconds| std::time::Duration::from_secs(seconds.into()));
                        message.expires_at = lasts.and_then(|lasts| now.wall.checked_add(lasts).ok());
                        return Some(Happened::Message(Came { message, properties: heard.properties, client: None }));
                    }
                }
                Happening::Connected(connected) => self.connected(now, &connected),
                Happening::Settled => {
                    self.has_settled = true;
                    return Some(Happened::Settled);
                }
                Happening::Disconnected(ended) => {
                    self.disconnected(&ended);
                    return Some(Happened::Away);
                }
                Happening::Told(notice) => {
                    if matches!(notice, crate::link::Notice::OutboxFull(_)) {
                        self.dropped += 1;
                    }
                    if self.told.insert(notice.to_string()) {
                        warn!("{notice}");
                    }
                }
            }
        }
        None
    }

    /// Publishes a message, now or as soon as it can be.
    pub(in crate::daemon) fn publish(&mut self, now: Moment, outbound: Outbound<'_>) {
        let message = outbound.message;
        if message.topic.as_str() == STATUS_TOPIC {
            // Said anew at each connection: of no use later.
            if self.says_status {
                self.link.say(now.steady, message);
            }
            return;
        }
        if message.retain {
            self.said.insert(message.topic.clone(), mark(message));
        }
        if outbound.rule.is_some() {
            self.link.publish_of_rule(now.steady, message);
        } else {
            self.link.publish(now.steady, message);
        }
    }

    /// Says something if the broker is there, and forgets it otherwise.
    pub(in crate::daemon) fn say(&mut self, now: Moment, message: &Message) -> bool {
        self.link.say(now.steady, message)
    }

    /// Returns how far it has come: see [`Linked::release`].
    pub(in crate::daemon) fn receipt(&self) -> u64 {
        self.link.receipt()
    }

    /// All that was told to be kept up to `receipt` is on the disk.
    pub(in crate::daemon) fn release(&mut self, now: Moment, receipt: u64) {
        self.link.release(now.steady, receipt);
    }

    /// Hands to the socket what may leave.
    pub(in crate::daemon) fn send(&mut self) {
        if self.link.has_output() {
            let bytes = self.link.take_output();
            self.wires.write(bytes);
        }
    }

    /// Returns the earliest time, by the steady clock, at which it has something to do by itself.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Timestamp> {
        let begin = self.begin_by.filter(|due| *due > self.now);
        self.link.next_deadline().into_iter().chain(begin).chain(self.status_due).min()
    }

    /// From now on hears what these rules in force, those in the shadow and these settings need.
    pub(in crate::daemon) fn change(
        &mut self,
        now: Moment,
        settings: &Settings,
        rules: &Ruleset,
        in_shadow: Option<&Ruleset>,
    ) {
        self.needed = needed(settings, rules, in_shadow);
        self.want(now);
    }

    /// From now on also hears what an expression has read.
    pub(in crate::daemon) fn ask(&mut self, now: Moment, filters: impl IntoIterator<Item = TopicFilter>) {
        let before = self.asked.len();
        for filter in filters {
            let plain = filter.plain();
            let is_covered = |wide: &Arc<str>| wide.contains(['+', '#']) && covers(wide, &plain);
            if !self.needed.contains(plain.as_str()) && !self.needed.iter().any(is_covered) {
                self.asked.insert(plain.into());
            }
        }
        if self.asked.len() > before {
            self.want(now);
        }
    }

    /// From now on also hears these filters, our own messages among them.
    pub(in crate::daemon) fn read_back(&mut self, now: Moment, filters: impl IntoIterator<Item = String>) {
        self.read_back.extend(filters.into_iter().map(Arc::from));
        self.want(now);
    }

    /// Returns whether the broker is there.
    pub(in crate::daemon) fn is_well(&self) -> bool {
        self.link.view().is_up
    }

    /// Returns whether rules may begin: what is retained has come, or won't come soon.
    pub(in crate::daemon) fn may_begin(&self, now: Moment) -> bool {
        self.has_settled || self.begin_by.is_none_or(|due| due <= now.steady)
    }

    /// Takes note that rules have begun.
    pub(in crate::daemon) fn begun(&mut self) {
        self.begin_by = None;
        self.has_begun = true;
    }

    /// Tells all that must survive, by [`Linked::next`].
    pub(in crate::daemon) fn keep_all(&mut self, now: Moment) {
        self.besides
            .push_back(Happened::Keep { key: CLIENT_ID.into(), value: Some(self.client_id.clone().into_bytes()) });
        self.link.keep_all(now.steady);
    }

    /// Returns how it is, for people, whose clock shows `wall`.
    pub(in crate::daemon) fn status(&self, wall: Timestamp) -> LinkStatus {
        let view = self.link.view();
        // The link's times are by the steady clock.
        let shift = wall.duration_since(self.now);
        let shown = |at: Timestamp| at.checked_add(shift).unwrap_or(at);
        LinkStatus {
            broker: self.address.to_string(),
            connected: view.is_up,
            since: view.since.map(shown),
            protocol: view.version.map(|version| version.as_str().to_owned()),
            lacks: view.lacks,
            subscriptions: view.subscriptions,
            refused: view.refused.iter().map(ToString::to_string).collect(),
            waiting: view.waiting,
            dropped: view.dropped,
            last_error: view.last_error,
            next_try: view.next_try.map(shown),
            connects: view.connects,
            received: view.received,
            sent: view.sent,
            echoes: view.echoes,
        }
    }

    /// Returns the link itself, for those who decide whether it may publish.
    pub(in crate::daemon) fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Says whether this instance is the one that says that the home is there.
    pub(in crate::daemon) fn set_says_status(&mut self, says: bool) {
        self.says_status = says;
    }

    /// Says good-bye, and returns when that has left.
    pub(in crate::daemon) async fn stop(&mut self, now: Moment) {
        self.send();
        let end = tokio::time::Instant::now() + LAST_ACKNOWLEDGEMENTS;
        let mut rest = VecDeque::new();
        // What isn't acknowledged is published again at the next start.
        while !self.link.is_drained() && self.is_well() && timeout_at(end, self.ready()).await.is_ok() {
            self.begin(now);
            while let Some(happened) = self.next(now) {
                rest.push_back(happened);
            }
            self.send();
        }
        self.besides.extend(rest);
        self.link.stop(now.steady);
        self.send();
        self.wires.finish().await;
    }

    fn want(&mut self, now: Moment) {
        let all = self.needed.union(&self.asked).cloned().collect();
        self.link.want(now.steady, &all, &self.read_back);
    }

    /// Returns whether a message says anything new: after a reconnect a broker says all again that it keeps.
    fn is_news(&mut self, message: &Message) -> bool {
        if message.topic.as_str() == STATUS_TOPIC {
            return self.is_news_of_status(message);
        }
        let new = mark(message);
        let old = self.said.insert(message.topic.clone(), new);
        !(message.origin == Origin::Retained && self.has_settled && old == Some(new))
    }

    /// What is retained there is our own word, or our will. Live, it is another homerule's, since ours doesn't come back; or the will of
    /// a connection of ours that the broker noticed late, which must not be the last word.
    fn is_news_of_status(&mut self, message: &Message) -> bool {
        if message.origin != Origin::Live {
            return false;
        }
        if self.says_status && self.has_begun && message.payload.text() == Some("offline") {
            self.status_due.get_or_insert(self.now + BETWEEN_STATUS);
        }
        if self.has_siblings {
            return false;
        }
        let warning =
            "Another homerule says `homerule/status` at this broker: give one of them a `topic_prefix` of its own.";
        if message.payload.text() == Some("online") && self.told.insert(warning.to_owned()) {
            warn!("{warning}");
        }
        true
    }

    /// Says again that we are there, after somebody said that we aren't: a few times, and then it tells.
    fn say_status_again(&mut self, now: Moment) {
        if self.status_due.is_none_or(|due| due > now.steady) {
            return;
        }
        self.status_due = None;
        self.status_repeats += 1;
        if self.status_repeats <= MOST_STATUS_REPEATS {
            self.say_online(now);
        } else if self.told.insert("status".to_owned()) {
            warn!(
                "Somebody keeps saying that this home is `offline` on `homerule/status`, so it says nothing there any more: give each \
                 homerule at this broker a `topic_prefix` of its own."
            );
        }
    }

    fn say_online(&mut self, now: Moment) {
        if let (true, true, Ok(topic)) = (self.says_status, self.has_begun, Topic::parse(STATUS_TOPIC)) {
            let payload = Payload::from_bytes("online");
            let online =
                Message { topic, payload, qos: Qos::AtLeastOnce, retain: true, origin: Origin::Own, expires_at: None };
            self.link.say(now.steady, &online);
        }
    }

    fn connected(&mut self, now: Moment, connected: &Connected) {
        let session = if connected.session_present { "it knew our session" } else { "a new session" };
        info!("Connected to the broker at {} with MQTT {}; {session}.", self.address, connected.version.as_str());
        for lack in self.link.view().lacks {
            if self.told.insert(lack.clone()) {
                warn!("The broker at {} has {lack}.", self.address);
            }
        }
        if std::mem::take(&mut self.dropped) > 0 {
            warn!("While the broker was away, messages were dropped: `homerule status` says how many.");
        }
        // Before rules begin, nobody is there yet.
        self.say_online(now);
    }

    fn disconnected(&mut self, ended: &Disconnected) {
        // Nothing comes soon.
        self.begin_by = self.begin_by.map(|due| if ended.was_up { due } else { self.now });
        self.wires.close();
        let seconds = ended.next_try.div_ceil(1000);
        if !ended.is_known {
            warn!("No connection to the broker: {}. Next try in {seconds} s; rules go on by time.", ended.words);
        }
    }
}
