//! The common name in a certificate's subject. The certificate was verified before; what is read here is its name alone, in DER
//! (X.690): a set for each attribute, in it a sequence of the attribute's kind and its text (RFC 5280, 4.1.2.4).

const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// `id-at-commonName` (RFC 5280, appendix A.1).
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// `UTF8String`, `PrintableString` and `IA5String`: those of a name's texts that are UTF-8 as they are.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];

/// Returns the common name in `subject`. `None` if there is none that can be a user: with two of them it isn't clear who it is.
pub(super) fn common_name(subject: &[u8]) -> Option<String> {
    let mut found = None;
    let mut attributes = subject;
    while !attributes.is_empty() {
        let (mut attribute, rest) = inside(SET, attributes)?;
        attributes = rest;
        while !attribute.is_empty() {
            let (pair, rest) = inside(SEQUENCE, attribute)?;
            attribute = rest;
            let (kind, text) = inside(OBJECT_IDENTIFIER, pair)?;
            if kind == COMMON_NAME {
                let (tag, text, _) = element(text)?;
                if found.is_some() || !TEXTS.contains(&tag) {
                    return None;
                }
                found = Some(std::str::from_utf8(text).ok()?);
            }
        }
    }
    found.filter(|name| !name.is_empty() && !name.contains('\0')).map(ToOwned::to_owned)
}

/// Returns what is in the element at the beginning of `bytes`, which must be of the kind `tag`, and what follows it.
fn inside(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Returns the kind of the element at the beginning of `bytes`, what is in it, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, bytes) = bytes.split_first()?;
    let (first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(*first), bytes),
        // The length itself has that many bytes; no name needs more than two.
        0x81 | 0x82 => {
            let (length, bytes) = bytes.split_at_checked(usize::from(first & 0x0f))?;
            (length.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), bytes)
        }
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element, as DER has it.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut bytes = vec![tag];
        match length {
            0..=0x7f => bytes.push(u8::try_from(length).unwrap()),
            0x80..=0xff => bytes.extend([0x81, u8::try_from(length).unwrap()]),
            _ => bytes.extend([0x82, u8::try_from(length >> 8).unwrap(), u8::try_from(length & 0xff).unwrap()]),
        }
        bytes.extend_from_slice(content);
        bytes
    }

    fn attribute(kind: u8, tag: u8, text: &[u8]) -> Vec<u8> {
        let pair = [der(OBJECT_IDENTIFIER, &[0x55, 0x04, kind]), der(tag, text)].concat();
        der(SET, &der(SEQUENCE, &pair))
    }

    #[test]
    fn the_common_name_is_found_among_other_attributes() {
        let subject = [
            attribute(0x06, 0x13, b"DE"),
            attribute(0x03, 0x0c, "K\u{fc}che".as_bytes()),
            attribute(0x0a, 0x0c, b"home"),
        ]
        .concat();
        assert_eq!(common_name(&subject).as_deref(), Some("K\u{fc}che"));
        for length in [127, 128, 255, 256, 300] {
            let name = "x".repeat(length);
            assert_eq!(common_name(&attribute(0x03, 0x13, name.as_bytes())), Some(name), "{length}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_a_user_is_none() {
        let lamp = attribute(0x03, 0x0c, b"lamp");
        assert_eq!(common_name(&[lamp.clone(), lamp.clone()].concat()), None, "two names");
        for (what, subject) in [
            ("no name", attribute(0x06, 0x13, b"DE")),
            ("an empty one", attribute(0x03, 0x0c, b"")),
            ("one with NUL", attribute(0x03, 0x0c, b"la\0mp")),
            ("one that is no UTF-8", attribute(0x03, 0x0c, b"\xff")),
            ("UTF-16", attribute(0x03, 0x1e, b"\0l\0a")),
            ("nothing", Vec::new()),
        ] {
            assert_eq!(common_name(&subject), None, "{what}");
        }
    }

    #[test]
    fn bytes_that_break_off_are_no_name() {
        let subject = attribute(0x03, 0x0c, b"lamp");
        for end in 0..subject.len() {
            assert_eq!(common_name(&subject[..end]), None, "{end}");
        }
        assert_eq!(common_name(&[SET, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
