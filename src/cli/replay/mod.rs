//! `homerule replay`: feeds a recording to a home's rules, and shows what they would have published.

mod difference;
mod divergence_text;
mod git;
mod player;
mod recorded;
mod recording;
mod shown;
mod subject;

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Failure, print};
use crate::cli::home::home_folder::meant;
use crate::cli::progress::Reader;
use crate::model::TopicFilter;
use crate::sim::{Divergence, Replay as VirtualReplay};
use difference::Difference;
pub(super) use recorded::{Form, test};
pub(super) use recording::Recording;
use shown::Shown;
use subject::Subject;

/// Shows what the rules would have published, fed with a recording at its own times.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The recording, plain or packed by gzip or zstd; `-`: standard input.
    #[arg(required_unless_present = "since", conflicts_with = "since")]
    recording: Option<PathBuf>,
    /// Take the last time from the recorder of the home's daemon: `24h`, or since `20:10`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The home whose rules decide.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Show only how the rules of another home decide differently: its folder, or `git:REVISION` of this one.
    #[arg(long, value_name = "HOME")]
    diff: Option<String>,
    /// Show only the rules whose decisions changed, each with how many: against `--diff`, or else against what rules published when it
    /// was recorded.
    #[arg(long, conflicts_with = "to")]
    rules_changed: bool,
    /// Leave out messages of these topics, such as commands that rules gave then.
    #[arg(long, value_name = "FILTER")]
    exclude: Vec<String>,
    /// Play it to this broker instead: `mqtt://host:1883`.
    #[arg(long, value_name = "URL", conflicts_with = "diff")]
    to: Option<String>,
    /// How many times faster it is played.
    #[arg(long, value_name = "N", requires = "to", default_value_t = 1.0)]
    speed: f64,
    /// Write recording lines of what rules published, or with `--diff` one JSON document.
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let exclude = filters(&self.exclude)?;
        if let Some(url) = &self.to {
            let mut recording = self.open(exclude)?;
            player::play(&mut recording, url, self.speed)?;
            return Ok(recording.close());
        }
        let Some(here) = Subject::load(&self.home)? else { return Ok(Exit::No) };
        match &self.diff {
            None if self.rules_changed => self.changed(&here, self.open(exclude)?),
            None => Ok(self.show(&here, &mut self.open(exclude)?)),
            Some(other) => {
                let Some(there) = Subject::named(other, &self.home)? else { return Ok(Exit::No) };
                self.differ(&here, &there, &mut self.open(exclude)?)
            }
        }
    }

    fn open(&self, exclude: Vec<TopicFilter>) -> Result<Recording, Failure> {
        match (&self.recording, &self.since) {
            (Some(path), _) => Recording::open(path, exclude, Reader::of(self.json)),
            (None, since) => {
                Recording::since(&self.home, since.as_deref().unwrap_or_default(), exclude, Reader::of(self.json))
            }
        }
    }

    /// Shows what the rules of `here` publish.
    fn show(&self, here: &Subject, recording: &mut Recording) -> Exit {
        let mut shown = Shown::new(&here.options, self.json);
        let mut replay = VirtualReplay::new(here.rules.clone(), here.options.clone());
        let mut last = None;
        while let Some(recorded) = recording.next() {
            last = Some(recorded.at);
            replay.feed(recorded);
            // A pipe whose reader went away ends it, as for any program.
            let (published, news) = (replay.published(), replay.take_invariants());
            if published.is_empty() && news.is_empty() {
                continue;
            }
            if let Err(error) = recording.make_room(|| shown.write(&published).and_then(|()| shown.invariants(&news))) {
                print::note(Err(error));
                return Exit::Well;
            }
        }
        recording.clear();
        if let Some(last) = last {
            replay.end(last);
            let (published, news) = (replay.published(), replay.take_invariants());
            let written = shown.write(&published).and_then(|()| shown.invariants(&news));
            if let Err(error) = written.and_then(|()| shown.flush()) {
                print::note(Err(error));
                return Exit::Well;
            }
        }
        recording.warn_of_doubtful(&replay);
        recording.warn_of_failures(here, &replay);
        let closed = recording.close();
        if shown.broke_invariants() { Exit::No } else { closed }
    }

    /// Shows which rules of `here` decide otherwise than rules did when it was recorded.
    fn changed(&self, here: &Subject, mut recording: Recording) -> Result<Exit, Failure> {
        let divergence = recorded::divergence(here, &mut recording);
        recording.clear();
        let closed = recording.close();
        self.show_changed(&divergence)?;
        Ok(if divergence.is_empty() { closed } else { Exit::No })
    }

    fn show_changed(&self, divergence: &Divergence) -> Result<(), Failure> {
        if self.json {
            return print::json(&divergence_text::rules_changed(divergence));
        }
        divergence_text::show_rules_changed(divergence);
        Ok(())
    }

    /// Shows where `here` and `there` decide differently.
    fn differ(&self, here: &Subject, there: &Subject, recording: &mut Recording) -> Result<Exit, Failure> {
        let mut difference = Difference::new(here, there);
        let mut last = None;
        while let Some(recorded) = recording.next() {
            last = Some(recorded.at);
            difference.feed(recorded);
        }
        if let Some(last) = last {
            difference.end(last);
        }
        recording.clear();
        if self.rules_changed {
            self.show_changed(difference.divergence())?;
        } else if self.json {
            print::json(&difference.answer())?;
        } else {
            difference.show();
        }
        recording.warn_of_failures(here, difference.here());
        recording.warn_of_failures(there, difference.there());
        let closed = recording.close();
        Ok(if difference.is_empty() { closed } else { Exit::No })
    }
}

fn filters(texts: &[String]) -> Result<Vec<TopicFilter>, Failure> {
    let parse = |text: &String| TopicFilter::parse(text).map_err(|error| Failure::new(format!("`{text}`: {error}")));
    texts.iter().map(parse).collect()
}
