//! The one kind of cookie that the interface knows: it says which device a browser was, is opaque
//! to it, and signs nobody in. Whoever brings none is served like anybody else.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// How long a browser keeps one, in seconds: half a year after the last log-in.
const MAX_AGE_SECONDS: i64 = 15_552_000;
/// Cookies that are looked at in one request at the most: as many persons as share a browser.
const MAX_COOKIES: usize = 16;

/// A cookie that says which device this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl DeviceCookie {
    /// What the names of these cookies begin with.
    pub const DEVICE: &'static str = "device_";

    /// The cookies of this kind in a request's headers (RFC 6265 §5.4).
    #[must_use]
    pub fn read_all(headers: &HeaderMap) -> Vec<Self> {
        cookies(headers)
            .filter(|cookie| cookie.name().starts_with(Self::DEVICE))
            .take(MAX_COOKIES)
            .map(|cookie| Self { name: cookie.name().to_owned(), value: cookie.value().to_owned() })
            .collect()
    }

    /// Has the browser keep it, out of reach of scripts and of other sites, and send it along to
    /// this path alone.
    pub(crate) fn set(&self, path: &str, is_encrypted: bool) {
        let cookie = Cookie::build((&*self.name, &*self.value))
            .path(path)
            .max_age(Duration::seconds(MAX_AGE_SECONDS))
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(is_encrypted);
        let line = HeaderValue::try_from(cookie.to_string());
        if let (Some(options), Ok(line)) = (use_context::<ResponseOptions>(), line) {
            options.append_header(header::SET_COOKIE, line);
        }
    }
}

/// Returns the cookies of a request (RFC 6265 §5.4), without malformed ones.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(Cookie::split_parse).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_of_devices_are_read() {
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
