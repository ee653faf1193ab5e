//! Which devices are meant: by area, kind, or what they have.

use crate::model::{Map, Name, Value};

/// Which devices are meant; all that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceFilter {
    /// The area that they are in.
    pub area: Option<Name>,
    /// What sort of thing they are.
    pub kind: Option<Name>,
    /// What they have.
    pub has: Vec<Name>,
}

impl DeviceFilter {
    /// Reads a map, as `{ area: hall, kind: light, has: [on, brightness] }`.
    ///
    /// # Errors
    /// When a key isn't one of the three, or isn't a text (`has`: or a list of texts); in words.
    pub fn read(map: &Map) -> Result<DeviceFilter, String> {
        let text = |key: &str, value: &Value| -> Result<Name, String> {
            value.as_text().map(Name::from).ok_or_else(|| format!("`{key}` takes a text, not {}", value.kind()))
        };
        let mut filter = DeviceFilter::default();
        for (key, value) in map {
            match (&**key, value) {
                ("area", value) => filter.area = Some(text("area", value)?),
                ("kind", value) => filter.kind = Some(text("kind", value)?),
                ("has", Value::List(names)) => {
                    filter.has = names.iter().map(|name| text("has", name)).collect::<Result<_, _>>()?;
                }
                ("has", value) => filter.has = vec![text("has", value)?],
                (other, _) => return Err(format!("`{other}` doesn't select devices: use `area`, `kind` and `has`")),
            }
        }
        Ok(filter)
    }
}
