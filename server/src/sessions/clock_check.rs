//! Whether the clock may be believed before something is removed because of its age. A machine
//! without a battery, or with a wrong time server, may be years ahead for some minutes: that must
//! not cost the audit log.

use std::time::Duration;

/// Seconds by which the clock may be ahead of what is known. What is removed too early then is a
/// day too young at most.
const AHEAD_MAX: i64 = 86_400;
/// How long the clock has to go on evenly before it is believed nevertheless.
const CONFIRMATION: Duration = Duration::from_hours(1);
/// Seconds by which a clock that goes on evenly may differ from the time that has passed.
const STEP: i64 = 60;

/// Compares the clock with the last time at which it was known to be right, and with the time that
/// has passed since.
#[derive(Debug)]
pub(super) struct ClockCheck {
    /// A time at which the clock was right, in seconds of Unix time, and when that was.
    known: (i64, Duration),
    hold: Option<Hold>,
}

/// A clock that is not believed yet.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// What it showed at first, and when that was.
    since: (i64, Duration),
    /// The newest entry of the audit log at that time.
    newest_entry: i64,
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plausibility {
    /// The clock is about as late as it must be.
    Plausible,
    /// It is not, but it has gone on evenly, and the server is used: it is believed from now on.
    Confirmed,
    /// It is not believed.
    Held {
        /// Whether it was believed before.
        is_new: bool,
        /// Seconds by which it is ahead.
        ahead: i64,
    },
}

impl ClockCheck {
    /// A check that knows when the clock was last right, in seconds of Unix time; `None` where
    /// nothing is known.
    pub(super) fn new(last_right: Option<i64>, now: i64, elapsed: Duration) -> Self {
        // A clock that is behind removes nothing too early.
        Self { known: (last_right.map_or(now, |at| at.min(now)), elapsed), hold: None }
    }

    /// Checks the clock. `newest_entry` is the number of the audit log's newest entry.
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

/// Seconds by which a clock is ahead of what it should show, given what it showed before.
fn ahead_of((then, elapsed_then): (i64, Duration), now: i64, elapsed: Duration) -> i64 {
    let passed = i64::try_from(elapsed.saturating_sub(elapsed_then).as_secs()).unwrap_or(i64::MAX);
    now.saturating_sub(then).saturating_sub(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const START: i64 = 1_800_000_000;

    /// A clock that shows so many seconds after the start, when so many have passed.
    fn check(check: &mut ClockCheck, shown: i64, passed: u64, newest_entry: i64) -> Plausibility {
        check.check(START + shown, Duration::from_secs(passed), newest_entry)
    }

    fn held(is_new: bool, ahead: i64) -> Plausibility {
        Plausibility::Held { is_new, ahead }
    }

    #[test]
    fn check_of_a_clock_that_goes_on_is_plausible() {
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
    fn check_of_a_clock_that_is_ahead_waits_for_an_hour_and_a_new_entry() {
        let ahead = 400 * DAY;
        let mut clock = ClockCheck::new(Some(START), START + ahead, Duration::ZERO);
        assert_eq!(check(&mut clock, ahead, 0, 7), held(true, ahead));
        assert_eq!(check(&mut clock, ahead + 3599, 3599, 8), held(false, ahead));
        assert_eq!(check(&mut clock, ahead + 7200, 7200, 7), held(false, ahead), "no entry");
        assert_eq!(check(&mut clock, ahead + 7200, 7200, 8), Plausibility::Confirmed);
        assert_eq!(check(&mut clock, ahead + 7201, 7201, 8), Plausibility::Plausible);
    }

    #[test]
    fn check_of_a_clock_that_is_set_while_it_is_not_believed_begins_again() {
        let mut clock = ClockCheck::new(Some(START), START + 400 * DAY, Duration::ZERO);
        assert_eq!(check(&mut clock, 400 * DAY, 0, 7), held(true, 400 * DAY));
        // Still wrong, but in another way.
        assert_eq!(check(&mut clock, 300 * DAY + 3600, 3600, 8), held(true, 300 * DAY));
        assert_eq!(check(&mut clock, 300 * DAY + 7199, 7199, 9), held(false, 300 * DAY));
        // Right again.
        assert_eq!(check(&mut clock, 8000, 8000, 9), Plausibility::Plausible);
    }

    #[test]
    fn check_of_a_clock_that_jumps_while_the_server_runs_is_held() {
        let mut clock = ClockCheck::new(Some(START), START, Duration::ZERO);
        assert_eq!(check(&mut clock, 600, 600, 7), Plausibility::Plausible);
        assert_eq!(check(&mut clock, 40 * DAY, 1200, 7), held(true, 40 * DAY - 1200));
    }
}
