//! `homerule demo`: a home with simulated devices, where a minute passes each second. It takes free ports, and nothing of it is
//! left behind.

mod devices;
mod evening;
mod folder;

use std::net::{Ipv4Addr, TcpListener};

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Exit, Failure, init, print};
use crate::daemon::{self, Format, Pace};
use folder::DemoFolder;

/// Shows a home with simulated devices: a TV, lamps, a motion sensor, a washer. A minute passes each second.
///
/// Nothing of it is kept. Each other command works on it with the `--home` that it shows.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Print JSON lines for programs.
    #[arg(long)]
    json: bool,
}

/// How many times as fast as outside time passes.
const PACE: u32 = 60;

/// Where the demo's home is.
const ZONE: &str = "Europe/Berlin";

/// The hour at which it begins: the washer runs, and soon somebody watches TV.
const HOUR: i8 = 18;

/// The rule about the washer, beside the rules of a first home.
const WASHER: (&str, &str) = ("rules/washer.yaml", include_str!("washer.yaml"));

impl Demo {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let folder = DemoFolder::create()?;
        let (broker, web) = (free_port(1883)?, free_port(8330)?);
        init::write(&folder.path().join("homerule.yaml"), &settings(broker, web))?;
        for (path, text) in init::RULES.into_iter().chain([WASHER]) {
            init::write(&folder.path().join(path), text)?;
        }
        if !self.json {
            print::line(&introduction(&folder.path().display().to_string(), web));
        }
        devices::start(broker, PACE);
        let format = if self.json { Format::Json } else { Format::Text };
        let options = daemon::Options {
            home: folder.path().to_owned(),
            strict: true,
            quiet: false,
            log: None,
            format,
            pace: Some(Pace { begin: begin(), times: PACE }),
            shadow: None,
        };
        daemon::run(&options).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Exit::Well)
    }
}

/// Returns the port that people know, or else any that is free.
fn free_port(known: u16) -> Result<u16, Failure> {
    let bound =
        TcpListener::bind((Ipv4Addr::LOCALHOST, known)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let port = bound.and_then(|listener| listener.local_addr()).map(|address| address.port());
    port.map_err(|error| Failure::new(format!("no port is free: {error}")))
}

fn settings(broker: u16, web: u16) -> String {
    format!(
        "location: {{ latitude: 52.52, longitude: 13.4, timezone: {ZONE} }}\n\
         broker: {{ listen: \"127.0.0.1:{broker}\" }}\n\
         web: {{ listen: \"127.0.0.1:{web}\" }}\n\
         devices: [home/+room/+device/#]\n"
    )
}

/// Returns this evening in the demo's home.
fn begin() -> Timestamp {
    let now = Timestamp::now();
    let Ok(zone) = TimeZone::get(ZONE) else { return now };
    let today = now.to_zoned(zone).start_of_day();
    let evening = today.and_then(|day| day.checked_add(HOUR.hours()));
    evening.map_or(now, |evening| evening.timestamp())
}

fn introduction(home: &str, web: u16) -> String {
    format!(
        "A home with a TV, lamps, a motion sensor and a washer, all simulated. A minute passes each second.\n\
         Ctrl+C ends it, and nothing is kept. Its page is at http://127.0.0.1:{web}\n\
         \nIn another terminal, ask what happens and why, or switch the TV yourself:\n\
         \n    homerule status --rules --home {home}\
         \n    homerule why home/hall/light/set --home {home}\
         \n    homerule pub home/living_room/tv OFF --home {home}\n"
    )
}
