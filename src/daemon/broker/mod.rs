//! The shell of our own broker: sockets, passwords and files around the pure core in [`crate::broker`].
//!
//! [`OwnBroker`] lives in the one loop and owns the core and all sockets: what a turn reads from them is handled together, and each
//! of them is written to once. What takes its time runs beside it and reports: `listeners` accept connections and shake hands,
//! `admission` checks passwords, `access_files` reads the files of users and grants when they change. `farewell` takes leave of
//! clients that are gone for the loop. `log` says what an operator should know, `view` what is asked for.

mod access_files;
mod admission;
mod farewell;
mod gate;
mod listeners;
mod log;
mod own_broker;
mod sockets;
mod stream;
mod view;
mod wakes;

pub(super) use access_files::{AccessFiles, FileProblem};
pub(super) use listeners::{Listeners, ListenersError};
pub(super) use own_broker::{OwnBroker, Parts};
pub(super) use view::{BrokerView, Counted};
