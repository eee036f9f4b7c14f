//! Parses points in time on the command line.

use chrono::DateTime;

/// Parses a time (`2027-01-31`, `2027-01-31T12:00:00Z`) or a duration before `now` (`90s`, `15m`,
/// `12h`, `7d`), and returns seconds of Unix time.
pub(super) fn parse(text: &str, now: i64) -> Option<i64> {
    let ago = |(unit, seconds)| {
        Some(now - text.strip_suffix(unit)?.parse::<u32>().ok().map(i64::from)? * seconds)
    };
    let duration = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)].into_iter().find_map(ago);
    duration.or_else(|| {
        let time = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")));
        Some(time.ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::utc;

    #[test]
    fn parse_of_dates_times_and_durations_returns_unix_time() {
        for (text, expected) in [
            ("2027-01-15", 1_799_971_200),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2027-01-15T09:30:00+01:30", 1_800_000_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("90s", 1_799_999_910),
            ("15m", 1_799_999_100),
            ("12h", 1_799_956_800),
            ("7d", 1_799_395_200),
        ] {
            assert_eq!(parse(text, 1_800_000_000), Some(expected), "{text}");
        }
    }

    #[test]
    fn parse_of_other_texts_returns_none() {
        for text in [
            "",
            "d",
            "-1d",
            "2027",
            "2027-02-29",
            "2027-13-01",
            "2027-1-5",
            "2027-01-15T08:00",
            "2027-01-15T24:00:00Z",
            "99999999999d",
        ] {
            assert_eq!(parse(text, 0), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parse_of_formatted_time_returns_it(seconds in 0..253_402_300_800_i64) {
            prop_assert_eq!(parse(&utc(seconds), 0), Some(seconds));
        }
    }
}
