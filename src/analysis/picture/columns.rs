//! In which column each box of a picture stands.

/// Arrows, by the places of their boxes.
type Pairs = Vec<(usize, usize)>;

/// Splits arrows into those that go forward, and those that close a circle.
pub(super) fn split(count: usize, pairs: Pairs) -> (Pairs, Pairs) {
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut has_before = vec![false; count];
    for (from, to) in &pairs {
        if let Some(list) = behind.get_mut(*from) {
            list.push(*to);
        }
        if let Some(known) = has_before.get_mut(*to) {
            *known = true;
        }
    }
    // 0: not seen; 1: on the way; 2: done. What nothing leads to comes first.
    let mut states = vec![0_u8; count];
    let mut circles = Vec::new();
    let sources = (0..count).filter(|place| has_before.get(*place) == Some(&false));
    for first in sources.chain(0..count) {
        let mut way: Vec<(usize, usize)> = vec![(first, 0)];
        while let Some((place, next)) = way.last_mut() {
            let place = *place;
            let Some(state) = states.get_mut(place) else { break };
            if *next == 0 {
                if *state != 0 {
                    way.pop();
                    continue;
                }
                *state = 1;
            }
            let near = behind.get(place).and_then(|list| list.get(*next)).copied();
            *next += 1;
            match near {
                None => {
                    *state = 2;
                    way.pop();
                }
                Some(near) => match states.get(near) {
                    Some(0) => way.push((near, 0)),
                    Some(1) => circles.push((place, near)),
                    Some(_) | None => {}
                },
            }
        }
    }
    circles.sort_unstable();
    pairs.into_iter().partition(|pair| circles.binary_search(pair).is_err())
}

/// Returns the column of each box: behind all that lead to it, and right before what it leads to if nothing leads to it.
pub(super) fn columns(count: usize, forward: &[(usize, usize)]) -> Vec<usize> {
    let mut columns = vec![0_usize; count];
    let mut waits = vec![0_usize; count];
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in forward {
        if let (Some(list), Some(known)) = (behind.get_mut(*from), waits.get_mut(*to)) {
            list.push(*to);
            *known += 1;
        }
    }
    let sources: Vec<usize> = (0..count).filter(|place| waits.get(*place) == Some(&0)).collect();
    let mut open = sources.clone();
    while let Some(place) = open.pop() {
        let column = columns.get(place).copied().unwrap_or_default();
        for near in behind.get(place).into_iter().flatten() {
            if let (Some(known), Some(left)) = (columns.get_mut(*near), waits.get_mut(*near)) {
                *known = (column + 1).max(*known);
                *left -= 1;
                if *left == 0 {
                    open.push(*near);
                }
            }
        }
    }
    for place in sources {
        let next = behind.get(place).into_iter().flatten().filter_map(|near| columns.get(*near)).min().copied();
        if let (Some(next), Some(column)) = (next, columns.get_mut(place)) {
            *column = next.saturating_sub(1);
        }
    }
    columns
}
