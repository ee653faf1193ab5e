//! Sockets: where they listen, and what stands between them and MQTT's bytes.
//!
//! TLS and WebSocket are filters over streams: `AsyncRead + AsyncWrite` goes in, and one with the client's plain bytes comes out. Whoever accepts
//! a connection gives each of its handshakes a time limit.

mod bind;
mod subject;
mod tls;
pub mod websocket;

pub use bind::{bind, bind_reason};
pub use tls::{TlsError, TlsFiles, TlsGate, common_name};
