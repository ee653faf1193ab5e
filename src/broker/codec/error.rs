//! Why what a client sent isn't a packet.

use thiserror::Error;

use crate::broker::reason::Reason;

/// Why what a client sent isn't a packet. The connection ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct DecodeError {
    /// What a client of MQTT 5.0 is told.
    pub reason: Reason,
    /// What is wrong, for people.
    pub message: &'static str,
}

impl DecodeError {
    /// Returns what breaks the form of packets (MQTT 5.0, 4.13).
    pub(super) const fn malformed(message: &'static str) -> DecodeError {
        DecodeError { reason: Reason::MalformedPacket, message }
    }

    /// Returns what is well formed, and may not be said.
    pub(super) const fn protocol(message: &'static str) -> DecodeError {
        DecodeError { reason: Reason::ProtocolError, message }
    }

    /// Returns an error with a code of its own.
    pub(super) const fn of(reason: Reason, message: &'static str) -> DecodeError {
        DecodeError { reason, message }
    }
}
