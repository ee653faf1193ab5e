//! `homerule pub`: publishes one message.

use clap::Args;
use rumqttc::{ConnectionError, Event, Outgoing, Packet, QoS};

use super::link::broker_address::BrokerArguments;
use super::{Exit, Failure};
use crate::model::Topic;

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
        let (client, mut connection) = address.client("pub");
        let qos = level(self.qos);
        client
            .publish(topic.as_str(), qos, self.retain, self.payload.into_bytes())
            .map_err(|error| Failure::new(error.to_string()))?;
        for event in connection.iter() {
            let is_sent = match event {
                Ok(Event::Outgoing(Outgoing::Publish(_))) => qos == QoS::AtMostOnce,
                Ok(Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => true,
                Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(ConnectionError::RequestsDone) => {
                    return Ok(Exit::Well);
                }
                Ok(_) => false,
                Err(error) => return Err(address.failure(&error)),
            };
            if is_sent {
                client.disconnect().map_err(|error| Failure::new(error.to_string()))?;
            }
        }
        Ok(Exit::Well)
    }
}

/// Returns the client's word for a `QoS`.
pub(super) fn level(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}
