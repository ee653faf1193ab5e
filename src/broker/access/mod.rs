//! Who may use the broker: the files of users and of grants, and how long a client that guesses passwords has to wait.
//!
//! All of it is data: the shell reads the files, checks passwords beside the loop (a check takes its time on purpose), and
//! tells the time.

mod acl;
mod acl_file;
mod acl_filter;
mod file_error;
mod identity;
mod password;
mod throttle;
mod users;

pub use acl::Acl;
pub use file_error::FileError;
pub use identity::Identity;
pub use password::{HashError, LARGEST_MEMORY, MOST_ITERATIONS, PasswordHash};
pub use throttle::{Throttle, household};
pub use users::Users;
