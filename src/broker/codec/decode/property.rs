//! Properties (MQTT 5.0, 2.2.2): each at most once, but for user properties and the subscription identifiers of a server.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::Bytes;

use crate::broker::codec::error::DecodeError;
use crate::broker::limits::MOST_IN_PACKET;
use crate::broker::packet::Properties;
use crate::broker::reason::Reason;
use crate::model::Topic;

use super::Body;

/// The properties of one packet.
pub(in crate::broker::codec) struct PropertyReader<'b> {
    body: Body<'b>,
    /// A bit for each identifier that has come.
    seen: u64,
    /// Whether the subscription identifier may come several times: in what a server sends.
    may_repeat_ids: bool,
}

const USER_PROPERTY: u8 = 0x26;
const SUBSCRIPTION_ID: u8 = 0x0b;

impl<'b> PropertyReader<'b> {
    /// Reads their length.
    pub(in crate::broker::codec) fn new(body: &mut Body<'b>) -> Result<PropertyReader<'b>, DecodeError> {
        Ok(PropertyReader { body: body.part()?, seen: 0, may_repeat_ids: false })
    }

    /// Reads the length of a server's properties.
    pub(in crate::broker::codec) fn of_server(body: &mut Body<'b>) -> Result<PropertyReader<'b>, DecodeError> {
        Ok(PropertyReader { may_repeat_ids: true, ..PropertyReader::new(body)? })
    }

    /// Returns the identifier of the next one; `None` at the end.
    pub(in crate::broker::codec) fn next(&mut self) -> Result<Option<u8>, DecodeError> {
        if self.body.is_empty() {
            return Ok(None);
        }
        let id = self.body.byte()?;
        let bit = 1_u64.checked_shl(id.into()).ok_or(unknown())?;
        let may_repeat = id == USER_PROPERTY || (id == SUBSCRIPTION_ID && self.may_repeat_ids);
        if self.seen & bit != 0 && !may_repeat {
            return Err(DecodeError::protocol("a property comes twice"));
        }
        self.seen |= bit;
        Ok(Some(id))
    }

    /// Returns a byte that is 0 or 1.
    pub(in crate::broker::codec) fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.body.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::protocol("a property that is 0 or 1 is neither")),
        }
    }

    pub(in crate::broker::codec) fn two_bytes(&mut self) -> Result<u16, DecodeError> {
        self.body.two_bytes()
    }

    pub(in crate::broker::codec) fn four_bytes(&mut self) -> Result<u32, DecodeError> {
        self.body.four_bytes()
    }

    /// Returns a number that is 1 at least.
    pub(in crate::broker::codec) fn two_bytes_above_zero(&mut self) -> Result<NonZeroU16, DecodeError> {
        NonZeroU16::new(self.body.two_bytes()?).ok_or(ZERO)
    }

    /// Returns a number that is 1 at least.
    pub(in crate::broker::codec) fn four_bytes_above_zero(&mut self) -> Result<NonZeroU32, DecodeError> {
        NonZeroU32::new(self.body.four_bytes()?).ok_or(ZERO)
    }

    /// Returns a number that is 1 at least.
    pub(in crate::broker::codec) fn variable_above_zero(&mut self) -> Result<NonZeroU32, DecodeError> {
        NonZeroU32::new(self.body.variable()?).ok_or(ZERO)
    }

    pub(in crate::broker::codec) fn text(&mut self) -> Result<Arc<str>, DecodeError> {
        self.body.shared_text()
    }

    pub(in crate::broker::codec) fn binary(&mut self) -> Result<Bytes, DecodeError> {
        self.body.binary().map(Bytes::copy_from_slice)
    }

    /// Reads a property that nobody needs: a user property of a packet that carries no message, or a text for people.
    pub(in crate::broker::codec) fn skip(&mut self, id: u8) -> Result<(), DecodeError> {
        self.body.text()?;
        if id == USER_PROPERTY {
            self.body.text()?;
        }
        Ok(())
    }

    /// Reads a property of a message, of one that is sent or of a will; refuses what is none.
    pub(in crate::broker::codec) fn message(&mut self, id: u8, properties: &mut Properties) -> Result<(), DecodeError> {
        match id {
            0x01 => properties.is_text = Some(self.flag()?),
            0x03 => properties.content_type = Some(self.text()?),
            0x08 => {
                let topic = self.text()?;
                if Topic::from_shared(Arc::clone(&topic)).is_err() {
                    return Err(DecodeError::protocol("a response topic isn't a topic"));
                }
                properties.response_topic = Some(topic);
            }
            0x09 => properties.correlation_data = Some(self.binary()?),
            USER_PROPERTY => {
                if properties.user_properties.len() >= MOST_IN_PACKET {
                    return Err(DecodeError::of(Reason::QuotaExceeded, "a packet has too many user properties"));
                }
                let pair = (self.text()?, self.text()?);
                properties.user_properties.push(pair);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }
}

const ZERO: DecodeError = DecodeError::protocol("a property that can't be 0 is 0");

/// Returns the error of a property that this packet can't have.
pub(in crate::broker::codec) const fn unknown() -> DecodeError {
    DecodeError::of(Reason::MalformedPacket, "a property that this packet can't have")
}
