//! Why there is no connection, in one clear line with what to do.

use std::sync::Arc;

use crate::broker::reason::Reason;

use super::settings::Settings;

/// Why there is no connection, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The name doesn't resolve; with the system's reason.
    Name(String),
    /// Nothing listens there.
    NobodyThere,
    /// It can't be reached; with the system's reason.
    Unreachable(String),
    /// Its certificate isn't trusted; with the reason.
    Untrusted(String),
    /// TLS fails otherwise; with the reason.
    Tls(String),
    /// It didn't take the WebSocket; with what it said.
    WebSocket(String),
    /// It doesn't let us in; with its own words.
    Refused(Reason, Option<Arc<str>>),
    /// It ended the connection and said why.
    Ended(Reason, Option<Arc<str>>),
    /// It ended the connection before it answered.
    Dropped,
    /// It didn't answer.
    NoAnswer,
    /// It fell silent.
    Silent,
    /// The connection broke.
    Lost,
    /// What it said isn't MQTT.
    Nonsense(&'static str),
}

impl Failure {
    /// Returns whether a person must do something before it can work, so that trying often is of no use.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        match self {
            Failure::Untrusted(_) => true,
            Failure::Refused(reason, _) | Failure::Ended(reason, _) => matches!(
                reason,
                Reason::BadUserNameOrPassword
                    | Reason::NotAuthorized
                    | Reason::Banned
                    | Reason::ClientIdentifierNotValid
                    | Reason::UnsupportedProtocolVersion
                    | Reason::BadAuthenticationMethod
                    | Reason::SessionTakenOver
                    | Reason::UseAnotherServer
                    | Reason::ServerMoved
            ),
            Failure::Name(_)
            | Failure::NobodyThere
            | Failure::Unreachable(_)
            | Failure::Tls(_)
            | Failure::WebSocket(_)
            | Failure::Dropped
            | Failure::NoAnswer
            | Failure::Silent
            | Failure::Lost
            | Failure::Nonsense(_) => false,
        }
    }

    /// Returns what is wrong, and what to do about it.
    #[must_use]
    pub fn words(&self, settings: &Settings) -> String {
        let at = &settings.address;
        match self {
            Failure::Name(why) => format!("the name in `{at}` doesn't resolve ({why}): check `broker.url`"),
            Failure::NobodyThere => {
                format!("no broker listens at {at}: check that it runs, and the port in `broker.url`")
            }
            Failure::Unreachable(why) => format!("{at} can't be reached ({why}): check the network and `broker.url`"),
            Failure::Untrusted(why) => format!(
                "the certificate of {at} isn't trusted ({why}): name the authority that signed it with `ca: FILE` below `broker`"
            ),
            Failure::Tls(why) => {
                format!("TLS with {at} fails ({why}): check that the port in `broker.url` is one with TLS")
            }
            Failure::WebSocket(why) => {
                format!("{at} doesn't accept the WebSocket ({why}): check the port and the path in `broker.url`")
            }
            Failure::Refused(reason, words) => refusal(*reason, words.as_deref(), settings),
            Failure::Ended(Reason::SessionTakenOver, _) => taken_over(settings),
            Failure::Ended(reason, words) => {
                format!("{at} ended the connection: {}", said(*reason, words.as_deref()))
            }
            Failure::Dropped => {
                format!("{at} closed the connection without an answer: check that the port in `broker.url` speaks MQTT")
            }
            Failure::NoAnswer => {
                format!(
                    "{at} doesn't answer: check that the port in `broker.url` speaks MQTT, without TLS for `mqtt://`"
                )
            }
            Failure::Silent => format!("{at} fell silent: check the network"),
            Failure::Lost => format!("the connection to {at} was lost"),
            Failure::Nonsense(why) => format!("{at} doesn't speak MQTT as it should ({why})"),
        }
    }
}

fn refusal(reason: Reason, words: Option<&str>, settings: &Settings) -> String {
    let at = &settings.address;
    match reason {
        Reason::BadUserNameOrPassword | Reason::NotAuthorized if settings.user.is_none() => {
            format!(
                "{at} asks for a user: write `user` and `password` below `broker`{}",
                or_client_id(reason, settings)
            )
        }
        Reason::BadUserNameOrPassword | Reason::NotAuthorized => {
            let user = settings.user.as_deref().unwrap_or_default();
            let or_client_id = or_client_id(reason, settings);
            format!(
                "{at} refuses the user `{user}` or its password: check `user` and `password` below `broker`{or_client_id}"
            )
        }
        Reason::ClientIdentifierNotValid => {
            let id = &settings.client_id;
            format!("{at} refuses the client id `{id}`: set another one with `client_id` below `broker`")
        }
        Reason::UnsupportedProtocolVersion => format!("{at} speaks neither MQTT 5.0 nor 3.1.1: use another broker"),
        Reason::SessionTakenOver => taken_over(settings),
        other => format!("{at} doesn't let us in: {}", said(other, words)),
    }
}

/// What else may be meant: mosquitto says the same of a client id that it doesn't allow.
fn or_client_id(reason: Reason, settings: &Settings) -> String {
    match reason {
        Reason::NotAuthorized => {
            format!(" (or `client_id`, if it allows only some: ours is `{}`)", settings.client_id)
        }
        _ => String::new(),
    }
}

fn taken_over(settings: &Settings) -> String {
    let (at, id) = (&settings.address, &settings.client_id);
    format!(
        "another client connected to {at} with our client id `{id}`: give each homerule its own `client_id` below `broker`"
    )
}

fn said(reason: Reason, words: Option<&str>) -> String {
    let plain = match reason {
        Reason::ServerUnavailable => "it isn't available",
        Reason::ServerBusy => "it is busy",
        Reason::ServerShuttingDown => "it is shutting down",
        Reason::Banned => "this client is banned",
        Reason::QuotaExceeded => "a quota is exceeded",
        Reason::ConnectionRateExceeded => "too many connections in a short time",
        Reason::UseAnotherServer | Reason::ServerMoved => "it asks to use another server",
        Reason::KeepAliveTimeout => "it heard nothing from us in time",
        Reason::PacketTooLarge => "a packet was too large",
        Reason::AdministrativeAction => "its administrator ended it",
        _ => "",
    };
    match (plain, words) {
        ("", Some(words)) => words.to_owned(),
        ("", None) => format!("reason 0x{:02x}", reason.code()),
        (plain, Some(words)) => format!("{plain} ({words})"),
        (plain, None) => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_one_line_with_what_to_do() {
        let mut settings = Settings::new("broker.lan:1883", "homerule-a");
        let words = |failure: Failure, settings: &Settings| failure.words(settings);
        assert_eq!(
            words(Failure::Refused(Reason::NotAuthorized, None), &settings),
            "broker.lan:1883 asks for a user: write `user` and `password` below `broker` (or `client_id`, if it allows only some: \
             ours is `homerule-a`)"
        );
        settings.user = Some("me".into());
        for (failure, expected) in [
            (
                Failure::Refused(Reason::BadUserNameOrPassword, None),
                "broker.lan:1883 refuses the user `me` or its password: check `user` and `password` below `broker`",
            ),
            (
                Failure::Refused(Reason::ClientIdentifierNotValid, None),
                "broker.lan:1883 refuses the client id `homerule-a`: set another one with `client_id` below `broker`",
            ),
            (
                Failure::Name("no such host".to_owned()),
                "the name in `broker.lan:1883` doesn't resolve (no such host): check `broker.url`",
            ),
            (
                Failure::Untrusted("unknown issuer".to_owned()),
                "the certificate of broker.lan:1883 isn't trusted (unknown issuer): name the authority that signed it with \
                 `ca: FILE` below `broker`",
            ),
            (
                Failure::Ended(Reason::SessionTakenOver, None),
                "another client connected to broker.lan:1883 with our client id `homerule-a`: give each homerule its own \
                 `client_id` below `broker`",
            ),
            (
                Failure::Ended(Reason::ServerShuttingDown, Some("bye".into())),
                "broker.lan:1883 ended the connection: it is shutting down (bye)",
            ),
        ] {
            assert_eq!(words(failure, &settings), expected);
        }
    }
}
