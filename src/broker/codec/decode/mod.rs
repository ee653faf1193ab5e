//! The bodies of the packets that clients send, one kind a file.

pub(super) mod acknowledgement;
mod body;
mod connect;
pub(super) mod property;
pub(super) mod publish;
mod subscribe;

use crate::broker::packet::{Packet, Version};

use super::error::DecodeError;
use super::frame::{Frame, Kind};

pub(super) use body::Body;

/// Reads a packet whose bytes are all there. CONNECT tells the version.
pub(super) fn packet(frame: &Frame, mut body: Body<'_>, version: &mut Option<Version>) -> Result<Packet, DecodeError> {
    let body = &mut body;
    let Some(known) = *version else { return connect::read(body, version) };
    let packet = match frame.kind {
        Kind::Connect => return Err(DecodeError::protocol("a second CONNECT")),
        Kind::Publish => return publish::read(frame.flags, body, known),
        Kind::PubAck => Packet::PubAck(acknowledgement::read(body, known, acknowledgement::RECEIVED)?),
        Kind::PubRec => Packet::PubRec(acknowledgement::read(body, known, acknowledgement::RECEIVED)?),
        Kind::PubRel => Packet::PubRel(acknowledgement::read(body, known, acknowledgement::RELEASED)?),
        Kind::PubComp => Packet::PubComp(acknowledgement::read(body, known, acknowledgement::RELEASED)?),
        Kind::Subscribe => Packet::Subscribe(subscribe::read(body, known)?),
        Kind::Unsubscribe => Packet::Unsubscribe(subscribe::read_unsubscribe(body, known)?),
        Kind::PingReq => Packet::PingReq,
        Kind::Disconnect => Packet::Disconnect(acknowledgement::read_disconnect(body, known)?),
        Kind::Auth => Packet::Auth(acknowledgement::read_auth(body)?),
    };
    body.end()?;
    Ok(packet)
}
