//! Decodes the limits for the broker's clients, and sizes such as `1MiB`.

use std::num::NonZeroUsize;

use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::Node;
use crate::lang::{BrokerLimits, Code};

use super::decoder::given;

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

/// The most levels of a topic that may be allowed: what a topic may have at all.
const MOST_LEVELS: u64 = 200;

/// Reads the limits that `node` names into `limits`.
pub(super) fn read(node: &Node, reader: &mut Reader<'_>, limits: &mut BrokerLimits) {
    let Some(mut fields) = Fields::of(node, "`limits`", &reader.text, &mut reader.findings) else { return };
    for (key, most, limit) in [
        ("connections", u64::MAX, &mut limits.connections),
        ("sessions", u64::MAX, &mut limits.sessions),
        ("retained", u64::MAX, &mut limits.retained),
        ("topic_levels", MOST_LEVELS + 1, &mut limits.topic_levels),
    ] {
        let number = given(&mut fields, key).and_then(|node| reader.integer(node, 1..most));
        *limit = number.map_or(*limit, to_usize);
    }
    for (key, limit) in [
        ("queued_messages", &mut limits.queued_messages),
        ("subscriptions", &mut limits.subscriptions),
        ("messages_per_second", &mut limits.messages_per_second),
    ] {
        let number = given(&mut fields, key).and_then(|node| reader.integer(node, 0..u64::MAX));
        *limit = number.map_or(*limit, |number| NonZeroUsize::new(to_usize(number)));
    }
    for (key, limit) in [
        ("packet", &mut limits.packet),
        ("total_queued", &mut limits.total_queued),
        ("retained_bytes", &mut limits.retained_bytes),
    ] {
        *limit = given(&mut fields, key).and_then(|node| size(node, reader)).map_or(*limit, to_usize);
    }
    if let Some(node) = given(&mut fields, "queued_bytes") {
        let is_none = node.as_scalar().is_some_and(|scalar| scalar.text.as_str() == "0");
        let bytes = if is_none { Some(0) } else { size(node, reader) };
        limits.queued_bytes = bytes.map_or(limits.queued_bytes, |bytes| NonZeroUsize::new(to_usize(bytes)));
    }
    let inflight = given(&mut fields, "inflight").and_then(|node| reader.integer(node, 1..65_536));
    limits.inflight = inflight.and_then(|number| u16::try_from(number).ok()).unwrap_or(limits.inflight);
    let timeout = given(&mut fields, "connect_timeout").and_then(|node| reader.interval(node));
    limits.connect_timeout = timeout.unwrap_or(limits.connect_timeout);
    fields.finish(&mut reader.findings);
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
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
