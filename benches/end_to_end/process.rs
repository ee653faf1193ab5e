//! A process that is measured: what the system says of it, and its end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// A running process; ends with this.
pub(crate) struct Process(Child);

/// A daemon of ours, with what it says.
pub(crate) struct Daemon {
    pub(crate) process: Process,
    pub(crate) broker: SocketAddr,
    said: Receiver<Value>,
}

impl Process {
    /// Starts a command; `None`: it isn't installed.
    pub(crate) fn start(command: &mut Command) -> Option<Process> {
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok().map(Process)
    }

    /// Returns the time on a processor so far, of all of its threads that live.
    pub(crate) fn busy(&self) -> Duration {
        let of_thread = |text: String| text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<u64>().ok());
        Duration::from_nanos(self.threads("schedstat").into_iter().filter_map(of_thread).sum())
    }

    /// Returns how often one of its threads has slept and was woken.
    pub(crate) fn wake_ups(&self) -> u64 {
        self.threads("status").iter().filter_map(|status| number(status, "voluntary_ctxt_switches:")).sum()
    }

    /// Returns its memory in MiB: all that is there, and what of it is its own rather than the program's file.
    pub(crate) fn memory(&self) -> [f64; 2] {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let kibibytes = ["VmRSS:", "RssAnon:"].map(|key| u32::try_from(number(&status, key).unwrap_or(0)).unwrap());
        kibibytes.map(|kibibytes| f64::from(kibibytes) / 1024.0)
    }

    fn threads(&self, file: &str) -> Vec<String> {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.0.id())) else { return Vec::new() };
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join(file)).ok()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daemon {
    /// Starts the daemon of a home, and waits until it listens.
    pub(crate) fn start(home: &Path, is_quiet: bool) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_homerule"));
        command.args(["run", "--json"]).arg(home).stdout(Stdio::piped());
        if is_quiet {
            command.arg("--quiet");
        }
        let mut process = Process::start(&mut command).unwrap();
        let (sender, said) = channel::<Value>();
        let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            // What isn't quiet says much; only what is waited for is read.
            let wanted = |line: &String| {
                line.starts_with(r#"{"event":"listening""#) || line.starts_with(r#"{"event":"reloaded""#)
            };
            for line in lines.map_while(Result::ok).filter(wanted) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let broker = said.recv().expect("the daemon doesn't start")["address"].as_str().unwrap().parse().unwrap();
        Daemon { process, broker, said }
    }

    /// Waits until the daemon says `event`.
    pub(crate) fn wait_for(&self, event: &str) -> Value {
        loop {
            let said = self.said.recv_timeout(Duration::from_secs(30)).unwrap();
            if said["event"] == event {
                return said;
            }
        }
    }
}

/// Returns an address that was free just now.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn number(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    value.split_whitespace().next()?.parse().ok()
}
