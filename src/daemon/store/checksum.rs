//! The checksum of a row: `SQLite` itself gives back a flipped bit as if nothing were.

use crate::model::Fingerprint;

/// Returns a checksum of a row (FNV-1a, 64 bits), which no single changed byte leaves as it was.
pub(super) fn checksum(key: &str, value: &[u8]) -> i64 {
    let mut hash = Fingerprint::new();
    hash.bytes(key.as_bytes());
    // It is in no key: a key is UTF-8.
    hash.bytes(&[0xff]);
    hash.bytes(value);
    hash.value().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flipped_bit_and_each_moved_byte_is_another_checksum() {
        let value = *b"{\"state\":\"ON\"}";
        let right = checksum("topic/home/tv", &value);
        for index in 0..value.len() * 8 {
            let mut flipped = value;
            flipped[index / 8] ^= 1 << (index % 8);
            assert_ne!(checksum("topic/home/tv", &flipped), right, "bit {index}");
        }
        assert_ne!(checksum("topic/home/tv{", &value[1..]), right);
    }
}
