//! The devices of the demo, as one MQTT client: lamps that do what they are told, and an evening that repeats.

use std::thread;
use std::time::{Duration, Instant};

use rumqttc::{Client, Connection, Event, MqttOptions, Packet, Publish, QoS};

use super::evening::{BEFORE, COMMAND, EVENING, STORY, answer};

/// How long to wait before the broker is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// How many of our requests may wait for the network.
const WAITING: usize = 100;

/// Starts the devices; they go on until the process ends.
pub(super) fn start(port: u16, pace: u32) {
    let id = format!("homerule-demo-{}", std::process::id());
    let (client, connection) = Client::new(MqttOptions::new(id, "127.0.0.1", port), WAITING);
    thread::spawn(move || live(&client, connection, pace));
}

/// Does what the devices are told, and begins the evening once the broker is there.
fn live(client: &Client, mut connection: Connection, pace: u32) {
    let mut has_begun = false;
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                // Where the connection is gone again, the next one asks for it.
                let _ = client.try_subscribe(format!("home/+/light{COMMAND}"), QoS::AtLeastOnce);
                if !has_begun {
                    has_begun = true;
                    let client = client.clone();
                    thread::spawn(move || tell(&client, pace));
                }
            }
            Ok(Event::Incoming(Packet::Publish(command))) => obey(client, &command),
            Ok(_) => {}
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

fn obey(client: &Client, command: &Publish) {
    let Some(topic) = command.topic.strip_suffix(COMMAND) else { return };
    let said = answer(&String::from_utf8_lossy(&command.payload));
    let _ = client.try_publish(topic, QoS::AtLeastOnce, true, said);
}

/// Tells the evening, again and again.
fn tell(client: &Client, pace: u32) {
    for (topic, payload) in BEFORE {
        let _ = client.publish(topic, QoS::AtLeastOnce, true, payload);
    }
    let mut begin = Instant::now();
    loop {
        for said in STORY {
            let due = begin + Duration::from_mins(said.minute) / pace;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // What happens is told once; what is, the broker keeps.
            let is_kept = !said.topic.ends_with("/button");
            if client.publish(said.topic, QoS::AtLeastOnce, is_kept, said.payload).is_err() {
                return;
            }
        }
        begin += EVENING / pace;
        thread::sleep(begin.saturating_duration_since(Instant::now()));
    }
}
