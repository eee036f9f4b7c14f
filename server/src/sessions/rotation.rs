//! The rules of a session's life, as functions of the session and the time.
//!
//! A session's tokens belong to generations. A refresh token gets its successor once; what is
//! presented later tells an honest client that has lost an answer from a thief (RFC 9700 §4.14.2).

use crate::{
    store::{EndReason, Session, UndeliveredGenerations},
    tokens::{LEEWAY, codec::Grant},
};

/// How long things live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token.
    pub access: i64,
    /// A refresh token of a session that outlives the browser's window.
    pub refresh: i64,
    /// A refresh token of any other session.
    pub refresh_short: i64,
    /// A session, whatever is refreshed.
    pub session: i64,
    /// How long the refresh token before the present one still gets the present one.
    pub grace: i64,
}

impl Lifetimes {
    /// How long any token lives at most.
    #[must_use]
    pub fn longest(&self) -> i64 {
        self.refresh.max(self.refresh_short).max(self.access)
    }
}

/// What a refresh does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The session moves on to its next generation.
    Rotated(Session),
    /// It has just moved on: the same successor again, so that parallel calls and retries never
    /// fork.
    Repeated,
    /// The same, where the clock was set back since it moved on. Its last refresh is dated now, so
    /// that the grace ends as if it had moved on at this moment, and not only when the clock has
    /// caught up.
    RepeatedAfterClockReset(Session),
    /// Somebody has a token that was used up, or that nobody was given: the session ends.
    ReuseDetected(Session),
    /// The session is over, or the token of a generation that is still to come. Nothing changes.
    Rejected,
}

impl Session {
    /// What happens when the refresh token of a generation is presented. Whether the present
    /// generation is acknowledged may be known before it is written down.
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
        // The answer that carried the present generation was lost, and nobody holds it: it is
        // replaced.
        let mut next = self.next_generation(now);
        next.replace(self.generation, now, lifetimes);
        RefreshOutcome::Rotated(next)
    }

    /// Whether a token of a generation is one that nobody was given.
    #[must_use]
    pub fn is_undelivered(&self, generation: i64) -> bool {
        self.undelivered.iter().any(|range| (range.first..=range.last).contains(&generation))
    }

    /// The session after one of its tokens was presented by somebody who should not have had it.
    #[must_use]
    pub fn reused(&self) -> Self {
        Self { ended: Some(EndReason::Reused), ..self.clone() }
    }

    /// Whether its tokens are good for anything.
    #[must_use]
    pub fn is_active(&self, now: i64) -> bool {
        self.ended.is_none() && now < self.expires_at
    }

    /// What the present generation's refresh token says.
    #[must_use]
    pub fn refresh_grant(&self, lifetimes: &Lifetimes) -> Grant {
        let lifetime = if self.remember { lifetimes.refresh } else { lifetimes.refresh_short };
        self.grant(self.refreshed_at, lifetime)
    }

    /// What an access token says that is made now.
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
        // A token of it may have been made until the end of the grace, which is over.
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
