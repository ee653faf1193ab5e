//! WebSocket (RFC 6455) as a filter: MQTT's bytes come out of it, whatever frames they came in (MQTT 5.0, 6).
//!
//! Its own, since to MQTT frames mean nothing: libraries put a whole message together before they hand it out, and so hold up to the largest
//! packet for each peer, known or not. Here a frame's bytes go through as they come, and what is held is bounded by a few
//! kilobytes.

mod frame;
mod handshake;
mod origin;
mod stream;

pub use handshake::{HandshakeError, accept, connect};
pub use origin::Origins;
pub use stream::WebSocket;
