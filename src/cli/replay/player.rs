//! `--to`: plays a recording to a broker, at its own times or faster.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rumqttc::{Event, Outgoing, Packet, QoS};

use crate::cli::Failure;
use crate::cli::link::broker_address::BrokerAddress;
use crate::cli::publish::level;
use crate::model::Origin;

use super::recording::Recording;

/// How long the broker may take to confirm the last message.
const PATIENCE: Duration = Duration::from_secs(10);

/// Publishes the messages of `recording` to the broker at `url`, `speed` times as fast as they came.
///
/// # Errors
/// When there is no such broker, or it goes away.
pub(super) fn play(recording: &mut Recording, url: &str, speed: f64) -> Result<(), Failure> {
    if !(speed.is_finite() && speed > 0.0) {
        return Err(Failure::new(format!(
            "`--speed {speed}` isn't a valid speed: 1 is as it was, 60 plays an hour in a minute"
        )));
    }
    let address = BrokerAddress::parse(url)?;
    let (client, mut connection) = address.client("replay");
    let (sender, confirmed) = channel();
    // It ends with the connection, at the latest when this process does.
    thread::spawn(move || {
        for event in connection.iter() {
            let told = match event {
                Ok(Event::Outgoing(Outgoing::Publish(0)) | Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => {
                    Ok(())
                }
                Ok(_) => continue,
                Err(error) => Err(address.failure(&error)),
            };
            let has_failed = told.is_err();
            if sender.send(told).is_err() || has_failed {
                return;
            }
        }
    });
    let started = Instant::now();
    let mut begin = None;
    let mut waiting = 0_u64;
    while let Some(recorded) = recording.next() {
        let message = recorded.message;
        if message.origin == Origin::Own {
            continue;
        }
        let offset = offset(*begin.get_or_insert(recorded.at), recorded.at, speed);
        // At a very low speed that is beyond what a clock can tell.
        thread::sleep(offset.saturating_sub(started.elapsed()));
        let qos: QoS = level(message.qos.into());
        let is_retained = message.origin != Origin::Live;
        while let Ok(told) = confirmed.try_recv() {
            told?;
            waiting -= 1;
        }
        client
            .publish(message.topic.as_str(), qos, is_retained, message.payload.bytes().to_vec())
            .map_err(|_| Failure::new(format!("the broker at {url} went away")))?;
        waiting += 1;
    }
    while waiting > 0 {
        match confirmed.recv_timeout(PATIENCE) {
            Ok(told) => told?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(format!("the broker at {url} doesn't confirm the last {waiting} messages")));
            }
        }
        waiting -= 1;
    }
    // All is confirmed: the broker knows the rest without it.
    let _ = client.disconnect();
    Ok(())
}

/// Returns how long after the first message, which came at `begin`, one that came at `at` is played.
fn offset(begin: Timestamp, at: Timestamp, speed: f64) -> Duration {
    let recorded = Duration::try_from(at.duration_since(begin)).unwrap_or_default();
    Duration::try_from_secs_f64(recorded.as_secs_f64() / speed).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faster_replay_takes_a_part_of_the_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(offset(at(100), at(160), 60.0), Duration::from_secs(1));
        assert_eq!(offset(at(100), at(100), 60.0), Duration::ZERO);
        assert_eq!(offset(at(100), at(99), 1.0), Duration::ZERO);
        assert_eq!(offset(at(100), at(101), 1e-300), Duration::MAX);
    }
}
