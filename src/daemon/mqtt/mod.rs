//! What speaks MQTT for the home, as the one loop sees it: our own broker, or a link to another one. It's the seam between the two:
//! nothing outside `daemon/mqtt`, `daemon/broker` and `daemon/link` knows which of them runs.
//!
//! A turn of the loop, in which no step but the first and the commit waits for anything:
//!
//! 1. [`Mqtt::ready`] returns once something came. It may be dropped at any time; nothing is lost.
//! 2. [`Mqtt::begin`] reads a bounded part of what came, and does what is due.
//! 3. [`Mqtt::next`] tells what happened, one thing at a time, until there is nothing more. The loop handles each before it asks for
//!    the next: the engine decides, and what rules publish goes to [`Mqtt::publish`] at once, so that all is in one order. What must
//!    survive comes as [`Happened::Keep`] in between.
//! 4. The loop writes all that the turn kept, rules' part and MQTT's, in one transaction. It takes [`Mqtt::receipt`] before.
//! 5. [`Mqtt::send`] hands to the sockets what may leave. Where rules changed something durable, that is after the commit, so that
//!    no action is seen that a restart would repeat. Otherwise it doesn't wait for the disk.
//! 6. [`Mqtt::release`] with that receipt, once the commit is done: what waited for the disk (acknowledgements towards publishers, and
//!    what must not be sent twice) leaves with the next [`Mqtt::send`]. Several commits may be on their way; they end in order.
//!
//! Times are [`Moment`]s: see there.
//!
//! What either of them has (each takes no lock, touches no disk, and waits for nothing where it isn't `async`):
//!
//! ```text
//! async fn ready(&mut self);                                  // something came; cancel safe
//! fn begin(&mut self, now: Moment);
//! fn next(&mut self, now: Moment) -> Option<Happened>;
//! fn publish(&mut self, now: Moment, outbound: Outbound<'_>); // may be called between any two `next`; doesn't come back by `next`
//! fn publish_again(&mut self, now: Moment, message: &Message); // at the start: decided before it, and may not have left
//! fn receipt(&self) -> Receipt;                               // a number that grows
//! fn release(&mut self, now: Moment, receipt: Receipt);
//! fn send(&mut self, now: Moment);
//! fn next_deadline(&self) -> Option<Timestamp>;               // by the steady clock
//! fn keep_all(&mut self, now: Moment);                        // a new database was begun: tell all that must survive by `next`
//! fn retained(&self) -> Vec<Retained>;                        // at the start, before rules begin; of a link: nothing, it comes later
//! fn is_well(&self) -> bool;                                  // for `/healthz`
//! async fn stop(&mut self, now: Moment);                      // says good-bye, and returns when that has left
//! ```
//!
//! At the start each is built from the rows that it kept: [`Happened::Keep`] of all earlier turns, folded.

mod happened;
mod moment;
mod publication;
mod retained;
mod speaker;

pub(in crate::daemon) use happened::{Came, Happened};
pub(in crate::daemon) use moment::Moment;
pub(in crate::daemon) use publication::Outbound;
pub(in crate::daemon) use retained::Retained;
pub(in crate::daemon) use speaker::Mqtt;
