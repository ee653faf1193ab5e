//! The settings of a first home at a broker that is there already.

use crate::cli::Failure;

/// The line before the settings of the broker, and the one before those that follow.
const BEGIN: &str = "# 2. ";
const END: &str = "# 3. ";

/// The settings at another broker, and the password to put beside them.
pub(super) struct AtAnother {
    pub(super) settings: String,
    pub(super) password: Option<String>,
}

/// Returns `settings` with the broker at `url` in place of homerule's own. A password in the URL is taken out of it.
///
/// # Errors
/// When it isn't a broker's URL.
pub(super) fn at_another(settings: &str, url: &str) -> Result<AtAnother, Failure> {
    let wrong = || {
        Failure::new(format!("`{}` isn't a broker's URL: use e.g. `mqtt://user@host:1883`", without_password(url).0))
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    if !matches!(scheme, "mqtt" | "mqtts" | "ws" | "wss") || rest.is_empty() || rest.contains(['"', '\\', '\n']) {
        return Err(wrong());
    }
    let (url, password) = without_password(url);
    let (before, after) = settings.split_once(BEGIN).ok_or_else(wrong)?;
    let (_, after) = after.split_once(END).ok_or_else(wrong)?;
    let secret = match (&password, url.contains('@')) {
        (Some(_), _) => "  password: { file: secret.txt }\n",
        (None, true) => "  # password: { file: secret.txt }      # a file with nothing but the password\n",
        (None, false) => {
            "  # user: homerule\n  # password: { file: secret.txt }      # a file with nothing but the password\n"
        }
    };
    let broker = format!(
        "{BEGIN}The MQTT broker that is there already. Without `url`, homerule brings its own along.\nbroker:\n  url: \"{url}\"\n{secret}\n"
    );
    Ok(AtAnother { settings: format!("{before}{broker}{END}{after}"), password })
}

/// Returns a URL without its password, and the password.
pub(in crate::cli) fn without_password(url: &str) -> (String, Option<String>) {
    let Some((before, host)) = url.rsplit_once('@') else { return (url.to_owned(), None) };
    let (scheme, user) = before.split_once("://").unwrap_or(("mqtt", before));
    match user.split_once(':') {
        Some((name, password)) => (format!("{scheme}://{name}@{host}"), Some(password.to_owned())),
        None => (url.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_name_the_broker_and_never_the_password() {
        let settings = "# 1. Where\n\n# 2. The MQTT broker.\nbroker:\n  listen: 1883\n\n# 3. The rest\n";
        let made = at_another(settings, "mqtt://me:secret@host:1883").ok().unwrap();
        assert!(
            made.settings.contains("  url: \"mqtt://me@host:1883\"\n  password: { file: secret.txt }\n\n# 3. The rest")
        );
        assert!(made.settings.starts_with("# 1. Where") && !made.settings.contains("listen"));
        assert_eq!(made.password.as_deref(), Some("secret"));
        assert!(at_another(settings, "http://host").is_err() && at_another(settings, "host").is_err());
    }
}
