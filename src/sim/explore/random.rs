//! Chance from a seed: the same on every machine (splitmix64).

/// A source of numbers that follow from a seed.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Random(u64);

impl Random {
    pub(in crate::sim) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(in crate::sim) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`; 0 where there is none.
    pub(in crate::sim) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Returns whether it's one of `in_so_many` times.
    pub(in crate::sim) fn is_one_in(&mut self, in_so_many: usize) -> bool {
        self.below(in_so_many) == 0
    }

    /// Returns one of `items`.
    pub(in crate::sim) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len());
        items.get(index)
    }
}
