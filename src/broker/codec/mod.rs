//! MQTT's bytes: what clients send, as packets, and packets as the bytes that a client of its version takes.
//!
//! It is strict: what the standard forbids is an error with the code that it names, told as soon as it can be seen, so that
//! nothing is buffered for a packet that will be refused. See docs/decisions/0014.

mod client;
mod decode;
mod decoder;
mod encode;
mod error;
mod frame;

#[cfg(test)]
mod tests;

pub use client::{Answer, ClientDecoder, Said, encode_request};
pub use decoder::{Decoder, LARGEST_FIRST};
pub use encode::{encode, publish_length};
pub use error::DecodeError;
