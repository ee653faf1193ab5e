//! Mutated bytes: whatever comes, nothing panics, what is cut differently reads the same, and what is read is what another codec reads.

use crate::broker::packet::{Packet, Version};

use super::clients::recorded;
use super::{DecodeError, Decoder, LARGEST, connect, packet, text};

/// How many inputs are tried; a second or two.
const ROUNDS: usize = 40_000;

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(5) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.byte(),
            2 if bytes.len() > 1 => drop(bytes.remove(at)),
            3 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, self.byte()),
        }
    }
}

fn read(bytes: &[u8], dice: &mut Dice) -> (Vec<Packet>, Option<DecodeError>) {
    let mut decoder = Decoder::new(LARGEST);
    let mut packets = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (mut part, behind) = rest.split_at(1 + dice.below(rest.len()));
        rest = behind;
        loop {
            match decoder.decode(&mut part) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(error) => return (packets, Some(error)),
            }
        }
    }
    (packets, None)
}

#[test]
fn mutated_bytes_never_panic_and_read_the_same_however_they_are_cut() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut seeds: Vec<Vec<u8>> = recorded().into_iter().map(|(_, bytes)| bytes).collect();
    for version in [Version::V31, Version::V311, Version::V5] {
        let properties: &[u8] = if version == Version::V5 { &[5, 0x1f, 0, 2, b'n', b'o'] } else { &[] };
        for first in [0x40, 0x50, 0x62, 0x70, 0xe0, 0xf0] {
            seeds.push([connect(version), packet(first, &[&[0, 1, 0], properties])].concat());
        }
        seeds.push([connect(version), packet(0x30, &[&text(b"a"), &vec![0; 300]])].concat());
    }
    let (mut fine, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        for _ in 0..dice.below(4) {
            dice.mutate(&mut bytes);
        }
        let (packets, error) = read(&bytes, &mut dice);
        assert_eq!(read(&bytes, &mut dice), (packets.clone(), error), "{bytes:02x?}");
        fine += packets.len();
        refused += usize::from(error.is_some());
        super::against_another::agree(&bytes, &packets);
    }
    assert!(fine > ROUNDS && refused > ROUNDS / 10, "{fine} {refused}: both must be common");
}
