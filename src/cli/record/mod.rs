//! `homerule record`: writes messages as they come, a line each (docs/recordings.md).

mod sink;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::subscribe::plain_filters;
use super::{Exit, Failure, print};
use crate::broker::RULE_PROPERTY;
use crate::broker::packet::Properties;
use crate::cli::home::since::Since;
use crate::cli::link::broker_address::{BrokerAddress, BrokerArguments, runtime};
use crate::cli::progress::{Progress, Reader};
use crate::daemon::{Client, Told};
use crate::disk::home_files::read_home;
use crate::lang::Home;
use crate::model::recording::{MessageLine, Recorded, Via};
use crate::model::{Message, Origin, Qos, RuleId, Secrets, TopicFilter, parse_duration};
use sink::{Pace, Sink};

/// Writes messages as they come, each at once, in a form that `replay` and tests read.
#[derive(Debug, Args)]
pub(super) struct Record {
    /// The topics: `home/#`, `home/+/light`; without any: all.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// The file to write, anew; without it: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End after this time: `10m`.
    #[arg(long = "for", value_name = "DURATION")]
    time: Option<String>,
    /// End after so many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Take the last time from the recorder of the home's daemon: `1h`, or since `20:10`.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["broker", "time"])]
    since: Option<String>,
    /// Write JSON lines, which is what is written anyway.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    broker: BrokerArguments,
}

impl Record {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let filters = plain_filters(&self.filters)?;
        let time = self.time.as_deref().map(duration).transpose()?;
        if let Some(since) = &self.since {
            return self.copy(since);
        }
        let address = self.broker.address()?;
        let sink = Sink::open(self.output.as_deref(), self.count, Pace::Live)?;
        let secrets = secrets_of(self.broker.home());
        runtime()?.block_on(async {
            let listener = Listener::new(&address, &filters, &secrets)?;
            receive(listener, time, sink).await
        })
    }

    /// Writes what the daemon's recorder has since `since`.
    fn copy(&self, since: &str) -> Result<Exit, Failure> {
        let filters: Vec<TopicFilter> = self.filters.iter().filter_map(|text| TopicFilter::parse(text).ok()).collect();
        let Since { name, mut recorded } = Since::open(self.broker.home(), since)?;
        let mut sink = Sink::open(self.output.as_deref(), self.count, Pace::Copy)?;
        let begin = recorded.begin();
        let seconds = |at: Timestamp| u64::try_from(at.duration_since(begin).as_secs()).unwrap_or_default();
        // Where lines appear on the same terminal, they show how far it is.
        let is_seen = self.json || (self.output.is_none() && std::io::stdout().is_terminal());
        let progress = Progress::new(Reader::of(is_seen), Some(seconds(Timestamp::now())));
        let mut read = 0_u64;
        for Recorded { at, message, rule, client, cause, .. } in recorded.by_ref() {
            read += 1;
            if read.is_multiple_of(1024) {
                progress.reach(seconds(at), || format!("{read} messages"));
            }
            let is_wanted = filters.is_empty() || filters.iter().any(|filter| filter.matches(&message.topic));
            // What was known before is no message of that time.
            if message.origin == Origin::Restored || !is_wanted {
                continue;
            }
            let via = rule.as_ref().map_or(Via::Client(client.as_deref()), Via::Rule);
            let cause = cause.and_then(|cause| serde_json::from_str(&cause).ok());
            let line = MessageLine::new(at, &message, via);
            let line = match cause {
                Some(cause) => line.with_cause(cause),
                None => line,
            };
            if sink.write(&line)?.is_done() {
                break;
            }
        }
        progress.clear();
        recorded.warnings().iter().for_each(|text| print::warning(&format!("{name}: {text}")));
        recorded.skipped().iter().for_each(|text| print::error(&format!("{name}: {text}")));
        let closed = sink.close()?;
        Ok(if recorded.skipped().is_empty() { closed } else { Exit::No })
    }
}

/// Returns the secrets that the rules of the home in `folder` use: no recording has them. A home that can't be read has none.
fn secrets_of(folder: &Path) -> Arc<Secrets> {
    let sources = read_home(folder).ok();
    sources.map(|sources| Home::load(&sources).ruleset.secrets).unwrap_or_default()
}

/// Writes what a broker sends, until it is enough, the time is over, or a signal ends it.
async fn receive(mut listener: Listener<'_>, time: Option<Duration>, mut sink: Sink) -> Result<Exit, Failure> {
    let hear = |kind| signal(kind).map_err(|error| Failure::new(format!("can't listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (hear(SignalKind::interrupt())?, hear(SignalKind::terminate())?);
    let end = time.and_then(|time| Instant::now().checked_add(time));
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
            more = listener.next(&mut sink) => if !more? { break },
        }
    }
    sink.close()
}

/// Hears what a broker sends.
struct Listener<'a> {
    address: &'a BrokerAddress,
    client: Client,
    secrets: &'a Secrets,
    was_connected: bool,
}

impl<'a> Listener<'a> {
    fn new(address: &'a BrokerAddress, filters: &[String], secrets: &'a Secrets) -> Result<Listener<'a>, Failure> {
        let mut client = address.client("record", Qos::ExactlyOnce)?;
        client.subscribe(filters);
        Ok(Listener { address, client, secrets, was_connected: false })
    }

    /// Takes what happens next; returns whether more is wanted.
    async fn next(&mut self, sink: &mut Sink) -> Result<bool, Failure> {
        match self.client.next().await {
            Told::Subscribed => {
                self.was_connected = true;
                sink.ready();
            }
            Told::Message(message, properties) => {
                let rule = properties.and_then(|properties| rule_of(&properties));
                let via = match (&rule, message.origin) {
                    // What a broker replays is what is known, whoever published it.
                    (_, Origin::Retained) => Via::Client(None),
                    (Some(rule), _) => Via::Rule(rule),
                    // A broker doesn't tell who published: only what it replays is sure to be no rule's of this moment.
                    (None, Origin::Live | Origin::Own | Origin::Restored) => Via::Unknown,
                };
                let origin = if matches!(via, Via::Rule(_)) { Origin::Own } else { message.origin };
                let message = Message { origin, ..message };
                let masked = self.secrets.mask_message(&message);
                let message = masked.as_ref().unwrap_or(&message);
                return Ok(!sink.write(&MessageLine::new(Timestamp::now(), message, via))?.is_done());
            }
            told @ Told::Failed { .. } if self.was_connected => {
                print::error(&format!("{}; trying again", self.address.failure(&self.client, told)));
            }
            told => return Err(self.address.failure(&self.client, told)),
        }
        Ok(true)
    }
}

/// Returns the rule that published a message, where a home's own broker tells it.
fn rule_of(properties: &Properties) -> Option<RuleId> {
    let rules = properties.user_properties.iter().filter(|(name, _)| **name == *RULE_PROPERTY);
    rules.map(|(_, rule)| RuleId::from_text(rule)).next_back()
}

fn duration(text: &str) -> Result<Duration, Failure> {
    parse_duration(text).map_err(|error| Failure::new(error.to_string()))
}
