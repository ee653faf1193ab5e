//! What is measured beside the daemon, where it is installed: mosquitto with nothing in between, and with a rule in Python.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::Client;
use super::load::{Route, answers};
use super::process::{Process, free_address};

/// The rule in Python: broker's port, then whether small packets are sent at once.
const PAHO: &str = r#"
import json, socket, sys
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "rule")
def on_connect(client, userdata, flags, reason, properties):
    client.subscribe([("bench/q0/+/tv", 0), ("bench/q1/+/tv", 1)])
def on_message(client, userdata, message):
    _, qos, room, _ = message.topic.split("/")
    told = json.loads(message.payload)
    if told["state"] == "ON":
        client.publish(f"bench/{qos}/{room}/light/set", json.dumps({"state": "ON", "n": told["n"]}), message.qos)
client.on_connect = on_connect
client.on_message = on_message
if sys.argv[2] == "nodelay":
    client.on_socket_open = lambda client, userdata, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.max_inflight_messages_set(0)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"#;

/// A mosquitto.
pub(crate) struct Mosquitto {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Mosquitto {
    /// Starts one that drops nothing; `None`: there is none.
    pub(crate) fn start(folder: &Path, no_delay: bool) -> Option<Mosquitto> {
        let address = free_address();
        let mut settings = format!("listener {} 127.0.0.1\nallow_anonymous true\n", address.port());
        let _ = writeln!(settings, "max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay {no_delay}");
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, settings).unwrap();
        let process = Process::start(Command::new("mosquitto").arg("-c").arg(file))?;
        wait_for(|| Client::connect(address, "probe").is_some()).then_some(Mosquitto { process, address })
    }

    /// Starts the rule in Python at this broker; `None`: no Python, or no paho.
    pub(crate) fn paho(&self, no_delay: bool) -> Option<Process> {
        let word = if no_delay { "nodelay" } else { "delay" };
        let port = self.address.port().to_string();
        let has_paho = Command::new("python3")
            .args(["-c", "import paho.mqtt.client"])
            .output()
            .is_ok_and(|output| output.status.success());
        let process = has_paho.then(|| Process::start(Command::new("python3").args(["-c", PAHO, &port, word])))??;
        std::thread::sleep(Duration::from_millis(700));
        let route = Route {
            broker: self.address,
            prefix: "bench/q1",
            device: "tv",
            action: "light/set",
            qos: 1,
            retain: false,
        };
        answers(&route).then_some(process)
    }
}

fn wait_for(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}
