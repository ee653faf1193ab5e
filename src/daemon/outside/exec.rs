//! Runs a program for a rule.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::engine::Answer;
use crate::model::Payload;

/// How much of what a program prints is kept.
const LONGEST_OUTPUT: u64 = 1 << 20;

/// Runs `command`, a program and its arguments, without a shell, and returns its exit status with what it printed. It is
/// killed after `limit`.
pub(in crate::daemon) async fn run(command: Vec<String>, limit: Duration) -> Answer {
    let Some((program, arguments)) = command.split_first() else {
        return Answer::Failed("there is no program to run".to_owned());
    };
    match timeout(limit, output(program, arguments)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Answer::Failed(format!("`{program}` can't be run: {error}")),
        Err(_) => Answer::Failed(format!("`{program}` was still running after {limit:?}, and was ended")),
    }
}

async fn output(program: &str, arguments: &[String]) -> std::io::Result<Answer> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let printed = match child.stdout.take() {
        Some(stdout) => read(stdout).await?,
        None => Vec::new(),
    };
    let status = child.wait().await?;
    let body = Payload::from_bytes(printed);
    Ok(match status.code() {
        Some(code) => Answer::Ended { status: i64::from(code), body, retry_after: None },
        None => Answer::Failed(format!("`{program}` was ended by a signal")),
    })
}

/// Reads all that comes; keeps the beginning, so that a program that prints more isn't held up.
async fn read(mut stream: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    (&mut stream).take(LONGEST_OUTPUT).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_now(command: &[&str], limit: Duration) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(command.iter().map(ToString::to_string).collect(), limit))
    }

    #[test]
    fn a_program_gives_its_status_and_what_it_printed() {
        let answer = run_now(&["sh", "-c", "echo hello; exit 3"], Duration::from_secs(10));
        assert_eq!(answer, Answer::Ended { status: 3, body: Payload::from_bytes("hello\n"), retry_after: None });
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let Answer::Failed(reason) = run_now(&["sleep", "60"], Duration::from_millis(50)) else { panic!() };
        assert!(reason.contains("`sleep` was still running"), "{reason}");
    }
}
