//! A real mosquitto on a port of its own, and a device that speaks to it whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homerule::link::{Failure, Happening, Link, Settings};
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use jiff::Timestamp;
use tempfile::TempDir;

use super::house::{PATIENCE, until};

/// A mosquitto that keeps its sessions when it is restarted.
pub(crate) struct Mosquitto {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    child: Option<Child>,
}

impl Mosquitto {
    pub(crate) fn start() -> Mosquitto {
        Mosquitto::with("allow_anonymous true\n")
    }

    /// Starts one with these lines in its settings.
    pub(crate) fn with(lines: &str) -> Mosquitto {
        let folder = tempfile::tempdir().unwrap();
        // Nobody else takes the port at once.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let place = folder.path().display();
        let settings = format!(
            "listener {} 127.0.0.1\npersistence true\npersistence_location {place}/\nmax_queued_messages 0\n\
             max_inflight_messages 0\nset_tcp_nodelay true\nuser root\n{lines}",
            address.port()
        );
        std::fs::write(folder.path().join("mosquitto.conf"), settings).unwrap();
        let mut mosquitto = Mosquitto { folder, address, child: None };
        mosquitto.begin();
        mosquitto
    }

    /// Starts it again, after [`Mosquitto::end`].
    pub(crate) fn begin(&mut self) {
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("mosquitto is installed: see .ci/run"));
        let address = self.address;
        until("mosquitto listens", || TcpStream::connect(address).is_ok());
    }

    /// Ends it, so that it keeps what it knows.
    pub(crate) fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let sent = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
        child.wait().unwrap();
    }

    /// Returns the settings of a home that uses it.
    pub(crate) fn settings(&self) -> String {
        format!("broker: {{ url: \"mqtt://{}\" }}\nweb: {{ listen: \"127.0.0.1:0\" }}\n", self.address)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.end();
    }
}

/// A device: it publishes with an outbox of its own, and comes back whenever it can.
pub(crate) struct Device {
    link: Link,
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// What it heard, by topic, in order.
    pub(crate) heard: BTreeMap<String, Vec<String>>,
    is_settled: bool,
}

impl Device {
    /// Returns a device that has subscribed to `filters`.
    pub(crate) fn new(address: SocketAddr, name: &str, filters: &[&str]) -> Device {
        let settings = Settings::new(&address.to_string(), name);
        let (mut link, _) = Link::new(Timestamp::now(), settings, []);
        let filters: BTreeSet<_> = filters.iter().map(|filter| (*filter).into()).collect();
        link.want(Timestamp::now(), &filters, &BTreeSet::new());
        let mut device = Device { link, address, stream: None, heard: BTreeMap::new(), is_settled: false };
        device.live_until("the device is connected", |device| device.is_settled);
        device
    }

    pub(crate) fn publish(&mut self, topic: &str, payload: &str, retain: bool) {
        let message = Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes(payload.to_owned()),
            qos: Qos::AtLeastOnce,
            retain,
            origin: Origin::Own,
            expires_at: None,
        };
        self.link.publish(Timestamp::now(), &message);
        self.turn();
    }

    /// Returns what came on a topic.
    pub(crate) fn on(&self, topic: &str) -> Vec<&str> {
        self.heard.get(topic).into_iter().flatten().map(String::as_str).collect()
    }

    /// Returns whether the broker has all that was published.
    pub(crate) fn is_drained(&self) -> bool {
        self.link.is_drained()
    }

    /// Lives until `is_so`.
    pub(crate) fn live_until(&mut self, what: &str, is_so: impl Fn(&Device) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < end, "{what} didn't happen; it heard {:?}", self.heard);
            self.turn();
        }
    }

    /// Lives for a while.
    pub(crate) fn live(&mut self, duration: Duration) {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let now = Timestamp::now();
        let receipt = self.link.receipt();
        while let Some(happening) = self.link.poll(now) {
            match happening {
                Happening::Open => match TcpStream::connect(self.address) {
                    Ok(stream) => {
                        stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
                        stream.set_nodelay(true).unwrap();
                        self.stream = Some(stream);
                        self.link.opened(now);
                    }
                    Err(_) => self.link.failed(now, Failure::NobodyThere),
                },
                Happening::Close => self.stream = None,
                Happening::Settled => self.is_settled = true,
                Happening::Heard(heard) => {
                    let payload = heard.message.payload.text().unwrap().to_owned();
                    self.heard.entry(heard.message.topic.to_string()).or_default().push(payload);
                }
                _ => {}
            }
        }
        self.link.release(now, receipt);
        let output = self.link.take_output();
        let Some(stream) = &mut self.stream else { return std::thread::sleep(Duration::from_millis(2)) };
        let mut room = vec![0; 65_536];
        let is_open = stream.write_all(&output).is_ok()
            && match stream.read(&mut room) {
                Ok(0) => false,
                Ok(count) => {
                    self.link.read(now, &room[..count]);
                    true
                }
                Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            };
        if !is_open {
            self.stream = None;
            self.link.closed(now);
        }
    }
}
