//! `homerule explore`: a home tried a million times, and what it should never do.

mod saved;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use super::home::home_folder::meant;
use super::home::known::{add_recording, known};
use super::progress::{Progress, Reader};
use super::test::Suite;
use super::{Exit, Failure, print};
use crate::disk;
use crate::model::parse_duration;
use crate::sim::{Expected, Explore as Search, ExploreSettings, Found};

/// Tries a home again and again under virtual time: devices say what they may, time passes, the daemon stops and starts. Tells
/// what no home should do, with the shortest way there.
#[derive(Debug, Args)]
pub(super) struct Explore {
    /// The home's folder.
    #[arg(default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// What all follows from: the same seed finds the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How long to search.
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    span: Duration,
    /// Search until so many events have happened, however long that takes.
    #[arg(long, value_name = "N", conflicts_with = "span")]
    steps: Option<u64>,
    /// Write what is found as tests that fail, into this folder of the home.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Try all combinations up to so many messages, instead of some by chance.
    #[arg(long, value_name = "DEPTH")]
    bounded: Option<usize>,
    /// Let devices say what they said in this recording too.
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// Let devices say what they were never seen to say: nothing, null, texts for numbers.
    #[arg(long)]
    hostile: bool,
    /// Let a kill lose what may be kept late: the last second.
    #[arg(long)]
    lossy: bool,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
}

impl Explore {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let Some(suite) = Suite::of_home(&self.home)? else { return Ok(Exit::No) };
        let mut known = known(&self.home, &suite, &suite.settings);
        if let Some(path) = &self.recording {
            add_recording(&mut known, path).map_err(|error| unreadable(path, &error))?;
        }
        let settings = ExploreSettings {
            seed: self.seed,
            at_most: suite.settings.at_most,
            is_hostile: self.hostile,
            is_lossy: self.lossy,
            expected: Expected::of(suite.files.iter().flat_map(|file| &file.tests)),
        };
        let mut search = Search::new(&suite.rules, suite.home.options(), &Arc::new(known), &settings);
        match self.bounded {
            Some(depth) => search.all_up_to(depth),
            None => self.search(&mut search),
        }
        self.tell(&search, &suite)
    }

    /// Searches until the time is over, or so many events have happened.
    fn search(&self, search: &mut Search) {
        let reader = Reader::of(self.json);
        let progress = match self.steps {
            Some(steps) => Progress::new(reader, Some(steps)),
            None => Progress::new(reader, Some(u64::try_from(self.span.as_millis()).unwrap_or(u64::MAX))),
        };
        let begin = Instant::now();
        while !search.is_over() {
            match self.steps {
                Some(steps) if search.events() >= steps => break,
                None if begin.elapsed() >= self.span => break,
                _ => search.step(),
            }
            if search.journals().is_multiple_of(256) {
                let done = match self.steps {
                    Some(_) => search.events(),
                    None => u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
                };
                progress.reach(done, || format!("{} events, {} found", search.events(), search.found().len()));
            }
        }
        progress.clear();
    }

    fn tell(&self, search: &Search, suite: &Suite) -> Result<Exit, Failure> {
        let mut saved = Vec::new();
        if let Some(folder) = &self.save {
            for found in search.found() {
                saved.push(saved::write(search, found, folder, suite)?);
            }
        }
        if self.json {
            print::json(&self.answer(search, &saved))?;
        } else {
            for (index, found) in search.found().iter().enumerate() {
                print::line(&format!("{}", found.finding));
                for line in search.story(found) {
                    print::line(&format!("  {line}"));
                }
                if let Some(Some(path)) = saved.get(index) {
                    print::line(&format!("  {}: a test that fails until this is mended", path.display()));
                }
                print::line("");
            }
            print::line(&self.summary(search));
        }
        Ok(if search.found().is_empty() { Exit::Well } else { Exit::No })
    }

    fn summary(&self, search: &Search) -> String {
        let found = match search.found().len() {
            0 => "nothing found".to_owned(),
            1 => "1 thing found".to_owned(),
            count => format!("{count} things found"),
        };
        let (events, journals) = (search.events(), search.journals());
        if let Some(depth) = self.bounded {
            let tried = if search.is_complete() { "all " } else { "" };
            let more = if search.is_complete() { "" } else { "; there are more: try a smaller depth" };
            return format!("{found}: {tried}{journals} ways of up to {depth} steps were tried, {events} events{more}");
        }
        format!(
            "{found}: seed {}, {events} events in {journals} runs of the home (`--seed {} --steps {events}` repeats it)",
            self.seed, self.seed
        )
    }

    fn answer(&self, search: &Search, saved: &[Option<PathBuf>]) -> serde_json::Value {
        let one = |(index, found): (usize, &Found)| {
            serde_json::json!({
                "what": found.finding.to_string(),
                "steps": found.journal.entries.len(),
                "story": search.story(found),
                "event": found.at_event,
                "test": saved.get(index).and_then(Option::as_ref).map(|path| path.display().to_string()),
            })
        };
        serde_json::json!({
            "seed": self.seed,
            "events": search.events(),
            "runs": search.journals(),
            "complete": self.bounded.map(|_| search.is_complete()),
            "found": search.found().iter().enumerate().map(one).collect::<Vec<_>>(),
        })
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` can't be read: {}", path.display(), disk::reason(error)))
}
