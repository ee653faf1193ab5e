//! CONNECT (MQTT 5.0, 3.1; MQTT 3.1, 3.1).

use std::sync::Arc;

use bytes::Bytes;

use crate::broker::codec::error::DecodeError;
use crate::broker::packet::{Connect, Packet, Properties, Version, Will};
use crate::broker::reason::Reason;

use super::Body;
use super::property::{PropertyReader, unknown};
use super::publish;

/// A bridge sets this bit of the protocol level, which is no part of the standard.
const BRIDGE: u8 = 0x80;

/// The flags of CONNECT.
#[derive(Clone, Copy)]
struct Flags(u8);

impl Flags {
    fn clean(self) -> bool {
        self.0 & 0x02 != 0
    }

    fn will(self) -> bool {
        self.0 & 0x04 != 0
    }

    fn will_qos(self) -> u8 {
        self.0 >> 3 & 0b11
    }

    fn will_retain(self) -> bool {
        self.0 & 0x20 != 0
    }

    fn password(self) -> bool {
        self.0 & 0x40 != 0
    }

    fn user(self) -> bool {
        self.0 & 0x80 != 0
    }

    fn check(self, version: Version) -> Result<(), DecodeError> {
        // MQTT 3.1 says only that the lowest bit isn't used.
        if self.0 & 1 != 0 && version != Version::V31 {
            return Err(DecodeError::malformed("the reserved flag of CONNECT is set"));
        }
        if !self.will() && (self.will_qos() != 0 || self.will_retain()) {
            return Err(DecodeError::malformed("a CONNECT without a will has flags of one"));
        }
        if self.will_qos() == 3 {
            return Err(DecodeError::malformed("a will has QoS 3"));
        }
        if self.password() && !self.user() && version != Version::V5 {
            return Err(DecodeError::malformed("a CONNECT has a password and no user"));
        }
        Ok(())
    }
}

pub(super) fn read(body: &mut Body<'_>, version: &mut Option<Version>) -> Result<Packet, DecodeError> {
    let (spoken, is_bridge) = protocol(body, version)?;
    let flags = Flags(body.byte()?);
    flags.check(spoken)?;
    let mut connect = Connect {
        version: spoken,
        is_bridge,
        client_id: Arc::default(),
        clean_start: flags.clean(),
        keep_alive: body.two_bytes()?,
        will: None,
        user: None,
        password: None,
        session_expiry: None,
        receive_maximum: None,
        maximum_packet_size: None,
        topic_alias_maximum: 0,
        request_response_information: false,
        request_problem_information: true,
        authentication_method: None,
    };
    if spoken == Version::V5 {
        read_properties(body, &mut connect)?;
    }
    connect.client_id = body.shared_text()?;
    if flags.will() {
        connect.will = Some(will(body, flags, spoken)?);
    }
    if flags.user() {
        connect.user = Some(body.shared_text()?);
    }
    if flags.password() {
        connect.password = Some(Bytes::copy_from_slice(body.binary()?));
    }
    body.end()?;
    Ok(Packet::Connect(Box::new(connect)))
}

/// Returns the version and whether the client is a bridge. What it speaks is in `version` even if we don't.
fn protocol(body: &mut Body<'_>, version: &mut Option<Version>) -> Result<(Version, bool), DecodeError> {
    let name = body.binary()?;
    let level = body.byte()?;
    let spoken = match (name, level & !BRIDGE, level & BRIDGE != 0) {
        (b"MQIsdp", 3, is_bridge) => (Version::V31, is_bridge),
        (b"MQTT", 4, is_bridge) => (Version::V311, is_bridge),
        (b"MQTT", 5, false) => (Version::V5, false),
        (b"MQTT" | b"MQIsdp", level, _) => {
            // It is answered in the form that is nearest to its own.
            *version = Some(if level > 5 { Version::V5 } else { Version::V311 });
            let message = "the client speaks a version of MQTT that isn't 3.1, 3.1.1 or 5.0";
            return Err(DecodeError::of(Reason::UnsupportedProtocolVersion, message));
        }
        _ => return Err(DecodeError::malformed("the client doesn't speak MQTT")),
    };
    *version = Some(spoken.0);
    Ok(spoken)
}

fn read_properties(body: &mut Body<'_>, connect: &mut Connect) -> Result<(), DecodeError> {
    let mut properties = PropertyReader::new(body)?;
    let mut has_data = false;
    while let Some(id) = properties.next()? {
        match id {
            0x11 => connect.session_expiry = Some(properties.four_bytes()?),
            0x15 => connect.authentication_method = Some(properties.text()?),
            0x16 => {
                properties.binary()?;
                has_data = true;
            }
            0x17 => connect.request_problem_information = properties.flag()?,
            0x19 => connect.request_response_information = properties.flag()?,
            0x21 => connect.receive_maximum = Some(properties.two_bytes_above_zero()?),
            0x22 => connect.topic_alias_maximum = properties.two_bytes()?,
            0x26 => properties.skip(id)?,
            0x27 => connect.maximum_packet_size = Some(properties.four_bytes_above_zero()?),
            _ => return Err(unknown()),
        }
    }
    if has_data && connect.authentication_method.is_none() {
        return Err(DecodeError::protocol("a CONNECT has authentication data and names no method"));
    }
    Ok(())
}

fn will(body: &mut Body<'_>, flags: Flags, version: Version) -> Result<Will, DecodeError> {
    let (mut delay, mut expiry) = (0, None);
    let mut properties = Properties::default();
    if version == Version::V5 {
        let mut reader = PropertyReader::new(body)?;
        while let Some(id) = reader.next()? {
            match id {
                0x02 => expiry = Some(reader.four_bytes()?),
                0x18 => delay = reader.four_bytes()?,
                other => reader.message(other, &mut properties)?,
            }
        }
    }
    let name = body.text()?;
    if name.is_empty() {
        return Err(DecodeError::of(Reason::TopicNameInvalid, "the topic of a will is empty"));
    }
    Ok(Will {
        topic: publish::topic(name)?,
        payload: Bytes::copy_from_slice(body.binary()?),
        qos: publish::qos(flags.will_qos()).ok_or(DecodeError::malformed("a will has QoS 3"))?,
        retain: flags.will_retain(),
        delay,
        expiry,
        properties: (properties != Properties::default()).then(|| Arc::new(properties)),
    })
}
