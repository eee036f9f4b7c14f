//! Rotation of refresh tokens, and detection of their reuse (RFC 9700 §4.14.2): rules as functions
//! of the session and the time.
//!
//! A session counts its refreshes. Each refresh issues tokens of the next *generation* and
//! remembers the generation that was presented as the *parent*. A generation is *acknowledged*
//! once one of its tokens was presented: then the client has received it.
//!
//! # Example
//!
//! Token A is of generation 1, B of 2 and C of 3; the grace period is 10 s.
//!
//! - At 0 s A is presented: [`Rotated`](RefreshOutcome::Rotated) to generation 2. The answer with
//!   B is lost.
//! - At 4 s A is presented again: [`Repeated`](RefreshOutcome::Repeated), the answer is B again.
//!   The grace period still ends at 10 s.
//! - At 60 s A is presented again. No token of generation 2 has been, so its answer was lost:
//!   `Rotated` to generation 3, with the answer C. Generation 2 is undelivered from now on.
//! - At 90 s B is presented, which the client has never had:
//!   [`ReuseDetected`](RefreshOutcome::ReuseDetected), the session ends. An access token of
//!   generation 2 ends it as well.
//!
//! If the client had received B and used it, generation 2 would be acknowledged, and A at 60 s
//! would be reuse: A or B is in other hands.
//!
//! # States
//!
//! `p` is the presented generation of a session at generation `g`:
//!
//! ```text
//!                 p = g: Rotated, g + 1
//!          +--------------------------------------------------+
//!          v                                                  |
//! +------------------+   any token of g presented   +------------------+
//! | g unacknowledged | ---------------------------> |  g acknowledged  |
//! +------------------+                              +------------------+
//!   |  ^                                              |
//!   |  | p = parent, within the grace: Repeated       | p = parent, within the grace: Repeated
//!   |  | p = parent, after it: Rotated, g + 1,        | p = parent, after it: ReuseDetected
//!   |  |   and g is undelivered                       |
//!   |  +---------------------------                   |
//!   |  any other p < g: ReuseDetected                 |  any other p < g: ReuseDetected
//!   v                                                 v
//! +---------------------------------------------------------+
//! | ended: every refresh is Rejected, as is any p > g       |
//! +---------------------------------------------------------+
//! ```

use super::{
    claims::{Grant, LEEWAY},
    session::{EndReason, Session, UndeliveredGenerations},
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

    /// Returns whether tokens that were valid `before` a change are not valid after it, before they
    /// expire: the session has ended, or its generation was superseded without having been
    /// delivered. A rotation only adds a generation.
    #[must_use]
    pub fn revokes_tokens_of(&self, before: &Self) -> bool {
        self.ended != before.ended || self.is_undelivered(before.generation)
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
