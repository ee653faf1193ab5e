//! The values that packets are made of (MQTT 5.0, 1.5).

use std::sync::Arc;

use bytes::Bytes;

use crate::broker::codec::error::DecodeError;
use crate::broker::packet::PacketId;

const CUT: DecodeError = DecodeError::malformed("the packet ends in the middle of a value");

/// What is left of a packet's body.
#[derive(Debug)]
pub(in crate::broker::codec) struct Body<'b> {
    /// The bytes that are left.
    rest: &'b [u8],
    /// The whole packet, where its bytes may be shared.
    owner: Option<&'b Bytes>,
}

impl<'b> Body<'b> {
    /// Returns the body behind a header in bytes that will be overwritten.
    pub(in crate::broker::codec) fn borrowed(packet: &'b [u8], header: usize) -> Body<'b> {
        Body { rest: packet.get(header..).unwrap_or_default(), owner: None }
    }

    /// Returns the body behind a header in bytes of its own.
    pub(in crate::broker::codec) fn owned(packet: &'b Bytes, header: usize) -> Body<'b> {
        Body { owner: Some(packet), ..Body::borrowed(packet, header) }
    }

    pub(in crate::broker::codec) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Checks that nothing is left.
    pub(in crate::broker::codec) fn end(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(DecodeError::malformed("the packet has more bytes than it needs")) }
    }

    pub(in crate::broker::codec) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or(CUT)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk::<N>().ok_or(CUT)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(in crate::broker::codec) fn two_bytes(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(in crate::broker::codec) fn four_bytes(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(in crate::broker::codec) fn variable(&mut self) -> Result<u32, DecodeError> {
        let mut number = 0;
        for index in 0..4 {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                if index > 0 && byte == 0 {
                    return Err(DecodeError::malformed("a variable byte integer has more bytes than it needs"));
                }
                return Ok(number);
            }
        }
        Err(DecodeError::malformed("a variable byte integer has more than four bytes"))
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CUT)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Returns binary data.
    pub(in crate::broker::codec) fn binary(&mut self) -> Result<&'b [u8], DecodeError> {
        let length = self.two_bytes()?;
        self.take(length.into())
    }

    /// Returns a string: UTF-8 without U+0000 (MQTT 5.0, 1.5.4). Rust's UTF-8 has no surrogates.
    pub(in crate::broker::codec) fn text(&mut self) -> Result<&'b str, DecodeError> {
        let text = std::str::from_utf8(self.binary()?).map_err(|_| DecodeError::malformed("a text isn't UTF-8"))?;
        if text.contains('\0') {
            return Err(DecodeError::malformed("a text contains U+0000"));
        }
        Ok(text)
    }

    pub(in crate::broker::codec) fn shared_text(&mut self) -> Result<Arc<str>, DecodeError> {
        self.text().map(Arc::from)
    }

    pub(in crate::broker::codec) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.two_bytes()?).ok_or(DecodeError::protocol("a packet identifier is 0"))
    }

    /// Returns the next bytes, as many as a variable byte integer says, as a body of their own.
    pub(in crate::broker::codec) fn part(&mut self) -> Result<Body<'b>, DecodeError> {
        let length = self.variable()?;
        let part = self.take(usize::try_from(length).map_err(|_| CUT)?)?;
        Ok(Body { rest: part, owner: None })
    }

    /// Returns all that is left.
    pub(in crate::broker::codec) fn payload(&mut self) -> Bytes {
        let payload = std::mem::take(&mut self.rest);
        match self.owner {
            // A small payload mustn't keep a large packet alive.
            Some(owner) if payload.len() >= owner.len() / 2 => owner.slice_ref(payload),
            _ => Bytes::copy_from_slice(payload),
        }
    }
}
