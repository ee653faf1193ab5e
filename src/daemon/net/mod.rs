//! Sockets: where they listen, and what stands between them and MQTT's bytes.

mod bind;

pub(in crate::daemon) use bind::bind;
