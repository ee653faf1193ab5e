//! Fingerprints: a hash that is the same on every machine and in every version, unlike the standard library's.

/// FNV-1a, 64 bits.
#[derive(Debug, Clone)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Begins a fingerprint.
    #[must_use]
    pub fn new() -> Fingerprint {
        Fingerprint::seeded(0)
    }

    /// Begins a fingerprint that depends on `seed`; 0 is as without one.
    #[must_use]
    pub fn seeded(seed: u64) -> Fingerprint {
        Fingerprint(seed ^ 0xcbf2_9ce4_8422_2325)
    }

    /// Takes bytes in, as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Takes a number in.
    pub fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Takes a text in, so that two of them can't run into each other.
    pub fn text(&mut self, text: &str) {
        self.number(u64::try_from(text.len()).unwrap_or(u64::MAX));
        self.bytes(text.as_bytes());
    }

    /// Returns the hash.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint::new()
    }
}
