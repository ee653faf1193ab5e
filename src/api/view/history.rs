//! What a topic said over time, as programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a topic said over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "topic": "home/hall/climate", "field": "temperature", "from": "2024-06-01T00:00:00Z", "to": "2024-06-02T00:00:00Z", "found": 2,
    "points": [{ "at": "2024-06-01T06:00:00Z", "value": 18.5 }, { "at": "2024-06-01T15:00:00Z", "value": 22.0 }]
}))]
pub struct History {
    /// The topic.
    #[schema(example = "home/hall/climate")]
    pub topic: String,
    /// The path in its payload; `null`: the whole.
    #[schema(example = "temperature")]
    pub field: Option<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// How many values there were before they were thinned out.
    pub found: usize,
    /// The values, oldest first. Of numbers the highest and lowest are among them; of other values, the changes.
    pub points: Vec<Point>,
}

/// What a topic said at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: Value,
}

/// Returns at most `most` of `points`, which are sorted: the extremes of numbers, the changes of other values.
#[must_use]
pub fn thin_out(points: Vec<Point>, most: usize) -> Vec<Point> {
    if points.len() <= most {
        return points;
    }
    if points.iter().all(|point| point.value.is_number()) {
        return extremes(&points, most);
    }
    let mut changes: Vec<Point> = Vec::new();
    for point in points {
        if changes.last().is_none_or(|last| last.value != point.value) {
            changes.push(point);
        }
    }
    evenly(changes, most)
}

/// Returns the lowest and highest number of each of equal parts.
fn extremes(points: &[Point], most: usize) -> Vec<Point> {
    let number = |point: &Point| point.value.as_f64().unwrap_or_default();
    let by_number = |a: &&(usize, &Point), b: &&(usize, &Point)| number(a.1).total_cmp(&number(b.1));
    let parts = most / 2;
    if parts == 0 {
        return points.last().cloned().into_iter().collect();
    }
    let length = points.len().div_ceil(parts).max(1);
    let numbered: Vec<(usize, &Point)> = points.iter().enumerate().collect();
    let mut kept = Vec::new();
    for part in numbered.chunks(length) {
        let low = part.iter().min_by(by_number);
        let high = part.iter().max_by(by_number);
        kept.extend(low.into_iter().chain(high).map(|(index, _)| *index));
    }
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().filter_map(|index| points.get(index)).cloned().collect()
}

/// Returns about every n-th, the first and the last among them.
fn evenly(points: Vec<Point>, most: usize) -> Vec<Point> {
    let count = points.len();
    if count <= most {
        return points;
    }
    let last = count - 1;
    let wanted = |index: usize| if most < 2 { last } else { index * last / (most - 1) };
    (0..most).filter_map(|index| points.get(wanted(index)).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: i64, value: Value) -> Point {
        Point { at: Timestamp::from_second(second).unwrap(), value }
    }

    #[test]
    fn the_highest_and_the_lowest_number_stay() {
        let mut points: Vec<Point> = (0..10_000).map(|second| point(second, (second % 7).into())).collect();
        points[1234].value = 500.into();
        points[8765].value = (-500).into();
        for most in [2, 3, 50, 501] {
            let thin = thin_out(points.clone(), most);
            assert!(thin.len() <= most, "{most}: {}", thin.len());
            assert!(thin.is_sorted_by_key(|point| point.at));
            assert!(thin.contains(&points[1234]) && thin.contains(&points[8765]), "{most}");
        }
        assert_eq!(thin_out(points.clone(), 1), points[9999..]);
        assert_eq!(thin_out(points.clone(), 10_000), points);
    }

    #[test]
    fn of_states_the_changes_stay() {
        let points: Vec<Point> = (0..1000).map(|second| point(second, (second >= 500).into())).collect();
        let thin = thin_out(points, 10);
        assert_eq!(thin, [point(0, false.into()), point(500, true.into())]);
    }
}
