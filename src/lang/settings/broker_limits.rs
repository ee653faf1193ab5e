//! Decodes the limits for the broker's clients, and sizes such as `1MiB`.

use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::Node;
use crate::lang::{BrokerLimits, Code};

/// The units of sizes, with their bytes.
const UNITS: [(&str, u64); 8] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads the limits that `node` names into `limits`.
pub(in crate::lang) fn read(node: &Node, reader: &mut Reader<'_>, limits: &mut BrokerLimits) {
    let Some(mut fields) = Fields::of(node, "`limits`", &reader.text, &mut reader.findings) else { return };
    let mut count = |key, most: u64, reader: &mut Reader<'_>, limit: &mut usize| {
        let number = fields.take(key).and_then(|node| reader.integer(node, 1..most));
        *limit = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(*limit);
    };
    count("connections", u64::MAX, reader, &mut limits.connections);
    count("queued_messages", u64::MAX, reader, &mut limits.queued_messages);
    count("retained", u64::MAX, reader, &mut limits.retained);
    let mut inflight = usize::from(limits.inflight);
    count("inflight", 65_536, reader, &mut inflight);
    limits.inflight = u16::try_from(inflight).unwrap_or(u16::MAX);
    let packet = fields.take("packet").and_then(|node| size(node, reader));
    limits.packet = packet.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(limits.packet);
    fields.finish(&mut reader.findings);
}

/// Returns a size in bytes: `1MiB`, `500kB`, or a number of bytes.
pub(in crate::lang) fn size(node: &Node, reader: &mut Reader<'_>) -> Option<u64> {
    let fixed = reader.fixed(node, "a size (`1MiB`)")?;
    let digits = fixed.text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(fixed.text.len());
    let (number, unit) = fixed.text.split_at(digits);
    let unit = unit.trim();
    let bytes = UNITS.iter().find(|(name, _)| *name == unit || unit.is_empty()).map(|(_, bytes)| *bytes);
    let size = number.parse::<u64>().ok().zip(bytes).and_then(|(number, bytes)| number.checked_mul(bytes));
    if size.is_none_or(|size| size == 0) {
        let message = format!("`{}` isn't a valid size", fixed.text);
        reader.findings.error(Code::BAD_SIZE, fixed.span, message).help("use e.g. `64KiB`, `1MiB` or `2GiB`");
        return None;
    }
    size
}
