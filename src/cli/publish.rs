//! `homerule pub`: publishes one message.

use clap::Args;

use super::link::broker_address::{BrokerArguments, runtime};
use super::{Exit, Failure};
use crate::model::{Message, Origin, Payload, Qos, Topic};

/// Publishes a message.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// The topic: `home/living_room/tv`.
    topic: String,
    /// The payload: `ON`, `'{"state": "ON"}'`; `''` is empty.
    #[arg(allow_hyphen_values = true)]
    payload: String,
    /// How surely it is delivered: 0, 1 or 2. From 1 on the broker confirms it.
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,
    /// Let the broker keep it as the topic's last message.
    #[arg(short, long)]
    retain: bool,
    #[command(flatten)]
    broker: BrokerArguments,
}

impl Publish {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let topic = Topic::parse(&self.topic)
            .map_err(|error| Failure::new(format!("`{}` can't be published to: {error}", self.topic)))?;
        let address = self.broker.address()?;
        if address.is_ours() && topic.as_str().starts_with('$') {
            // The broker confirms the message, and drops it.
            return Err(Failure::new(format!(
                "`{topic}` can't be published to: topics that start with `$` are the broker's own"
            )));
        }
        let payload = Payload::from_bytes(self.payload.into_bytes());
        let qos = Qos::try_from(self.qos).unwrap_or_default();
        let message = Message { topic, payload, qos, retain: self.retain, origin: Origin::Own, expires_at: None };
        let mut client = address.client("pub", qos)?;
        client.publish(&message);
        runtime()?.block_on(async {
            client.drain(0).await.map_err(|told| address.failure(&client, told))?;
            client.close().await;
            Ok(Exit::Well)
        })
    }
}
