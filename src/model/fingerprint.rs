//! Fingerprints of code: a hash that is the same on every machine and in every version.

/// FNV-1a, 64 bits.
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Begins a fingerprint.
    pub fn new() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    /// Takes a text in, so that two of them can't run into each other.
    pub fn text(&mut self, text: &str) {
        self.number(u64::try_from(text.len()).unwrap_or(u64::MAX));
        text.bytes().for_each(|byte| self.byte(byte));
    }

    /// Takes a number in.
    pub fn number(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|byte| self.byte(byte));
    }

    /// Returns the hash.
    pub fn value(&self) -> u64 {
        self.0
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}
