//! Users and grants, held against mosquitto itself: the same files, the same answers.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homerule::broker::access::{Acl, Identity, PasswordHash, Users};
use homerule::broker::filter::Filter;
use homerule::model::Topic;

/// What doesn't happen within this time doesn't happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns whether a program can be run. CI has all of them; elsewhere a test without its program says nothing.
fn is_there(program: &str) -> bool {
    let runs = Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(runs || std::env::var_os("CI").is_none(), "CI needs {program}");
    runs
}

/// mosquitto with settings of its own; ends with it.
struct Mosquitto {
    child: Child,
    port: u16,
}

impl Mosquitto {
    fn start(folder: &Path, settings: &str) -> Mosquitto {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, format!("user root\nlistener {port} 127.0.0.1\n{settings}\n")).unwrap();
        let mut command = Command::new("mosquitto");
        let child = command.arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mosquitto = Mosquitto { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "mosquitto doesn't listen");
            std::thread::yield_now();
        }
        mosquitto
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It is gone already, or goes now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that speaks MQTT 5.0 by hand.
struct Client(TcpStream);

impl Client {
    /// Connects, and returns the client with the reason code of the answer.
    fn connect(port: u16, id: &str, user: Option<&str>, password: Option<&str>) -> (Client, u8) {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client(socket);
        let flags = 0x02 | if user.is_some() { 0x80 } else { 0 } | if password.is_some() { 0x40 } else { 0 };
        let mut body = [text("MQTT"), vec![5, flags, 0, 0, 0], text(id)].concat();
        body.extend(user.into_iter().chain(password).flat_map(text));
        client.send(0x10, &body);
        let answer = client.receive();
        assert_eq!(answer.0, 0x20);
        (client, answer.1[1])
    }

    fn send(&mut self, first: u8, body: &[u8]) {
        let mut length = body.len();
        let mut packet = vec![first];
        while length > 127 {
            packet.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        packet.push(u8::try_from(length).unwrap());
        packet.extend(body);
        self.0.write_all(&packet).unwrap();
    }

    fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut byte = [0; 1];
        self.0.read_exact(&mut byte).unwrap();
        let first = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            self.0.read_exact(&mut byte).unwrap();
            length |= usize::from(byte[0] & 127) << shift;
            shift += 7;
            if byte[0] < 128 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (first, body)
    }

    /// Publishes with `QoS` 1, and returns whether that was allowed.
    fn publish(&mut self, topic: &str) -> bool {
        self.send(0x32, &[text(topic), vec![0, 1, 0], b"x".to_vec()].concat());
        let (first, body) = self.receive();
        assert_eq!(first, 0x40);
        body.get(2) != Some(&0x87)
    }

    fn subscribe(&mut self, filter: &str) {
        self.send(0x82, &[vec![0, 1, 0], text(filter), vec![0]].concat());
        assert_eq!(self.receive().0, 0x90);
    }

    /// Returns the topics of the messages that come before one on `end`.
    fn heard_until(&mut self, end: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let (first, body) = self.receive();
            assert_eq!(first & 0xf0, 0x30);
            let length = usize::from(body[1]);
            let topic = String::from_utf8(body[2..2 + length].to_vec()).unwrap();
            if topic == end {
                return heard;
            }
            heard.push(topic);
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(text.bytes());
    bytes
}

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    fn filter(&mut self, names: &[&str]) -> String {
        let mut levels: Vec<&str> = (0..self.below(3)).map(|_| self.one_of(names)).collect();
        levels.push(self.one_of(&[names[0], names[1], "+", "#", "#"]));
        levels.join("/")
    }

    fn acl(&mut self) -> String {
        let mut file = String::from("user admin\ntopic #\npattern read end\n");
        let access = ["", "read ", "write ", "readwrite ", "deny "];
        for part in ["", "user ann\n", "user +\n"] {
            let mut entries = String::new();
            for _ in 0..self.below(5) {
                writeln!(entries, "topic {}{}", self.one_of(&access), self.filter(&["a", "b", "+"])).unwrap();
            }
            file = if part.is_empty() { format!("{entries}{file}") } else { format!("{file}{part}{entries}") };
        }
        for _ in 0..self.below(4) {
            writeln!(file, "pattern {}{}", self.one_of(&access), self.filter(&["%u", "%c", "a", "b"])).unwrap();
        }
        file
    }
}

fn topics() -> Vec<String> {
    let names = ["a", "b", "ann", "c1"];
    let mut all: Vec<String> = names.map(str::to_owned).into();
    all.extend(names.iter().flat_map(|first| names.map(|second| format!("{first}/{second}"))));
    all.extend(names.iter().flat_map(|first| ["a", "b"].map(|third| format!("{first}/b/{third}"))));
    all
}

#[test]
fn grants_are_those_of_mosquitto() {
    if !is_there("mosquitto") {
        return;
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut granted, mut denied) = (0, 0);
    for _ in 0..20 {
        let file = dice.acl();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acl"), &file).unwrap();
        let acl_file = folder.path().join("acl");
        let settings = format!("allow_anonymous true\nacl_file {}", acl_file.display());
        let mosquitto = Mosquitto::start(folder.path(), &settings);
        let acl = Acl::parse(file.as_bytes()).unwrap();
        let (mut admin, _) = Client::connect(mosquitto.port, "admin", Some("admin"), None);
        for (id, user) in [("c1", None), ("c1", Some("ann")), ("c2", Some("+")), ("c3", Some("eve"))] {
            let who = Identity { user: user.map(Into::into), client: id.into() };
            let (mut client, _) = Client::connect(mosquitto.port, id, user, None);
            for topic in topics() {
                let may = acl.may_publish(&who, &Topic::parse(&topic).unwrap());
                assert_eq!(may, client.publish(&topic), "{who:?} publishes to {topic} with\n{file}");
            }
            client.subscribe("#");
            for topic in topics() {
                admin.publish(&topic);
            }
            // What tells that nothing more comes may be denied, too.
            if !acl.may_receive(&who, &Topic::parse("end").unwrap()) {
                continue;
            }
            admin.publish("end");
            let heard = client.heard_until("end");
            let ours: Vec<String> =
                topics().into_iter().filter(|topic| acl.may_receive(&who, &Topic::parse(topic).unwrap())).collect();
            granted += ours.len();
            denied += topics().len() - ours.len();
            assert_eq!(ours, heard, "{who:?} hears with\n{file}");
            let may_hear = acl.may_subscribe(&who, &Filter::parse("#").unwrap());
            assert!(may_hear, "`end` is granted to {who:?}");
        }
    }
    assert!(granted > 50 && denied > 50, "{granted} {denied}: both must be common");
}

#[test]
fn passwords_that_mosquitto_passwd_writes_open_the_door_and_ours_open_that_of_mosquitto() {
    if !is_there("mosquitto_passwd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, "").unwrap();
    for (user, options) in
        [("one", vec![]), ("two", vec!["-H", "sha512"]), ("three", vec!["-I", "20000"]), ("a b", vec![])]
    {
        let mut command = Command::new("mosquitto_passwd");
        command.args(options).arg("-b").arg(&file).args([user, "sécret"]);
        assert!(command.stderr(Stdio::null()).status().unwrap().success(), "{user}");
    }
    let users = Users::parse(&std::fs::read(&file).unwrap()).unwrap();
    for user in ["one", "two", "three", "a b"] {
        assert!(users.check(user, "sécret".as_bytes()), "{user}");
        assert!(!users.check(user, b"secret"), "{user}");
    }
    assert!(!users.check("four", "sécret".as_bytes()));
}

#[test]
fn a_check_takes_the_same_time_for_users_that_are_not_there() {
    let slow = PasswordHash::new(b"secret", [1; 16]).unwrap();
    let quick =
        "$6$H+Q5qUltHPW0abw/$KdcQQjZ3MzzFgWdUCrXYRDMQltpmwI3655rKMMoN720Qabq0UrXk0vt2K5rFx3GFT02Ovc20a1Q88Gkf8xaVHQ==";
    let users = Users::parse(format!("slow:{slow}\nquick:{quick}\n").as_bytes()).unwrap();
    // The shortest of several: others use the machine too. Without the padding they differ by a factor of thousands.
    let mut times = [Duration::MAX; 3];
    for _ in 0..5 {
        for (time, user) in times.iter_mut().zip(["slow", "quick", "nobody"]) {
            let begun = Instant::now();
            assert!(!users.check(user, b"wrong"));
            *time = begun.elapsed().min(*time);
        }
    }
    let [slow, quick, nobody] = times;
    let (shortest, longest) = (slow.min(quick).min(nobody), slow.max(quick).max(nobody));
    assert!(longest < shortest * 5, "slow {slow:?}, quick {quick:?}, nobody {nobody:?}");
}
