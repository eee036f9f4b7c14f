//! Table of all settings: names, defaults and descriptions, and the texts that are generated from it.

use super::{Source, Sources, service_links};
use crate::store::without_password;

/// A setting: name without prefix, default (in words if it has no fixed value) and description.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) meaning: &'static str,
}

/// All settings, in the order of `gatehouse config`.
pub(super) const SETTINGS: &[Setting] = &[
    Setting { name: "ADDR", default: "127.0.0.1:3000", meaning: "address and port to serve on" },
    Setting {
        name: "METRICS_ADDR",
        default: "none",
        meaning: "address and port to serve metrics on, for Prometheus, with the health checks; keep it from the public",
    },
    Setting {
        name: "IDLE_TIMEOUT_SECONDS",
        default: "60",
        meaning: "idle timeout of a connection and time limit of a request head, in seconds",
    },
    Setting {
        name: "MAX_CONNECTIONS",
        default: "4096",
        meaning: "maximum number of open connections",
    },
    Setting {
        name: "MAX_CONNECTIONS_PER_ADDRESS",
        default: "256",
        meaning: "maximum number of open connections per client address (trusted proxies and loopback excepted)",
    },
    Setting {
        name: "DATA_DIR",
        default: "data",
        meaning: "folder of persistent data: database, signing keys, uploads",
    },
    Setting {
        name: "DATABASE_URL",
        default: "sqlite://<data dir>/gatehouse.sqlite",
        meaning: "database URL: sqlite://path or postgres://user:password@host:5432/database",
    },
    Setting {
        name: "DATABASE_CONNECTIONS",
        default: "16",
        meaning: "maximum number of connections to PostgreSQL; half of them are for reads",
    },
    Setting {
        name: "SITE_DIR",
        default: "site beside the executable or one folder up",
        meaning: "folder of the site files (WASM, JavaScript, CSS)",
    },
    Setting {
        name: "SITE_NAME",
        default: "Gatehouse",
        meaning: "name of the site in pages, titles and API documentation, at most 40 characters",
    },
    Setting {
        name: "PUBLIC_URL",
        default: "none",
        meaning: "origin under which users reach the site (https://accounts.example), for canonical links, link previews and links in mails",
    },
    Setting {
        name: "PRIVACY_URL",
        default: "none",
        meaning: "privacy policy, linked in the footer (https:// or mailto:)",
    },
    Setting {
        name: "TERMS_URL",
        default: "none",
        meaning: "terms of service, linked in the footer (https:// or mailto:)",
    },
    Setting {
        name: "SUPPORT_URL",
        default: "none",
        meaning: "help for users, linked in the footer and at the login (https:// or mailto:)",
    },
    Setting {
        name: "MAIL_URL",
        default: "none",
        meaning: "mail server: smtp://user:password@host:587 (STARTTLS; required unless the host is loopback), smtps://user:password@host:465, or folder:path, which writes a file for each message",
    },
    Setting {
        name: "MAIL_FROM",
        default: "none",
        meaning: "sender of mails (Gatehouse <no-reply@accounts.example>), needed with MAIL_URL",
    },
    Setting {
        name: "JWT_SECRET",
        default: "generated, stored in the data folder",
        meaning: "HS256 secret, at least 32 bytes",
    },
    Setting {
        name: "JWT_ALGORITHM",
        default: "HS256",
        meaning: "signature algorithm of tokens: HS256 or EdDSA",
    },
    Setting {
        name: "KEYS_SECRET",
        default: "none",
        meaning: "secret that encrypts the signing keys in a PostgreSQL database, at least 32 bytes, the same on all nodes; SQLite keeps them in the data folder",
    },
    Setting { name: "JWT_ISSUER", default: "gatehouse", meaning: "iss claim of tokens" },
    Setting { name: "JWT_AUDIENCE", default: "gatehouse", meaning: "aud claim of tokens" },
    Setting {
        name: "ACCESS_TOKEN_SECONDS",
        default: "900",
        meaning: "lifetime of an access token, in seconds",
    },
    Setting {
        name: "REFRESH_TOKEN_SECONDS",
        default: "604800",
        meaning: "lifetime of a refresh token with \"remember me\", in seconds",
    },
    Setting {
        name: "REFRESH_TOKEN_SHORT_SECONDS",
        default: "43200",
        meaning: "lifetime of a refresh token without \"remember me\", in seconds",
    },
    Setting {
        name: "SESSION_MAX_SECONDS",
        default: "2592000",
        meaning: "maximum lifetime of a session, in seconds",
    },
    Setting {
        name: "REFRESH_ROTATION",
        default: "on",
        meaning: "on: each refresh returns a new refresh token; off: it stays the same",
    },
    Setting {
        name: "REFRESH_GRACE_SECONDS",
        default: "10",
        meaning: "grace period in which the previous refresh token is still accepted, in seconds",
    },
    Setting {
        name: "ALLOWED_ORIGINS",
        default: "none",
        meaning: "allowed CORS origins, comma separated",
    },
    Setting {
        name: "TRUSTED_PROXIES",
        default: "none",
        meaning: "addresses or networks of reverse proxies whose X-Forwarded-* headers are trusted, comma separated",
    },
    Setting {
        name: "RATE_LIMITS",
        default: "on",
        meaning: "off: disables all rate limits (for load tests)",
    },
    Setting {
        name: "LOGIN_FAILURES_PER_ACCOUNT",
        default: "10",
        meaning: "failed logins per account, counted separately for unknown and for known devices",
    },
    Setting {
        name: "LOGIN_FAILURES_PER_ADDRESS",
        default: "100",
        meaning: "failed logins per client address",
    },
    Setting {
        name: "LOGIN_FAILURES_SECONDS",
        default: "900",
        meaning: "window of failed logins, in seconds",
    },
    Setting {
        name: "REGISTRATIONS_PER_ADDRESS",
        default: "60",
        meaning: "registrations per client address",
    },
    Setting {
        name: "REGISTRATIONS_SECONDS",
        default: "600",
        meaning: "window of registrations, in seconds",
    },
    Setting {
        name: "MAILS_PER_ACCOUNT",
        default: "5",
        meaning: "mails to an account that were asked for: resets of the password, and verifications; further ones are dropped silently, or refused to the owner",
    },
    Setting { name: "MAILS_PER_ADDRESS", default: "30", meaning: "the same per client address" },
    Setting { name: "MAILS_SECONDS", default: "3600", meaning: "window of such mails, in seconds" },
    Setting { name: "REFRESHES_PER_SESSION", default: "60", meaning: "refreshes per session" },
    Setting {
        name: "REFRESHES_SECONDS",
        default: "60",
        meaning: "window of refreshes, in seconds",
    },
    Setting {
        name: "WAITING_HASHES_PER_ADDRESS",
        default: "100",
        meaning: "requests per client address that may wait for password hashing",
    },
    Setting {
        name: "CHANGES_PER_SESSION",
        default: "120",
        meaning: "changes (profile, password, avatar, files, sessions, administration) and exports per session",
    },
    Setting {
        name: "CHANGES_PER_ACCOUNT",
        default: "600",
        meaning: "the same per account, over all its sessions",
    },
    Setting { name: "CHANGES_SECONDS", default: "60", meaning: "window of changes, in seconds" },
    Setting {
        name: "REGISTRATION",
        default: "open",
        meaning: "who may register: open (all visitors), invite (with an invitation of an administrator), closed (administrators create accounts on the command line)",
    },
    Setting {
        name: "REQUIRE_VERIFIED_ADDRESS",
        default: "off",
        meaning: "on: a login requires a verified address, and a registration an address as the username or an invitation by mail; needs MAIL_URL",
    },
    Setting {
        name: "RESERVED_USERNAMES",
        default: "none",
        meaning: "usernames that cannot be registered, nor names that look like them, comma separated",
    },
    Setting {
        name: "PASSWORD_MIN_LENGTH",
        default: "8",
        meaning: "minimum password length in code points, 6 to 64",
    },
    Setting {
        name: "PASSWORD_BLOCKLIST",
        default: "on",
        meaning: "off: common passwords are accepted",
    },
    Setting {
        name: "FILES_QUOTA_BYTES",
        default: "100000000",
        meaning: "storage quota per user, in bytes",
    },
    Setting { name: "FILES_MAX", default: "10000", meaning: "maximum number of files per user" },
    Setting {
        name: "PICTURES_MEMORY_BYTES",
        default: "160000000",
        meaning: "memory for image decoding, all images together, in bytes; an image that needs more is rejected",
    },
    Setting {
        name: "EXPORTS_MAX",
        default: "8",
        meaning: "maximum number of concurrent exports of all users",
    },
    Setting {
        name: "MAX_UPLOADS",
        default: "64",
        meaning: "maximum number of concurrent uploads of all users",
    },
    Setting {
        name: "MAX_UPLOADS_PER_USER",
        default: "4",
        meaning: "maximum number of concurrent uploads per user",
    },
    Setting {
        name: "UPLOAD_MIN_BYTES_PER_SECOND",
        default: "16000",
        meaning: "minimum transfer rate of a request body, in bytes per second, beyond the idle timeout",
    },
    Setting {
        name: "S3_ENDPOINT",
        default: "none",
        meaning: "URL of an S3-compatible object store for uploads (https://host, http://host:port); without it they are in the data folder",
    },
    Setting {
        name: "UPLOADS_DIR",
        default: "<data dir>/objects",
        meaning: "folder of uploads without S3; nodes that share a database need one folder that they all see",
    },
    Setting { name: "S3_BUCKET", default: "gatehouse", meaning: "S3 bucket" },
    Setting { name: "S3_REGION", default: "us-east-1", meaning: "S3 region" },
    Setting { name: "S3_ACCESS_KEY_ID", default: "none", meaning: "S3 access key id" },
    Setting { name: "S3_SECRET_ACCESS_KEY", default: "none", meaning: "S3 secret access key" },
    Setting { name: "AUDIT_DAYS", default: "365", meaning: "retention of the audit log, in days" },
    Setting { name: "LOG", default: "info", meaning: "log filter (tracing EnvFilter syntax)" },
    Setting { name: "LOG_FORMAT", default: "text", meaning: "log format: text or json" },
];

/// Settings with masked values.
const SECRETS: [&str; 3] = ["JWT_SECRET", "KEYS_SECRET", "S3_SECRET_ACCESS_KEY"];

/// Settings whose values may contain a password.
const URLS: [&str; 2] = ["DATABASE_URL", "MAIL_URL"];

/// Returns the default of a setting.
pub(super) fn default_of(name: &str) -> &'static str {
    SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default)
}

/// Prefix of the names of settings.
pub(super) const PREFIX: &str = "GATEHOUSE_";

/// Lists every setting with value and source; secrets are masked.
#[must_use]
pub fn describe(sources: &Sources) -> String {
    let lines = SETTINGS.iter().map(|setting| {
        let (value, from) = match sources.get(setting.name) {
            Some((_, source)) if SECRETS.contains(&setting.name) => {
                ("(set)".to_owned(), source.to_string())
            }
            Some((value, source)) if URLS.contains(&setting.name) => {
                (without_password(value), source.to_string())
            }
            Some((value, source)) => (value.to_owned(), source.to_string()),
            None if setting.name == "ADDR" && sources.leptos_addr().is_some() => (
                sources.leptos_addr().unwrap_or_default().to_owned(),
                "LEPTOS_SITE_ADDR".to_owned(),
            ),
            None => (setting.default.to_owned(), "default".to_owned()),
        };
        format!("{PREFIX}{} = {value}\n    from: {from}; {}\n", setting.name, setting.meaning)
    });
    lines.collect::<Vec<_>>().concat()
}

/// Renders the settings as a Markdown table: the generated part of `docs/configuration.md`.
#[must_use]
pub fn markdown_table() -> String {
    let rows = SETTINGS.iter().map(|setting| {
        let default = match setting.default {
            "none" => "none".to_owned(),
            words if words.contains(' ') && !words.contains("://") => words.to_owned(),
            default => format!("`{default}`"),
        };
        format!("| `{PREFIX}{}` | {default} | {} |\n", setting.name, setting.meaning)
    });
    let rows: String = rows.collect();
    format!("| name | default | meaning |\n| --- | --- | --- |\n{rows}")
}

/// Reports unknown names with the prefix: a misspelt setting must not be ignored. Kubernetes
/// service links of a service with the product's name have the same prefix; they are ignored.
pub(super) fn unknown_names(sources: &Sources) -> Vec<String> {
    let known = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
    let is_service_link = |name: &str| {
        let value = sources.get(name).filter(|(_, source)| *source == Source::Environment);
        value.is_some_and(|(value, _)| service_links::is_service_link(name, value))
    };
    sources
        .names()
        .filter(|(name, _)| !known(name) && !is_service_link(name))
        .map(|(name, source)| {
            let nearest = SETTINGS.iter().max_by(|a, b| {
                strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name))
            });
            let hint = nearest.map_or(String::new(), |setting| {
                format!(" Did you mean {PREFIX}{}?", setting.name)
            });
            format!("{PREFIX}{name} ({source}) is not a setting.{hint}")
        })
        .collect()
}
