//! `homerule sub`: shows messages as they come.

use std::io::{self, Write};

use clap::Args;
use jiff::Timestamp;

use super::link::broker_address::{BrokerAddress, BrokerArguments, runtime};
use super::{Exit, Failure, print};
use crate::daemon::Told;
use crate::model::recording::{MessageLine, Via};
use crate::model::{Message, Qos, TopicFilter};

/// Shows messages as they come: topic and payload, a line each.
#[derive(Debug, Args)]
pub(super) struct Subscribe {
    /// The topics: `home/#`, `home/+/light`; without any: all.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// How surely they are delivered at most: 0, 1 or 2.
    #[arg(short, long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,
    /// End after so many messages.
    #[arg(short = 'C', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Write recording lines, as `record` does.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    broker: BrokerArguments,
}

impl Subscribe {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let filters = plain_filters(&self.filters)?;
        let address = self.broker.address()?;
        runtime()?.block_on(self.hear(&address, &filters))
    }

    async fn hear(&self, address: &BrokerAddress, filters: &[String]) -> Result<Exit, Failure> {
        let mut client = address.client("sub", Qos::try_from(self.qos).unwrap_or_default())?;
        client.subscribe(filters);
        let mut was_connected = false;
        let mut left = self.count.unwrap_or(u64::MAX);
        loop {
            match client.next().await {
                Told::Subscribed => was_connected = true,
                Told::Message(message, _) => {
                    // Who reads went away: that ends it, as for any program in a pipe.
                    if let Err(error) = self.show(&message) {
                        print::note(Err(error));
                        return Ok(Exit::Well);
                    }
                    left = left.saturating_sub(1);
                    if left == 0 {
                        client.close().await;
                        return Ok(Exit::Well);
                    }
                }
                told @ Told::Failed { .. } if was_connected => {
                    print::error(&format!("{}; trying again", address.failure(&client, told)));
                }
                told => return Err(address.failure(&client, told)),
            }
        }
    }

    fn show(&self, message: &Message) -> io::Result<()> {
        let mut line = Vec::new();
        if self.json {
            // A broker doesn't tell who published: only what it replays is sure to be no rule's of this moment.
            let via = if message.retain { Via::Client(None) } else { Via::Unknown };
            serde_json::to_writer(&mut line, &MessageLine::new(Timestamp::now(), message, via))?;
        } else {
            line.extend_from_slice(message.topic.as_str().as_bytes());
            line.push(b' ');
            line.extend_from_slice(message.payload.bytes());
        }
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line)?;
        stdout.flush()
    }
}

/// Returns the filters as a broker reads them; without any, the one of all topics.
///
/// # Errors
/// When one is none.
pub(super) fn plain_filters(texts: &[String]) -> Result<Vec<String>, Failure> {
    if texts.is_empty() {
        return Ok(vec!["#".to_owned()]);
    }
    let parse = |text: &String| {
        let filter = TopicFilter::parse(text);
        filter.map(|filter| filter.plain()).map_err(|error| Failure::new(format!("`{text}`: {error}")))
    };
    texts.iter().map(parse).collect()
}
