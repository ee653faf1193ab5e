//! The functions that read devices. Each notes what it read.

use std::sync::Arc;

use rhai::{Dynamic, Map};

use crate::model::Name;
use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::functions::arguments::Argument::Named as NamedArgument;
use crate::script::functions::function::{Function, Kind, function};

use super::handle::DeviceHandle;
use super::known::DeviceFilter;
use super::reading;

/// The functions.
pub(in crate::script) static ROWS: [Function; 2] = [
    function(
        "device",
        1,
        1,
        "device(\"Hall lamp\").brightness",
        "A device by its name or id: what it last said of each property, and `name`, `id`, `area`, `kind`, `available`, `age` \
         (seconds since it spoke) and `properties`.",
    )
    .reads()
    .takes(&[NamedArgument("the name of a device")])
    .by(|row| {
        let (loan, items) = (row.loan(), row.items());
        reading::register(row.engine(), &loan, items);
        row.add(move |name: &str| loan.with(|lent| lent.device(name)));
    }),
    function(
        "devices",
        1,
        1,
        "devices(#{ area: \"hall\", has: \"on\" })",
        "The devices that fit, by `area`, `kind` and what they have (`has`, one name or a list).",
    )
    .reads()
    .gives(Kind::List)
    .by(|row| {
        let loan = row.loan();
        row.add(move |filter: Map| loan.with(|lent| lent.devices(&filter)));
    }),
];

impl Lent {
    fn devices(&mut self, filter: &Map) -> Result<rhai::Array, Refusal> {
        let filter = read_filter(filter)?;
        self.reads.devices = true;
        let found = self.world.devices.select(&filter);
        let handle = |device: &Arc<_>| DeviceHandle { asked: "".into(), device: Some(Arc::clone(device)) };
        Ok(found.map(|device| Dynamic::from(handle(device))).collect())
    }
}

fn read_filter(map: &Map) -> Result<DeviceFilter, Refusal> {
    let text = |key: &str, value: &Dynamic| -> Result<Name, Refusal> {
        let text = value.as_immutable_string_ref().map_err(|_| refuse(&format!("`{key}` takes a text")))?;
        Ok(text.as_str().into())
    };
    let mut filter = DeviceFilter::default();
    for (key, value) in map {
        match key.as_str() {
            "area" => filter.area = Some(text("area", value)?),
            "kind" => filter.kind = Some(text("kind", value)?),
            "has" => match value.as_array_ref() {
                Ok(names) => filter.has = names.iter().map(|name| text("has", name)).collect::<Result<_, _>>()?,
                Err(_) => filter.has = vec![text("has", value)?],
            },
            other => return Err(refuse(&format!("`{other}` doesn't select devices: use `area`, `kind` and `has`"))),
        }
    }
    Ok(filter)
}
