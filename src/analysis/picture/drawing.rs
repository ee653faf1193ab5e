//! A picture with all its places: where each box stands, and how each arrow runs.

use std::fmt::Write as _;

use super::plan::Plan;
use super::{Arrow, BoxKind, Picture, PictureBox};

/// The height of a line in a box and what is around it, and the room between columns and around all, in pixels.
const LINE: i64 = 16;
const AROUND: i64 = 12;
const ASIDE: i64 = 60;
pub(super) const MARGIN: i64 = 12;

/// The room that an arrow takes that goes through a column.
pub(super) const LANE: i64 = 12;

/// How wide a letter is at most, nearly, and the most letters of a line.
const LETTER: i64 = 7;
const MOST_LETTERS: usize = 44;

/// A picture with all its places.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// How wide and high it is, in pixels.
    pub size: (i64, i64),
    /// The boxes.
    pub boxes: Vec<DrawnBox>,
    /// The arrows.
    pub arrows: Vec<DrawnArrow>,
}

/// A box with its place.
#[derive(Debug, Clone)]
pub struct DrawnBox {
    /// The box.
    pub about: PictureBox,
    /// Its left upper corner.
    pub at: (i64, i64),
    /// Its width and height.
    pub size: (i64, i64),
    /// What is written into it, each line with its middle.
    pub lines: Vec<(String, i64)>,
}

/// An arrow with its way.
#[derive(Debug, Clone)]
pub struct DrawnArrow {
    /// From which box.
    pub from: usize,
    /// To which.
    pub to: usize,
    /// What it says.
    pub arrow: Arrow,
    /// Its way, as `d` of an SVG path.
    pub path: String,
}

impl DrawnBox {
    /// Returns how round its corners are.
    #[must_use]
    pub fn round(&self) -> u8 {
        match self.about.kind {
            BoxKind::Rule => 8,
            BoxKind::Topic | BoxKind::Device => 2,
            BoxKind::Input => 14,
            BoxKind::Invariant => 0,
        }
    }

    /// Returns where its lines have their middle.
    #[must_use]
    pub fn middle(&self) -> i64 {
        self.at.0 + self.size.0 / 2
    }
}

impl Picture {
    /// Returns the picture with all its places.
    #[must_use]
    pub fn draw(&self) -> Drawing {
        let mut plan = Plan::new(self);
        plan.order();
        let widths = self.widths(&plan);
        let mut x = MARGIN;
        let mut starts = Vec::new();
        for width in &widths {
            starts.push(x);
            x += width + ASIDE;
        }
        let boxes: Vec<DrawnBox> =
            self.boxes.iter().enumerate().map(|(place, found)| plan.draw_box(place, found, &starts)).collect();
        let arrows = self.arrows.iter().map(|key| plan.draw_arrow(*key, &boxes, &starts, &widths)).collect();
        let right = boxes.iter().map(|found| found.at.0 + found.size.0).max().unwrap_or_default();
        let bottom = plan.spots.iter().map(|spot| spot.y + spot.height / 2).max().unwrap_or_default();
        // Arrows that go back run below.
        let below = if plan.goes_back.is_empty() { MARGIN } else { MARGIN + 30 };
        Drawing { size: (right + MARGIN, bottom + below), boxes, arrows }
    }

    /// Returns how wide each column is.
    fn widths(&self, plan: &Plan) -> Vec<i64> {
        let columns = plan.spots.iter().map(|spot| spot.column + 1).max().unwrap_or_default();
        let mut widths = vec![0; columns];
        for (place, found) in self.boxes.iter().enumerate() {
            if let Some(width) = plan.spots.get(place).and_then(|spot| widths.get_mut(spot.column)) {
                *width = width_of(found).max(*width);
            }
        }
        widths
    }
}

fn width_of(found: &PictureBox) -> i64 {
    let longest = found.lines().map(|line| shorten(line).chars().count()).max().unwrap_or_default();
    i64::try_from(longest).unwrap_or_default() * LETTER + 20
}

pub(super) fn height_of(found: &PictureBox) -> i64 {
    i64::try_from(found.lines().count()).unwrap_or(1) * LINE + AROUND
}

/// Returns a line that fits: of a long one its begin and its end.
fn shorten(line: &str) -> String {
    let count = line.chars().count();
    if count <= MOST_LETTERS {
        return line.to_owned();
    }
    let half = MOST_LETTERS / 2;
    let begin: String = line.chars().take(half).collect();
    let end: String = line.chars().skip(count - half).collect();
    format!("{begin}…{end}")
}

impl Plan {
    fn draw_box(&self, place: usize, found: &PictureBox, starts: &[i64]) -> DrawnBox {
        let spot = self.spots.get(place).copied().unwrap_or_default();
        let x = starts.get(spot.column).copied().unwrap_or_default();
        let top = spot.y - spot.height / 2;
        let first = top + i64::midpoint(AROUND, LINE);
        let lines = (0..).zip(found.lines()).map(|(index, line)| (shorten(line), first + index * LINE)).collect();
        DrawnBox { about: found.clone(), at: (x, top), size: (width_of(found), spot.height), lines }
    }

    /// Returns the way of an arrow: to the right as a bow through its lanes, or back around below.
    fn draw_arrow(&self, key: (usize, usize, Arrow), boxes: &[DrawnBox], starts: &[i64], widths: &[i64]) -> DrawnArrow {
        let (from, to, arrow) = key;
        let mut path = String::new();
        if let (Some(one), Some(other)) = (boxes.get(from), boxes.get(to)) {
            path = match self.lanes.get(&(from, to)) {
                Some(lanes) => self.bow(one, other, lanes, starts, widths),
                None => back(one, other),
            };
        }
        DrawnArrow { from, to, arrow, path }
    }

    fn bow(&self, one: &DrawnBox, other: &DrawnBox, lanes: &[usize], starts: &[i64], widths: &[i64]) -> String {
        let (mut x, mut y) = (one.at.0 + one.size.0, one.at.1 + one.size.1 / 2);
        let mut path = format!("M{x} {y}");
        // Writing into a text never fails, here and below.
        let bend = |path: &mut String, x: &mut i64, y: &mut i64, to: (i64, i64)| {
            // A short box leaves room before the next column: the bend is beside that.
            let begin = *x.max(&mut (to.0 - ASIDE));
            if begin > *x {
                let _ = write!(path, "H{begin}");
            }
            let half = begin.midpoint(to.0);
            let _ = write!(path, "C{half} {y} {half} {} {} {}", to.1, to.0, to.1);
            (*x, *y) = to;
        };
        for lane in lanes {
            let Some(spot) = self.spots.get(*lane) else { continue };
            let start = starts.get(spot.column).copied().unwrap_or_default();
            bend(&mut path, &mut x, &mut y, (start, spot.y));
            x = start + widths.get(spot.column).copied().unwrap_or_default();
            let _ = write!(path, "H{x}");
        }
        bend(&mut path, &mut x, &mut y, (other.at.0, other.at.1 + other.size.1 / 2));
        path
    }
}

/// Returns a way back around below.
fn back(one: &DrawnBox, other: &DrawnBox) -> String {
    let (start, end) = (one.at.0 + one.size.0 / 2, other.at.0 + other.size.0 / 2);
    let (low, high) = (one.at.1 + one.size.1, other.at.1 + other.size.1);
    // An arrow to itself is a loop.
    let (start, end) = if start == end { (start + 20, end - 20) } else { (start, end) };
    let below = low.max(high) + 30;
    format!("M{start} {low}C{start} {below} {end} {below} {end} {high}")
}
