//! Settings: read and checked at the start; all mistakes are reported together.

mod service_links;
mod settings;
mod sources;
mod values;

pub use settings::{describe, markdown_table};
pub use sources::{Source, Sources};

use std::{fmt, net::SocketAddr, path::PathBuf};

use app::{
    i18n::mail::MailSite, page_settings::SiteInfo, protocol::invitations::RegistrationPolicy,
};
use secrecy::SecretString;
use settings::{PREFIX, unknown_names};

use crate::{
    domain::{common_passwords::COMMON_PASSWORDS, password::Policy, rotation::Lifetimes},
    http::{ConnectionLimits, UploadLimits},
    limits::{Limits, Quota},
    mail::{MailSettings, MailTransport, parse_sender},
    network::Network,
    objects::S3,
    store::Store,
    tokens::{
        algorithm::Algorithm,
        keys::{KeyError, SharedKeys},
    },
};

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
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// Listening address.
    pub addr: SocketAddr,
    /// Listening address of metrics; [`None`] if they are not served.
    pub metrics_addr: Option<SocketAddr>,
    /// Limits and idle timeout of connections.
    pub connections: ConnectionLimits,
    /// Folder of persistent data.
    pub data_dir: PathBuf,
    /// Database URL.
    pub database_url: String,
    /// Maximum number of connections to PostgreSQL.
    pub database_connections: u32,
    /// Folder of the site files.
    pub site_dir: PathBuf,
    /// Name and links of the site.
    pub site: SiteInfo,
    /// Mail; [`None`] if none is sent.
    pub mail: Option<MailSettings>,
    /// Live reload of pages, in development.
    pub reload: bool,
    /// Signature algorithm of tokens.
    pub jwt_algorithm: Algorithm,
    /// HS256 secret that replaces the key file.
    pub jwt_secret: Option<SecretString>,
    /// Secret that encrypts the signing keys in a shared database.
    pub keys_secret: Option<SecretString>,
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
    /// Policy of registration.
    pub registration: RegistrationPolicy,
    /// True if a login requires a verified address.
    pub requires_verified_address: bool,
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
    /// Folder of uploaded files, without S3.
    pub uploads_dir: PathBuf,
    /// S3 store of uploaded files; [`None`]: the folder.
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
        let site = SiteInfo {
            name: reader.value("SITE_NAME", values::site_name)?,
            public_url: reader.given("PUBLIC_URL", values::origin),
            privacy_url: reader.given("PRIVACY_URL", values::link),
            terms_url: reader.given("TERMS_URL", values::link),
            support_url: reader.given("SUPPORT_URL", values::link),
        };
        let trusted_proxies = reader.given("TRUSTED_PROXIES", values::networks).unwrap_or_default();
        let config = Self {
            addr,
            metrics_addr: reader.given("METRICS_ADDR", values::addr),
            connections: ConnectionLimits {
                idle_timeout: reader.value("IDLE_TIMEOUT_SECONDS", values::idle_timeout)?,
                body_rate: reader.value("UPLOAD_MIN_BYTES_PER_SECOND", values::rate)?,
                total: reader.value("MAX_CONNECTIONS", values::count)? as usize,
                per_address: reader.value("MAX_CONNECTIONS_PER_ADDRESS", values::count)? as usize,
            },
            database_url: reader.given("DATABASE_URL", values::text).unwrap_or_else(|| {
                format!("sqlite://{}", data_dir.join("gatehouse.sqlite").display())
            }),
            database_connections: reader.value("DATABASE_CONNECTIONS", values::connections)?,
            site_dir: reader
                .given("SITE_DIR", values::text)
                .map_or_else(default_site_dir, PathBuf::from),
            mail: mail(&mut reader, &site, addr, &trusted_proxies)?,
            site,
            reload: sources.is_watched(),
            jwt_algorithm: reader.value("JWT_ALGORITHM", values::algorithm)?,
            jwt_secret: reader.given("JWT_SECRET", values::secret),
            keys_secret: reader.given("KEYS_SECRET", values::secret),
            issuer: reader.value("JWT_ISSUER", values::text)?,
            audience: reader.value("JWT_AUDIENCE", values::text)?,
            lifetimes,
            rotates: reader.value("REFRESH_ROTATION", values::switch)?,
            allowed_origins: reader.given("ALLOWED_ORIGINS", values::origins).unwrap_or_default(),
            trusted_proxies,
            limits: limits(&mut reader)?,
            registration: reader.value("REGISTRATION", values::registration)?,
            requires_verified_address: reader.value("REQUIRE_VERIFIED_ADDRESS", values::switch)?,
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
            // Without a slash at the end: a restore adds to the name of the folder.
            uploads_dir: reader
                .given("UPLOADS_DIR", values::text)
                .map_or_else(|| data_dir.join("objects"), PathBuf::from)
                .components()
                .collect(),
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
        if config.requires_verified_address && config.mail.is_none() {
            errors.push(format!(
                "{PREFIX}REQUIRE_VERIFIED_ADDRESS: addresses are verified by mail; it needs {PREFIX}MAIL_URL"
            ));
        }
        if let Some(metrics) = config.metrics_addr.filter(|other| overlaps(config.addr, *other)) {
            errors.push(format!(
                "{PREFIX}METRICS_ADDR: {metrics} is the address of {PREFIX}ADDR ({addr}); metrics need a port of their own, \
                 such as 127.0.0.1:9100"
            ));
        }
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }

    /// Returns the signing keys in a database. With SQLite they are in the data folder instead.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoSecret`] if there is no secret to encrypt them with.
    pub fn shared_keys(&self, store: &Store) -> Result<SharedKeys, KeyError> {
        SharedKeys::new(store.clone(), self.keys_secret.clone(), self.jwt_secret.clone())
    }

    /// Returns the origin of links to the site, if it is known.
    #[must_use]
    pub fn site_url(&self) -> Option<String> {
        let of_mail = self.mail.as_ref().map(|mail| mail.site.url.clone());
        of_mail.or_else(|| self.site.public_url.clone())
    }

    /// Password policy of new passwords.
    #[must_use]
    pub fn password_policy(&self) -> Policy {
        Policy {
            min: self.password_min,
            common: self.password_blocklist.then_some(&COMMON_PASSWORDS),
        }
    }
}

/// Returns whether two listeners cannot be bound at the same time. The system chooses port 0.
fn overlaps(one: SocketAddr, other: SocketAddr) -> bool {
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (is_any || one.ip() == other.ip())
}

/// Reads the settings of mail. Links are made of the public URL, never of what a request says. Only a
/// server on loopback without a proxy, whose messages stay on the machine, too, is reached at its own
/// address.
fn mail(
    reader: &mut values::Reader<'_>,
    site: &SiteInfo,
    addr: SocketAddr,
    trusted_proxies: &[Network],
) -> Result<Option<MailSettings>, ConfigErrors> {
    let transport = reader.given("MAIL_URL", MailTransport::parse);
    let from = reader.given("MAIL_FROM", parse_sender);
    let Some(transport) = transport else { return Ok(None) };
    let missing = |name: &str, example: &str| {
        ConfigErrors(vec![format!(
            "{PREFIX}{name}: it is needed where {PREFIX}MAIL_URL is given, such as {example}"
        )])
    };
    let from = from.ok_or_else(|| missing("MAIL_FROM", "Gatehouse <no-reply@accounts.example>"))?;
    let is_local = addr.ip().is_loopback() && trusted_proxies.is_empty() && transport.is_local();
    let local = is_local.then(|| format!("http://{addr}"));
    let url = site
        .public_url
        .clone()
        .or(local)
        .ok_or_else(|| missing("PUBLIC_URL", "https://accounts.example"))?;
    let site = MailSite { name: site.name.clone(), url, support_url: site.support_url.clone() };
    Ok(Some(MailSettings { transport, from, site }))
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
    let mails = reader.value("MAILS_SECONDS", values::seconds)?;
    let refreshes = reader.value("REFRESHES_SECONDS", values::seconds)?;
    let changes = reader.value("CHANGES_SECONDS", values::seconds)?;
    let mut quota =
        |name, seconds| Ok(Quota { times: reader.value(name, values::times)?, seconds });
    let limits = Limits {
        login_account: quota("LOGIN_FAILURES_PER_ACCOUNT", failures)?,
        login_address: quota("LOGIN_FAILURES_PER_ADDRESS", failures)?,
        registration: quota("REGISTRATIONS_PER_ADDRESS", registrations)?,
        mails_account: quota("MAILS_PER_ACCOUNT", mails)?,
        mails_address: quota("MAILS_PER_ADDRESS", mails)?,
        refresh: quota("REFRESHES_PER_SESSION", refreshes)?,
        changes_session: quota("CHANGES_PER_SESSION", changes)?,
        changes_account: quota("CHANGES_PER_ACCOUNT", changes)?,
        waiting_hashes: reader.value("WAITING_HASHES_PER_ADDRESS", values::times)?,
    };
    Ok(reader.value("RATE_LIMITS", values::switch)?.then_some(limits))
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
