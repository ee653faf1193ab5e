//! Real clients through TLS and WebSocket, to a small broker that answers them and sends back what they publish.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use homerule::broker::codec::{Decoder, encode};
use homerule::broker::packet::{Ack, ConnAck, ConnAckProperties, Packet, SubAck, Version};
use homerule::broker::reason::Reason;
use homerule::daemon::net::websocket::{self, Origins};
use homerule::daemon::net::{TlsFiles, TlsGate, common_name};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;

/// What doesn't happen within this time doesn't happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Certificates in a folder of their own: an authority, a server's and a client's.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn new() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates(folder);
        certificates.write_all("home");
        certificates
    }

    /// Writes all files anew, with another authority.
    fn write_all(&self, authority: &str) {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, authority);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(self.path("ca.pem"), issuer.pem()).unwrap();
        for (name, common_name) in [("server", "broker"), ("client", "kitchen lamp")] {
            let key = KeyPair::generate().unwrap();
            let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
            let mut parameters = CertificateParams::new(names).unwrap();
            parameters.distinguished_name.push(DnType::CommonName, common_name);
            let certificate = parameters.signed_by(&key, &issuer).unwrap();
            std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self, asks_for_certificates: bool) -> TlsFiles {
        TlsFiles {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            client_ca: asks_for_certificates.then(|| self.path("ca.pem")),
        }
    }
}

/// Answers one client until it goes, and returns its name by certificate and the topics that it published to.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> Vec<String> {
    let mut decoder = Decoder::new(1 << 20);
    let (mut buffer, mut topics, mut has_subscribed) = (vec![0; 16 * 1024], Vec::new(), false);
    loop {
        let Ok(count) = stream.read(&mut buffer).await else { return topics };
        let mut input = &buffer[..count];
        if input.is_empty() {
            return topics;
        }
        let mut out = Vec::new();
        while let Some(packet) = decoder.decode(&mut input).unwrap() {
            let version = decoder.version().unwrap_or(Version::V311);
            let properties = ConnAckProperties::default();
            let answer = match packet {
                Packet::Connect(_) => {
                    Packet::ConnAck(Box::new(ConnAck { session_present: false, reason: Reason::Success, properties }))
                }
                Packet::Subscribe(subscribe) => {
                    has_subscribed = true;
                    Packet::SubAck(SubAck {
                        id: subscribe.id,
                        reasons: vec![Reason::Success; subscribe.requests.len()],
                    })
                }
                Packet::Publish(mut publish) => {
                    topics.push(publish.topic.as_ref().unwrap().as_str().to_owned());
                    if let Some(id) = publish.id.take() {
                        encode(&Packet::PubAck(Ack::success(id)), version, &mut out);
                    }
                    publish.qos = homerule::model::Qos::AtMostOnce;
                    if !has_subscribed {
                        continue;
                    }
                    Packet::Publish(publish)
                }
                Packet::PingReq => Packet::PingResp,
                Packet::Disconnect(_) => return topics,
                other => panic!("{other:?}"),
            };
            encode(&answer, version, &mut out);
        }
        stream.write_all(&out).await.unwrap();
        stream.flush().await.unwrap();
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

async fn next(listener: &TcpListener) -> TcpStream {
    timeout(PATIENCE, listener.accept()).await.unwrap().unwrap().0
}

/// Runs a test on a runtime like the daemon's.
fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Returns whether a command works. CI has all of them; elsewhere a test without its program says nothing.
fn works(command: &[&str]) -> bool {
    let mut program = std::process::Command::new(command[0]);
    let runs = program.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let works = runs.is_ok_and(|status| status.success() || command[0].starts_with("mosquitto"));
    assert!(works || std::env::var_os("CI").is_none(), "CI needs {command:?}");
    works
}

async fn finished(command: &mut Command) -> Output {
    command.kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    timeout(PATIENCE, command.output()).await.unwrap().unwrap()
}

fn mosquitto_pub(port: &str, topic: &str) -> Command {
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "localhost", "-p", port, "-q", "1", "-t", topic, "-m", "on"]);
    command
}

#[test]
fn mosquitto_pub_comes_in_by_tls_and_only_with_the_right_authority() {
    if !works(&["mosquitto_pub", "--help"]) {
        return;
    }
    let certificates = Certificates::new();
    let gate = TlsGate::open(certificates.files(false)).unwrap();
    on_runtime(async {
        let (listener, port) = listen().await;
        for version in ["mqttv31", "mqttv311", "mqttv5"] {
            let client = async {
                let mut command = mosquitto_pub(&port, "home/lamp");
                finished(command.args(["-V", version, "--cafile"]).arg(certificates.path("ca.pem"))).await
            };
            let server = async { serve(gate.accept(next(&listener).await).await.unwrap()).await };
            let (output, topics) = tokio::join!(client, server);
            assert!(output.status.success(), "{output:?}");
            assert_eq!(topics, ["home/lamp"]);
        }
        // The server's certificate changes, and so does its authority.
        std::fs::copy(certificates.path("ca.pem"), certificates.path("old.pem")).unwrap();
        certificates.write_all("another");
        gate.reload().unwrap();
        let client = async {
            finished(mosquitto_pub(&port, "home/lamp").arg("--cafile").arg(certificates.path("old.pem"))).await
        };
        let (output, accepted) = tokio::join!(client, async { gate.accept(next(&listener).await).await.is_ok() });
        assert!(!output.status.success() && !accepted, "{output:?}");
        let client = async {
            finished(mosquitto_pub(&port, "home/lamp").arg("--cafile").arg(certificates.path("ca.pem"))).await
        };
        let server = async { serve(gate.accept(next(&listener).await).await.unwrap()).await };
        let (output, topics) = tokio::join!(client, server);
        assert!(output.status.success() && topics == ["home/lamp"], "{output:?}");
    });
}

#[test]
fn a_listener_may_ask_for_a_certificate_and_knows_whose_it_is() {
    if !works(&["mosquitto_pub", "--help"]) {
        return;
    }
    let certificates = Certificates::new();
    let gate = TlsGate::open(certificates.files(true)).unwrap();
    on_runtime(async {
        let (listener, port) = listen().await;
        let client = async {
            let mut command = mosquitto_pub(&port, "a");
            command.arg("--cafile").arg(certificates.path("ca.pem"));
            command.arg("--cert").arg(certificates.path("client.pem"));
            finished(command.arg("--key").arg(certificates.path("client.key"))).await
        };
        let server = async {
            let stream = gate.accept(next(&listener).await).await.unwrap();
            (common_name(&stream), serve(stream).await)
        };
        let (output, (name, topics)) = tokio::join!(client, server);
        assert!(output.status.success(), "{output:?}");
        assert_eq!((name.as_deref(), topics), (Some("kitchen lamp"), vec!["a".to_owned()]));
        // Without a certificate nobody comes in.
        let client =
            async { finished(mosquitto_pub(&port, "a").arg("--cafile").arg(certificates.path("ca.pem"))).await };
        let (output, accepted) = tokio::join!(client, async { gate.accept(next(&listener).await).await.is_ok() });
        assert!(!output.status.success() && !accepted, "{output:?}");
    });
}

#[test]
fn files_that_are_no_certificates_are_told_by_name() {
    let certificates = Certificates::new();
    let error = |files: TlsFiles| TlsGate::open(files).err().map(|error| error.to_string()).unwrap_or_default();
    let with = |change: &dyn Fn(&mut TlsFiles)| {
        let mut files = certificates.files(true);
        change(&mut files);
        error(files)
    };
    std::fs::write(certificates.path("text.pem"), "not a certificate").unwrap();
    std::fs::write(
        certificates.path("locked.pem"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    for (message, part) in [
        (with(&|files| files.certificate = certificates.path("missing.pem")), "missing.pem` can't be read"),
        (with(&|files| files.certificate = certificates.path("text.pem")), "text.pem`: there is no certificate in it"),
        (with(&|files| files.key = certificates.path("server.pem")), "server.pem`: there is no private key in it"),
        (with(&|files| files.key = certificates.path("locked.pem")), "locked.pem`: the key is protected by a password"),
        (
            with(&|files| files.key = certificates.path("client.key")),
            "client.key`: the key doesn't fit the certificate",
        ),
        (
            with(&|files| files.client_ca = Some(certificates.path("server.key"))),
            "server.key`: there is no certificate",
        ),
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(with(&|_| {}), "");
    // A reload that fails leaves what was.
    let gate = TlsGate::open(certificates.files(false)).unwrap();
    std::fs::write(certificates.path("server.pem"), "").unwrap();
    assert!(gate.reload().is_err());
}

/// A client of paho: subscribes, publishes 100 kB, and waits until all of it is back.
const PAHO: &str = r#"
import sys, ssl, paho.mqtt.client as mqtt
port, tls, version = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="paho", transport="websockets", protocol=version)
client.ws_set_options(path="/mqtt")
if tls: client.tls_set(tls)
payload = bytes(range(256)) * 400
client.on_connect = lambda c, u, f, r, p: c.subscribe("back/#")
client.on_subscribe = lambda c, u, m, r, p: c.publish("back/x", payload, qos=1)
def back(c, u, message):
    if message.payload != payload: sys.exit("other bytes came back")
    c.disconnect()
client.on_message = back
client.connect("localhost", port)
client.loop_forever()
print("well")
"#;

async fn paho(port: &str, authority: Option<&Path>, version: &str) -> Output {
    let mut command = Command::new("python3");
    command.args(["-c", PAHO, port]).arg(authority.unwrap_or(Path::new(""))).arg(version);
    finished(&mut command).await
}

#[test]
fn paho_comes_in_by_websocket_with_and_without_tls() {
    if !works(&["python3", "-c", "import paho.mqtt.client as c; c.CallbackAPIVersion"]) {
        return;
    }
    let certificates = Certificates::new();
    let gate = TlsGate::open(certificates.files(false)).unwrap();
    let origins = Origins::default();
    on_runtime(async {
        let (listener, port) = listen().await;
        for version in ["4", "5"] {
            let server = async { serve(websocket::accept(next(&listener).await, &origins).await.unwrap()).await };
            let (output, topics) = tokio::join!(paho(&port, None, version), server);
            assert!(String::from_utf8_lossy(&output.stdout).contains("well"), "{output:?}");
            assert_eq!(topics, ["back/x"]);
            let server = async {
                let stream = gate.accept(next(&listener).await).await.unwrap();
                serve(websocket::accept(stream, &origins).await.unwrap()).await
            };
            let authority = certificates.path("ca.pem");
            let (output, topics) = tokio::join!(paho(&port, Some(&authority), version), server);
            assert!(String::from_utf8_lossy(&output.stdout).contains("well"), "{output:?}");
            assert_eq!(topics, ["back/x"]);
        }
    });
}

#[test]
fn a_foreign_web_page_gets_403_and_hears_why() {
    on_runtime(async {
        let (listener, port) = listen().await;
        let client = async {
            let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
            let request = format!(
                "GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let server =
            async { websocket::accept(next(&listener).await, &Origins::default()).await.err().map(|e| e.to_string()) };
        let (answer, error) = tokio::join!(client, server);
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
        assert!(error.unwrap().contains("answered with 403"));
    });
}
