//! The shell: everything that touches the world. Sockets, files, clock and signals become [`Event`](crate::engine::Event)s
//! in one bounded queue; one loop owns the engine, and does what its effects say.

pub mod files;
