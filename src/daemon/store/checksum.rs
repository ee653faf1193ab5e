//! The checksum of a row: `SQLite` itself gives back a flipped bit as if nothing were.

/// Returns a checksum of a row (FNV-1a, 64 bits), which no single changed byte leaves as it was.
pub(super) fn checksum(key: &str, value: &[u8]) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    // 0xff is in no key: it is UTF-8.
    for byte in key.bytes().chain([0xff]).chain(value.iter().copied()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.cast_signed()
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
