//! The functions that read devices. Each notes what it read.

use std::sync::Arc;

use rhai::{Dynamic, Map};

use crate::model::{DeviceFilter, Value};
use crate::script::evaluation::convert::from_dynamic;
use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::functions::arguments::Argument::Named as NamedArgument;
use crate::script::functions::function::{Function, Kind, function};

use super::handle::DeviceHandle;
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
        let filter = from_dynamic(&Dynamic::from_map(filter.clone())).and_then(|filter| match filter {
            Value::Map(map) => DeviceFilter::read(&map),
            other => Err(format!("a map selects devices, not {}", other.kind())),
        });
        let filter = filter.map_err(|why| refuse(&why))?;
        self.reads.devices = true;
        let found = self.world.devices.select(&filter);
        let handle = |device: &Arc<_>| DeviceHandle { asked: "".into(), device: Some(Arc::clone(device)) };
        Ok(found.map(|device| Dynamic::from(handle(device))).collect())
    }
}
