//! The fixed header: what kind of packet comes, and how long it is (MQTT 5.0, 2.1).

use crate::broker::packet::Version;
use crate::broker::reason::Reason;

use super::error::DecodeError;

/// A kind of packet that clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    Unsubscribe,
    PingReq,
    Disconnect,
    Auth,
}

/// Where a packet's parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The lower four bits of the first byte.
    pub(super) flags: u8,
    /// How many bytes the fixed header has.
    pub(super) header: usize,
    /// How many bytes follow it.
    pub(super) body: usize,
}

impl Frame {
    /// Returns the packet that `bytes` begin with; `None`: more of its header must come.
    ///
    /// # Errors
    /// When it can't be a packet that this client may send now, or is larger than `largest`.
    pub(super) fn read(bytes: &[u8], version: Option<Version>, largest: usize) -> Result<Option<Frame>, DecodeError> {
        let Some(first) = bytes.first() else { return Ok(None) };
        let (kind, flags) = kind(*first, version)?;
        let mut body = 0_usize;
        for (index, byte) in bytes.iter().skip(1).enumerate() {
            if index == 4 {
                break;
            }
            body |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let header = index + 2;
                if header + body > largest {
                    return Err(DecodeError::of(Reason::PacketTooLarge, "the packet is larger than allowed"));
                }
                // MQTT 5.0, 1.5.5-1; older versions don't say so.
                if index > 0 && *byte == 0 && version == Some(Version::V5) {
                    return Err(DecodeError::malformed("the remaining length has more bytes than it needs"));
                }
                return Ok(Some(Frame { kind, flags, header, body }));
            }
            if index == 3 {
                return Err(DecodeError::malformed("the remaining length has more than four bytes"));
            }
        }
        Ok(None)
    }

    /// Returns how many bytes the packet has.
    pub(super) fn length(&self) -> usize {
        self.header + self.body
    }
}

/// Returns the kind and the flags of a packet, both as they may be.
fn kind(first: u8, version: Option<Version>) -> Result<(Kind, u8), DecodeError> {
    let flags = first & 0x0f;
    let kind = match (first >> 4, version) {
        (1, None) => Kind::Connect,
        (_, None) => return Err(DecodeError::protocol("the first packet isn't CONNECT")),
        (1, Some(_)) => return Err(DecodeError::protocol("a second CONNECT")),
        (3, Some(_)) => Kind::Publish,
        (4, Some(_)) => Kind::PubAck,
        (5, Some(_)) => Kind::PubRec,
        (6, Some(_)) => Kind::PubRel,
        (7, Some(_)) => Kind::PubComp,
        (8, Some(_)) => Kind::Subscribe,
        (10, Some(_)) => Kind::Unsubscribe,
        (12, Some(_)) => Kind::PingReq,
        (14, Some(_)) => Kind::Disconnect,
        (15, Some(Version::V5)) => Kind::Auth,
        (2 | 9 | 11 | 13, Some(_)) => return Err(DecodeError::protocol("a packet that only a server sends")),
        (_, Some(_)) => return Err(DecodeError::malformed("a packet of a reserved type")),
    };
    let is_right = match kind {
        Kind::Publish => {
            if flags & 0b0110 == 0b0110 {
                return Err(DecodeError::malformed("a PUBLISH with QoS 3"));
            }
            if flags & 0b1110 == 0b1000 {
                return Err(DecodeError::malformed("a PUBLISH with DUP and QoS 0"));
            }
            true
        }
        // MQTT 3.1 sends them with QoS 1, and marks those that it sends again.
        Kind::PubRel | Kind::Subscribe | Kind::Unsubscribe => {
            flags == 0b0010 || (flags == 0b1010 && version == Some(Version::V31))
        }
        Kind::Connect | Kind::PubAck | Kind::PubRec | Kind::PubComp | Kind::PingReq | Kind::Disconnect | Kind::Auth => {
            flags == 0
        }
    };
    // MQTT 3.1 says of the flags of other packets only that they aren't used.
    if is_right
        || (version == Some(Version::V31) && !matches!(kind, Kind::PubRel | Kind::Subscribe | Kind::Unsubscribe))
    {
        Ok((kind, flags))
    } else {
        Err(DecodeError::malformed("reserved flags of the packet are set"))
    }
}
