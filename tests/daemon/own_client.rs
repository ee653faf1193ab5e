//! The client of our own: rumqttc inside the test, in both versions of MQTT.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter, v5};

use super::clients::Sent;
use super::house::PATIENCE;

/// The largest packet that is sent or taken: rumqttc's own limit is 10 KiB.
const LARGEST: usize = 64 << 20;

/// A client that has subscribed.
pub(super) struct Connected {
    client: Client,
    reader: Option<JoinHandle<()>>,
}

impl Connected {
    /// Disconnects, and waits until it has.
    pub(super) fn end(&mut self) {
        // The daemon may have ended, and the connection with it.
        let _ = self.client.disconnect();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}

fn id() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn options(broker: SocketAddr) -> MqttOptions {
    let mut options = MqttOptions::new(id(), broker.ip().to_string(), broker.port());
    options.set_max_packet_size(LARGEST, LARGEST).set_keep_alive(PATIENCE);
    options
}

/// Subscribes, and waits until the broker has confirmed it. Each message becomes `message RETAINED TOPIC PAYLOAD`.
pub(super) fn subscribe(broker: SocketAddr, filters: &[&str], lines: Sender<String>) -> Connected {
    let (client, mut connection) = Client::new(options(broker), filters.len() + 10);
    let filters = filters.iter().map(|filter| SubscribeFilter::new((*filter).to_owned(), QoS::AtLeastOnce));
    client.subscribe_many(filters).unwrap();
    let (confirm, confirmed) = channel();
    let reader = std::thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::SubAck(_))) => confirm.send(()).unwrap(),
                Ok(Event::Incoming(Packet::Publish(message))) => {
                    let payload = String::from_utf8_lossy(&message.payload);
                    let line = format!("message {} {} {payload}", u8::from(message.retain), message.topic);
                    // The test may have seen enough.
                    let _ = lines.send(line);
                }
                Ok(_) => {}
                // The daemon has ended, or we have.
                Err(_) => return,
            }
        }
    });
    confirmed.recv_timeout(PATIENCE).expect("the broker doesn't confirm the subscription");
    Connected { client, reader: Some(reader) }
}

/// Publishes these, of one version, and waits until the broker has acknowledged them.
pub(super) fn publish(broker: SocketAddr, messages: &[Sent<'_>]) {
    assert!(messages.windows(2).all(|pair| pair[0].version == pair[1].version), "{messages:?}");
    match messages.first().map(|sent| sent.version) {
        Some(5) => publish_5(broker, messages),
        Some(_) => publish_3(broker, messages),
        None => {}
    }
}

fn publish_3(broker: SocketAddr, messages: &[Sent<'_>]) {
    let (client, mut connection) = Client::new(options(broker), messages.len() + 10);
    for sent in messages {
        let qos = rumqttc::qos(sent.qos).unwrap();
        client.publish(sent.topic, qos, sent.retain, sent.payload).unwrap();
    }
    let mut open = messages.len();
    while open > 0 {
        let event = connection.recv_timeout(PATIENCE).expect("the broker doesn't acknowledge").unwrap();
        let is_done = match event {
            Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => true,
            Event::Outgoing(Outgoing::Publish(id)) => id == 0,
            _ => false,
        };
        open -= usize::from(is_done);
    }
    client.disconnect().unwrap();
    // Until what is on its way has left.
    while connection.recv_timeout(Duration::from_secs(5)).is_ok_and(|event| event.is_ok()) {}
}

fn publish_5(broker: SocketAddr, messages: &[Sent<'_>]) {
    let mut options = v5::MqttOptions::new(id(), broker.ip().to_string(), broker.port());
    options.set_max_packet_size(Some(u32::try_from(LARGEST).unwrap())).set_keep_alive(PATIENCE);
    let (client, mut connection) = v5::Client::new(options, messages.len() + 10);
    for sent in messages {
        let qos = v5::mqttbytes::qos(sent.qos).unwrap();
        client.publish(sent.topic, qos, sent.retain, sent.payload.as_bytes().to_vec()).unwrap();
    }
    let mut open = messages.len();
    while open > 0 {
        let event = connection.recv_timeout(PATIENCE).expect("the broker doesn't acknowledge");
        let is_done = match event.unwrap() {
            v5::Event::Incoming(v5::Incoming::PubAck(_) | v5::Incoming::PubComp(_)) => true,
            v5::Event::Outgoing(Outgoing::Publish(id)) => id == 0,
            _ => false,
        };
        open -= usize::from(is_done);
    }
    client.disconnect().unwrap();
    while connection.recv_timeout(Duration::from_secs(5)).is_ok_and(|event| event.is_ok()) {}
}
