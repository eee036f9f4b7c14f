//! The one kind of cookie that the interface knows: it says which device a browser was, is opaque
//! to it, and signs nobody in. Whoever brings none is served like anybody else.

use http::{HeaderMap, HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// How long a browser keeps one, in seconds: half a year after the last log-in.
const MAX_AGE_SECONDS: u32 = 15_552_000;
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
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| name.starts_with(Self::DEVICE))
            .take(MAX_COOKIES)
            .map(|(name, value)| Self { name: name.to_owned(), value: value.to_owned() })
            .collect()
    }

    /// Has the browser keep it, out of reach of scripts and of other sites, and send it along to
    /// this path alone.
    pub(crate) fn set(&self, path: &str, is_encrypted: bool) {
        let secure = if is_encrypted { "; Secure" } else { "" };
        let Self { name, value } = self;
        let line = format!(
            "{name}={value}; Path={path}; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Strict{secure}"
        );
        if let (Some(options), Ok(line)) =
            (use_context::<ResponseOptions>(), HeaderValue::try_from(line))
        {
            options.append_header(header::SET_COOKIE, line);
        }
    }
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
