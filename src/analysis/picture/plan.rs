//! Where the boxes of a picture stand: in columns from left to right, in the direction in which messages go. What hangs
//! together stands together, one part below the other; arrows over several columns have a lane of their own; and within a
//! column, boxes stand near what they are joined to. It takes time in proportion to boxes and arrows.

use std::collections::BTreeMap;

use super::Picture;
use super::columns::{columns, split};
use super::drawing::{LANE, MARGIN, height_of};

/// The room between boxes.
const BETWEEN: i64 = 14;

/// How often the order in the columns is improved.
const ROUNDS: usize = 6;

/// Something that has a place in a column: a box, or an arrow that goes through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spot {
    pub(super) column: usize,
    pub(super) height: i64,
    /// Its middle.
    pub(super) y: i64,
}

/// The plan of a picture.
pub(super) struct Plan {
    /// The boxes by their place, and behind them the lanes of arrows.
    pub(super) spots: Vec<Spot>,
    /// What is joined to each spot in the columns before and behind it.
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
    /// The lanes of the arrow between two boxes.
    pub(super) lanes: BTreeMap<(usize, usize), Vec<usize>>,
    /// The arrows that close a circle.
    pub(super) goes_back: Vec<(usize, usize)>,
    /// The spots that hang together, each in its columns, in order.
    parts: Vec<Vec<Vec<usize>>>,
}

impl Plan {
    pub(super) fn new(picture: &Picture) -> Plan {
        let count = picture.boxes.len();
        let mut pairs: Vec<(usize, usize)> = picture.arrows.iter().map(|(from, to, _)| (*from, *to)).collect();
        pairs.dedup();
        let (forward, goes_back) = split(count, pairs);
        let columns = columns(count, &forward);
        let spot =
            |(found, column): (&super::PictureBox, &usize)| Spot { column: *column, height: height_of(found), y: 0 };
        let spots: Vec<Spot> = picture.boxes.iter().zip(&columns).map(spot).collect();
        let empty = vec![Vec::new(); count];
        let mut plan =
            Plan { spots, before: empty.clone(), behind: empty, lanes: BTreeMap::new(), goes_back, parts: Vec::new() };
        for (from, to) in forward {
            plan.join(from, to);
        }
        plan.part(&picture.arrows.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>());
        plan
    }

    /// Joins two boxes, with a lane through each column between.
    fn join(&mut self, from: usize, to: usize) {
        let column = |plan: &Plan, place: usize| plan.spots.get(place).map_or(0, |spot| spot.column);
        let mut last = from;
        let mut lanes = Vec::new();
        for column in column(self, from) + 1..column(self, to) {
            let lane = self.spots.len();
            self.spots.push(Spot { column, height: LANE, y: 0 });
            self.before.push(Vec::new());
            self.behind.push(Vec::new());
            self.link(last, lane);
            lanes.push(lane);
            last = lane;
        }
        self.link(last, to);
        self.lanes.insert((from, to), lanes);
    }

    fn link(&mut self, from: usize, to: usize) {
        if let Some(list) = self.behind.get_mut(from) {
            list.push(to);
        }
        if let Some(list) = self.before.get_mut(to) {
            list.push(from);
        }
    }

    /// Finds what hangs together, in the order of its first box.
    fn part(&mut self, pairs: &[(usize, usize)]) {
        let mut beside: Vec<Vec<usize>> =
            self.before.iter().zip(&self.behind).map(|(a, b)| [a.as_slice(), b].concat()).collect();
        for (from, to) in pairs {
            for (one, other) in [(*from, *to), (*to, *from)] {
                if let Some(list) = beside.get_mut(one) {
                    list.push(other);
                }
            }
        }
        let mut is_known = vec![false; self.spots.len()];
        for first in 0..self.spots.len() {
            let mut open = vec![first];
            let mut part: Vec<usize> = Vec::new();
            while let Some(place) = open.pop() {
                let Some(known) = is_known.get_mut(place) else { continue };
                if !std::mem::replace(known, true) {
                    part.push(place);
                    open.extend(beside.get(place).into_iter().flatten());
                }
            }
            if part.is_empty() {
                continue;
            }
            part.sort_unstable();
            let mut columns: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for place in part {
                let column = self.spots.get(place).map_or(0, |spot| spot.column);
                columns.entry(column).or_default().push(place);
            }
            self.parts.push(columns.into_values().collect());
        }
    }

    /// Puts the spots of each part into an order with few crossings, and each near what it is joined to.
    pub(super) fn order(&mut self) {
        let mut top = MARGIN;
        for mut part in std::mem::take(&mut self.parts) {
            for column in &part {
                self.stack(column);
            }
            for round in 0..ROUNDS {
                let is_forward = round % 2 == 0;
                let count = part.len();
                for index in 0..count {
                    let index = if is_forward { index } else { count - 1 - index };
                    if let Some(column) = part.get_mut(index) {
                        column.sort_by_key(|place| self.wish(*place, is_forward));
                        self.stack(column);
                    }
                }
            }
            for round in 0..ROUNDS {
                let is_forward = round % 2 == 0;
                for index in 0..part.len() {
                    let index = if is_forward { index } else { part.len() - 1 - index };
                    if let Some(column) = part.get(index) {
                        self.settle(column, is_forward);
                    }
                }
            }
            top = self.shift(&part, top);
        }
    }

    /// Returns where a spot would stand best: in the middle of what it is joined to, where it stands already otherwise.
    fn wish(&self, place: usize, is_forward: bool) -> i64 {
        let joined = if is_forward { self.before.get(place) } else { self.behind.get(place) };
        let heights = joined.into_iter().flatten().filter_map(|near| self.spots.get(*near)).map(|spot| spot.y);
        let (sum, count) = heights.fold((0, 0), |(sum, count), y| (sum + y, count + 1));
        if count == 0 { self.spots.get(place).map_or(0, |spot| spot.y) } else { sum / count }
    }

    /// Puts the spots of a column below each other, around zero.
    fn stack(&mut self, column: &[usize]) {
        let height = |plan: &Plan, place: &usize| plan.spots.get(*place).map_or(0, |spot| spot.height) + BETWEEN;
        let whole: i64 = column.iter().map(|place| height(self, place)).sum();
        let mut y = -whole / 2;
        for place in column {
            let room = height(self, place);
            if let Some(spot) = self.spots.get_mut(*place) {
                spot.y = y + room / 2;
            }
            y += room;
        }
    }

    /// Moves the spots of a column to where they would stand best, as far as their order and the room between them lets them:
    /// those that would overlap stand together around the middle of their wishes.
    fn settle(&mut self, column: &[usize], is_forward: bool) {
        // What is above each spot in its column, were they all together.
        let mut offset = 0;
        let mut blocks: Vec<(i64, i64)> = Vec::new(); // the sum of wishes, and how many
        let mut offsets = Vec::new();
        for place in column {
            let height = self.spots.get(*place).map_or(0, |spot| spot.height);
            offsets.push(offset + height / 2);
            let mut block = (self.wish(*place, is_forward) - offset - height / 2, 1);
            while let Some(last) = blocks.last().copied() {
                if last.0 * block.1 < block.0 * last.1 {
                    break;
                }
                blocks.pop();
                block = (block.0 + last.0, block.1 + last.1);
            }
            blocks.push(block);
            offset += height + BETWEEN;
        }
        let levels = blocks.iter().flat_map(|(sum, count)| (0..*count).map(move |_| sum / count));
        for ((place, offset), level) in column.iter().zip(offsets).zip(levels) {
            if let Some(spot) = self.spots.get_mut(*place) {
                spot.y = level + offset;
            }
        }
    }

    /// Moves a part below what is above, and returns where the next one begins.
    fn shift(&mut self, part: &[Vec<usize>], top: i64) -> i64 {
        let all = || part.iter().flatten();
        let edge = |place: &usize| self.spots.get(*place).map(|spot| spot.y - spot.height / 2);
        let by = top - all().filter_map(edge).min().unwrap_or_default();
        let mut bottom = top;
        for place in all() {
            if let Some(spot) = self.spots.get_mut(*place) {
                spot.y += by;
                bottom = bottom.max(spot.y + spot.height / 2);
            }
        }
        let has_back = self.goes_back.iter().any(|(from, _)| all().any(|place| place == from));
        bottom + BETWEEN + if has_back { 30 } else { 8 }
    }
}
