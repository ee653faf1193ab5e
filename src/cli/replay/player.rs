//! `--to`: plays a recording to a broker, at its own times or faster.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout, timeout_at};

use crate::cli::Failure;
use crate::cli::link::broker_address::{BrokerAddress, runtime};
use crate::daemon::{Client, Told};
use crate::model::{Message, Origin, Qos};

use super::recording::Recording;

/// How long the broker may take to confirm the last message.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many messages may be on their way.
const WAITING: usize = 1000;

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
    runtime()?.block_on(async {
        let mut client = address.client("replay", Qos::ExactlyOnce)?;
        let played = play_to(&mut client, recording, speed).await;
        played.map_err(|told| address.failure(&client, told))?;
        match timeout(PATIENCE, client.drain(0)).await {
            Ok(Ok(())) => {}
            Ok(Err(told)) => return Err(address.failure(&client, told)),
            Err(_) => return Err(Failure::new(format!("the broker at {url} doesn't confirm the last messages"))),
        }
        client.close().await;
        Ok(())
    })
}

async fn play_to(client: &mut Client, recording: &mut Recording, speed: f64) -> Result<(), Told> {
    // What is played first must not come late: the broker is there then.
    client.subscribe(&[]);
    loop {
        match client.next().await {
            Told::Subscribed => break,
            told @ (Told::Failed { .. } | Told::Refused(_)) => return Err(told),
            Told::Message(..) => {}
        }
    }
    let started = Instant::now();
    let mut begin = None;
    while let Some(recorded) = recording.next() {
        let message = recorded.message;
        if message.origin == Origin::Own {
            continue;
        }
        let offset = offset(*begin.get_or_insert(recorded.at), recorded.at, speed);
        // At a very low speed that is beyond what a clock can tell.
        // It goes on to hear what the broker confirms.
        while let Some(due) = started.checked_add(offset).filter(|due| *due > Instant::now())
            && let Ok(told) = timeout_at(due, client.next()).await
        {
            if matches!(told, Told::Failed { .. } | Told::Refused(_)) {
                return Err(told);
            }
        }
        let retain = message.origin != Origin::Live;
        client.publish(&Message { retain, ..message });
        client.drain(WAITING).await?;
    }
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
