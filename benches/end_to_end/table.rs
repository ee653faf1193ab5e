//! The table: a line for each target, printed as it is measured.

use std::time::Duration;

use super::load::{Measured, burst, closed_loop, open_loop};
use super::process::Process;
use super::{Row, busy};

/// How many messages a burst has.
const BURST: usize = 10;

/// How often a burst is sent; the slowest counts.
const BURSTS: usize = 5;

/// The table.
pub(crate) struct Table {
    /// The bare hop at each `QoS`.
    bare: [Option<Bare>; 2],
    faults: Vec<String>,
}

/// The bare hop: at 1,000 messages a second, and how many a second it forwards.
#[derive(Clone, Copy)]
struct Bare {
    median: Duration,
    p99: Duration,
    rate: f64,
}

impl Table {
    /// Begins it.
    pub(crate) fn new() -> Table {
        println!(
            "{:<27} {:>17} {:>17} {:>11} {:>9} {:>13} {:>9} {:>8} {:>7}",
            "latency in µs: p50/p99/max",
            "100/s",
            "1,000/s",
            "to bare",
            "1 flying",
            "64 flying",
            "1,024",
            "burst",
            "CPU µs"
        );
        Table { bare: [None; 2], faults: Vec::new() }
    }

    /// Measures a target that runs in these processes.
    pub(crate) fn measure(&mut self, row: &Row, processes: &[&Process], is_bare: bool) {
        let Row { name, route } = row;
        // The first messages make room, fill caches, and wake the processors.
        let _ = closed_loop(route, 64, Duration::from_millis(500));
        let slow = open_loop(route, Duration::from_millis(10), Duration::from_secs(2));
        let fast = open_loop(route, Duration::from_millis(1), Duration::from_secs(3));
        let one = closed_loop(route, 1, Duration::from_millis(500));
        let before = busy(processes);
        let many = closed_loop(route, 64, Duration::from_millis(1500));
        let used = busy(processes).saturating_sub(before);
        let most = closed_loop(route, 1024, Duration::from_secs(1));
        let burst = (0..BURSTS).map(|_| burst(route, BURST)).max().unwrap();
        let this = Bare { median: fast.quantile(0.5), p99: fast.quantile(0.99), rate: many.rate() };
        if is_bare {
            self.bare[usize::from(route.qos)] = Some(this);
        }
        let bare = self.bare[usize::from(route.qos)];
        let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        let to_bare = bare.map_or_else(String::new, |bare| {
            format!("{:.2}/{:.2}", ratio(this.median, bare.median), ratio(this.p99, bare.p99))
        });
        let rate = bare.map_or_else(
            || format!("{:.0}", this.rate),
            |bare| format!("{:.0} ({:.2})", this.rate, this.rate / bare.rate),
        );
        println!(
            "{name:<27} {:>17} {:>17} {to_bare:>11} {:>9.0} {rate:>13} {:>9.0} {:>8} {:>7.1}",
            latencies(&slow),
            latencies(&fast),
            one.rate(),
            most.rate(),
            burst.as_micros(),
            used.as_secs_f64() * 1e6 / f64::from(u32::try_from(many.latencies.len().max(1)).unwrap()),
        );
        for (load, measured) in [("100/s", slow), ("1,000/s", fast), ("1", one), ("64", many), ("1,024", most)] {
            self.note(name, load, &measured);
        }
    }

    fn note(&mut self, name: &str, load: &str, measured: &Measured) {
        let Measured { lost, doubled, unacknowledged, .. } = measured;
        if lost + doubled + unacknowledged > 0 {
            self.faults
                .push(format!("{name}, {load}: {lost} lost, {doubled} doubled, {unacknowledged} not acknowledged"));
        }
    }

    /// Says what was lost or doubled.
    pub(crate) fn end(self) {
        match self.faults.as_slice() {
            [] => println!("Nothing was lost or doubled."),
            faults => faults.iter().for_each(|fault| println!("{fault}")),
        }
    }
}

fn latencies(measured: &Measured) -> String {
    let [median, p99, most] = [0.5, 0.99, 1.0].map(|part| measured.quantile(part).as_micros());
    format!("{median}/{p99}/{most}")
}
