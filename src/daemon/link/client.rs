//! A client of a broker for the command line: `pub`, `sub`, `record` and `replay --to` speak with the settings and the machine of the
//! link. What it hears and says is kept nowhere.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout};

use super::address::BrokerUrl;
use super::settings::{link_settings, target};
use super::wire::{Wire, Wires};
use crate::broker::packet::Properties;
use crate::lang::{ExternalBroker, Settings};
use crate::link::{Failure, Happening, Link, Notice};
use crate::model::{Message, Qos};

/// The largest packet that we take (MQTT 5.0, 1.5.5: the largest there is).
const LARGEST_PACKET: usize = 268_435_455;

/// How long the broker has to take what was said last.
const FAREWELL: Duration = Duration::from_secs(5);

/// A client of a broker.
pub struct Client {
    link: Link,
    wires: Wires,
    address: Arc<str>,
    /// Whether it was told that all is subscribed, on this connection.
    is_told: bool,
}

/// What a client is told.
#[derive(Debug)]
pub enum Told {
    /// The broker gives us all that we asked for.
    Subscribed,
    /// A message came, with its properties of MQTT 5.0.
    Message(Message, Option<Arc<Properties>>),
    /// There is no connection, or no longer; it's tried again.
    Failed {
        /// Why.
        why: Failure,
        /// Why, and what to do about it, in one line.
        words: String,
    },
    /// It refuses a subscription or a message: which, and what to do about it, in one line.
    Refused(String),
}

impl Client {
    /// Returns a client of the broker that `settings` name, whose files are relative to `folder`. It connects when it is first asked
    /// what it hears.
    ///
    /// # Errors
    /// When the settings can't be used; in words.
    pub fn new(settings: &Settings, broker: &ExternalBroker, folder: &Path, purpose: &str) -> Result<Client, String> {
        // The daemon of the home has the name that the settings say.
        let broker = ExternalBroker { client_id: None, ..broker.clone() };
        let alone = Settings { instance: None, ..settings.clone() };
        let id = format!("homerule-{purpose}-{}", std::process::id());
        let mut of_link = link_settings(&alone, &broker, folder, &id).map_err(|error| error.to_string())?;
        of_link.will = None;
        of_link.session_expiry = Duration::ZERO;
        of_link.packet = LARGEST_PACKET;
        of_link.outbox = usize::MAX;
        let address = Arc::clone(&of_link.address);
        let wires = Wires::new(target(&broker, folder).map_err(|error| error.to_string())?);
        let link = Link::new(Timestamp::now(), of_link, []).0;
        Ok(Client { link, wires, address, is_told: false })
    }

    /// Returns where the broker is, for people: `host:1883`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks for the messages of these filters.
    pub fn subscribe(&mut self, filters: &[String]) {
        let filters = filters.iter().map(|filter| Arc::from(filter.as_str())).collect();
        self.link.want(Timestamp::now(), &filters, &BTreeSet::new());
    }

    /// Publishes a message, at once or when the broker is there.
    pub fn publish(&mut self, message: &Message) {
        self.link.publish(Timestamp::now(), message);
    }

    /// Waits for what happens next. May be dropped at any time.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(told) = self.turn() {
                return told;
            }
            self.wait().await;
        }
    }

    /// Waits until at most `most` messages aren't confirmed by the broker.
    ///
    /// # Errors
    /// When it can't be reached, or doesn't take a message.
    pub async fn drain(&mut self, most: usize) -> Result<(), Told> {
        loop {
            match self.turn() {
                Some(told @ (Told::Failed { .. } | Told::Refused(_))) => return Err(told),
                Some(Told::Subscribed | Told::Message(..)) => {}
                None if self.link.waiting() <= most => return Ok(()),
                None => self.wait().await,
            }
        }
    }

    /// Says good-bye, and returns when that has left.
    pub async fn close(mut self) {
        self.link.stop(Timestamp::now());
        self.send();
        // A broker that takes nothing more isn't waited for.
        let _ = timeout(FAREWELL, self.wires.finish()).await;
    }

    /// Takes what came and does what is due, until there is something to tell.
    fn turn(&mut self) -> Option<Told> {
        let now = Timestamp::now();
        loop {
            while let Some(happening) = self.link.poll(now) {
                if let Some(told) = self.heed(happening) {
                    return Some(told);
                }
            }
            // Nothing is kept, so nothing waits for it.
            let receipt = self.link.receipt();
            self.link.release(now, receipt);
            self.send();
            if !self.is_told && self.link.is_subscribed() {
                self.is_told = true;
                return Some(Told::Subscribed);
            }
            let came = self.wires.take();
            if came.is_empty() {
                return None;
            }
            for wire in came {
                match wire {
                    Wire::Opened => self.link.opened(now),
                    Wire::Failed(why) => self.link.failed(now, why),
                    Wire::Read(bytes) => self.link.read(now, &bytes),
                    Wire::Closed => self.link.closed(now),
                }
            }
        }
    }

    async fn wait(&mut self) {
        let due = self.link.next_deadline().map(|due| due.duration_since(Timestamp::now()));
        let due = due.map(|due| Duration::try_from(due).unwrap_or_default() + Duration::from_millis(1));
        let end = Instant::now() + due.unwrap_or(Duration::from_mins(1));
        tokio::select! {
            () = self.wires.ready() => {}
            () = sleep_until(end) => {}
        }
    }

    fn heed(&mut self, happening: Happening) -> Option<Told> {
        match happening {
            Happening::Open => self.wires.open(),
            Happening::Close => {
                self.send();
                self.wires.close();
            }
            Happening::Connected(_) => self.is_told = false,
            Happening::Disconnected(ended) => {
                self.wires.close();
                return Some(Told::Failed { why: ended.why, words: ended.words });
            }
            Happening::Heard(heard) => return Some(Told::Message(heard.message, heard.properties)),
            Happening::Told(Notice::OldVersion | Notice::OutboxFull(_))
            | Happening::Settled
            | Happening::Keep { .. } => {}
            Happening::Told(notice) => {
                // As the rest of an error's line.
                let words = notice.to_string();
                let words = words.strip_prefix("The ").map_or_else(|| words.clone(), |rest| format!("the {rest}"));
                return Some(Told::Refused(words.trim_end_matches('.').to_owned()));
            }
        }
        None
    }

    fn send(&mut self) {
        if self.link.has_output() {
            let bytes = self.link.take_output();
            self.wires.write(bytes);
        }
    }
}

/// Returns a broker at `url` as settings name it, or why that isn't a broker's URL.
///
/// # Errors
/// When it isn't one; in words.
pub fn broker_at(url: &str) -> Result<ExternalBroker, String> {
    BrokerUrl::parse(url).map_err(|error| error.to_string())?;
    Ok(ExternalBroker { qos: Qos::ExactlyOnce, ..ExternalBroker::at(url.to_owned()) })
}
