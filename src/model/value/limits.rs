//! How large a value may be.

use thiserror::Error;

use super::Value;
use super::number::format_size;

/// How large one value, or several together, may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueLimits {
    /// Bytes of all texts, keys and blobs in it.
    pub bytes: usize,
    /// Items of all lists and maps in it.
    pub items: usize,
}

/// Why a value is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TooLarge {
    /// It has too many bytes.
    #[error("it has {}, and {} is the most", format_size(*.0), format_size(*.1))]
    Bytes(usize, usize),
    /// It has too many items.
    #[error("it has {} items, and {} are the most", .0, .1)]
    Items(usize, usize),
    /// It has many more items than may be.
    #[error("it has more than {} items, and {} are the most", .0, .1)]
    ManyItems(usize, usize),
    /// It is nested too deep.
    #[error("its lists and maps are nested more than {} deep", Value::DEEPEST)]
    Depth,
}

impl ValueLimits {
    /// How many times the limit is counted to, so that what is too large can be told with its size.
    const COUNTED: usize = 16;

    /// Checks values that count together.
    ///
    /// # Errors
    /// When they are too large; with how large they are.
    pub fn check<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> Result<(), TooLarge> {
        let mut count = Count { bytes: 0, items: 0, most: self.items.saturating_mul(ValueLimits::COUNTED) };
        for value in values {
            count.add(value, 0)?;
        }
        if count.items > self.items {
            return Err(TooLarge::Items(count.items, self.items));
        }
        if count.bytes > self.bytes {
            return Err(TooLarge::Bytes(count.bytes, self.bytes));
        }
        Ok(())
    }
}

/// What was counted so far.
struct Count {
    bytes: usize,
    items: usize,
    most: usize,
}

impl Count {
    fn add(&mut self, value: &Value, depth: usize) -> Result<(), TooLarge> {
        if depth > Value::DEEPEST {
            return Err(TooLarge::Depth);
        }
        let bytes = match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::List(items) => {
                self.add_items(items.len())?;
                items.iter().try_for_each(|item| self.add(item, depth + 1))?;
                0
            }
            Value::Map(entries) => {
                self.add_items(entries.len())?;
                entries.values().try_for_each(|value| self.add(value, depth + 1))?;
                entries.keys().map(|key| key.len()).sum()
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => 0,
        };
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    fn add_items(&mut self, items: usize) -> Result<(), TooLarge> {
        self.items = self.items.saturating_add(items);
        // A list that holds a list twice, which holds one twice, is small in memory and has no end.
        if self.items > self.most {
            return Err(TooLarge::ManyItems(self.most, self.most / ValueLimits::COUNTED));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LIMITS: ValueLimits = ValueLimits { bytes: 1024, items: 10 };

    fn told(json: &str) -> String {
        LIMITS
            .check([&Value::from_payload(json.as_bytes())])
            .map_or_else(|error| error.to_string(), |()| "fits".to_owned())
    }

    #[test]
    fn what_is_too_large_is_told_with_its_size() {
        assert_eq!(told("[1,2,3,4,5,6,7,8,9,10]"), "fits");
        assert_eq!(told("[1,2,3,4,5,6,7,8,9,10,11]"), "it has 11 items, and 10 are the most");
        assert_eq!(told(&format!("{{\"a\":\"{}\"}}", "x".repeat(1023))), "fits");
        assert_eq!(told(&format!("{{\"ab\":\"{}\"}}", "x".repeat(1023))), "it has 1.1 KiB, and 1 KiB is the most");
        let half = Value::text("x".repeat(600));
        assert_eq!(LIMITS.check([&half, &half]), Err(TooLarge::Bytes(1200, 1024)));
    }

    #[test]
    fn a_value_that_shares_its_parts_is_counted_as_it_would_be_written_and_not_for_ever() {
        let mut value = Value::Int(1);
        for _ in 0..60 {
            value = Value::List(Arc::new(vec![value.clone(), value]));
        }
        assert_eq!(LIMITS.check([&value]), Err(TooLarge::ManyItems(160, 10)));
    }
}
