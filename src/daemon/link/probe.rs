//! Tries a broker, as `homerule doctor` does: whether it lets us in, takes and gives what we need, and what it can't do.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::settings::{client_id, link_settings, target};
use super::wire::{Wire, Wires};
use crate::lang::{BrokerSettings, ExternalBroker, Settings};
use crate::link::{Happening, Link};
use crate::model::{Message, Origin, Payload, Qos, Topic};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What: `connection`, `permissions`, `retained`, `wildcards`, `features`, `clock`.
    pub what: &'static str,
    /// Whether it works.
    pub works: bool,
    /// How it went, and what to do if it doesn't work.
    pub words: String,
}

/// Tries the broker of these settings, whose files are relative to `folder`. Leaves nothing behind at the broker.
///
/// # Errors
/// When the settings can't be used, or there is no runtime; in words.
pub fn try_broker(settings: &Settings, folder: &Path) -> Result<Vec<Tried>, String> {
    let BrokerSettings::External(broker) = &settings.broker else {
        return Err("this home uses its own broker: name another one with `--broker URL`".to_owned());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(try_it(settings, broker, folder))
}

/// Returns the settings of a home that would use the broker at `url`.
#[must_use]
pub fn settings_at(url: &str) -> Settings {
    Settings { broker: BrokerSettings::External(ExternalBroker::at(url.to_owned())), ..Settings::default() }
}

async fn try_it(settings: &Settings, broker: &ExternalBroker, folder: &Path) -> Result<Vec<Tried>, String> {
    let id = client_id(settings).replace("homerule-", "homerule-doctor-");
    // The real client must not be thrown out: it may be running.
    let broker = ExternalBroker { client_id: None, ..broker.clone() };
    let mut of_link = link_settings(settings, &broker, folder, &id).map_err(|error| error.to_string())?;
    of_link.will = None;
    // Nothing is to be left behind.
    of_link.session_expiry = Duration::ZERO;
    let address = Arc::clone(&of_link.address);
    let wires = Wires::new(target(&broker, folder).map_err(|error| error.to_string())?);
    let place = format!("homerule/doctor/{id}");
    let mut probe = Probe { link: Link::new(Timestamp::now(), of_link, []).0, wires, seen: Seen::default() };
    let mut tried = Vec::new();
    let began = Instant::now();
    let is_up = probe.until(|seen| seen.is_up || seen.failure.is_some()).await;
    let protocol = probe.link.view().version.map_or("", |version| version.as_str());
    match (&probe.seen.failure, is_up && probe.seen.is_up) {
        (_, true) => {
            let milliseconds = began.elapsed().as_millis();
            tried
                .push(good("connection", format!("connected to {address} in {milliseconds} ms, with MQTT {protocol}")));
        }
        (Some(words), false) => return Ok(vec![bad("connection", words.clone())]),
        (None, false) => return Ok(vec![bad("connection", format!("{address} doesn't answer in time"))]),
    }
    tried.push(permissions(&mut probe, &place).await);
    tried.push(retained(&probe));
    probe.publish(&format!("{place}/kept"), "", true);
    probe.until_drained().await;
    let lacks = probe.link.view().lacks;
    if lacks.is_empty() {
        tried.push(good("features", "MQTT 5.0 with all that homerule uses".to_owned()));
    }
    tried.extend(lacks.into_iter().map(|lack| bad("features", format!("the broker has {lack}"))));
    tried.push(clock());
    probe.link.stop(Timestamp::now());
    probe.send();
    // The broker may have gone meanwhile.
    let _ = timeout(PATIENCE, probe.wires.finish()).await;
    Ok(tried)
}

/// Tries what this user may do below `place`: something retained, and something live that comes back.
async fn permissions(probe: &mut Probe, place: &str) -> Tried {
    probe.publish(&format!("{place}/kept"), "1", true);
    let was_taken = probe.until_drained().await;
    probe.want(&format!("{place}/+"));
    probe.until(|seen| seen.has("kept", Origin::Retained)).await;
    let began = Instant::now();
    probe.publish(&format!("{place}/live"), "1", false);
    let comes_back = probe.until(|seen| seen.has("live", Origin::Live)).await;
    let refused = probe.link.view().refused;
    match (was_taken, comes_back, refused.is_empty()) {
        (_, _, false) => bad(
            "permissions",
            format!("the broker refuses the subscription to `{place}/+`: grant this user `homerule/#` in its ACL"),
        ),
        (true, true, true) => {
            let milliseconds = began.elapsed().as_millis();
            good(
                "permissions",
                format!("publishes and subscribes below `homerule/`; there and back in {milliseconds} ms"),
            )
        }
        _ => bad(
            "permissions",
            format!(
                "what is published to `{place}/live` doesn't come back: grant this user `homerule/#`, to read and to write"
            ),
        ),
    }
}

/// Says whether the retained message came with a wildcard.
fn retained(probe: &Probe) -> Tried {
    if probe.seen.has("kept", Origin::Retained) {
        good(
            "retained",
            "retained messages come when a filter with a wildcard is subscribed, and are marked as such".to_owned(),
        )
    } else {
        bad(
            "retained",
            "a retained message doesn't come when a filter with a wildcard is subscribed: after a start, states are unknown until \
             devices speak"
                .to_owned(),
        )
    }
}

/// Says what this machine's clock shows: rules go by it.
fn clock() -> Tried {
    let now = Timestamp::now();
    let is_plausible = now > Timestamp::from_second(1_750_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    if is_plausible {
        good("clock", format!("this machine's clock shows {}", now.round(jiff::Unit::Second).unwrap_or(now)))
    } else {
        bad(
            "clock",
            format!("this machine's clock shows {now}, which can't be: set it, e.g. with `timedatectl set-ntp true`"),
        )
    }
}

fn good(what: &'static str, words: String) -> Tried {
    Tried { what, works: true, words }
}

fn bad(what: &'static str, words: String) -> Tried {
    Tried { what, works: false, words }
}

/// What came of it so far.
#[derive(Default)]
struct Seen {
    is_up: bool,
    failure: Option<String>,
    heard: Vec<(String, Origin)>,
}

impl Seen {
    fn has(&self, last_level: &str, origin: Origin) -> bool {
        self.heard.iter().any(|(topic, known)| *known == origin && topic.rsplit('/').next() == Some(last_level))
    }
}

struct Probe {
    link: Link,
    wires: Wires,
    seen: Seen,
}

impl Probe {
    /// Goes on until `is_so`, for as long as a step may take. Returns whether it is.
    async fn until(&mut self, is_so: impl Fn(&Seen) -> bool) -> bool {
        self.go_on(|probe| is_so(&probe.seen)).await
    }

    async fn until_drained(&mut self) -> bool {
        self.go_on(|probe| probe.link.is_drained()).await
    }

    async fn go_on(&mut self, is_so: impl Fn(&Probe) -> bool) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            self.turn();
            if is_so(self) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            // Whatever came is taken in the next turn.
            let _ = timeout(Duration::from_millis(50), self.wires.ready()).await;
        }
    }

    fn turn(&mut self) {
        let now = Timestamp::now();
        for wire in self.wires.take() {
            match wire {
                Wire::Opened => self.link.opened(now),
                Wire::Failed(why) => self.link.failed(now, why),
                Wire::Read(bytes) => self.link.read(now, &bytes),
                Wire::Closed => self.link.closed(now),
            }
        }
        while let Some(happening) = self.link.poll(now) {
            match happening {
                Happening::Open => self.wires.open(),
                Happening::Close => self.wires.close(),
                Happening::Connected(_) => self.seen.is_up = true,
                Happening::Disconnected(ended) => {
                    self.seen.is_up = false;
                    self.seen.failure = Some(ended.words);
                }
                Happening::Heard(heard) => {
                    self.seen.heard.push((heard.message.topic.to_string(), heard.message.origin));
                }
                Happening::Settled | Happening::Keep { .. } | Happening::Told(_) => {}
            }
        }
        let receipt = self.link.receipt();
        self.link.release(now, receipt);
        self.send();
    }

    fn send(&mut self) {
        if self.link.has_output() {
            let bytes = self.link.take_output();
            self.wires.write(bytes);
        }
    }

    fn want(&mut self, filter: &str) {
        self.link.want(Timestamp::now(), &BTreeSet::new(), &BTreeSet::from([filter.into()]));
    }

    fn publish(&mut self, topic: &str, payload: &str, retain: bool) {
        let Ok(topic) = Topic::parse(topic) else { return };
        let payload = Payload::from_bytes(payload.to_owned());
        let message = Message { topic, payload, qos: Qos::AtLeastOnce, retain, origin: Origin::Own, expires_at: None };
        self.link.publish(Timestamp::now(), &message);
    }
}
