//! A home with the daemon running in it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::home::{Home, command};
use serde_json::Value;

/// What doesn't happen within this time doesn't happen. The broker tells of itself each ten seconds, on a busy machine a little later.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before looking again at what doesn't tell of itself.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

impl Home {
    /// Returns the command that runs it.
    pub(crate) fn command(&self) -> Command {
        let mut command = command();
        piped(&mut command).arg("run").arg(self.path());
        command
    }

    /// Runs it until it ends by itself, and returns its status with what it said on standard error.
    pub(crate) fn run_to_its_end(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut child = self.command().args(arguments).spawn().unwrap();
        let mut said = String::new();
        let mut stderr = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        let status = wait(&mut child);
        let code = status.and_then(|status| status.code());
        if status.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        (code, reader.join().unwrap())
    }

    /// Starts the daemon and waits until it listens.
    pub(crate) fn start(self) -> House {
        let mut command = self.command();
        command.arg("--json");
        self.start_with(command)
    }

    /// Starts the daemon of a home that uses another broker, and waits until its web interface listens.
    pub(crate) fn start_at_another(self) -> House {
        let mut command = self.command();
        command.arg("--json");
        let child = piped(&mut command).spawn().unwrap();
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut house = House { home: self, mqtt: nowhere, web: nowhere, child, lines: channel().1, log: None };
        house.attend_to_web();
        house
    }

    /// Starts the daemon with a command of one's own.
    pub(crate) fn start_with(self, mut command: Command) -> House {
        let child = piped(&mut command).spawn().unwrap();
        House::watch(self, child)
    }
}

/// A home whose daemon runs; ends with it.
pub(crate) struct House {
    pub(crate) home: Home,
    pub(crate) mqtt: SocketAddr,
    pub(crate) web: SocketAddr,
    child: Child,
    lines: Receiver<Value>,
    log: Option<JoinHandle<String>>,
}

impl House {
    /// Starts a home with one file of rules.
    pub(crate) fn with_rules(rules: &str) -> House {
        Home::with(&[("rules/all.yaml", rules)]).start()
    }

    fn watch(home: Home, child: Child) -> House {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut house = House { home, mqtt: nowhere, web: nowhere, child, lines: channel().1, log: None };
        house.attend();
        house
    }

    /// Reads what a new daemon says, and waits until it listens.
    fn attend(&mut self) {
        self.listen_to();
        self.mqtt = self.listening("mqtt");
        self.web = self.listening("http");
    }

    fn attend_to_web(&mut self) {
        self.listen_to();
        self.web = self.listening("http");
    }

    fn listen_to(&mut self) {
        let child = &mut self.child;
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        (self.lines, self.log) = (lines, Some(log));
    }

    /// Ends the daemon with a signal, waits until it has ended, and returns what it said on standard error.
    pub(crate) fn end(&mut self, signal: &str) -> String {
        self.signal(signal);
        wait(&mut self.child).expect("the daemon doesn't end");
        self.log.take().unwrap().join().unwrap()
    }

    /// Starts the daemon of the home again, after [`House::end`].
    pub(crate) fn begin(&mut self) {
        let mut command = self.home.command();
        command.arg("--json");
        self.begin_with(command);
    }

    /// Starts the daemon of a home that uses another broker again, after [`House::end`].
    pub(crate) fn begin_at_another(&mut self) {
        let mut command = self.home.command();
        command.arg("--json");
        self.child = piped(&mut command).spawn().unwrap();
        self.attend_to_web();
    }

    /// Starts it again with a command of one's own.
    pub(crate) fn begin_with(&mut self, mut command: Command) {
        self.child = piped(&mut command).spawn().unwrap();
        self.attend();
    }

    /// Returns the id of the daemon's process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn listening(&mut self, protocol: &str) -> SocketAddr {
        let line = self.line("where it listens", |line| line["event"] == "listening" && line["protocol"] == protocol);
        line["address"].as_str().unwrap().parse().unwrap()
    }

    /// Waits for a line of the daemon that is wanted; lines before it are left out.
    pub(crate) fn line(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if is_wanted(&line) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("the daemon didn't say {what}; it said {seen:#?}"),
                Err(RecvTimeoutError::Disconnected) => {
                    let log = self.log.take().unwrap().join().unwrap();
                    panic!("the daemon ended before it said {what}; it said {seen:#?} and\n{log}")
                }
            }
        }
    }

    /// Waits until a rule published to `topic`.
    pub(crate) fn publication(&mut self, topic: &str) -> Value {
        self.line(&format!("a publication to {topic}"), |line| line["event"] == "publish" && line["topic"] == topic)
    }

    /// Returns how many messages rules published since that was last asked.
    pub(crate) fn publications_so_far(&mut self) -> usize {
        self.lines.try_iter().filter(|line| line["event"] == "publish").count()
    }

    /// Waits until files were read again.
    pub(crate) fn reloaded(&mut self) -> Value {
        self.line("that it reloaded", |line| line["event"] == "reloaded")
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the daemon has ended, and returns its status with its log.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child).expect("the daemon doesn't end");
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// Asks the HTTP interface, and returns the status with the body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.web))
            .header("content-type", "application/json")
            .body(body.unwrap_or_default().to_owned())
            .unwrap();
        let mut response = agent.run(request).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// Asks the HTTP interface as a browser does: with headers of one's own, and following nothing.
    pub(crate) fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent: ureq::Agent = config.timeout_global(Some(PATIENCE)).build().into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.web));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent.run(request.body(body.unwrap_or_default().to_owned()).unwrap()).unwrap();
        let bytes = response.body_mut().with_config().limit(1 << 26).read_to_vec().unwrap();
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Answer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            length: bytes.len(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Returns the JSON that the HTTP interface answers.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

/// What the HTTP interface answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// How many bytes were sent.
    pub(crate) length: usize,
    pub(crate) body: String,
}

impl Answer {
    /// Returns a header; empty where it isn't there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Returns the JSON that was answered.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())
}

pub(crate) fn wait(child: &mut Child) -> Option<ExitStatus> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    None
}

/// Waits until `is_so`.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} didn't happen");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
