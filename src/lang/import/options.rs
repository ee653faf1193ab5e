//! What becomes of mosquitto's options that aren't translated.

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// homerule does it by itself, or it has no meaning here.
    Needless,
    /// There is nothing like it, for this reason or with this way out.
    Missing(&'static str),
}

/// What homerule does by itself.
const NEEDLESS: [&str; 26] = [
    "allow_duplicate_messages",
    "autosave_interval",
    "autosave_on_changes",
    "check_retain_source",
    "connection_messages",
    "log_dest",
    "log_facility",
    "log_timestamp",
    "log_timestamp_format",
    "log_type",
    "max_topic_alias",
    "memory_limit",
    "per_listener_settings",
    "persistence",
    "persistence_file",
    "persistence_location",
    "pid_file",
    "set_tcp_nodelay",
    "socket_domain",
    "store_clean_interval",
    "sys_interval",
    "tls_engine",
    "tls_version",
    "upgrade_outgoing_qos",
    "user",
    "websockets_log_level",
];

/// What there is nothing like, by the beginning of the option's name.
const MISSING: [(&str, &str); 22] = [
    ("plugin", "homerule has no plugins; users are in `broker.users`, grants in `broker.acl`"),
    ("auth_plugin", "homerule has no plugins; users are in `broker.users`, grants in `broker.acl`"),
    ("auth_opt_", "homerule has no plugins"),
    ("psk_", "pre-shared keys aren't supported; use a certificate"),
    ("use_subject_as_username", "only the common name can be the user: `identity: cn`"),
    ("use_username_as_clientid", "client ids stay as clients choose them"),
    ("clientid_prefixes", "name the clients in `broker.acl` by patterns with `%c`"),
    ("auto_id_prefix", "ids that the broker gives have no prefix"),
    ("allow_zero_length_clientid", "clients may always leave their id to the broker, as the standard says"),
    ("mount_point", "topics are the same at each listener"),
    ("max_qos", "QoS 2 can't be switched off"),
    ("retain_available", "retained messages can't be switched off"),
    ("queue_qos0_messages", "messages with QoS 0 don't wait for clients that are away"),
    ("max_keepalive", "clients choose their keep alive"),
    ("max_inflight_bytes", "only their number is limited: `limits.inflight`"),
    ("capath", "name one file of authorities: `client_ca`"),
    ("crlfile", "revoked certificates can't be named; issue new ones by another authority"),
    ("ciphers", "homerule offers the safe ciphers only"),
    ("dhparamfile", "homerule offers the safe ciphers only"),
    ("http_dir", "homerule has a page of its own: `web`"),
    ("bind_interface", "name an address of the interface in `listen`"),
    ("include_dir", "its files aren't read; import each of them"),
];

/// Returns what becomes of an option that isn't translated; `None` for one that isn't known.
pub(super) fn fate(option: &str) -> Option<Fate> {
    if NEEDLESS.contains(&option) {
        return Some(Fate::Needless);
    }
    let missing = MISSING.iter().find(|(begin, _)| option.starts_with(begin));
    missing.map(|(_, why)| Fate::Missing(why))
}
