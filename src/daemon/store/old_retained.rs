//! Retained messages as versions before our own broker kept them: a time in microseconds (8 bytes), a `QoS` (one), and the payload.
//! They are read once, and kept by the broker from then on.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::daemon::mqtt::Retained;
use crate::model::Qos;

/// How the keys begin.
pub(super) const OLD_RETAINED: &str = "retained/";

/// Reads a row; `None` where it is none.
pub(super) fn from_row(topic: &str, row: &[u8]) -> Option<Retained> {
    let (at, rest) = row.split_first_chunk::<8>()?;
    let (qos, payload) = rest.split_first()?;
    Some(Retained {
        topic: Arc::from(topic),
        payload: Bytes::copy_from_slice(payload),
        qos: Qos::try_from(*qos).ok()?,
        at: Timestamp::from_microsecond(i64::from_le_bytes(*at)).ok()?,
        expires_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_an_older_version_is_read_and_a_stump_is_none() {
        let at = Timestamp::from_microsecond(1_700_000_000_000_123).unwrap();
        let row = [&at.as_microsecond().to_le_bytes()[..], &[1], b"\xff\0ON"].concat();
        let payload = Bytes::from_static(b"\xff\0ON");
        let expected = Retained { topic: "home/tv".into(), payload, qos: Qos::AtLeastOnce, at, expires_at: None };
        assert_eq!(from_row("home/tv", &row), Some(expected));
        assert_eq!(from_row("home/tv", &[0; 8]), None);
        assert_eq!(from_row("home/tv", &[0, 0, 0, 0, 0, 0, 0, 0, 7, b'x']), None);
    }
}
