//! The rules of a session's life, as functions of the session and the time.
//!
//! A session's tokens belong to generations. A refresh token gets its successor once; what is
//! presented later tells an honest client that has lost an answer from a thief (RFC 9700 §4.14.2).

use crate::{
    store::{EndReason, Session, UndeliveredGenerations},
    tokens::{LEEWAY, codec::Grant},
};

/// Lifetimes in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens.
    pub access: i64,
    /// Refresh tokens of remembered sessions.
    pub refresh: i64,
    /// Refresh tokens of other sessions.
    pub refresh_short: i64,
    /// Sessions, however often they are refreshed.
    pub session: i64,
    /// Grace period in which the previous refresh token still gets the current pair.
    pub grace: i64,
}

impl Lifetimes {
    /// Returns the longest lifetime of a token.
    #[must_use]
    pub fn longest(&self) -> i64 {
        self.refresh.max(self.refresh_short).max(self.access)
    }
}

/// Outcome of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The session advances to its next generation.
    Rotated(Session),
    /// A repetition within the grace period: the current pair again, so that concurrent requests
    /// and retries never fork the session.
    Repeated,
    /// A repetition after the clock was set back: the current pair again. The last refresh is dated
    /// now, so that the grace period does not last until the clock has caught up.
    RepeatedAfterClockReset(Session),
    /// A used-up or undelivered token was presented: the session ends.
    ReuseDetected(Session),
    /// The session has ended, or the generation does not exist yet. Nothing changes.
    Rejected,
}

impl Session {
    /// Decides on a refresh with the token of a generation. `acknowledged` tells that the current
    /// generation is acknowledged, even if that is not written yet.
    #[must_use]
    pub fn refresh(
        &self,
        presented: i64,
        acknowledged: bool,
        now: i64,
        lifetimes: &Lifetimes,
    ) -> RefreshOutcome {
        if !self.is_active(now) || presented > self.generation {
            return RefreshOutcome::Rejected;
        }
        if presented == self.generation {
            return RefreshOutcome::Rotated(Self {
                parent_generation: Some(presented),
                ..self.next_generation(now)
            });
        }
        if self.parent_generation != Some(presented) {
            return RefreshOutcome::ReuseDetected(self.reused());
        }
        if self.refreshed_at.saturating_sub(now) > LEEWAY {
            return RefreshOutcome::RepeatedAfterClockReset(Self {
                refreshed_at: now,
                ..self.clone()
            });
        }
        if now <= self.refreshed_at.saturating_add(lifetimes.grace) {
            return RefreshOutcome::Repeated;
        }
        if acknowledged || self.acknowledged {
            return RefreshOutcome::ReuseDetected(self.reused());
        }
        // The answer with the current generation was lost, and no client holds it: it is
        // superseded.
        let mut next = self.next_generation(now);
        next.replace(self.generation, now, lifetimes);
        RefreshOutcome::Rotated(next)
    }

    /// Returns whether a generation was superseded without having been delivered.
    #[must_use]
    pub fn is_undelivered(&self, generation: i64) -> bool {
        self.undelivered.iter().any(|range| (range.first..=range.last).contains(&generation))
    }

    /// Returns the session as ended by detected reuse.
    #[must_use]
    pub fn reused(&self) -> Self {
        Self { ended: Some(EndReason::Reused), ..self.clone() }
    }

    /// Returns whether its tokens are valid.
    #[must_use]
    pub fn is_active(&self, now: i64) -> bool {
        self.ended.is_none() && now < self.expires_at
    }

    /// Returns the contents of the refresh token of the current generation.
    #[must_use]
    pub fn refresh_grant(&self, lifetimes: &Lifetimes) -> Grant {
        let lifetime = if self.remember { lifetimes.refresh } else { lifetimes.refresh_short };
        self.grant(self.refreshed_at, lifetime)
    }

    /// Returns the contents of an access token issued now.
    #[must_use]
    pub fn access_grant(&self, now: i64, lifetimes: &Lifetimes) -> Grant {
        self.grant(now, lifetimes.access)
    }

    fn next_generation(&self, now: i64) -> Self {
        let mut next = Self {
            generation: self.generation + 1,
            refreshed_at: now,
            acknowledged: false,
            ..self.clone()
        };
        next.undelivered.retain(|range| now < range.until);
        next
    }

    fn replace(&mut self, generation: i64, now: i64, lifetimes: &Lifetimes) {
        // Access tokens of it may have been issued until the end of the grace period, which is
        // over.
        let until = now.saturating_add(lifetimes.access);
        match self.undelivered.last_mut() {
            Some(range) if range.last + 1 == generation => {
                range.last = generation;
                range.until = until;
            }
            _ => self.undelivered.push(UndeliveredGenerations {
                first: generation,
                last: generation,
                until,
            }),
        }
    }

    fn grant(&self, issued_at: i64, lifetime: i64) -> Grant {
        Grant {
            user: self.user,
            session: self.id,
            generation: self.generation,
            issued_at,
            expires_at: issued_at.saturating_add(lifetime).min(self.expires_at),
        }
    }
}

#[cfg(test)]
mod tests;
