//! The bytes of a client, written and read without the broker's own codec.

use homerule::broker::packet::Version;

/// What a client says when it comes.
#[derive(Debug, Clone)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) id: String,
    pub(crate) clean: bool,
    pub(crate) keep_alive: u16,
    pub(crate) will: Option<Will>,
    pub(crate) user: Option<String>,
    pub(crate) is_bridge: bool,
    /// Properties of MQTT 5.0, as bytes.
    pub(crate) properties: Vec<u8>,
}

/// A will.
#[derive(Debug, Clone)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) delay: u32,
}

/// A message to be published.
#[derive(Debug, Clone, Default)]
pub(crate) struct Publish {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) id: u16,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    /// Properties of MQTT 5.0, as bytes.
    pub(crate) properties: Vec<u8>,
}

/// What a client got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    ConnAck {
        present: bool,
        code: u8,
        properties: Vec<(u8, Vec<u8>)>,
    },
    Publish(Delivery),
    /// A PUBACK, PUBREC, PUBREL or PUBCOMP, by its type.
    Ack {
        kind: u8,
        id: u16,
        code: u8,
    },
    SubAck {
        id: u16,
        codes: Vec<u8>,
    },
    UnsubAck {
        id: u16,
        codes: Vec<u8>,
    },
    Pong,
    Disconnect(u8),
}

/// A message that a client got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Delivery {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) id: u16,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    pub(crate) properties: Vec<(u8, Vec<u8>)>,
}

pub(crate) const PUBACK: u8 = 4;
pub(crate) const PUBREC: u8 = 5;
pub(crate) const PUBREL: u8 = 6;
pub(crate) const PUBCOMP: u8 = 7;

fn text(text: &str) -> Vec<u8> {
    binary(text.as_bytes())
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

pub(crate) fn variable(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let digit = u8::try_from(number % 128).unwrap();
        number /= 128;
        if number == 0 {
            bytes.push(digit);
            return bytes;
        }
        bytes.push(digit | 128);
    }
}

pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first][..], &variable(body.len()), body].concat()
}

fn properties(version: Version, bytes: &[u8]) -> Vec<u8> {
    if version == Version::V5 { [&variable(bytes.len())[..], bytes].concat() } else { Vec::new() }
}

impl Connect {
    pub(crate) fn new(version: Version, id: &str) -> Connect {
        let (clean, is_bridge) = (true, false);
        Connect { version, id: id.into(), clean, keep_alive: 0, will: None, user: None, is_bridge, properties: vec![] }
    }

    /// Returns one whose session outlives its connection.
    pub(crate) fn lasting(version: Version, id: &str) -> Connect {
        let properties = [&[0x11][..], &1000_u32.to_be_bytes()].concat();
        Connect { clean: false, properties, ..Connect::new(version, id) }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (name, level) = match self.version {
            Version::V31 => ("MQIsdp", 3),
            Version::V311 => ("MQTT", 4),
            Version::V5 => ("MQTT", 5),
        };
        let mut body = text(name);
        body.push(level | u8::from(self.is_bridge) << 7);
        let will = self.will.as_ref().map_or(0, |will| 4 | will.qos << 3 | u8::from(will.retain) << 5);
        body.push(u8::from(self.clean) << 1 | will | u8::from(self.user.is_some()) << 7);
        body.extend(self.keep_alive.to_be_bytes());
        body.extend(properties(self.version, &self.properties));
        body.extend(text(&self.id));
        if let Some(will) = &self.will {
            let delay = [&[0x18][..], &will.delay.to_be_bytes()].concat();
            body.extend(properties(self.version, if will.delay > 0 { &delay } else { &[] }));
            body.extend(text(&will.topic));
            body.extend(text(&will.payload));
        }
        body.extend(self.user.iter().flat_map(|user| text(user)));
        packet(0x10, &body)
    }
}

impl Publish {
    pub(crate) fn new(qos: u8, id: u16, topic: &str, payload: &str) -> Publish {
        Publish { topic: topic.into(), payload: payload.into(), qos, id, ..Publish::default() }
    }

    pub(crate) fn retained(qos: u8, id: u16, topic: &str, payload: &str) -> Publish {
        Publish { retain: true, ..Publish::new(qos, id, topic, payload) }
    }

    pub(crate) fn bytes(&self, version: Version) -> Vec<u8> {
        let mut body = text(&self.topic);
        if self.qos > 0 {
            body.extend(self.id.to_be_bytes());
        }
        body.extend(properties(version, &self.properties));
        body.extend(self.payload.bytes());
        packet(0x30 | u8::from(self.dup) << 3 | self.qos << 1 | u8::from(self.retain), &body)
    }
}

pub(crate) fn subscribe(version: Version, id: u16, subscription: Option<u8>, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    let given: Vec<u8> = subscription.into_iter().flat_map(|number| [0x0b, number]).collect();
    body.extend(properties(version, &given));
    for (filter, options) in filters {
        body.extend(text(filter));
        body.push(*options);
    }
    packet(0x82, &body)
}

pub(crate) fn unsubscribe(version: Version, id: u16, filter: &str) -> Vec<u8> {
    packet(0xa2, &[&id.to_be_bytes()[..], &properties(version, &[]), &text(filter)].concat())
}

pub(crate) fn ack(kind: u8, id: u16) -> Vec<u8> {
    packet(kind << 4 | if kind == PUBREL { 2 } else { 0 }, &id.to_be_bytes())
}

pub(crate) fn disconnect(version: Version, code: u8) -> Vec<u8> {
    if version == Version::V5 && code != 0 { packet(0xe0, &[code]) } else { packet(0xe0, &[]) }
}

/// Reads what a client gets.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn short(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn text(&mut self) -> String {
        let length = self.short();
        String::from_utf8(self.take(length.into()).to_vec()).unwrap()
    }

    fn variable(&mut self) -> usize {
        let mut number = 0;
        for shift in 0..4 {
            let byte = self.byte();
            number |= usize::from(byte & 127) << (7 * shift);
            if byte & 128 == 0 {
                return number;
            }
        }
        panic!("a length of five bytes");
    }

    /// Reads properties: each with its bytes.
    fn properties(&mut self, version: Version) -> Vec<(u8, Vec<u8>)> {
        if version != Version::V5 || self.0.is_empty() {
            return Vec::new();
        }
        let length = self.variable();
        let mut rest = Reader(self.take(length));
        let mut found = Vec::new();
        while !rest.0.is_empty() {
            let id = rest.byte();
            let before = rest.0;
            match id {
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => drop(rest.take(1)),
                0x13 | 0x21 | 0x22 | 0x23 => drop(rest.take(2)),
                0x02 | 0x11 | 0x18 | 0x27 => drop(rest.take(4)),
                0x0b => drop(rest.variable()),
                0x26 => drop((rest.text(), rest.text())),
                _ => {
                    let length = rest.short();
                    rest.take(length.into());
                }
            }
            found.push((id, before[..before.len() - rest.0.len()].to_vec()));
        }
        found
    }
}

/// Returns the first packet of `bytes`, and how long it is; `None`: it isn't whole.
pub(crate) fn read(version: Version, bytes: &[u8]) -> Option<(Got, usize)> {
    let digits = bytes.iter().skip(1).take(4).position(|byte| byte & 128 == 0)? + 1;
    let length = Reader(&bytes[1..]).variable();
    let whole = 1 + digits + length;
    let body = bytes.get(1 + digits..whole)?;
    let mut body = Reader(body);
    let first = bytes[0];
    let got = match first >> 4 {
        2 => {
            let (present, code) = (body.byte() == 1, body.byte());
            Got::ConnAck { present, code, properties: body.properties(version) }
        }
        3 => {
            let qos = first >> 1 & 3;
            let topic = body.text();
            let id = if qos > 0 { body.short() } else { 0 };
            let properties = body.properties(version);
            let payload = String::from_utf8(body.take(body.0.len()).to_vec()).unwrap();
            let (retain, dup) = (first & 1 != 0, first & 8 != 0);
            Got::Publish(Delivery { topic, payload, qos, id, retain, dup, properties })
        }
        kind @ PUBACK..=PUBCOMP => {
            let id = body.short();
            assert!(version == Version::V5 || body.0.is_empty(), "an acknowledgement of MQTT 5.0 for an older client");
            let code = if body.0.is_empty() { 0 } else { body.byte() };
            Got::Ack { kind, id, code }
        }
        kind @ (9 | 11) => {
            let id = body.short();
            body.properties(version);
            let codes = body.take(body.0.len()).to_vec();
            if kind == 9 { Got::SubAck { id, codes } } else { Got::UnsubAck { id, codes } }
        }
        13 => Got::Pong,
        14 => {
            assert_eq!(version, Version::V5, "older versions have no DISCONNECT from a server");
            Got::Disconnect(if body.0.is_empty() { 0 } else { body.byte() })
        }
        kind => panic!("a packet of type {kind}"),
    };
    Some((got, whole))
}
