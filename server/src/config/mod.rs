//! Settings: read and checked at the start; all mistakes are reported together.

mod service_links;
mod sources;
mod values;

pub use sources::{Source, Sources};

use std::{fmt, net::SocketAddr, path::PathBuf};

use secrecy::SecretString;

use crate::{
    domain::{common_passwords::COMMON_PASSWORDS, password::Policy, rotation::Lifetimes},
    http::{ConnectionLimits, UploadLimits},
    limits::{Limits, Quota},
    network::Network,
    objects::S3,
    tokens::algorithm::Algorithm,
};

/// A setting: name without prefix, default (in words if it has no fixed value) and description.
struct Setting {
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
}

/// All settings, in the order of `gatehouse config`.
const SETTINGS: &[Setting] = &[
    Setting { name: "ADDR", default: "127.0.0.1:3000", meaning: "address and port to serve on" },
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
        meaning: "database URL",
    },
    Setting {
        name: "SITE_DIR",
        default: "site beside the executable or one folder up",
        meaning: "folder of the site files (WASM, JavaScript, CSS)",
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
    Setting { name: "S3_BUCKET", default: "gatehouse", meaning: "S3 bucket" },
    Setting { name: "S3_REGION", default: "us-east-1", meaning: "S3 region" },
    Setting { name: "S3_ACCESS_KEY_ID", default: "none", meaning: "S3 access key id" },
    Setting { name: "S3_SECRET_ACCESS_KEY", default: "none", meaning: "S3 secret access key" },
    Setting { name: "AUDIT_DAYS", default: "365", meaning: "retention of the audit log, in days" },
    Setting { name: "LOG", default: "info", meaning: "log filter (tracing EnvFilter syntax)" },
    Setting { name: "LOG_FORMAT", default: "text", meaning: "log format: text or json" },
];

/// Settings with masked values.
const SECRETS: [&str; 2] = ["JWT_SECRET", "S3_SECRET_ACCESS_KEY"];

/// Returns the default of a setting.
fn default_of(name: &str) -> &'static str {
    SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default)
}

/// Prefix of the names of settings.
const PREFIX: &str = "GATEHOUSE_";

/// Log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text.
    Text,
    /// JSON, one object per line.
    Json,
}

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Listening address.
    pub addr: SocketAddr,
    /// Limits and idle timeout of connections.
    pub connections: ConnectionLimits,
    /// Folder of persistent data.
    pub data_dir: PathBuf,
    /// Database URL.
    pub database_url: String,
    /// Folder of the site files.
    pub site_dir: PathBuf,
    /// Live reload of pages, in development.
    pub reload: bool,
    /// Signature algorithm of tokens.
    pub jwt_algorithm: Algorithm,
    /// HS256 secret that replaces the key file.
    pub jwt_secret: Option<SecretString>,
    /// `iss` claim of tokens.
    pub issuer: String,
    /// `aud` claim of tokens.
    pub audience: String,
    /// Lifetimes of tokens and sessions.
    pub lifetimes: Lifetimes,
    /// Refresh token rotation.
    pub rotates: bool,
    /// Allowed CORS origins.
    pub allowed_origins: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-*` headers are trusted.
    pub trusted_proxies: Vec<Network>,
    /// Rate limits; [`None`] if disabled.
    pub limits: Option<Limits>,
    /// Usernames that cannot be registered.
    pub reserved_usernames: Vec<String>,
    /// Minimum password length in code points.
    pub password_min: usize,
    /// Rejection of common passwords.
    pub password_blocklist: bool,
    /// Storage quota per user, in bytes.
    pub files_quota: i64,
    /// Maximum number of files per user.
    pub files_max: u64,
    /// Memory budget of image decoding, in bytes.
    pub pictures_memory: u64,
    /// Maximum number of concurrent exports.
    pub exports_max: usize,
    /// Limits of concurrent uploads.
    pub uploads: UploadLimits,
    /// S3 store of uploaded files; [`None`]: the data folder.
    pub s3: Option<S3>,
    /// Retention of the audit log, in seconds.
    pub audit_seconds: i64,
    /// Log filter.
    pub log: String,
    /// Log format.
    pub log_format: LogFormat,
}

/// Invalid settings: one message each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads and checks the settings.
    pub fn read(sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut errors = unknown_names(sources);
        let mut reader = values::Reader::new(sources, &mut errors);
        // cargo-leptos sets the address in this variable.
        let told = sources.leptos_addr().filter(|_| sources.get("ADDR").is_none());
        let addr = match told.and_then(|addr| reader.check("LEPTOS_SITE_ADDR", addr, values::addr))
        {
            Some(addr) => addr,
            None => reader.value("ADDR", values::addr)?,
        };
        let data_dir = PathBuf::from(reader.value("DATA_DIR", values::text)?);
        let lifetimes = Lifetimes {
            access: reader.value("ACCESS_TOKEN_SECONDS", values::seconds)?,
            refresh: reader.value("REFRESH_TOKEN_SECONDS", values::seconds)?,
            refresh_short: reader.value("REFRESH_TOKEN_SHORT_SECONDS", values::seconds)?,
            session: reader.value("SESSION_MAX_SECONDS", values::seconds)?,
            grace: reader.value("REFRESH_GRACE_SECONDS", values::grace_seconds)?,
        };
        let config = Self {
            addr,
            connections: ConnectionLimits {
                idle_timeout: reader.value("IDLE_TIMEOUT_SECONDS", values::idle_timeout)?,
                body_rate: reader.value("UPLOAD_MIN_BYTES_PER_SECOND", values::rate)?,
                total: reader.value("MAX_CONNECTIONS", values::count)? as usize,
                per_address: reader.value("MAX_CONNECTIONS_PER_ADDRESS", values::count)? as usize,
            },
            database_url: reader.given("DATABASE_URL", values::text).unwrap_or_else(|| {
                format!("sqlite://{}", data_dir.join("gatehouse.sqlite").display())
            }),
            site_dir: reader
                .given("SITE_DIR", values::text)
                .map_or_else(default_site_dir, PathBuf::from),
            reload: sources.is_watched(),
            jwt_algorithm: reader.value("JWT_ALGORITHM", values::algorithm)?,
            jwt_secret: reader.given("JWT_SECRET", values::jwt_secret),
            issuer: reader.value("JWT_ISSUER", values::text)?,
            audience: reader.value("JWT_AUDIENCE", values::text)?,
            lifetimes,
            rotates: reader.value("REFRESH_ROTATION", values::switch)?,
            allowed_origins: reader.given("ALLOWED_ORIGINS", values::origins).unwrap_or_default(),
            trusted_proxies: reader.given("TRUSTED_PROXIES", values::networks).unwrap_or_default(),
            limits: limits(&mut reader)?,
            reserved_usernames: reader
                .given("RESERVED_USERNAMES", values::names)
                .unwrap_or_default(),
            password_min: reader.value("PASSWORD_MIN_LENGTH", values::password_min)?,
            password_blocklist: reader.value("PASSWORD_BLOCKLIST", values::switch)?,
            files_quota: reader.value("FILES_QUOTA_BYTES", values::bytes)?,
            files_max: reader.value("FILES_MAX", values::count)?.into(),
            pictures_memory: reader.value("PICTURES_MEMORY_BYTES", values::picture_bytes)?,
            exports_max: reader.value("EXPORTS_MAX", values::count)? as usize,
            uploads: UploadLimits {
                total: reader.value("MAX_UPLOADS", values::count)? as usize,
                per_user: reader.value("MAX_UPLOADS_PER_USER", values::count)? as usize,
            },
            s3: s3(&mut reader)?,
            audit_seconds: reader.value("AUDIT_DAYS", values::days)? * 86_400,
            log: reader.value("LOG", values::log_filter)?,
            log_format: reader.value("LOG_FORMAT", values::log_format)?,
            data_dir,
        };
        if config.jwt_secret.is_some() && config.jwt_algorithm != Algorithm::Hs256 {
            errors.push(format!(
                "{PREFIX}JWT_ALGORITHM: {} signs with a key of its own, kept in the data folder; {PREFIX}JWT_SECRET is \
                 for HS256 alone: leave one of the two away",
                config.jwt_algorithm
            ));
        }
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }

    /// Password policy of new passwords.
    #[must_use]
    pub fn password_policy(&self) -> Policy {
        Policy {
            min: self.password_min,
            common: self.password_blocklist.then_some(&COMMON_PASSWORDS),
        }
    }

    /// Lists every setting with value and source; secrets are masked.
    #[must_use]
    pub fn describe(sources: &Sources) -> String {
        let lines = SETTINGS.iter().map(|setting| {
            let (value, from) = match sources.get(setting.name) {
                Some((_, source)) if SECRETS.contains(&setting.name) => {
                    ("(set)".to_owned(), source.to_string())
                }
                Some((value, source)) if setting.name == "DATABASE_URL" => {
                    (crate::store::without_password(value), source.to_string())
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

/// Reads the S3 settings. All are checked, also without an endpoint.
fn s3(reader: &mut values::Reader<'_>) -> Result<Option<S3>, ConfigErrors> {
    let endpoint = reader.given("S3_ENDPOINT", values::endpoint);
    let bucket = reader.value("S3_BUCKET", values::text)?;
    let region = reader.value("S3_REGION", values::text)?;
    let access_key_id = reader.given("S3_ACCESS_KEY_ID", values::text);
    let secret_access_key =
        reader.given("S3_SECRET_ACCESS_KEY", |text| Ok(SecretString::from(text.trim())));
    let Some(endpoint) = endpoint else { return Ok(None) };
    let missing = |name: &str| {
        ConfigErrors(vec![format!(
            "{PREFIX}{name}: it is needed where {PREFIX}S3_ENDPOINT is given"
        )])
    };
    let access_key_id = access_key_id.ok_or_else(|| missing("S3_ACCESS_KEY_ID"))?;
    let secret_access_key = secret_access_key.ok_or_else(|| missing("S3_SECRET_ACCESS_KEY"))?;
    Ok(Some(S3 { endpoint, bucket, region, access_key_id, secret_access_key }))
}

/// Reads the rate limits. All are checked, also if rate limits are off.
fn limits(reader: &mut values::Reader<'_>) -> Result<Option<Limits>, ConfigErrors> {
    let failures = reader.value("LOGIN_FAILURES_SECONDS", values::seconds)?;
    let registrations = reader.value("REGISTRATIONS_SECONDS", values::seconds)?;
    let refreshes = reader.value("REFRESHES_SECONDS", values::seconds)?;
    let changes = reader.value("CHANGES_SECONDS", values::seconds)?;
    let mut quota =
        |name, seconds| Ok(Quota { times: reader.value(name, values::times)?, seconds });
    let limits = Limits {
        login_account: quota("LOGIN_FAILURES_PER_ACCOUNT", failures)?,
        login_address: quota("LOGIN_FAILURES_PER_ADDRESS", failures)?,
        registration: quota("REGISTRATIONS_PER_ADDRESS", registrations)?,
        refresh: quota("REFRESHES_PER_SESSION", refreshes)?,
        changes_session: quota("CHANGES_PER_SESSION", changes)?,
        changes_account: quota("CHANGES_PER_ACCOUNT", changes)?,
        waiting_hashes: reader.value("WAITING_HASHES_PER_ADDRESS", values::times)?,
    };
    Ok(reader.value("RATE_LIMITS", values::switch)?.then_some(limits))
}

/// Reports unknown names with the prefix: a misspelt setting must not be ignored. Kubernetes
/// service links of a service with the product's name have the same prefix; they are ignored.
fn unknown_names(sources: &Sources) -> Vec<String> {
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

/// Finds the site folder: beside the executable in a deployment, or one folder up in a build
/// (target/site).
fn default_site_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let folders = exe.ancestors().skip(1).take(2).map(|folder| folder.join("site"));
    folders.into_iter().find(|folder| folder.is_dir()).unwrap_or_else(|| PathBuf::from("site"))
}

#[cfg(test)]
mod tests;
