//! docs/security.md with real clients: its worked example, who comes in, and files that change while the daemon runs.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::clients::Kind;
use super::house::{House, PATIENCE, until};
use crate::home::Home;
use crate::net::Certificates;

/// The page.
fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md")).unwrap()
}

/// Returns the fenced texts of a section of the page, with their languages.
fn fences(section: &str) -> Vec<(String, String)> {
    let page = page();
    let text = page.split(&format!("\n## {section}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let mut fences = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines().map(|line| line.strip_prefix("   ").unwrap_or(line)) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => fences.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    fences
}

fn client(home: &Home, program: &str, arguments: &[&str]) -> Output {
    Command::new(program).current_dir(home.path()).args(arguments).output().unwrap()
}

fn passwd(home: &Home, user: &str, password: &str) {
    let mut child = Command::new(crate::home::BINARY)
        .current_dir(home.path())
        .args(["passwd", "users.txt", user, "--stdin"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Connects with MQTT 3.1.1 as `client`, and returns the connection with the code of the answer.
fn connect(house: &House, client: &str, login: Option<(&str, &str)>) -> (TcpStream, u8) {
    let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let flags = if login.is_some() { 0xc2 } else { 0x02 };
    let mut body = [&b"\0\x04MQTT\x04"[..], &[flags, 0, 60], &text(client)].concat();
    for part in login.iter().flat_map(|(user, password)| [user, password]) {
        body.extend(text(part));
    }
    let mut stream = TcpStream::connect(house.mqtt).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[&[0x10, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    (stream, answer[3])
}

/// Waits until the other side closes the connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).is_ok()
}

fn known(house: &House, id: &str) -> Value {
    let clients = house.get("/api/clients");
    clients.as_array().unwrap().iter().find(|client| client["id"] == id).cloned().unwrap_or_default()
}

/// A home with the user ann, who may do what `acl` says.
fn guarded(acl: &str) -> House {
    let home = Home::with(&[("rules/all.yaml", "rules: {}\n"), ("acl.txt", acl)]);
    home.write(
        "homerule.yaml",
        "broker: { listen: \"127.0.0.1:0\", users: users.txt, acl: acl.txt }\nweb: { listen: \"127.0.0.1:0\" }\n",
    );
    passwd(&home, "ann", "secret");
    home.start()
}

#[test]
fn the_worked_example_opens_a_house_to_its_devices_and_to_nobody_else() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    let fences = fences("A house that is open to its devices");
    let text = |language: &str, number: usize| {
        fences.iter().filter(|(found, _)| found == language).nth(number).unwrap().1.clone()
    };
    let home = Home::with(&[("rules/all.yaml", "rules: {}\n"), ("acl.txt", &text("text", 0))]);
    let made = client(&home, "sh", &["-e", "-c", &text("sh", 0)]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (user, line) in [("lamp", 0), ("phone", 1)] {
        assert_eq!(text("sh", 1).lines().nth(line).unwrap(), format!("homerule passwd users.txt {user}"));
        passwd(&home, user, "PASSWORD");
    }
    let settings = text("yaml", 0).replace("127.0.0.1:1883", "127.0.0.1:0").replace("0.0.0.0:8883", "127.0.0.1:0");
    home.write("homerule.yaml", &format!("{settings}web: {{ listen: \"127.0.0.1:0\" }}\n"));
    let house = home.start();
    let listen = house.get("/api/status")["listen"].clone();
    let port = listen[1].as_str().unwrap().strip_prefix("mqtts://127.0.0.1:").unwrap().to_owned();

    let [subscribe, publish] = [0, 1].map(|line| text("sh", 2).lines().nth(line).unwrap().replace("8883", &port));
    let subscriber =
        format!("{subscribe} -C 1 -W 20 & S=$!; until homerule_sees; do sleep 0.05; done; {publish}; wait $S");
    let status = format!("http://{}/api/clients", house.web);
    let sees = format!("homerule_sees() {{ curl -s {status} | grep -q '\"user\":\"phone\".*\"subscriptions\":1'; }}; ");
    let said = client(&house.home, "sh", &["-c", &format!("{sees}{subscriber}")]);
    assert_eq!(
        String::from_utf8_lossy(&said.stdout),
        "home/lamp/state ON\n",
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );

    let publish = |user: &str, password: &str, topic: &str| {
        let login = ["-u", user, "-P", password, "-t", topic, "-m", "x", "-q", "1", "-V", "5"];
        let said = client(
            &house.home,
            "mosquitto_pub",
            &[&["-h", "localhost", "-p", &port, "--cafile", "ca.pem"], &login[..]].concat(),
        );
        String::from_utf8_lossy(&said.stderr).into_owned()
    };
    assert_eq!(publish("phone", "PASSWORD", "home/lamp/set"), "");
    assert!(publish("lamp", "PASSWORD", "home/lamp/set").contains("Not authorized"));
    assert!(publish("lamp", "WRONG", "home/lamp/state").contains("Not authorized"));
    assert_eq!(connect(&house, "x", None).1, 5, "on this machine a password is needed too");
}

#[test]
fn a_certificate_names_its_user_and_without_one_nobody_comes_in() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    let certificates = Certificates::new();
    let home = Home::with(&[("rules/all.yaml", "rules: {}\n"), ("acl.txt", "user kitchen lamp\ntopic write lamp/#\n")]);
    for file in ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"] {
        std::fs::copy(certificates.path(file), home.file(file)).unwrap();
    }
    home.write(
        "homerule.yaml",
        "broker:\n  listen:\n    - 127.0.0.1:0\n    - { address: \"127.0.0.1:0\", tls: { certificate: server.pem, key: server.key, client_ca: ca.pem, identity: cn } }\n  acl: acl.txt\nweb: { listen: \"127.0.0.1:0\" }\n",
    );
    let house = home.start();
    let listen = house.get("/api/status")["listen"].clone();
    let port = listen[1].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let publish = |topic: &str, certificate: &[&str]| {
        let to = ["-h", "localhost", "-p", &port, "--cafile", "ca.pem", "-V", "5", "-q", "1", "-t", topic, "-m", "x"];
        let said = client(&house.home, "mosquitto_pub", &[&to[..], certificate].concat());
        (said.status.success(), String::from_utf8_lossy(&said.stderr).into_owned())
    };
    let shown = ["--cert", "client.pem", "--key", "client.key"];
    assert_eq!(publish("lamp/on", &shown), (true, String::new()));
    assert!(publish("other", &shown).1.contains("Not authorized"));
    assert!(!publish("lamp/on", &[]).0);
    until("the failed handshake to be counted", || {
        house.ask("GET", "/metrics", None).1.contains("homerule_broker_failed_handshakes_total 1\n")
    });
}

#[test]
fn who_may_not_come_in_is_told_so_counted_and_logged_without_a_word_of_the_password() {
    let mut house = guarded("");
    assert_eq!(connect(&house, "right", Some(("ann", "secret"))).1, 0);
    assert_eq!(connect(&house, "wrong", Some(("ann", "my-old-password"))).1, 5);
    assert_eq!(connect(&house, "unknown", Some(("bob", "my-old-password"))).1, 5);
    assert_eq!(connect(&house, "anonymous", None).1, 5);
    let metrics = house.ask("GET", "/metrics", None).1;
    assert!(metrics.contains("homerule_broker_wrong_passwords_total 2\n"), "{metrics}");
    assert!(metrics.contains("homerule_broker_refused_total 3\n"), "{metrics}");
    let log = house.end("TERM");
    for said in [
        "A client was refused: the user or the password is wrong.",
        "A client was refused: a user and a password are needed here.",
    ] {
        assert_eq!(log.matches(said).count(), 1, "{said}: {log}");
    }
    assert!(!log.contains("my-old-password"), "{log}");
}

#[test]
fn one_who_guesses_waits_and_others_do_not() {
    let house = guarded("");
    for _ in 0..5 {
        assert_eq!(connect(&house, "guesser", Some(("bob", "guess"))).1, 5);
    }
    assert_eq!(connect(&house, "guesser", Some(("bob", "guess"))).1, 5);
    let metrics = house.ask("GET", "/metrics", None).1;
    assert!(metrics.contains("homerule_broker_throttled_logins_total 1\n"), "{metrics}");
    assert_eq!(connect(&house, "other", Some(("ann", "secret"))).1, 0);
}

#[test]
fn changed_files_count_at_once_and_broken_ones_keep_what_they_said() {
    let house = guarded("user ann\ntopic readwrite home/#\n");
    passwd(&house.home, "eve", "secret");
    until("the new user to be known", || connect(&house, "eve", Some(("eve", "secret"))).1 == 0);
    let (mut ann, _) = connect(&house, "ann", Some(("ann", "secret")));
    // A new password ends her connection, and nobody else's.
    let (mut eve, code) = connect(&house, "eve", Some(("eve", "secret")));
    assert_eq!(code, 0);
    passwd(&house.home, "ann", "another");
    assert!(is_closed(&mut ann));
    eve.write_all(&[0xc0, 0]).unwrap();
    let mut pong = [0; 2];
    eve.read_exact(&mut pong).unwrap();
    assert_eq!(connect(&house, "ann", Some(("ann", "secret"))).1, 5);
    let (mut ann, code) = connect(&house, "ann", Some(("ann", "another")));
    assert_eq!(code, 0);

    let mut may_publish = |topic: &[u8]| {
        let body = [&[0, u8::try_from(topic.len()).unwrap()], topic, &[0, 1], b"x"].concat();
        ann.write_all(&[&[0x32, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()).unwrap();
        let mut ack = [0; 4];
        ann.read_exact(&mut ack).unwrap();
        let states = house.get("/api/state");
        states.as_array().unwrap().iter().any(|state| state["topic"].as_str().unwrap().as_bytes() == topic)
    };
    assert!(may_publish(b"home/a") && !may_publish(b"garden/a"));
    house.home.write("acl.txt", "user ann\ntopic readwrite garden/#\n");
    until("the new grants to count", || may_publish(b"garden/a"));
    assert!(!may_publish(b"home/b"), "a narrower grant counts from the next message");

    house.home.write("acl.txt", "user ann\ntopic raedwrite home/#\n");
    until("the broken file to be shown", || !house.get("/api/status")["broker"]["faults"][0].is_null());
    let status = house.get("/api/status");
    assert!(status["broker"]["faults"][0].as_str().unwrap().starts_with("acl.txt:2: "), "{status}");
    assert_eq!((status["healthy"].as_bool(), house.ask("GET", "/healthz", None).0), (Some(false), 503));
    assert!(may_publish(b"garden/b") && !may_publish(b"home/c"));
    house.home.write("acl.txt", "user ann\ntopic readwrite home/#\n");
    until("the file to be in force", || house.get("/api/status")["healthy"] == true);
}

#[test]
fn a_broken_file_refuses_the_start_with_its_line() {
    let home = Home::with(&[("users.txt", "ann\n")]);
    home.write(
        "homerule.yaml",
        "broker: { listen: \"127.0.0.1:0\", users: users.txt }\nweb: { listen: \"127.0.0.1:0\" }\n",
    );
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("users.txt:1: "), "{said}");
}

#[test]
fn clients_are_shown_with_what_is_theirs() {
    let house = guarded("user ann\ntopic read home/#\n");
    let (mut ann, _) = connect(&house, "ann/1", Some(("ann", "secret")));
    ann.write_all(b"\x82\x0b\x00\x01\x00\x06home/#\x01").unwrap();
    let mut suback = [0; 5];
    ann.read_exact(&mut suback).unwrap();
    // She may not publish there, and is told nothing of it in MQTT 3.1.1.
    ann.write_all(b"\x32\x07\x00\x01a\x00\x02xx").unwrap();
    let mut puback = [0; 4];
    ann.read_exact(&mut puback).unwrap();
    let client = known(&house, "ann/1");
    let expected: BTreeMap<&str, Value> = [
        ("user", "ann".into()),
        ("connected", true.into()),
        ("protocol", "3.1.1".into()),
        ("subscriptions", 1.into()),
        ("dropped", 1.into()),
        ("last_error", Value::Null),
    ]
    .into();
    for (key, value) in expected {
        assert_eq!(client[key], value, "{key}: {client}");
    }
    let said = house.home.say(&["status", "--clients", "--url", &format!("http://{}", house.web)]);
    let line = said.out.lines().find(|line| line.starts_with("ann/1")).unwrap_or_else(|| panic!("{said:?}"));
    assert!(line.contains(" ann ") && line.contains("127.0.0.1:") && line.contains("3.1.1"), "{line}");
}

#[test]
fn a_web_page_of_another_host_may_not_connect() {
    let home = Home::with(&[("rules/all.yaml", "rules: {}\n")]);
    home.write(
        "homerule.yaml",
        "broker: { listen: [ \"127.0.0.1:0\", { address: \"127.0.0.1:0\", websocket: true, origins: [\"https://home.example\"] } ] }\nweb: { listen: \"127.0.0.1:0\" }\n",
    );
    let house = home.start();
    let listen = house.get("/api/status")["listen"].clone();
    let address = listen[1].as_str().unwrap().strip_prefix("ws://").unwrap().to_owned();
    let answer = |origin: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = format!(
            "GET /mqtt HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n{origin}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut line = [0; 12];
        stream.read_exact(&mut line).unwrap();
        String::from_utf8_lossy(&line).into_owned()
    };
    assert_eq!(answer(""), "HTTP/1.1 101");
    assert_eq!(answer("Origin: https://home.example\r\n"), "HTTP/1.1 101");
    assert_eq!(answer("Origin: https://evil.example\r\n"), "HTTP/1.1 403");
}
