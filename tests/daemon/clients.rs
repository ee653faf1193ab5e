//! MQTT clients: one of our own, which is always there, and mosquitto's and paho, where they are installed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::house::PATIENCE;
use super::own_client::{self, Connected};

/// Which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One inside the test, of the library that `homerule sub` uses.
    Own,
    Mosquitto,
    Paho,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) version: u8,
}

/// Returns a message with quality of service 1 from an MQTT 3.1.1 client.
pub(crate) fn sent<'a>(topic: &'a str, payload: &'a str) -> Sent<'a> {
    Sent { topic, payload, qos: 1, retain: false, version: 4 }
}

const PAHO_PUBLISH: &str = "
import sys, paho.mqtt.client as mqtt
host, port, version, *messages = sys.argv[1:]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=int(version))
client.connect(host, int(port))
client.loop_start()
while messages:
    topic, payload, qos, retain, *messages = messages
    client.publish(topic, payload, int(qos), retain == 'true').wait_for_publish(10)
client.disconnect()
client.loop_stop()
";

const PAHO_SUBSCRIBE: &str = "
import sys, paho.mqtt.client as mqtt
host, port, *filters = sys.argv[1:]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
def say(text):
    print(text, flush=True)
client.on_connect = lambda c, u, flags, reason, properties: c.subscribe([(f, 1) for f in filters])
client.on_subscribe = lambda c, u, mid, reasons, properties: say('Subscribed')
client.on_message = lambda c, u, m: say(f'message {int(m.retain)} {m.topic} {m.payload.decode()}')
client.connect(host, int(port))
client.loop_forever()
";

impl Kind {
    /// Returns the kinds that can be tried here.
    pub(crate) fn installed() -> Vec<Kind> {
        [Kind::Own, Kind::Mosquitto, Kind::Paho].into_iter().filter(|kind| kind.is_installed()).collect()
    }

    /// Returns whether its program is installed. Under `CI=true` it must be; elsewhere the test says that it skips it.
    pub(crate) fn is_installed(self) -> bool {
        let runs = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let is_there = match self {
            Kind::Own => true,
            // mosquitto_pub has no command that does nothing and succeeds.
            Kind::Mosquitto => Command::new("mosquitto_pub").arg("--help").output().is_ok(),
            Kind::Paho => runs("python3", &["-c", "import paho.mqtt.enums"]),
        };
        if !is_there {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{self:?} isn't installed");
            eprintln!("skipped: {self:?} isn't installed");
        }
        is_there
    }

    /// Publishes these, of one version, and waits until the client has done so.
    pub(crate) fn publish(self, broker: SocketAddr, messages: &[Sent<'_>]) {
        let (host, port) = (broker.ip().to_string(), broker.port().to_string());
        let mut commands = Vec::new();
        match self {
            Kind::Own => own_client::publish(broker, messages),
            Kind::Mosquitto => commands.extend(messages.iter().map(|sent| {
                let mut command = Command::new("mosquitto_pub");
                let version = if sent.version == 5 { "5" } else { "311" };
                command.args(["-h", &host, "-p", &port, "-V", version, "-t", sent.topic, "-q", &sent.qos.to_string()]);
                command.args(["-m", sent.payload]).args(sent.retain.then_some("-r"));
                command
            })),
            // Python takes its time to start: once for all.
            Kind::Paho => {
                let mut command = Command::new("python3");
                let version = messages.first().map_or(4, |sent| sent.version).to_string();
                command.args(["-c", PAHO_PUBLISH, &host, &port, &version]);
                for sent in messages {
                    command.args([sent.topic, sent.payload, &sent.qos.to_string(), &sent.retain.to_string()]);
                }
                commands.push(command);
            }
        }
        for mut command in commands {
            let output = command.output().unwrap();
            assert!(output.status.success(), "{messages:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Subscribes, and waits until the broker has confirmed it.
    pub(crate) fn subscribe(self, broker: SocketAddr, filters: &[&str]) -> Subscriber {
        if self == Kind::Own {
            let (sender, lines) = channel();
            let client = Client::Own(own_client::subscribe(broker, filters, sender));
            return Subscriber { client, lines, early: RefCell::default() };
        }
        self.subscribe_with(broker, filters, &[])
    }

    /// Subscribes with more options of mosquitto's.
    pub(crate) fn subscribe_with(self, broker: SocketAddr, filters: &[&str], options: &[&str]) -> Subscriber {
        let (host, port) = (broker.ip().to_string(), broker.port().to_string());
        let mut command = match self {
            Kind::Own => panic!("mosquitto's options are for mosquitto"),
            Kind::Mosquitto => {
                // Its debugging output goes line by line only to a terminal, or so.
                let mut command = Command::new("stdbuf");
                command.args(["-oL", "mosquitto_sub", "-d", "-h", &host, "-p", &port, "-q", "1"]);
                command.args(["-F", "message %r %t %p"]);
                command.args(filters.iter().flat_map(|filter| ["-t", filter])).args(options);
                command
            }
            Kind::Paho => {
                let mut command = Command::new("python3");
                command.args(["-c", PAHO_SUBSCRIBE, &host, &port]).args(filters);
                command
            }
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        Subscriber::confirmed(child)
    }
}

/// A client that has subscribed; ends with it.
pub(crate) struct Subscriber {
    client: Client,
    lines: Receiver<String>,
    /// What came before the subscription was confirmed: a session that was kept has messages at once.
    early: RefCell<VecDeque<String>>,
}

enum Client {
    Own(Connected),
    Program(Child),
}

impl Subscriber {
    fn confirmed(mut child: Child) -> Subscriber {
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            // The reader is gone when the test is.
            stdout.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let subscriber = Subscriber { client: Client::Program(child), lines, early: RefCell::default() };
        subscriber.next_line(|line| {
            if line.starts_with("message ") {
                subscriber.early.borrow_mut().push_back(line.to_owned());
            }
            line.starts_with("Subscribed")
        });
        subscriber
    }

    /// Returns the next message as `0 topic payload`, where 1 in front means retained.
    pub(crate) fn next(&self) -> String {
        let early = self.early.borrow_mut().pop_front();
        let line = early.unwrap_or_else(|| self.next_line(|line| line.starts_with("message ")));
        line.trim_start_matches("message ").to_owned()
    }

    /// Returns the messages until the one to the topic `end`, without that.
    pub(crate) fn until(&self, end: &str) -> Vec<String> {
        std::iter::repeat_with(|| self.next()).take_while(|line| line.split(' ').nth(1) != Some(end)).collect()
    }

    fn next_line(&self, is_wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).expect("the subscriber gets nothing more");
            if is_wanted(&line) {
                return line;
            }
        }
    }

    /// Dies without a word, so that the broker publishes its will.
    pub(crate) fn kill(mut self) {
        self.client.end();
    }
}

impl Client {
    fn end(&mut self) {
        match self {
            Client::Own(connected) => connected.end(),
            Client::Program(child) => {
                // It may have ended by itself.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.client.end();
    }
}
