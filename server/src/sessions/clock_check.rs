//! Plausibility of the clock, checked before old rows are deleted. A machine without a battery, or
//! with a wrong time server, may be years ahead for some minutes: that must not cost the audit log.

use std::time::Duration;

/// Largest plausible lead of the clock in seconds. Rows are deleted at most a day too early.
const AHEAD_MAX: i64 = 86_400;
/// Time that an implausible clock must run evenly until it is accepted.
const CONFIRMATION: Duration = Duration::from_hours(1);
/// Tolerance in seconds between an evenly running clock and the elapsed time.
const STEP: i64 = 60;

/// Compares the clock with the last known correct time, plus the elapsed time since.
#[derive(Debug)]
pub(super) struct ClockCheck {
    /// A known correct time in seconds of Unix time, and the elapsed time then.
    known: (i64, Duration),
    hold: Option<Hold>,
}

/// An implausible clock that is being observed.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// Its first reading, and the elapsed time then.
    since: (i64, Duration),
    /// The newest entry of the audit log then.
    newest_entry: i64,
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plausibility {
    /// The clock agrees with the elapsed time.
    Plausible,
    /// The clock leads, but has run evenly while the server was used: it is accepted from now on.
    Confirmed,
    /// The clock leads: nothing is deleted.
    Held {
        /// Set if the previous check was plausible.
        is_new: bool,
        /// Its lead in seconds.
        ahead: i64,
    },
}

impl ClockCheck {
    /// Creates a check from the last known correct time in seconds of Unix time, if there is one.
    pub(super) fn new(last_right: Option<i64>, now: i64, elapsed: Duration) -> Self {
        // A clock that is behind deletes nothing too early.
        Self { known: (last_right.map_or(now, |at| at.min(now)), elapsed), hold: None }
    }

    /// Checks the clock. `newest_entry` is the id of the audit log's newest entry.
    pub(super) fn check(&mut self, now: i64, elapsed: Duration, newest_entry: i64) -> Plausibility {
        let ahead = ahead_of(self.known, now, elapsed);
        if ahead <= AHEAD_MAX {
            *self = Self { known: (now, elapsed), hold: None };
            return Plausibility::Plausible;
        }
        let same = self.hold.filter(|hold| ahead_of(hold.since, now, elapsed).abs() <= STEP);
        let Some(hold) = same else {
            self.hold = Some(Hold { since: (now, elapsed), newest_entry });
            return Plausibility::Held { is_new: true, ahead };
        };
        if elapsed.saturating_sub(hold.since.1) < CONFIRMATION || newest_entry <= hold.newest_entry
        {
            return Plausibility::Held { is_new: false, ahead };
        }
        *self = Self { known: (now, elapsed), hold: None };
        Plausibility::Confirmed
    }
}

/// Returns the lead of a clock in seconds, given an earlier reading.
fn ahead_of((then, elapsed_then): (i64, Duration), now: i64, elapsed: Duration) -> i64 {
    let passed = i64::try_from(elapsed.saturating_sub(elapsed_then).as_secs()).unwrap_or(i64::MAX);
    now.saturating_sub(then).saturating_sub(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const START: i64 = 1_800_000_000;

    /// Checks a clock at `shown` seconds after the start, when `passed` seconds have elapsed.
    fn check(check: &mut ClockCheck, shown: i64, passed: u64, newest_entry: i64) -> Plausibility {
        check.check(START + shown, Duration::from_secs(passed), newest_entry)
    }

    fn held(is_new: bool, ahead: i64) -> Plausibility {
        Plausibility::Held { is_new, ahead }
    }

    #[test]
    fn check_of_even_clock_is_plausible() {
        let mut clock = ClockCheck::new(Some(START), START + DAY, Duration::ZERO);
        assert_eq!(check(&mut clock, DAY, 0, 7), Plausibility::Plausible);
        let year = 365 * DAY;
        assert_eq!(check(&mut clock, year, year.unsigned_abs(), 7), Plausibility::Plausible);
        assert_eq!(check(&mut clock, year - 7, year.unsigned_abs(), 7), Plausibility::Plausible);
        assert_eq!(
            check(&mut ClockCheck::new(None, START, Duration::ZERO), 0, 0, 0),
            Plausibility::Plausible
        );
    }

    #[test]
    fn check_of_leading_clock_is_held_for_an_hour_and_a_new_entry() {
        let ahead = 400 * DAY;
        let mut clock = ClockCheck::new(Some(START), START + ahead, Duration::ZERO);
        assert_eq!(check(&mut clock, ahead, 0, 7), held(true, ahead));
        assert_eq!(check(&mut clock, ahead + 3599, 3599, 8), held(false, ahead));
        assert_eq!(check(&mut clock, ahead + 7200, 7200, 7), held(false, ahead), "no entry");
        assert_eq!(check(&mut clock, ahead + 7200, 7200, 8), Plausibility::Confirmed);
        assert_eq!(check(&mut clock, ahead + 7201, 7201, 8), Plausibility::Plausible);
    }

    #[test]
    fn check_of_clock_stepped_while_held_starts_over() {
        let mut clock = ClockCheck::new(Some(START), START + 400 * DAY, Duration::ZERO);
        assert_eq!(check(&mut clock, 400 * DAY, 0, 7), held(true, 400 * DAY));
        // Still wrong, but in another way.
        assert_eq!(check(&mut clock, 300 * DAY + 3600, 3600, 8), held(true, 300 * DAY));
        assert_eq!(check(&mut clock, 300 * DAY + 7199, 7199, 9), held(false, 300 * DAY));
        // Right again.
        assert_eq!(check(&mut clock, 8000, 8000, 9), Plausibility::Plausible);
    }

    #[test]
    fn check_of_clock_stepped_at_run_time_is_held() {
        let mut clock = ClockCheck::new(Some(START), START, Duration::ZERO);
        assert_eq!(check(&mut clock, 600, 600, 7), Plausibility::Plausible);
        assert_eq!(check(&mut clock, 40 * DAY, 1200, 7), held(true, 40 * DAY - 1200));
    }
}
