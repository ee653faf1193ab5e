//! What a broker sends, as packets.
//!
//! It is lenient where leniency harms nobody: an unknown reason code of another broker is no reason to lose its connection.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::Bytes;

use crate::broker::codec::decode::Body;
use crate::broker::codec::decode::property::PropertyReader;
use crate::broker::codec::decode::publish::{Sender, read_from};
use crate::broker::codec::error::DecodeError;
use crate::broker::packet::{Ack, Disconnect, Packet, SubAck, Version};
use crate::broker::reason::Reason;
use crate::model::Qos;

/// Something that a broker said.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Its answer to our CONNECT.
    Answer(Box<Answer>),
    /// Anything else.
    Packet(Packet),
}

/// A broker's answer to our CONNECT, with what it can (MQTT 5.0, 3.2).
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "these are the packet's flags")]
pub struct Answer {
    /// Whether it knows our session.
    pub session_present: bool,
    /// How it went. Codes of 3.1.1 are told as those of 5.0.
    pub reason: Reason,
    /// Whether the answer has the form of 3.1.1: a broker that doesn't know 5.0 says so in this way.
    pub is_old: bool,
    /// How long it keeps our session in seconds, where that isn't what we asked for.
    pub session_expiry: Option<u32>,
    /// How many messages with `QoS` 1 and 2 it takes at a time; absent: 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The highest `QoS` that it takes.
    pub maximum_qos: Qos,
    /// Whether it has retained messages.
    pub has_retained: bool,
    /// The largest packet that it takes, in bytes; absent: any.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The client identifier that it gave us.
    pub assigned_client_id: Option<Arc<str>>,
    /// Whether it has filters with wildcards.
    pub has_wildcards: bool,
    /// Whether it has subscription identifiers.
    pub has_subscription_ids: bool,
    /// Whether it has shared subscriptions.
    pub has_shared: bool,
    /// The longest silence in seconds, where that isn't what we asked for.
    pub server_keep_alive: Option<u16>,
    /// What it says in words.
    pub reason_string: Option<Arc<str>>,
}

/// Takes a broker's bytes, cut anywhere, and returns its packets.
#[derive(Debug, Clone)]
pub struct ClientDecoder {
    version: Version,
    largest: usize,
    buffer: Vec<u8>,
    /// What of it has been read.
    begin: usize,
}

impl ClientDecoder {
    /// Returns the decoder of a new connection, on which packets have at most `largest` bytes.
    #[must_use]
    pub fn new(version: Version, largest: usize) -> ClientDecoder {
        ClientDecoder { version, largest, buffer: Vec::new(), begin: 0 }
    }

    /// Takes bytes that came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.begin);
        self.begin = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next packet; `None`: more must come.
    ///
    /// # Errors
    /// When the bytes aren't what a broker may send.
    pub fn next_packet(&mut self) -> Result<Option<Said>, DecodeError> {
        let bytes = self.buffer.get(self.begin..).unwrap_or_default();
        let Some((header, body)) = lengths(bytes, self.largest)? else { return Ok(None) };
        let Some(packet) = bytes.get(..header + body) else { return Ok(None) };
        let whole = Bytes::copy_from_slice(packet);
        self.begin += whole.len();
        let first = whole.first().copied().unwrap_or_default();
        said(first, &mut Body::owned(&whole, header), self.version).map(Some)
    }
}

/// Returns how many bytes the fixed header and the rest of the packet have that `bytes` begin with.
fn lengths(bytes: &[u8], largest: usize) -> Result<Option<(usize, usize)>, DecodeError> {
    let mut body = 0_usize;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        body |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let header = index + 2;
            if header + body > largest {
                return Err(DecodeError::of(Reason::PacketTooLarge, "the packet is larger than we take"));
            }
            return Ok(Some((header, body)));
        }
    }
    if bytes.len() > 4 {
        return Err(DecodeError::malformed("the remaining length has more than four bytes"));
    }
    Ok(None)
}

fn said(first: u8, body: &mut Body<'_>, version: Version) -> Result<Said, DecodeError> {
    let packet = match first >> 4 {
        2 => return answer(body, version).map(|answer| Said::Answer(Box::new(answer))),
        3 => read_from(Sender::Server, first & 0x0f, body, version)?,
        4 => Packet::PubAck(acknowledgement(body, version)?),
        5 => Packet::PubRec(acknowledgement(body, version)?),
        6 => Packet::PubRel(acknowledgement(body, version)?),
        7 => Packet::PubComp(acknowledgement(body, version)?),
        9 => Packet::SubAck(sub_ack(body, version)?),
        11 => Packet::UnsubAck(sub_ack(body, version)?),
        13 => Packet::PingResp,
        14 if version == Version::V5 => Packet::Disconnect(disconnect(body)?),
        _ => return Err(DecodeError::protocol("a packet that only a client sends")),
    };
    Ok(Said::Packet(packet))
}

/// Returns the reason of a code; one that the standard doesn't have is an unspecified error, or success.
fn reason(code: u8) -> Reason {
    let unknown = if code >= 0x80 { Reason::UnspecifiedError } else { Reason::Success };
    Reason::from_code(code).unwrap_or(unknown)
}

fn acknowledgement(body: &mut Body<'_>, version: Version) -> Result<Ack, DecodeError> {
    let mut ack = Ack::success(body.packet_id()?);
    if version == Version::V5 && !body.is_empty() {
        ack.reason = reason(body.byte()?);
        ack.reason_string = words(body)?;
    }
    Ok(ack)
}

/// Reads properties of which only the words for people matter.
fn words(body: &mut Body<'_>) -> Result<Option<Arc<str>>, DecodeError> {
    let mut words = None;
    if body.is_empty() {
        return Ok(words);
    }
    let mut properties = PropertyReader::of_server(body)?;
    while let Some(id) = properties.next()? {
        match id {
            0x1f => words = Some(properties.text()?),
            0x11 => drop(properties.four_bytes()?),
            other => properties.skip(other)?,
        }
    }
    Ok(words)
}

fn sub_ack(body: &mut Body<'_>, version: Version) -> Result<SubAck, DecodeError> {
    let id = body.packet_id()?;
    if version == Version::V5 {
        words(body)?;
    }
    let mut reasons = Vec::new();
    while !body.is_empty() {
        reasons.push(reason(body.byte()?));
    }
    Ok(SubAck { id, reasons })
}

fn disconnect(body: &mut Body<'_>) -> Result<Disconnect, DecodeError> {
    let mut disconnect = Disconnect { reason: Reason::Success, session_expiry: None, reason_string: None };
    if !body.is_empty() {
        disconnect.reason = reason(body.byte()?);
        disconnect.reason_string = words(body)?;
    }
    Ok(disconnect)
}

fn answer(body: &mut Body<'_>, version: Version) -> Result<Answer, DecodeError> {
    let flags = body.byte()?;
    let code = body.byte()?;
    let mut answer = Answer {
        session_present: flags & 1 != 0,
        reason: Reason::Success,
        is_old: version != Version::V5 || body.is_empty(),
        session_expiry: None,
        receive_maximum: None,
        maximum_qos: Qos::ExactlyOnce,
        has_retained: true,
        maximum_packet_size: None,
        assigned_client_id: None,
        has_wildcards: true,
        has_subscription_ids: version == Version::V5,
        has_shared: version == Version::V5,
        server_keep_alive: None,
        reason_string: None,
    };
    if answer.is_old {
        answer.reason = match code {
            0 => Reason::Success,
            1 => Reason::UnsupportedProtocolVersion,
            2 => Reason::ClientIdentifierNotValid,
            3 => Reason::ServerUnavailable,
            4 => Reason::BadUserNameOrPassword,
            5 => Reason::NotAuthorized,
            other => reason(other | 0x80),
        };
        return Ok(answer);
    }
    answer.reason = reason(code);
    let mut properties = PropertyReader::of_server(body)?;
    while let Some(id) = properties.next()? {
        match id {
            0x11 => answer.session_expiry = Some(properties.four_bytes()?),
            0x12 => answer.assigned_client_id = Some(properties.text()?),
            0x13 => answer.server_keep_alive = Some(properties.two_bytes()?),
            0x16 => drop(properties.binary()?),
            0x1f => answer.reason_string = Some(properties.text()?),
            0x21 => answer.receive_maximum = Some(properties.two_bytes_above_zero()?),
            0x22 => drop(properties.two_bytes()?),
            0x24 => answer.maximum_qos = if properties.flag()? { Qos::AtLeastOnce } else { Qos::AtMostOnce },
            0x25 => answer.has_retained = properties.flag()?,
            0x27 => answer.maximum_packet_size = Some(properties.four_bytes_above_zero()?),
            0x28 => answer.has_wildcards = properties.flag()?,
            0x29 => answer.has_subscription_ids = properties.flag()?,
            0x2a => answer.has_shared = properties.flag()?,
            other => properties.skip(other)?,
        }
    }
    Ok(answer)
}
