//! PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT and AUTH: a reason, and little else (MQTT 5.0, 3.4 to 3.7, 3.14, 3.15).

use crate::broker::codec::error::DecodeError;
use crate::broker::packet::{Ack, Auth, Disconnect, Version};
use crate::broker::reason::Reason;

use super::Body;
use super::property::{PropertyReader, unknown};

/// What PUBACK and PUBREC may say.
pub(in crate::broker::codec) const RECEIVED: &[Reason] = &[
    Reason::Success,
    Reason::NoMatchingSubscribers,
    Reason::UnspecifiedError,
    Reason::ImplementationSpecificError,
    Reason::NotAuthorized,
    Reason::TopicNameInvalid,
    Reason::PacketIdentifierInUse,
    Reason::QuotaExceeded,
    Reason::PayloadFormatInvalid,
];

/// What PUBREL and PUBCOMP may say.
pub(in crate::broker::codec) const RELEASED: &[Reason] = &[Reason::Success, Reason::PacketIdentifierNotFound];

/// Why a client may go.
const LEAVING: &[Reason] = &[
    Reason::Success,
    Reason::DisconnectWithWill,
    Reason::UnspecifiedError,
    Reason::MalformedPacket,
    Reason::ProtocolError,
    Reason::ImplementationSpecificError,
    Reason::TopicNameInvalid,
    Reason::ReceiveMaximumExceeded,
    Reason::TopicAliasInvalid,
    Reason::PacketTooLarge,
    Reason::MessageRateTooHigh,
    Reason::QuotaExceeded,
    Reason::AdministrativeAction,
    Reason::PayloadFormatInvalid,
];

pub(in crate::broker::codec) fn read(
    body: &mut Body<'_>,
    version: Version,
    may_say: &[Reason],
) -> Result<Ack, DecodeError> {
    let mut ack = Ack::success(body.packet_id()?);
    if version == Version::V5 && !body.is_empty() {
        ack.reason = reason(body, may_say)?;
        if !body.is_empty() {
            let mut properties = PropertyReader::new(body)?;
            while let Some(id) = properties.next()? {
                match id {
                    0x1f => ack.reason_string = Some(properties.text()?),
                    0x26 => properties.skip(id)?,
                    _ => return Err(unknown()),
                }
            }
        }
    }
    Ok(ack)
}

pub(in crate::broker::codec) fn read_disconnect(
    body: &mut Body<'_>,
    version: Version,
) -> Result<Disconnect, DecodeError> {
    let mut disconnect = Disconnect { reason: Reason::Success, session_expiry: None, reason_string: None };
    if version == Version::V5 && !body.is_empty() {
        disconnect.reason = reason(body, LEAVING)?;
        if !body.is_empty() {
            let mut properties = PropertyReader::new(body)?;
            while let Some(id) = properties.next()? {
                match id {
                    0x11 => disconnect.session_expiry = Some(properties.four_bytes()?),
                    0x1f => disconnect.reason_string = Some(properties.text()?),
                    0x26 => properties.skip(id)?,
                    _ => return Err(unknown()),
                }
            }
        }
    }
    Ok(disconnect)
}

pub(in crate::broker::codec) fn read_auth(body: &mut Body<'_>) -> Result<Auth, DecodeError> {
    let mut auth = Auth { reason: Reason::Success };
    let mut has_method = false;
    if !body.is_empty() {
        auth.reason = reason(body, &[Reason::Success, Reason::ContinueAuthentication, Reason::ReAuthenticate])?;
        if !body.is_empty() {
            let mut properties = PropertyReader::new(body)?;
            while let Some(id) = properties.next()? {
                match id {
                    0x15 => has_method = !properties.text()?.is_empty(),
                    0x16 => drop(properties.binary()?),
                    0x1f | 0x26 => properties.skip(id)?,
                    _ => return Err(unknown()),
                }
            }
        }
    }
    if has_method || auth.reason == Reason::Success {
        Ok(auth)
    } else {
        Err(DecodeError::protocol("an AUTH names no method"))
    }
}

fn reason(body: &mut Body<'_>, may_say: &[Reason]) -> Result<Reason, DecodeError> {
    let code = body.byte()?;
    let reason = may_say.iter().find(|reason| reason.code() == code);
    reason.copied().ok_or(DecodeError::protocol("a reason code that this packet can't have"))
}
