//! A home at another broker over TLS and WebSocket, and what is said of a certificate that isn't trusted.

use std::net::TcpListener;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::house::{House, until};
use super::mosquitto::{Device, Mosquitto};
use crate::home::{Home, homerule};

/// Writes an authority, a server's certificate by it, and a client's.
fn write_certificates(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "home");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    for (name, host) in [("server", "localhost"), ("client", "homerule")] {
        let key = KeyPair::generate().unwrap();
        let mut certificate = CertificateParams::new(vec![host.to_owned()]).unwrap();
        certificate.distinguished_name.push(DnType::CommonName, name);
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

fn start(broker: &str) -> House {
    let settings = format!("broker: {{ {broker} }}\nweb: {{ listen: \"127.0.0.1:0\" }}\n");
    let rules = "rules: { pass: { when: in/a, then: { out/a: \"${payload}\" } } }";
    Home::new(&[("homerule.yaml", &settings), ("rules/all.yaml", rules)]).start_at_another()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn is_connected(house: &House) -> bool {
    house.get("/api/status")["link"]["connected"] == true
}

#[test]
fn a_home_speaks_tls_and_shows_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    write_certificates(folder.path());
    let port = free_port();
    let place = folder.path().display();
    let mosquitto = Mosquitto::with(&format!(
        "allow_anonymous true\nlistener {port} 127.0.0.1\ncafile {place}/ca.pem\ncertfile {place}/server.pem\nkeyfile \
         {place}/server.key\nrequire_certificate true\n"
    ));
    let url = format!("url: \"mqtts://localhost:{port}\"");
    let certificate = format!("certificate: {place}/client.pem, key: {place}/client.key");
    let house = start(&format!("{url}, ca: {place}/ca.pem, {certificate}"));
    until("it is connected", || is_connected(&house));
    let mut device = Device::new(mosquitto.address, "device", &["out/a", "typed/#"]);
    device.publish("in/a", "1", false);
    device.live_until("it acts", |device| device.on("out/a") == ["1"]);
    commands_speak_as_the_daemon_does(&house, &mut device);
    let house = start(&format!("{url}, {certificate}"));
    let error = || house.get("/api/status")["link"]["last_error"].as_str().unwrap_or_default().to_owned();
    until("it was tried", || !error().is_empty());
    let expected = format!(
        "the certificate of localhost:{port} isn't trusted (nobody that this machine trusts signed it): name the authority that signed \
         it with `ca: FILE` below `broker`"
    );
    assert_eq!(error(), expected);
    let house = start(&format!("{url}, insecure: true, {certificate}"));
    until("it is connected", || is_connected(&house));
}

/// `pub`, `sub` and `record` take the same settings, and leave the daemon its connection.
fn commands_speak_as_the_daemon_does(house: &House, device: &mut Device) {
    let home = house.home.path();
    let home = home.to_str().unwrap();
    let connects = || house.get("/api/status")["link"]["connects"].clone();
    let before = connects();
    for qos in ["0", "1", "2"] {
        let said = homerule(house.home.path(), &["pub", "typed/a", "kept", "-r", "-q", qos, "--home", home]);
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{qos}");
    }
    device.live_until("it was published", |device| device.on("typed/a").len() == 3);
    let said = homerule(house.home.path(), &["sub", "typed/#", "-C", "1", "--home", home]);
    assert_eq!((said.status, said.out.as_str()), (0, "typed/a kept\n"), "{}", said.err);
    let said = homerule(house.home.path(), &["record", "typed/#", "--count", "1", "--home", home]);
    assert!(said.out.contains("\"topic\":\"typed/a\"") && said.out.contains("\"retain\":1"), "{}", said.out);
    assert_eq!(connects(), before);
}

#[test]
fn a_home_speaks_websocket() {
    let port = free_port();
    let mosquitto = Mosquitto::with(&format!("allow_anonymous true\nlistener {port} 127.0.0.1\nprotocol websockets\n"));
    let house = start(&format!("url: \"ws://localhost:{port}/mqtt\""));
    until("it is connected", || is_connected(&house));
    let mut device = Device::new(mosquitto.address, "device", &["out/a"]);
    let long = "x".repeat(200_000);
    for payload in ["1", &long] {
        device.publish("in/a", payload, false);
    }
    device.live_until("it acts", |device| device.on("out/a") == ["1", &long]);
    let url = format!("ws://localhost:{port}/mqtt");
    let said = homerule(house.home.path(), &["pub", "in/a", "typed", "--broker", &url]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    device.live_until("it acts", |device| device.on("out/a").last() == Some(&"typed"));
}

#[test]
fn where_nothing_speaks_mqtt_is_one_clear_line() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    for (url, expected) in [
        ("mqtt://no-such-host.invalid", "the name in `no-such-host.invalid:1883` doesn't resolve"),
        (&format!("mqtt://127.0.0.1:{}", free_port()), "no broker listens at 127.0.0.1:"),
        (&format!("mqtts://localhost:{}", silent.port()), "check that the port"),
    ] {
        let house = start(&format!("url: \"{url}\""));
        let error = || house.get("/api/status")["link"]["last_error"].as_str().unwrap_or_default().to_owned();
        until("it was tried", || !error().is_empty());
        assert!(error().contains(expected), "{url}: {}", error());
        assert!(!house.get("/api/status")["link"]["next_try"].is_null());
    }
}
