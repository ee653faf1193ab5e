//! The few packets of MQTT 3.1.1 that the load needs, written and read by hand.

/// `PUBACK` of a packet id.
pub(crate) fn puback(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}

/// `CONNECT` with a clean session and no keep alive.
pub(crate) fn connect(client: &str) -> Vec<u8> {
    let mut body = b"\x00\x04MQTT\x04\x02\x00\x00".to_vec();
    push_text(&mut body, client);
    packet(0x10, &body)
}

/// `SUBSCRIBE` to one filter.
pub(crate) fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1];
    push_text(&mut body, filter);
    body.push(qos);
    packet(0x82, &body)
}

/// Appends a `PUBLISH`; `id` is used above `QoS` 0 only.
pub(crate) fn push_publish(buffer: &mut Vec<u8>, message: &Publish<'_>, id: u16) {
    let with_id = if message.qos > 0 { 2 } else { 0 };
    buffer.push(0x30 | message.qos << 1 | u8::from(message.retain));
    push_length(buffer, 2 + message.topic.len() + with_id + message.payload.len());
    push_text(buffer, message.topic);
    if message.qos > 0 {
        buffer.extend_from_slice(&id.to_be_bytes());
    }
    buffer.extend_from_slice(message.payload);
}

/// What is published.
pub(crate) struct Publish<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// A packet that came.
pub(crate) enum Packet<'a> {
    /// A message; with its id where it wants to be acknowledged.
    Publish { payload: &'a [u8], id: Option<u16> },
    /// One of ours was acknowledged.
    Puback,
    /// Anything else.
    Other,
}

/// Reads the first packet of `bytes`; `None`: it isn't whole. Returns it with its length.
pub(crate) fn first(bytes: &[u8]) -> Option<(Packet<'_>, usize)> {
    let (&kind, rest) = bytes.split_first()?;
    let digits = 1 + rest.iter().position(|byte| byte & 0x80 == 0)?;
    let length = rest[..digits].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    let body = rest.get(digits..digits + length)?;
    let packet = match kind >> 4 {
        3 => {
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            let rest = &body[2 + topic..];
            match kind >> 1 & 3 {
                0 => Packet::Publish { payload: rest, id: None },
                _ => Packet::Publish { payload: &rest[2..], id: Some(u16::from_be_bytes([rest[0], rest[1]])) },
            }
        }
        4 => Packet::Puback,
        _ => Packet::Other,
    };
    Some((packet, 1 + digits + length))
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    push_length(&mut packet, body.len());
    packet.extend_from_slice(body);
    packet
}

fn push_text(buffer: &mut Vec<u8>, text: &str) {
    buffer.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    buffer.extend_from_slice(text.as_bytes());
}

fn push_length(buffer: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        buffer.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    buffer.push(u8::try_from(length).unwrap());
}
