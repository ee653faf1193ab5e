//! Frames (RFC 6455, 5.2): their headers, and what may follow what.

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    /// A message's bytes, or more of them.
    Data,
    Close,
    Ping,
    Pong,
}

/// The header of a frame from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// The bytes that follow.
    pub(super) length: u64,
    pub(super) mask: [u8; 4],
    /// How many bytes the header has.
    pub(super) size: usize,
}

/// Which end of a WebSocket we are. A client masks what it sends, and a server doesn't (RFC 6455, 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

/// Why a peer is sent away, as the codes of RFC 6455, 7.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) message: &'static str,
}

/// The longest control frame.
pub(super) const LONGEST_CONTROL: u64 = 125;

impl Header {
    /// Reads the header at the begin of `bytes`; `None`: more of it must come. `is_continued` is whether a message has begun and
    /// not ended.
    pub(super) fn read(bytes: &[u8], is_continued: &mut bool, role: Role) -> Result<Option<Header>, Refusal> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (is_final, code) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(protocol("a WebSocket frame has reserved bits"));
        }
        let is_masked = second & 0x80 != 0;
        match role {
            Role::Server if !is_masked => return Err(protocol("a WebSocket frame of a client isn't masked")),
            Role::Client if is_masked => return Err(protocol("a WebSocket frame of a server is masked")),
            Role::Server | Role::Client => {}
        }
        let opcode = match code {
            0 if *is_continued => Opcode::Data,
            0 => return Err(protocol("a WebSocket message goes on that hasn't begun")),
            1 => return Err(Refusal { code: 1003, message: "MQTT's WebSocket messages are binary" }),
            2 if !*is_continued => Opcode::Data,
            2 => return Err(protocol("a WebSocket message begins in another")),
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(protocol("a WebSocket frame is of a reserved kind")),
        };
        let short = u64::from(second & 0x7f);
        if opcode != Opcode::Data && (!is_final || short > LONGEST_CONTROL) {
            return Err(protocol("a WebSocket control frame is in parts, or too long"));
        }
        let (length, rest) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            short => (short, rest),
        };
        if length >> 63 != 0 {
            return Err(protocol("a WebSocket frame is too long"));
        }
        let (mask, rest) = match rest.split_first_chunk::<4>() {
            _ if !is_masked => (&[0; 4], rest),
            Some((mask, rest)) => (mask, rest),
            None => return Ok(None),
        };
        if opcode == Opcode::Data {
            *is_continued = !is_final;
        }
        Ok(Some(Header { opcode, length, mask: *mask, size: bytes.len() - rest.len() }))
    }
}

/// Takes the mask off `bytes`, which begin `offset` bytes into their frame.
pub(super) fn unmask(bytes: &mut [u8], mask: [u8; 4], offset: u64) {
    let mut rotated = mask;
    rotated.rotate_left(usize::try_from(offset % 4).unwrap_or(0));
    for chunk in bytes.chunks_mut(4) {
        for (byte, key) in chunk.iter_mut().zip(rotated) {
            *byte ^= key;
        }
    }
}

/// Appends a frame: `0x82` is a binary message, whole. With a mask it is a client's.
pub(super) fn write_frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    write_header(first, payload.len(), mask.is_some(), out);
    let Some(mask) = mask else { return out.extend_from_slice(payload) };
    out.extend_from_slice(&mask);
    let begin = out.len();
    out.extend_from_slice(payload);
    unmask(out.get_mut(begin..).unwrap_or_default(), mask, 0);
}

fn write_header(first: u8, length: usize, is_masked: bool, out: &mut Vec<u8>) {
    let bit = u8::from(is_masked) << 7;
    out.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => out.push(bit | short),
        (_, Ok(middle)) => {
            out.push(bit | 0x7e);
            out.extend_from_slice(&middle.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(bit | 0x7f);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

fn protocol(message: &'static str) -> Refusal {
    Refusal { code: 1002, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], is_continued: bool) -> Result<Option<(Opcode, u64, usize)>, u16> {
        let header = Header::read(bytes, &mut is_continued.clone(), Role::Server);
        header.map(|header| header.map(|h| (h.opcode, h.length, h.size))).map_err(|refusal| refusal.code)
    }

    #[test]
    fn headers_of_each_length_are_read_when_they_are_whole() {
        let long = [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4, 9];
        for cut in 0..14 {
            assert_eq!(read(&long[..cut], false), Ok(None), "{cut}");
        }
        assert_eq!(read(&long, false), Ok(Some((Opcode::Data, 65_536, 14))));
        assert_eq!(read(&[0x82, 0xfe, 1, 0, 1, 2, 3, 4], false), Ok(Some((Opcode::Data, 256, 8))));
        assert_eq!(read(&[0x02, 0x85, 1, 2, 3, 4], false), Ok(Some((Opcode::Data, 5, 6))));
        assert_eq!(read(&[0x89, 0x80, 1, 2, 3, 4], true), Ok(Some((Opcode::Ping, 0, 6))));
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        for (bytes, is_continued, code) in [
            (&[0x82, 0x05, 0, 0, 0, 0][..], false, 1002),
            (&[0xc2, 0x85], false, 1002),
            (&[0x81, 0x85], false, 1003),
            (&[0x80, 0x85], false, 1002),
            (&[0x82, 0x85], true, 1002),
            (&[0x83, 0x85], false, 1002),
            (&[0x8b, 0x80], false, 1002),
            (&[0x09, 0x80], false, 1002),
            (&[0x89, 0xfe], false, 1002),
            (&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], false, 1002),
        ] {
            assert_eq!(read(bytes, is_continued), Err(code), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_mask_goes_on_where_the_last_bytes_ended() {
        let mut whole = *b"abcdefghij";
        unmask(&mut whole, [1, 2, 3, 4], 0);
        let mut parts = *b"abcdefghij";
        unmask(&mut parts[..3], [1, 2, 3, 4], 0);
        unmask(&mut parts[3..], [1, 2, 3, 4], 3);
        assert_eq!(whole, parts);
        assert_eq!(&whole[..2], [b'a' ^ 1, b'b' ^ 2]);
    }
}
