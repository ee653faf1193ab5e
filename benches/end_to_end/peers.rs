//! What is measured beside the daemon, where it is installed: mosquitto with nothing in between, with a rule in Python, and
//! with a flow in Node-RED.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

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

/// Says in which folder Node-RED was installed.
pub(crate) const NODE_RED: &str = "NODE_RED";

/// Makes all sockets of a node process send small packets at once.
const NODE_NO_DELAY: &str = r"
const { Socket } = require('net');
const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...to) { this.setNoDelay(true); return connect.apply(this, to); };
";

/// The rule as a function of Node-RED.
const NODE_RED_RULE: &str = r#"
if (msg.payload.state !== "ON") return null;
const [, prefix, room] = msg.topic.split("/");
return { topic: `bench/${prefix}/${room}/light/set`, payload: { state: "ON", n: msg.payload.n }, qos: msg.qos };
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
        self.answers().then_some(process)
    }

    /// Starts the flow in Node-RED at this broker; `None`: the environment doesn't say where it is, or it doesn't start.
    pub(crate) fn node_red(&self, folder: &Path, no_delay: bool) -> Option<Process> {
        let program = Path::new(&std::env::var_os(NODE_RED)?).join("node_modules/node-red/red.js");
        let home = folder.join(format!("node-red-{no_delay}"));
        std::fs::create_dir_all(&home).unwrap();
        let [flows, hook, settings] = ["flows.json", "no_delay.js", "settings.js"].map(|name| home.join(name));
        std::fs::write(&flows, self.flows().to_string()).unwrap();
        std::fs::write(&hook, NODE_NO_DELAY).unwrap();
        // Its editor isn't measured, and nothing is asked of the network.
        let quiet = "module.exports = { httpAdminRoot: false, uiHost: '127.0.0.1', telemetry: { enabled: false } };";
        std::fs::write(&settings, quiet).unwrap();
        let mut command = Command::new("node");
        if no_delay {
            command.arg("--require").arg(hook);
        }
        command.arg(program).arg("--userDir").arg(&home).arg("--settings").arg(settings);
        command.arg("--port").arg(free_address().port().to_string()).arg(flows).stdout(Stdio::null());
        let process = Process::start(&mut command)?;
        self.answers().then_some(process)
    }

    fn flows(&self) -> Value {
        let subscription = |name: &str, topic: &str, qos: u8| {
            json!({ "id": name, "type": "mqtt in", "z": "tab", "topic": topic, "qos": qos.to_string(), "datatype": "json",
                "broker": "broker", "inputs": 0, "wires": [["rule"]] })
        };
        json!([
            { "id": "tab", "type": "tab", "label": "bench" },
            { "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": self.address.port().to_string(),
                "clientid": "rule", "autoConnect": true, "protocolVersion": "4", "keepalive": "60", "cleansession": true },
            subscription("q0", "bench/q0/+/tv", 0),
            subscription("q1", "bench/q1/+/tv", 1),
            { "id": "rule", "type": "function", "z": "tab", "func": NODE_RED_RULE, "outputs": 1, "wires": [["out"]] },
            { "id": "out", "type": "mqtt out", "z": "tab", "topic": "", "qos": "", "retain": "", "broker": "broker", "wires": [] },
        ])
    }

    /// Returns whether the rule beside it acts, once it has had time to connect.
    fn answers(&self) -> bool {
        let route = Route {
            broker: self.address,
            prefix: "bench/q1",
            device: "tv",
            action: "light/set",
            qos: 1,
            retain: false,
        };
        (0..5).any(|_| answers(&route))
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
