//! How the daemon starts, refuses to start, and stops.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use super::clients::Kind;
use super::house::{House, PATIENCE};
use crate::home::Home;

fn settings(broker: &str) -> String {
    format!("broker: {{ listen: \"{broker}\" }}\nweb: {{ listen: \"127.0.0.1:0\" }}\n")
}

#[test]
fn an_address_in_use_ends_the_start_with_the_address_and_the_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::with(&[]);
    home.write("homerule.yaml", &settings(&address.to_string()));
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    let expected = format!(
        "error: the broker can't listen on {address}: another program listens there; stop it, or set another port"
    );
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn one_address_in_use_of_two_ends_the_start_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::with(&[]);
    let listen =
        format!("broker:\n  listen:\n    - {{ address: \"127.0.0.1:0\" }}\n    - {{ address: \"{address}\" }}\n");
    home.write("homerule.yaml", &(listen + "web: { listen: \"127.0.0.1:0\" }\n"));
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(&format!("the broker can't listen on {address}")), "{said}");
}

#[test]
fn a_web_address_in_use_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::with(&[]);
    home.write("homerule.yaml", &format!("broker: {{ listen: \"127.0.0.1:0\" }}\nweb: {{ listen: \"{address}\" }}\n"));
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(&format!("the HTTP interface can't listen on {address}")), "{said}");
}

#[test]
fn an_open_network_without_users_is_refused_with_what_to_write() {
    let home = Home::with(&[]);
    home.write("homerule.yaml", &settings("0.0.0.0:0"));
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("anonymous: true"), "{said}");
}

#[test]
fn a_home_that_is_not_there_is_said() {
    let home = Home::with(&[]);
    std::fs::remove_file(home.file("homerule.yaml")).unwrap();
    std::fs::remove_dir(home.path()).unwrap();
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("there is no folder") && said.contains("homerule init"), "{said}");
}

#[test]
fn a_signal_stops_the_daemon_within_five_seconds_though_streams_are_open() {
    for signal in ["TERM", "INT"] {
        let house = Home::with(&[]).start();
        let stream = ureq::get(format!("http://{}/api/events", house.web)).call().unwrap();
        let subscriber = Kind::Own.subscribe(house.mqtt, &["homerule/status"]);
        let asked = Instant::now();
        house.signal(signal);
        assert_eq!(subscriber.next(), "1 homerule/status online");
        assert_eq!(subscriber.next(), "0 homerule/status offline");
        let (status, log) = house.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        drop(stream);
    }
}

#[test]
fn a_broken_file_keeps_the_others_in_force_unless_the_start_is_strict() {
    let files = [
        ("rules/good.yaml", "rules: { ok: { when: a, then: { to/b: x } } }\n"),
        ("rules/bad.yaml", "rules: { broken: { whne: a } }\n"),
    ];
    let (status, said) = Home::with(&files).run_to_its_end(&["--strict"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("rules/bad.yaml:1:20"), "{said}");

    let house = Home::with(&files).start();
    let status = house.get("/api/status");
    assert_eq!(status["rules"]["loaded"], 1);
    assert_eq!(status["healthy"], false);
    assert_eq!(status["diagnostics"][0]["file"], "rules/bad.yaml");
    assert_eq!(status["diagnostics"][0]["line"], 1);
}

#[test]
fn a_home_without_rules_runs_and_says_how_to_begin() {
    let home = Home::with(&[]);
    let mut child = home.command().spawn().unwrap();
    let mut text = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    while !text.contains("homerule pub") {
        assert_ne!(std::io::BufRead::read_line(&mut stdout, &mut text).unwrap(), 0, "{text}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(text.contains("homerule init"), "{text}");
}

#[test]
fn a_log_filter_that_cannot_be_read_is_said() {
    let (status, said) = Home::with(&[]).run_to_its_end(&["--log", "homerule=loud"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("`--log homerule=loud` can't be read"), "{said}");
}

#[test]
fn systemd_is_told_when_the_daemon_is_ready_and_when_it_stops() {
    let home = Home::with(&[]);
    let socket = UnixDatagram::bind(home.file("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut child = home.command().env("NOTIFY_SOCKET", home.file("notify")).spawn().unwrap();
    let told = || {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert_eq!(told(), "READY=1");
    let sent = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(told(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn systemd_gets_its_signs_of_life() {
    let home = Home::with(&[]);
    let socket = UnixDatagram::bind(home.file("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = home.command();
    let mut child = command.env("NOTIFY_SOCKET", home.file("notify")).env("WATCHDOG_USEC", "200000").spawn().unwrap();
    let told = || {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert_eq!([told(), told(), told()], ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn our_own_client_id_is_refused_to_others() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    let mut house = House::with_rules("rules: { seen: { when: in, then: { to/out: x } } }");
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let refused = std::process::Command::new("mosquitto_pub")
        .args(["-h", &host, "-p", &port, "-i", "homerule", "-t", "x", "-m", "x"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    Kind::Own.publish(house.mqtt, &[super::clients::sent("in", "x")]);
    house.publication("to/out");
}
