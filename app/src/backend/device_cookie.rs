//! Known-device cookies, the only cookies of the API. They mark a browser as a known device of an
//! account, which has its own rate limit for logins; they do not authenticate, and are optional.

use http::HeaderMap;

use super::{
    ClientInfo,
    cookies::{cookies, set_cookie},
};

/// Lifetime in seconds: half a year after the last login.
const MAX_AGE_SECONDS: i64 = 15_552_000;
/// Cookies that are read from one request: the number of users that share a browser.
const MAX_COOKIES: usize = 16;

/// A known-device cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl DeviceCookie {
    /// Prefix of the cookie names.
    pub const NAME_PREFIX: &'static str = "device_";

    /// Reads the known-device cookies of a request (RFC 6265 §5.4).
    #[must_use]
    pub fn read_all(headers: &HeaderMap) -> Vec<Self> {
        cookies(headers)
            .filter(|cookie| cookie.name().starts_with(Self::NAME_PREFIX))
            .take(MAX_COOKIES)
            .map(|cookie| Self { name: cookie.name().to_owned(), value: cookie.value().to_owned() })
            .collect()
    }

    /// Adds the cookie to the response: hidden from scripts and from other sites, and sent to this
    /// path only.
    pub(crate) fn set(&self, path: &str, client_info: &ClientInfo) {
        set_cookie((&self.name, &self.value), path, MAX_AGE_SECONDS, client_info);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn read_all_with_other_cookies_returns_device_cookies_only() {
        let mut headers = HeaderMap::new();
        for line in ["lang=zh; device_a=1.2;device_b=; xdevice_c=3", "device_d", "device_e=4=5"] {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        let read: Vec<_> = DeviceCookie::read_all(&headers)
            .into_iter()
            .map(|cookie| cookie.name + "=" + &cookie.value)
            .collect();
        assert_eq!(read, ["device_a=1.2", "device_b=", "device_e=4=5"]);
        let many =
            (0..100).map(|number| format!("device_{number}=x")).collect::<Vec<_>>().join("; ");
        headers.insert(header::COOKIE, HeaderValue::try_from(many).expect("a header"));
        assert_eq!(DeviceCookie::read_all(&headers).len(), MAX_COOKIES);
    }
}
