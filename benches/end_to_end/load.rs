//! The load: a device publishes, something fires, and the action is received; with the times, and what was lost or doubled.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, PATIENCE};
use super::packets::{Publish, push_publish};

/// How many rooms the messages come from, in turn.
const ROOMS: usize = 50;

/// A sleep may last so much longer; the rest is waited out by spinning.
const OVERSLEEP: Duration = Duration::from_micros(200);

/// Where a load comes from and where its actions go.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) broker: SocketAddr,
    /// Topics are `PREFIX/ROOM/` and one of the two below.
    pub(crate) prefix: &'static str,
    pub(crate) device: &'static str,
    pub(crate) action: &'static str,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// What a load measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// From when a message was due to when its action came, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// From the first message to the last action.
    pub(crate) taken: Duration,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    /// How many messages were never acknowledged.
    pub(crate) unacknowledged: usize,
}

/// The device's end and the action's.
struct Ends {
    device: Client,
    action: Client,
    heard: Heard,
}

/// What was heard of the messages that were sent.
#[derive(Default)]
struct Heard {
    /// When each message was due.
    due: Vec<Instant>,
    times: Vec<u8>,
    latencies: Vec<Duration>,
    last: Option<Instant>,
    doubled: usize,
}

impl Measured {
    /// Returns the latency below which this part of them is.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let index = (last as f64 * part).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }

    /// Returns how many actions a second were received.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap()) / self.taken.as_secs_f64()
    }
}

/// Sends a message each `interval`, whether or not the action of the one before has come.
pub(crate) fn open_loop(route: &Route, interval: Duration, time: Duration) -> Measured {
    let count = usize::try_from(time.as_nanos() / interval.as_nanos()).unwrap();
    let Ends { mut device, mut action, mut heard } = Ends::connect(route);
    device.never_wait();
    let first = Instant::now() + Duration::from_millis(20);
    heard.due = (0..count).map(|number| first + interval * u32::try_from(number).unwrap()).collect();
    heard.times = vec![0; count];
    let due = heard.due.clone();
    let receiver = thread::spawn(move || {
        while heard.latencies.len() < count && action.read(|payload| heard.take(payload, Instant::now())) {
            action.write();
        }
        heard
    });
    for (number, due) in due.into_iter().enumerate() {
        wait_until(due);
        push(route, number, &mut device.outgoing);
        device.write();
        device.read(|_| {});
    }
    let heard = receiver.join().unwrap();
    heard.finish(route, device)
}

/// Sends a message for each action that comes, with `flying` on their way.
pub(crate) fn closed_loop(route: &Route, flying: usize, time: Duration) -> Measured {
    let Ends { mut device, mut action, mut heard } = Ends::connect(route);
    device.never_wait();
    let end = Instant::now() + time;
    send(route, &mut heard, &mut device, flying);
    while heard.latencies.len() < heard.due.len() {
        let before = heard.latencies.len();
        let now = Instant::now();
        if !action.read(|payload| heard.take(payload, Instant::now())) {
            break;
        }
        let came = heard.latencies.len() - before;
        action.write();
        if now < end {
            send(route, &mut heard, &mut device, came);
        }
        if route.qos > 0 {
            device.read(|_| {});
        }
    }
    heard.finish(route, device)
}

/// Sends a burst in one write, and returns when the last of its actions had come.
pub(crate) fn burst(route: &Route, count: usize) -> Duration {
    let Ends { mut device, mut action, mut heard } = Ends::connect(route);
    let begun = Instant::now();
    send(route, &mut heard, &mut device, count);
    while heard.latencies.len() < count && action.read(|payload| heard.take(payload, Instant::now())) {
        action.write();
    }
    assert_eq!(heard.latencies.len(), count, "an action of a burst was lost");
    begun.elapsed()
}

/// Waits until one message's action comes. Returns whether it did.
pub(crate) fn answers(route: &Route) -> bool {
    let Some(mut ends) = Ends::try_connect(route) else { return false };
    send(route, &mut ends.heard, &mut ends.device, 1);
    let heard = &mut ends.heard;
    ends.action.read(|payload| heard.take(payload, Instant::now())) && !heard.latencies.is_empty()
}

impl Ends {
    fn connect(route: &Route) -> Ends {
        Ends::try_connect(route).unwrap()
    }

    fn try_connect(route: &Route) -> Option<Ends> {
        let mut action = Client::connect(route.broker, "action")?;
        action.subscribe(&format!("{}/+/{}", route.prefix, route.action), route.qos);
        let device = Client::connect(route.broker, "device")?;
        Some(Ends { device, action, heard: Heard::default() })
    }
}

impl Heard {
    /// Takes the payload of an action.
    fn take(&mut self, payload: &[u8], now: Instant) {
        let Some(number) = number(payload).filter(|number| *number < self.due.len()) else { return };
        self.times[number] = self.times[number].saturating_add(1);
        if self.times[number] > 1 {
            self.doubled += 1;
            return;
        }
        self.latencies.push(now.saturating_duration_since(self.due[number]));
        self.last = Some(now);
    }

    fn finish(mut self, route: &Route, mut device: Client) -> Measured {
        let sent = self.due.len();
        let unacknowledged = if route.qos > 0 { device.missing_acknowledgements(sent) } else { 0 };
        let taken = match (self.due.first(), self.last) {
            (Some(first), Some(last)) => last.duration_since(*first),
            _ => PATIENCE,
        };
        self.latencies.sort_unstable();
        let lost = sent - self.latencies.len();
        Measured { latencies: self.latencies, taken, lost, doubled: self.doubled, unacknowledged }
    }
}

/// Sends so many messages at once.
fn send(route: &Route, heard: &mut Heard, device: &mut Client, count: usize) {
    let now = Instant::now();
    for _ in 0..count {
        push(route, heard.due.len(), &mut device.outgoing);
        heard.due.push(now);
        heard.times.push(0);
    }
    device.write();
}

fn push(route: &Route, number: usize, buffer: &mut Vec<u8>) {
    let topic = format!("{}/r{}/{}", route.prefix, number % ROOMS, route.device);
    let payload = format!("{{\"state\":\"ON\",\"linkquality\":87,\"n\":{number}}}");
    // An id is used again long after its message was acknowledged.
    let id = u16::try_from(number % 65_535 + 1).unwrap();
    let message = Publish { topic: &topic, payload: payload.as_bytes(), qos: route.qos, retain: route.retain };
    push_publish(buffer, &message, id);
}

/// Returns the number in a payload.
fn number(payload: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(payload).ok()?;
    let (_, number) = text.split_once("\"n\":")?;
    number.trim_start().split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn wait_until(due: Instant) {
    if let Some(left) = due.checked_duration_since(Instant::now() + OVERSLEEP) {
        thread::sleep(left);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}
