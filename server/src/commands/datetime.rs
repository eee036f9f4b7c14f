//! Moments as people write and read them.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A moment in UTC (RFC 3339 §5.6).
pub(super) fn rfc3339(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// The moment that somebody means: `2027-01-31`, `2027-01-31T12:00:00Z`, or so long ago (`90s`,
/// `15m`, `12h`, `7d`).
pub(super) fn parse(text: &str, now: i64) -> Option<i64> {
    let ago = |(unit, seconds)| {
        Some(now - text.strip_suffix(unit)?.parse::<u32>().ok().map(i64::from)? * seconds)
    };
    [('s', 1), ('m', 60), ('h', 3600), ('d', DAY)].into_iter().find_map(ago).or_else(|| utc(text))
}

fn utc(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time.strip_suffix('Z')?, ':', [2, 2, 2])?;
    let days = days(year, month, day);
    let is_a_day = self::date(days) == (year, month, day);
    (is_a_day && hour < 24 && minute < 60 && second < 60)
        .then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
        })?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date
/// algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The day since 1970 of year, month and day: the way back.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
            assert_eq!(parse(text, 0), Some(seconds));
        }
    }

    #[test]
    fn days_and_spans_are_understood() {
        assert_eq!(parse("2027-01-15", 0), Some(1_799_971_200));
        for (text, ago) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(parse(text, 1_800_000_000), Some(1_800_000_000 - ago), "{text}");
        }
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
        fn what_is_written_is_read(seconds in 0..253_402_300_800_i64) {
            prop_assert_eq!(parse(&rfc3339(seconds), 0), Some(seconds));
        }
    }
}
