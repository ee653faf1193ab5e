//! How much is written: SD cards and built-in flash memory wear out by it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use super::patient::Patient;
use crate::model::format_size;

/// How long must be counted before it says something about a day, in seconds.
const ENOUGH: f64 = 3600.0;

const DAY: f64 = 86_400.0;

/// The kernel counts in sectors of this size, whatever the disk has.
const SECTOR: u64 = 512;

/// With this a day, a card of 32 GB whose cells take a thousand writes lasts eight years, and two where small writes cost four times
/// their size.
const MUCH: u64 = 10 << 30;

/// Of ten tenths of its life, a chip tells which one it is in.
const OLD: u32 = 9;

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let Some(device) = Device::of(patient.disk()) else {
        return vec![Finding::ok("what is written to this kind of disk isn't counted")];
    };
    let own = daemon_writes(patient).map(|bytes| format!(", of it {} by homerule", size(bytes)));
    let mut found = Vec::new();
    match (device.written(), uptime()) {
        (Some(bytes), Some(uptime)) if uptime >= ENOUGH => {
            found.push(look(&device, per_day(bytes, uptime), own.as_deref().unwrap_or_default()));
        }
        (Some(_), _) => found.push(Finding::ok(format!(
            "{} counts for less than an hour: too short to say how much is written a day",
            device.name()
        ))),
        (None, _) => found.push(Finding::ok(format!("{} doesn't count what is written", device.name()))),
    }
    found.extend(device.age());
    found
}

fn look(device: &Device, daily: u64, own: &str) -> Finding {
    let message = format!("{} a day are written to {}{own}", size(daily), device.name());
    if device.wears() && daily > MUCH {
        return Finding::warning(
            message,
            "a card wears out by this: see with `iotop -ao` what writes, record less (`recorder.exclude`), or move `data:` to another disk",
        );
    }
    Finding::ok(message)
}

/// A disk as the kernel shows it.
struct Device(PathBuf);

impl Device {
    /// Returns the disk that `folder` is on; `None` where it isn't one disk: a file system in memory, over a network, of several.
    fn of(folder: &Path) -> Option<Device> {
        let id = fs::metadata(folder).ok()?.dev();
        let link = format!("/sys/dev/block/{}:{}", rustix::fs::major(id), rustix::fs::minor(id));
        let part = fs::canonicalize(link).ok()?;
        // What wears is the whole disk, of which this is perhaps a partition.
        let whole = if part.join("partition").exists() { part.parent()?.to_owned() } else { part };
        Some(Device(whole))
    }

    fn name(&self) -> String {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("mmcblk") { format!("{name}, a card or eMMC") } else { name.into_owned() }
    }

    fn wears(&self) -> bool {
        self.0.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mmcblk"))
    }

    /// Returns how many bytes were written since the system's start.
    fn written(&self) -> Option<u64> {
        written_of(&fs::read_to_string(self.0.join("stat")).ok()?)
    }

    /// Returns what a chip says of its age.
    fn age(&self) -> Option<Finding> {
        let told = fs::read_to_string(self.0.join("device/life_time")).ok()?;
        let tenth = tenth_of_life(&told)?;
        Some(if tenth >= OLD {
            Finding::warning(
                format!("{} is at {}0 % of its life", self.name(), tenth.min(10)),
                "replace it soon, and keep a `homerule backup` elsewhere",
            )
        } else {
            Finding::ok(format!("{} is at less than {tenth}0 % of its life", self.name()))
        })
    }
}

/// Returns the written bytes of a disk's `stat` (the kernel's Documentation/block/stat.rst).
fn written_of(stat: &str) -> Option<u64> {
    stat.split_whitespace().nth(6)?.parse::<u64>().ok()?.checked_mul(SECTOR)
}

/// Returns in which tenth of its life a chip is: of its two kinds of memory, the one that is worn more.
fn tenth_of_life(told: &str) -> Option<u32> {
    let tenth = |word: &str| u32::from_str_radix(word.trim_start_matches("0x"), 16).ok();
    told.split_whitespace().filter_map(tenth).max().filter(|tenth| *tenth > 0)
}

fn uptime() -> Option<f64> {
    fs::read_to_string("/proc/uptime").ok()?.split_whitespace().next()?.parse().ok()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an estimate for people"
)]
fn per_day(bytes: u64, seconds: f64) -> u64 {
    (bytes as f64 / seconds * DAY) as u64
}

/// Returns how much the daemon writes a day; `None` where it doesn't run, or the system doesn't tell us.
fn daemon_writes(patient: &Patient) -> Option<u64> {
    let uptime = patient.daemon.as_ref()?.uptime;
    let process = patient.process?;
    let written = written_by(&fs::read_to_string(format!("/proc/{process}/io")).ok()?)?;
    (uptime >= ENOUGH).then(|| per_day(written, uptime))
}

fn written_by(io: &str) -> Option<u64> {
    io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.trim().parse().ok()
}

fn size(bytes: u64) -> String {
    format_size(usize::try_from(bytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_read() {
        assert_eq!(written_of("  100  0  2000  5  300  0  4096  9  0  1  2\n"), Some(4096 * 512));
        assert_eq!(tenth_of_life("0x02 0x0b\n"), Some(11));
        assert_eq!(tenth_of_life("0x00 0x00\n"), None);
        assert_eq!(written_by("rchar: 5\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n"), Some(8192));
        assert_eq!(per_day(1000, 43_200.0), 2000);
    }
}
