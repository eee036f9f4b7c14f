//! Localised dates, times and durations.

use std::time::Duration;

use js_sys::{Array, Date, Intl, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::i18n::Lang;

/// Parts of a timestamp to display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Date only.
    Day,
    /// Date and time, to the minute.
    Minute,
    /// Date and time, to the second.
    Second,
    /// Time only, to the second.
    Clock,
}

/// Formats a Unix timestamp (seconds) in the browser's time zone and the page's language.
#[must_use]
pub fn format_time(seconds: i64, precision: Precision, lang: Lang) -> String {
    let options = Object::new();
    let set = |key: &str, value: &str| {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&options, &key.into(), &value.into());
    };
    if precision != Precision::Clock {
        set("dateStyle", "medium");
    }
    match precision {
        Precision::Day => {}
        Precision::Minute => set("timeStyle", "short"),
        Precision::Second | Precision::Clock => set("timeStyle", "medium"),
    }
    date(seconds).to_locale_string(&locale(lang), &options).into()
}

/// Formats an age in seconds relative to now: `5 minutes ago`, `yesterday`.
#[must_use]
pub fn format_relative(seconds: i64, lang: Lang) -> String {
    let seconds = seconds.max(0);
    let (count, unit) = match seconds {
        0..60 => (0, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let options = Object::new();
    // Setting a property of a plain object does not fail.
    let _ = Reflect::set(&options, &"numeric".into(), &"auto".into());
    let format = Intl::RelativeTimeFormat::new(&Array::of1(&locale(lang).into()), &options);
    #[expect(
        clippy::cast_precision_loss,
        reason = "as many days as fit a float exactly have not passed yet"
    )]
    let past = -(count as f64);
    format.format(past, unit).into()
}

/// Formats a Unix timestamp (seconds) as ISO 8601.
#[must_use]
pub fn to_iso(seconds: i64) -> String {
    date(seconds).to_iso_string().into()
}

/// Returns today's date in UTC, as ISO 8601.
#[must_use]
pub fn today() -> String {
    String::from(Date::new_0().to_iso_string()).chars().take(10).collect()
}

#[wasm_bindgen]
extern "C" {
    /// As in `js_sys`, but returns an invalid tag as an error instead of throwing.
    #[wasm_bindgen(catch, js_namespace = Intl, js_name = getCanonicalLocales)]
    fn canonical_locales(tag: &str) -> Result<Array, JsValue>;
}

/// Returns the browser's regional variant of the page's language (`en-GB`), else the page's
/// language. Where the environment sets the browser's language it may not be a BCP 47 tag
/// (`en-US@posix`, `zh_CN`), which `Intl` rejects with a `RangeError`.
fn locale(lang: Lang) -> String {
    let own = window().navigator().language();
    own.filter(|own| Lang::from_tag(own) == Some(lang) && canonical_locales(own).is_ok())
        .unwrap_or_else(|| lang.tag().to_owned())
}

/// Returns a signal that changes every second until its owner is disposed.
#[must_use]
pub fn every_second() -> RwSignal<u32> {
    let second = RwSignal::new(0_u32);
    Effect::new(move |_| {
        let handle = set_interval_with_handle(
            move || second.update(|second| *second += 1),
            Duration::from_secs(1),
        );
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
    second
}

fn date(seconds: i64) -> Date {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a date of any calendar has fewer digits than a float"
    )]
    let milliseconds = seconds as f64 * 1000.0;
    Date::new(&JsValue::from_f64(milliseconds))
}

/// Formats a duration in seconds: `9:41`, `1:05:00`.
#[must_use]
pub fn format_duration(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::format_duration;

    #[test]
    fn format_duration_returns_clock_notation() {
        assert_eq!(format_duration(0), "0:00");
        assert_eq!(format_duration(581), "9:41");
        assert_eq!(format_duration(3900), "1:05:00");
    }
}
