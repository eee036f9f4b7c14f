//! Parsers of setting values.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, ToSocketAddrs as _},
    num::NonZeroU64,
    time::Duration,
};

use app::protocol::invitations::RegistrationPolicy;
use axum::http::Uri;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use super::{
    ConfigErrors, LogFormat, Sources,
    settings::{PREFIX, default_of},
};
use crate::{
    network::{Network, ParseNetworkError},
    tokens::algorithm::Algorithm,
};

/// A hundred years; a greater number is a typo.
const SECONDS_MAX: i64 = 3_155_760_000;
/// Maximum length of the site's name, in characters: it has to fit into the header.
const SITE_NAME_MAX: usize = 40;
/// Maximum of counts in rate limits.
const TIMES_MAX: i64 = 10_000;
/// Minimum length of the secret in bytes (RFC 7518 §3.2: the size of the hash).
const SECRET_MIN: usize = 32;
/// Secrets from tutorials and samples, which are publicly known.
const KNOWN_SECRETS: &[&str] = &[
    "default-super-secret-key-for-dev",
    "a-string-secret-at-least-256-bits-long",
    "your-256-bit-secret",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "super-secret-jwt-token-with-at-least-32-characters-long",
];
/// Minimum number of different bytes of a secret: rejects repeated keystrokes.
const SECRET_VARIETY: usize = 8;

/// Reads values and collects error messages.
pub(super) struct Reader<'a> {
    sources: &'a Sources,
    errors: &'a mut Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources, errors: &'a mut Vec<String>) -> Self {
        Self { sources, errors }
    }

    /// Returns the given value or the default. If the given value is invalid, the error is recorded
    /// and the default is returned, so that all mistakes are reported together.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigErrors> {
        match self.given(name, &parse) {
            Some(value) => Ok(value),
            None => parse(default_of(name))
                .map_err(|problem| ConfigErrors(vec![format!("{PREFIX}{name}: {problem}")])),
        }
    }

    /// Returns the given value, if it is valid.
    pub(super) fn given<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (text, _) = self.sources.get(name)?;
        self.check(&format!("{PREFIX}{name}"), text, parse)
    }

    pub(super) fn check<T>(
        &mut self,
        name: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|problem| self.errors.push(format!("{name}: {problem}"))).ok()
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "read like settings of which not any text can be used"
)]
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.trim().to_owned())
}

pub(super) fn addr(text: &str) -> Result<SocketAddr, String> {
    let unusable =
        || format!("{text:?} is no address with a port, such as 127.0.0.1:3000 or [::]:80");
    text.trim().to_socket_addrs().ok().and_then(|mut addrs| addrs.next()).ok_or_else(unusable)
}

pub(super) fn seconds(text: &str) -> Result<i64, String> {
    whole(text, 1, SECONDS_MAX, "seconds")
}

pub(super) fn idle_timeout(text: &str) -> Result<Duration, String> {
    let seconds = whole(text, 1, 3600, "seconds")?;
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

pub(super) fn days(text: &str) -> Result<i64, String> {
    whole(text, 1, 36_525, "days")
}

pub(super) fn grace_seconds(text: &str) -> Result<i64, String> {
    whole(text, 0, 600, "seconds")
}

/// Up to a petabyte; a greater number is a typo.
pub(super) fn bytes(text: &str) -> Result<i64, String> {
    whole(text, 0, 1_000_000_000_000_000, "bytes")
}

/// At least the memory that decoding a photograph of 24 megapixels takes.
pub(super) fn picture_bytes(text: &str) -> Result<u64, String> {
    whole(text, 90_000_000, 1_000_000_000_000, "bytes").map(i64::unsigned_abs)
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    u32::try_from(whole(text, 1, 1_000_000, "objects")?).map_err(|error| error.to_string())
}

/// Connections to the database: at least one for reads and one for changes.
pub(super) fn connections(text: &str) -> Result<u32, String> {
    u32::try_from(whole(text, 2, 1_000, "connections")?).map_err(|error| error.to_string())
}

/// Bytes per second, up to a gigabyte; a greater number is a typo.
pub(super) fn rate(text: &str) -> Result<NonZeroU64, String> {
    let rate = whole(text, 1, 1_000_000_000, "bytes a second")?;
    NonZeroU64::new(rate.unsigned_abs()).ok_or_else(|| format!("{text:?} is no rate"))
}

pub(super) fn times(text: &str) -> Result<u32, String> {
    u32::try_from(whole(text, 1, TIMES_MAX, "times")?).map_err(|error| error.to_string())
}

pub(super) fn password_min(text: &str) -> Result<usize, String> {
    usize::try_from(whole(text, 6, 64, "characters")?).map_err(|error| error.to_string())
}

fn whole(text: &str, min: i64, max: i64, unit: &str) -> Result<i64, String> {
    let number = text.trim().parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a whole number of {unit} from {min} to {max}"))
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim() {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?} is neither \"on\" nor \"off\"")),
    }
}

pub(super) fn algorithm(text: &str) -> Result<Algorithm, String> {
    let name = text.trim();
    Algorithm::parse(name).ok_or_else(|| format!("{name:?} is neither \"HS256\" nor \"EdDSA\""))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("{other:?} is neither \"text\" nor \"json\"")),
    }
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

/// Policy of registration.
pub(super) fn registration(text: &str) -> Result<RegistrationPolicy, String> {
    let name = text.trim();
    RegistrationPolicy::parse(name)
        .ok_or_else(|| format!("{name:?} is none of \"open\", \"invite\" and \"closed\""))
}

/// Name of the site, which appears in the header and in titles.
pub(super) fn site_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(format!("{text:?} is no name"));
    }
    match name.chars().count() {
        ..=SITE_NAME_MAX => Ok(name.to_owned()),
        count => Err(format!("it has {count} characters and can have {SITE_NAME_MAX}")),
    }
}

/// A link for users: a page over TLS, or an email address.
pub(super) fn link(text: &str) -> Result<String, String> {
    let text = text.trim();
    let problem = || {
        format!(
            "{text:?} is no link such as https://example.com/privacy or mailto:help@example.com"
        )
    };
    // Browsers accept more, but a link that needs repair is likely a typo.
    let is_plain =
        !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c));
    let is_address = |address: &str| {
        let address = address.split('?').next().unwrap_or_default();
        app::validation::username::is_email(address)
    };
    let is_page = || {
        text.parse::<Uri>().is_ok_and(|uri| {
            uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty())
        })
    };
    let is_link = text.strip_prefix("mailto:").map_or_else(is_page, is_address);
    if is_plain && is_link { Ok(text.to_owned()) } else { Err(problem()) }
}

/// URL of an S3-compatible store.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| {
        format!("{text:?} is no address such as https://s3.eu-central-1.amazonaws.com or http://127.0.0.1:9000")
    })?;
    let uri: Uri = text.parse().map_err(|_| format!("{text:?} is no address"))?;
    if rest.is_empty() || uri.authority().is_none() || uri.path() != "/" || uri.query().is_some() {
        return Err(format!("{text:?} is more, or less, than a host and a port"));
    }
    Ok(text.to_owned())
}

pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    items(text).map(origin).collect()
}

/// An origin as browsers serialize it (RFC 6454 §6.2): it is compared byte by byte.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let example =
        || format!("{text:?} is no origin, such as https://app.example or http://localhost:5173");
    let uri: Uri = text.parse().map_err(|_| example())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(example());
    };
    let spelt = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
    if !matches!(scheme, "http" | "https") || spelt != text || authority.as_str().contains('@') {
        return Err(example());
    }
    Ok(spelt)
}

/// Any text is accepted: one that is not a valid username cannot be registered anyway.
#[expect(
    clippy::unnecessary_wraps,
    reason = "read like settings of which not any text can be used"
)]
pub(super) fn names(text: &str) -> Result<Vec<String>, String> {
    Ok(items(text).map(str::to_owned).collect())
}

/// Items of a comma-separated list.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

pub(super) fn networks(text: &str) -> Result<Vec<Network>, String> {
    let network = |text: &str| {
        text.parse().map_err(|error: ParseNetworkError| format!("{text:?} is {error}"))
    };
    items(text).map(network).collect()
}

/// The messages do not show the secret.
pub(super) fn secret(text: &str) -> Result<SecretString, String> {
    let advice = "make one with: openssl rand -base64 48";
    if KNOWN_SECRETS.contains(&text.trim().to_ascii_lowercase().as_str()) {
        return Err(format!(
            "this secret is published in samples, so tokens can be forged with it; {advice}"
        ));
    }
    if text.len() < SECRET_MIN {
        return Err(format!(
            "it has {} bytes and needs at least {SECRET_MIN}; {advice}",
            text.len()
        ));
    }
    if text.bytes().collect::<BTreeSet<_>>().len() < SECRET_VARIETY {
        return Err(format!("it can be guessed; {advice}"));
    }
    Ok(SecretString::from(text))
}
