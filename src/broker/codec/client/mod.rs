//! The other side of the wire: what a broker sends, as packets, and packets as a broker reads them. For our own link to
//! another broker.

mod decode;
mod encode;

#[cfg(test)]
mod tests;

pub use decode::{Answer, ClientDecoder, Said};
pub use encode::encode_request;
