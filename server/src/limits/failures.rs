//! What failures of the past say about another try.

use super::Quota;

/// Whether another try is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateDecision {
    /// It is, and so many may fail.
    Allowed {
        /// How many.
        remaining: u32,
    },
    /// It is not.
    Limited {
        /// Seconds until the next one is.
        retry_after: u32,
    },
}

/// Judges by the times of the failures, newest first, in seconds of Unix time. Each counts for as
/// long as the quota says; one that is dated ahead of now was written by a clock that was wrong,
/// and does not count.
#[must_use]
pub fn check_failures(quota: Quota, newest_first: &[i64], now: i64) -> RateDecision {
    let times = usize::try_from(quota.times).unwrap_or(usize::MAX);
    let counting =
        newest_first.iter().filter(|at| (0..quota.seconds).contains(&now.saturating_sub(**at)));
    // The one whose end leaves room for another.
    let last = counting.clone().nth(times.saturating_sub(1));
    match last {
        Some(at) => {
            let wait = at.saturating_add(quota.seconds).saturating_sub(now).clamp(1, quota.seconds);
            RateDecision::Limited { retry_after: u32::try_from(wait).unwrap_or(u32::MAX) }
        }
        None => RateDecision::Allowed {
            remaining: u32::try_from(times - counting.count()).unwrap_or(u32::MAX),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUOTA: Quota = Quota { times: 3, seconds: 100 };

    #[test]
    fn each_failure_counts_for_its_time() {
        for (failures, now, verdict) in [
            (&[][..], 1000, RateDecision::Allowed { remaining: 3 }),
            (&[990, 980], 1000, RateDecision::Allowed { remaining: 1 }),
            (&[990, 980, 970], 1000, RateDecision::Limited { retry_after: 70 }),
            (&[990, 980, 970], 1069, RateDecision::Limited { retry_after: 1 }),
            (&[990, 980, 970], 1070, RateDecision::Allowed { remaining: 1 }),
            (&[990, 980, 970], 1090, RateDecision::Allowed { remaining: 3 }),
            // More than allowed, as after the setting was lowered: all but two of them must have
            // ended.
            (&[999, 998, 990, 980, 970], 1000, RateDecision::Limited { retry_after: 90 }),
            // Failures of a clock that was ahead.
            (&[5000, 5000, 5000], 1000, RateDecision::Allowed { remaining: 3 }),
            (&[1001, 1000, 999, 998], 1000, RateDecision::Limited { retry_after: 98 }),
        ] {
            assert_eq!(check_failures(QUOTA, failures, now), verdict, "{failures:?} {now}");
        }
    }

    proptest! {
        #[test]
        fn whoever_waits_as_told_is_let_in(mut failures in proptest::collection::vec(0..2000_i64, 0..20), now in 0..2000_i64) {
            failures.retain(|at| *at <= now);
            failures.sort_unstable_by(|a, b| b.cmp(a));
            if let RateDecision::Limited { retry_after } = check_failures(QUOTA, &failures, now) {
                let then = now + i64::from(retry_after);
                let is_open = |at| matches!(check_failures(QUOTA, &failures, at), RateDecision::Allowed { .. });
                prop_assert!(is_open(then) && !is_open(then - 1));
            }
        }

        #[test]
        fn in_no_span_of_that_length_fail_more_than_allowed(gaps in proptest::collection::vec(0..60_i64, 1..80)) {
            let (mut now, mut failures) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if matches!(check_failures(QUOTA, &failures, now), RateDecision::Allowed { .. }) {
                    failures.insert(0, now);
                }
            }
            for window in failures.windows(4) {
                prop_assert!(window[0] - window[3] >= QUOTA.seconds);
            }
        }
    }
}
