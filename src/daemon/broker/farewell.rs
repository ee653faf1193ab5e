//! Takes leave of clients that are gone for the loop: what they are told last still leaves, and only then the connection ends.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::stream::Stream;

/// How long a client has to take its last packets.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many take their leave at a time; others are cut off.
const AT_ONCE: usize = 256;

/// More than this isn't waited for: such a client wasn't reading.
const LAST_WORDS: usize = 64 << 10;

/// Those who are taking their leave.
#[derive(Default)]
pub(super) struct Farewells(JoinSet<()>);

impl Farewells {
    /// Says `last` to a client, and closes the connection.
    pub(super) fn say(&mut self, stream: Stream, last: &[u8]) {
        // Those who have gone.
        while self.0.try_join_next().is_some() {}
        if self.0.len() >= AT_ONCE || last.len() > LAST_WORDS {
            return;
        }
        let last = last.to_vec();
        self.0.spawn(async move {
            // A client that doesn't take them goes without.
            let _ = timeout(PATIENCE, part(stream, &last)).await;
        });
    }

    /// Returns when all have gone.
    pub(super) async fn all(&mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Writes `last`, then waits until the peer closes too: a connection that is closed with something unread is reset, and the peer
/// may never see what it was told.
async fn part(mut stream: Stream, last: &[u8]) -> io::Result<()> {
    stream.write_all(last).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
