//! The command line: a file per command, or a room where it needs more. What they share: the exit status,
//! how a failure is reported (`exit`), what is printed (`print`), which `home` is meant, and whom they `link` to.

mod backup;
mod check;
mod demo;
mod devices;
mod doctor;
mod exit;
mod explore;
mod find;
mod graph;
mod home;
mod import;
mod init;
mod link;
mod packaged;
mod passwd;
mod print;
mod progress;
mod publish;
mod record;
mod replay;
mod run;
mod run_rule;
mod schedule;
mod schema;
mod shadow;
mod state;
mod status;
mod subscribe;
mod switch;
mod test;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{Exit, Failure};

/// Homerule runs a home from files: an MQTT broker, rules in YAML or Rhai, and tests for them.
///
/// Without a command it runs the home in the current folder.
#[derive(Debug, Parser)]
#[command(name = "homerule", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunOptions,
}

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Check(check::Check),
    Test(test::Test),
    Record(record::Record),
    Replay(replay::Replay),
    Find(find::Find),
    Schedule(schedule::Schedule),
    Graph(graph::Graph),
    Explore(explore::Explore),
    Shadow(shadow::Shadow),
    Status(status::Status),
    State(state::State),
    Pub(publish::Publish),
    Sub(subscribe::Subscribe),
    Devices(devices::Devices),
    Set(devices::Set),
    Input(devices::Input),
    Trace(why::Trace),
    Why(why::Why),
    WhyNot(why::WhyNot),
    /// Switches a rule on.
    Enable(switch::Switch),
    /// Switches a rule off.
    Disable(switch::Switch),
    RunRule(run_rule::RunRule),
    /// Lets a rule go on that yields to somebody.
    Resume(switch::Switch),
    Init(init::Init),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Passwd(passwd::Passwd),
    Import(import::Import),
    Schema(schema::Schema),
    Completions(packaged::completions::Completions),
    #[command(hide = true)]
    Man(packaged::man::Man),
}

impl Command {
    fn execute(self) -> Result<Exit, Failure> {
        match self {
            Command::Run(run) => run.execute(),
            Command::Check(check) => check.execute(),
            Command::Test(test) => test.execute(),
            Command::Record(record) => record.execute(),
            Command::Replay(replay) => replay.execute(),
            Command::Find(find) => find.execute(),
            Command::Schedule(schedule) => schedule.execute(),
            Command::Graph(graph) => graph.execute(),
            Command::Explore(explore) => explore.execute(),
            Command::Shadow(shadow) => shadow.execute(),
            Command::Status(status) => status.execute(),
            Command::State(state) => state.execute(),
            Command::Pub(publish) => publish.execute(),
            Command::Sub(subscribe) => subscribe.execute(),
            Command::Devices(devices) => devices.execute(),
            Command::Set(set) => set.execute(),
            Command::Input(input) => input.execute(),
            Command::Trace(trace) => trace.execute(),
            Command::Why(why) => why.execute(),
            Command::WhyNot(why_not) => why_not.execute(),
            Command::Enable(switch) => switch.enable(),
            Command::Disable(switch) => switch.disable(),
            Command::RunRule(run) => run.execute(),
            Command::Resume(switch) => switch.resume(),
            Command::Init(init) => init.execute(),
            Command::Demo(demo) => demo.execute(),
            Command::Doctor(doctor) => doctor.execute(),
            Command::Backup(backup) => backup.execute(),
            Command::Restore(restore) => restore.execute(),
            Command::Passwd(passwd) => passwd.execute(),
            Command::Import(import) => import.execute(),
            Command::Schema(schema) => schema.execute(),
            Command::Completions(completions) => Ok(completions.execute()),
            Command::Man(man) => man.execute(),
        }
    }
}

/// Does what `arguments` ask for, and returns the exit status: 0 well, 1 the answer is no, 2 it couldn't be done.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too; a closed pipe is no failure of ours.
            let _ = error.print();
            return if error.use_stderr() { Exit::Failed.into() } else { Exit::Well.into() };
        }
    };
    let command = arguments.command.unwrap_or_else(|| Command::Run(run::Run::here(arguments.run)));
    // Scripts may nest values deeper than a usual stack goes.
    let ended = crate::script::with_deep_stack(|| command.execute());
    match ended.and_then(|exit| print::finish().map(|()| exit)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            Exit::Failed.into()
        }
    }
}
