//! The MQTT broker: what clients send comes in, and what must be sent, kept and told comes out.
//!
//! Pure: no clock, socket, file or hash order. Time is a parameter and the next deadline a return value.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod access;
pub mod codec;
pub mod filter;
pub mod packet;
pub mod reason;
