//! `homerule passwd`: sets a user's password in a password file, or removes the user.

mod file;
mod prompt;

use std::path::PathBuf;

use clap::Args;

use self::file::PasswordFile;
use super::{Exit, Failure, print};
use crate::broker::access::PasswordHash;

/// Sets the password of a user, or removes the user.
///
/// The file is the one that `broker.users` in homerule.yaml names. mosquitto's password file may be taken over as it is: what is in
/// it already stays.
#[derive(Debug, Args)]
pub(super) struct Passwd {
    /// The password file; it is made where it isn't there.
    file: PathBuf,
    /// The user.
    user: String,
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long, conflicts_with = "delete")]
    stdin: bool,
    /// Remove the user.
    #[arg(short = 'D', long)]
    delete: bool,
}

impl Passwd {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        check_user(&self.user)?;
        // Nothing is touched before the password is there.
        let hash = if self.delete { None } else { Some(hash(&self.password()?)?) };
        let mut file = PasswordFile::open(&self.file, !self.delete)?;
        if file.was_open_to_others() {
            let path = self.file.display();
            print::warning(&format!("others could read `{path}`; from now on only its owner can"));
        }
        match hash {
            Some(hash) => {
                let verb = if file.set(&self.user, &hash.to_string()) { "changed" } else { "added" };
                file.write()?;
                print::line(&format!("{verb} `{}` in {}", self.user, self.file.display()));
            }
            None => {
                if !file.remove(&self.user) {
                    let path = self.file.display();
                    return Err(Failure::new(format!("there is no user `{}` in `{path}`", self.user)));
                }
                file.write()?;
                print::line(&format!("removed `{}` from {}", self.user, self.file.display()));
            }
        }
        Ok(Exit::Well)
    }

    fn password(&self) -> Result<Vec<u8>, Failure> {
        let password = if self.stdin { prompt::first_line()? } else { prompt::ask_twice(&self.user)? };
        if password.is_empty() {
            return Err(Failure::new("the password is empty, and nothing was changed"));
        }
        if u16::try_from(password.len()).is_err() {
            return Err(Failure::new("the password is longer than the 65,535 bytes that MQTT allows"));
        }
        Ok(password)
    }
}

fn check_user(user: &str) -> Result<(), Failure> {
    let problem = if user.is_empty() {
        "a user needs a name"
    } else if user.contains(':') || user.chars().any(char::is_control) {
        "the name of a user can't contain a colon or a control character"
    } else if user.trim() != user || user.starts_with('#') {
        "the name of a user can't start with `#`, or start or end with a space"
    } else if u16::try_from(user.len()).is_err() {
        "the name of a user can't be longer than 65,535 bytes"
    } else {
        return Ok(());
    };
    Err(Failure::new(problem))
}

fn hash(password: &[u8]) -> Result<PasswordHash, Failure> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Failure::new(format!("the system doesn't provide random numbers: {error}")))?;
    PasswordHash::new(password, salt).map_err(|error| Failure::new(error.to_string()))
}
