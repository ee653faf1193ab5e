//! The daemon end to end, as a device sees it: how long an action takes, how many there are a second, what they cost, and
//! beside it, in the same run, what a broker alone takes. Then the daemon at rest.
//!
//! `cargo bench --bench end_to_end`, or with a part of a row's name, `-- homerule`. The load comes over loopback TCP, all
//! sockets with `TCP_NODELAY`: a device publishes JSON on `bench/x/ROOM/tv`, a rule with a wildcard and a condition on a field
//! fires, and its action on `…/light/set` is received. A latency counts from when its message was due. Ratios are to the bare
//! hop through mosquitto at the same `QoS`, measured in the same run.
//!
//! Peers that are installed are measured too: `mosquitto`, `python3` with paho-mqtt 2, and Node-RED where `NODE_RED` names the
//! folder in which `npm install --omit=optional node-red` was run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, and panics when it can't measure"
)]

mod at_rest;
mod client;
mod load;
mod packets;
mod peers;
mod process;
mod table;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use load::Route;
use peers::Mosquitto;
use process::{Daemon, Process};
use table::Table;

/// Ports that nobody else has.
const SETTINGS: &str = "broker: { listen: \"127.0.0.1:0\" }\nweb: { listen: \"127.0.0.1:0\" }\n";

/// The rules that are measured, one for each prefix: nothing durable at each `QoS`, and a delay behind the action.
const RULES: &str = r#"
rules:
  q0:
    when: bench/q0/+room/tv
    if: msg.state == "ON"
    then: { publish: 'bench/q0/${room}/light/set', payload: { state: ON, n: '${msg.n}' }, qos: 0 }
  q1:
    when: bench/q1/+room/tv
    if: msg.state == "ON"
    then: { publish: 'bench/q1/${room}/light/set', payload: { state: ON, n: '${msg.n}' } }
  delay:
    when: bench/delay/+room/tv
    if: msg.state == "ON"
    then:
      - publish: bench/delay/${room}/light/set
        payload: { state: ON, n: '${msg.n}' }
      - delay: 10m
      - publish: bench/delay/${room}/light/set
        payload: { state: OFF }
"#;

/// What is measured of one target.
struct Row {
    name: &'static str,
    route: Route,
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let is_wanted = |name: &str| name.contains(&wanted);
    let folder = tempfile::tempdir().unwrap();
    let mut table = Table::new();
    if is_wanted("mosquitto") {
        measure_peers(folder.path(), &mut table);
    }
    if is_wanted("homerule") {
        measure_daemon(folder.path(), &mut table);
        measure_among_many(&mut table);
    }
    table.end();
    if is_wanted("at rest") {
        at_rest::measure();
    }
}

fn measure_peers(folder: &Path, table: &mut Table) {
    for no_delay in [true, false] {
        let Some(mosquitto) = Mosquitto::start(folder, no_delay) else {
            println!("mosquitto isn't installed, or doesn't start: no ratios.");
            return;
        };
        let names = if no_delay {
            [
                "mosquitto alone, QoS 0",
                "mosquitto alone, QoS 1",
                "mosquitto and paho, QoS 0",
                "mosquitto and paho, QoS 1",
                "mosquitto, Node-RED, QoS 0",
                "mosquitto, Node-RED, QoS 1",
            ]
        } else {
            [
                "… with Nagle, QoS 0",
                "… with Nagle, QoS 1",
                "… paho with Nagle, QoS 0",
                "… paho with Nagle, QoS 1",
                "… Node-RED, Nagle, QoS 0",
                "… Node-RED, Nagle, QoS 1",
            ]
        };
        let broker = mosquitto.address;
        for (name, prefix, qos) in [(names[0], "bench/bare", 0), (names[1], "bench/bare", 1)] {
            let route = Route { broker, prefix, device: "tv", action: "tv", qos, retain: false };
            table.measure(&Row { name, route }, &[&mosquitto.process], no_delay);
        }
        measure_rule(&mosquitto, mosquitto.paho(no_delay), [names[2], names[3]], table);
        measure_rule(&mosquitto, mosquitto.node_red(folder, no_delay), [names[4], names[5]], table);
    }
}

/// Measures a rule in a process of its own beside mosquitto; at `QoS` 0, and at 1.
fn measure_rule(mosquitto: &Mosquitto, rule: Option<Process>, names: [&'static str; 2], table: &mut Table) {
    let Some(rule) = rule else {
        println!("{}: not measured, since it isn't installed (see the header of the bench).", names[0]);
        return;
    };
    for (name, prefix, qos) in [(names[0], "bench/q0", 0), (names[1], "bench/q1", 1)] {
        let route = fires(mosquitto.address, prefix, qos);
        table.measure(&Row { name, route }, &[&mosquitto.process, &rule], false);
    }
}

fn measure_daemon(folder: &Path, table: &mut Table) {
    let home = folder.join("home");
    fs::create_dir_all(home.join("rules")).unwrap();
    fs::write(home.join("homerule.yaml"), SETTINGS).unwrap();
    fs::write(home.join("rules/bench.yaml"), RULES).unwrap();
    let daemon = Daemon::start(&home, true);
    let broker = daemon.broker;
    let rows = [
        Row { name: "homerule, QoS 0", route: fires(broker, "bench/q0", 0) },
        Row { name: "homerule, QoS 1", route: fires(broker, "bench/q1", 1) },
        Row { name: "… retained input, QoS 0", route: Route { retain: true, ..fires(broker, "bench/q0", 0) } },
        Row { name: "… retained input, QoS 1", route: Route { retain: true, ..fires(broker, "bench/q1", 1) } },
        Row { name: "… a delay behind it, QoS 1", route: fires(broker, "bench/delay", 1) },
    ];
    for row in &rows {
        table.measure(row, &[&daemon.process], false);
    }
    drop(daemon);
    fs::write(home.join("homerule.yaml"), format!("{SETTINGS}recorder: off\n")).unwrap();
    let daemon = Daemon::start(&home, true);
    let unrecorded = Row { name: "… nothing recorded, QoS 0", route: fires(daemon.broker, "bench/q0", 0) };
    table.measure(&unrecorded, &[&daemon.process], false);
    drop(daemon);
    fs::write(home.join("homerule.yaml"), SETTINGS).unwrap();
    let daemon = Daemon::start(&home, false);
    let shown = Row { name: "… shown as JSON, QoS 0", route: fires(daemon.broker, "bench/q0", 0) };
    table.measure(&shown, &[&daemon.process], false);
}

/// Measures the same rule where thousands of others hear other topics.
fn measure_among_many(table: &mut Table) {
    let home = at_rest::home(10_000);
    let daemon = Daemon::start(home.path(), true);
    let row = Row { name: "… among 10,000 rules, QoS 0", route: fires(daemon.broker, "bench/q0", 0) };
    table.measure(&row, &[&daemon.process], false);
}

/// Returns the route of what fires a rule.
fn fires(broker: SocketAddr, prefix: &'static str, qos: u8) -> Route {
    Route { broker, prefix, device: "tv", action: "light/set", qos, retain: false }
}

/// Returns the processor time of all of them.
fn busy(processes: &[&Process]) -> Duration {
    processes.iter().map(|process| process.busy()).sum()
}
