//! The address that a device has wherever it is told of: an IEEE address or a MAC.

use std::fmt;

/// An IEEE address (16 hexadecimal digits) or a MAC (12), in lower case and without separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    digits: u8,
    number: u64,
}

impl Address {
    /// Returns the addresses in `text`: whole ones only, with `:` or `-` between pairs of digits or without.
    pub fn all_in(text: &str) -> impl Iterator<Item = Address> + '_ {
        // A pair of digits and a separator may look like several words: try the text as one first.
        let whole = Address::parse(text);
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, ':' | '-')));
        let parts = words.filter(move |_| whole.is_none()).flat_map(|word| {
            let one = Address::parse(word);
            let pieces = word.split(['-', ':']).filter(move |_| one.is_none()).filter_map(Address::parse);
            one.into_iter().chain(pieces)
        });
        whole.into_iter().chain(parts)
    }

    /// Returns `text` as an address, where it is one and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Address> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let pairs = |separator| digits.split(separator).all(|pair: &str| pair.len() == 2);
        let plain: String = match () {
            () if digits.contains(':') && pairs(':') => digits.replace(':', ""),
            () if digits.contains('-') && pairs('-') => digits.replace('-', ""),
            () => digits.to_owned(),
        };
        let count = u8::try_from(plain.len()).ok().filter(|count| matches!(count, 12 | 16))?;
        let is_hexadecimal = plain.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(&plain, 16).ok().filter(|_| is_hexadecimal)?;
        Some(Address { digits: count, number })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$x}", self.number, width = usize::from(self.digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        Address::all_in(text).map(|address| address.to_string()).collect()
    }

    #[test]
    fn an_address_is_found_whatever_its_case_and_separators() {
        for text in ["AA:BB:CC:DD:EE:0F", "aa-bb-cc-dd-ee-0f", "AABBCCDDEE0F", "0xaabbccddee0f", "tasmota_AABBCCDDEE0F"]
        {
            assert_eq!(all(text), ["aabbccddee0f"], "{text}");
        }
        assert_eq!(all("zigbee2mqtt_0x00158d0001a2b3c4"), ["00158d0001a2b3c4"]);
        assert_eq!(all("shellyplus1-a8032abe54dc"), ["a8032abe54dc"]);
        assert_eq!(all("esp_aabbccddee0f and 00:11:22:33:44:55"), ["aabbccddee0f", "001122334455"]);
    }

    #[test]
    fn part_of_an_address_is_none() {
        for text in ["", "aabbcc", "aabbccddee0f1", "xaabbccddee0f", "lamp", "aa:bb:cc:dd:ee", "ääääää"] {
            assert_eq!(all(text), [""; 0], "{text}");
        }
    }
}
