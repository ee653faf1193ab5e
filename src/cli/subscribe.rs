//! `homerule sub`: shows messages as they come.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use rumqttc::{Client, Event, Packet, SubscribeFilter, SubscribeReasonCode};

use super::link::broker_address::BrokerArguments;
use super::publish::level;
use super::{Exit, Failure, print};
use crate::model::recording::{MessageLine, Via};
use crate::model::{Message, Origin, Payload, Qos, Topic, TopicFilter};

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

/// How long we wait before we connect again.
const PAUSE: Duration = Duration::from_secs(1);

impl Subscribe {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let filters = plain_filters(&self.filters)?;
        let address = self.broker.address()?;
        let (client, mut connection) = address.client("sub");
        let mut was_connected = false;
        let mut left = self.count.unwrap_or(u64::MAX);
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    was_connected = true;
                    self.subscribe(&client, &filters)?;
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => {
                    let refused = answer.return_codes.iter().position(|code| *code == SubscribeReasonCode::Failure);
                    if let Some(filter) = refused.and_then(|index| filters.get(index)) {
                        return Err(Failure::new(format!("the broker refuses the subscription to `{filter}`")));
                    }
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    // Who reads went away: that ends it, as for any program in a pipe.
                    if let Err(error) = self.show(&publish) {
                        print::note(Err(error));
                        return Ok(Exit::Well);
                    }
                    left = left.saturating_sub(1);
                    if left == 0 {
                        let _ = client.try_disconnect();
                        return Ok(Exit::Well);
                    }
                }
                Ok(_) => {}
                Err(error) if was_connected => {
                    print::error(&format!("{}; trying again", address.failure(&error)));
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(address.failure(&error)),
            }
        }
        Ok(Exit::Well)
    }

    fn subscribe(&self, client: &Client, filters: &[String]) -> Result<(), Failure> {
        let wanted = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), level(self.qos)));
        client.try_subscribe_many(wanted).map_err(|error| Failure::new(error.to_string()))
    }

    fn show(&self, publish: &rumqttc::Publish) -> io::Result<()> {
        let mut line = Vec::new();
        if self.json {
            let Some(message) = received(publish) else { return Ok(()) };
            // A broker doesn't tell who published: only what it replays is sure to be no rule's of this moment.
            let via = if publish.retain { Via::Client(None) } else { Via::Unknown };
            serde_json::to_writer(&mut line, &MessageLine::new(Timestamp::now(), &message, via))?;
        } else {
            line.extend_from_slice(publish.topic.as_bytes());
            line.push(b' ');
            line.extend_from_slice(&publish.payload);
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

/// Returns what a broker sent; `None` if its topic were none.
pub(super) fn received(publish: &rumqttc::Publish) -> Option<Message> {
    Some(Message {
        topic: Topic::parse(&publish.topic).ok()?,
        payload: Payload::from_bytes(publish.payload.clone()),
        qos: Qos::try_from(publish.qos as u8).unwrap_or_default(),
        retain: publish.retain,
        origin: if publish.retain { Origin::Retained } else { Origin::Live },
        expires_at: None,
    })
}
