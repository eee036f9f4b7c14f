//! Sliding-window limits of failed attempts.

use super::Quota;

/// Decision about another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateDecision {
    /// Allowed.
    Allowed {
        /// Failures until the limit is reached.
        remaining: u32,
    },
    /// Rejected until older failures have left the window.
    Limited {
        /// Seconds until the next attempt is allowed.
        retry_after: u32,
    },
}

/// Decides by the times of past failures, newest first, in seconds of Unix time. A failure counts
/// for `quota.seconds`. One dated in the future was written by a wrong clock, and does not count.
#[must_use]
pub fn check_failures(quota: Quota, newest_first: &[i64], now: i64) -> RateDecision {
    let times = usize::try_from(quota.times).unwrap_or(usize::MAX);
    let counting =
        newest_first.iter().filter(|at| (0..quota.seconds).contains(&now.saturating_sub(**at)));
    // The failure that must leave the window first.
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
    fn check_failures_counts_each_within_the_window() {
        for (failures, now, verdict) in [
            (&[][..], 1000, RateDecision::Allowed { remaining: 3 }),
            (&[990, 980], 1000, RateDecision::Allowed { remaining: 1 }),
            (&[990, 980, 970], 1000, RateDecision::Limited { retry_after: 70 }),
            (&[990, 980, 970], 1069, RateDecision::Limited { retry_after: 1 }),
            (&[990, 980, 970], 1070, RateDecision::Allowed { remaining: 1 }),
            (&[990, 980, 970], 1090, RateDecision::Allowed { remaining: 3 }),
            // More than the limit, as after the setting was lowered: all but two of them must have
            // left the window.
            (&[999, 998, 990, 980, 970], 1000, RateDecision::Limited { retry_after: 90 }),
            // Failures dated in the future.
            (&[5000, 5000, 5000], 1000, RateDecision::Allowed { remaining: 3 }),
            (&[1001, 1000, 999, 998], 1000, RateDecision::Limited { retry_after: 98 }),
        ] {
            assert_eq!(check_failures(QUOTA, failures, now), verdict, "{failures:?} {now}");
        }
    }

    proptest! {
        #[test]
        fn check_failures_after_retry_after_allows(mut failures in proptest::collection::vec(0..2000_i64, 0..20), now in 0..2000_i64) {
            failures.retain(|at| *at <= now);
            failures.sort_unstable_by(|a, b| b.cmp(a));
            if let RateDecision::Limited { retry_after } = check_failures(QUOTA, &failures, now) {
                let then = now + i64::from(retry_after);
                let is_open = |at| matches!(check_failures(QUOTA, &failures, at), RateDecision::Allowed { .. });
                prop_assert!(is_open(then) && !is_open(then - 1));
            }
        }

        #[test]
        fn check_failures_in_any_window_allows_at_most_the_quota(gaps in proptest::collection::vec(0..60_i64, 1..80)) {
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
