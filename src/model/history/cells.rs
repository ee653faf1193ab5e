//! Cells: the stretches of time into which old samples are thinned.

/// How many cells there are in the time that is as long as they are old.
const CELLS: i64 = 256;

/// A second, in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// The widths of cells, in nanoseconds: each is a multiple of the one before, all divide an hour, and those of up to a
/// quarter of an hour divide any zone's offset. So the local day begins with a cell.
const WIDTHS: [i64; 16] = [
    48_828_125,
    146_484_375,
    439_453_125,
    878_906_250,
    1_757_812_500,
    3_515_625_000,
    7_031_250_000,
    14_062_500_000,
    28_125_000_000,
    56_250_000_000,
    112_500_000_000,
    225 * SECOND,
    450 * SECOND,
    900 * SECOND,
    1800 * SECOND,
    3600 * SECOND,
];

/// Returns how wide the cells of samples are that are so old.
pub(super) fn width(age: i64) -> i64 {
    let [narrowest, ..] = WIDTHS;
    WIDTHS.into_iter().rev().find(|width| age / CELLS >= *width).unwrap_or(narrowest)
}

/// Returns where the cell begins in which `at` lies.
pub(super) fn start(at: i64, width: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(width))
}

/// Returns whether what is from `start` until `end` lies in one cell.
pub(super) fn is_within_one(start_at: i64, end: i64, width: i64) -> bool {
    start(start_at, width) == start(end.saturating_sub(1).max(start_at), width)
}

/// When a list that grows is thinned next: so that each sample is looked at only a few times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NextPass(usize);

impl NextPass {
    /// Returns the pass over a list that may have `limit` items before.
    pub(super) fn at(limit: usize) -> NextPass {
        NextPass(limit)
    }

    /// Returns whether a list of this length is to be thinned now.
    pub(super) fn is_due(self, length: usize) -> bool {
        length > self.0
    }

    /// Returns the pass after one that left a list of this length.
    pub(super) fn after(length: usize, limit: usize) -> NextPass {
        NextPass((length + length / 4 + 64).max(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lie_within_wider_cells_and_divide_an_hour() {
        for pair in WIDTHS.windows(2) {
            assert_eq!(pair[1] % pair[0], 0, "{pair:?}");
        }
        assert!(WIDTHS.iter().all(|width| 3600 * SECOND % width == 0));
    }

    #[test]
    fn a_cell_is_at_most_a_256th_as_wide_as_it_is_old() {
        for minutes in [1, 7, 60, 24 * 60, 31 * 24 * 60] {
            let age = minutes * 60 * SECOND;
            assert!(width(age) * CELLS <= age, "{minutes}");
            assert!(width(age) * CELLS * 4 > age || width(age) == 3600 * SECOND, "{minutes}");
        }
        assert_eq!(width(0), WIDTHS[0]);
    }
}
