//! The rules of a session's life, as functions of the session and the time.

use crate::{store::Session, tokens::codec::Grant};

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

/// What a refresh does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The session moves on to its next generation.
    Advance,
    /// It has just moved on: the same successor again, so that parallel calls and retries never fork.
    Repeat,
    /// The token is of no generation that may refresh.
    Refuse,
}

impl Session {
    /// What happens when the refresh token of a generation is presented.
    #[must_use]
    pub fn step(&self, presented: i64, now: i64, lifetimes: &Lifetimes) -> Step {
        if !self.is_living(now) {
            Step::Refuse
        } else if presented == self.generation {
            Step::Advance
        } else if self.parent_generation == Some(presented) && now <= self.refreshed_at.saturating_add(lifetimes.grace)
        {
            Step::Repeat
        } else {
            Step::Refuse
        }
    }

    /// Whether its tokens are good for anything.
    #[must_use]
    pub fn is_living(&self, now: i64) -> bool {
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
mod tests {
    use super::*;
    use crate::store::EndReason;
    use uuid::Uuid;

    const LIFETIMES: Lifetimes =
        Lifetimes { access: 900, refresh: 604_800, refresh_short: 43_200, session: 2_592_000, grace: 10 };

    fn session() -> Session {
        Session {
            id: Uuid::nil(),
            user: Uuid::nil(),
            generation: 5,
            parent_generation: Some(4),
            remember: true,
            created_at: 0,
            refreshed_at: 1000,
            expires_at: 2_592_000,
            ended: None,
        }
    }

    #[test]
    fn the_present_generation_advances_and_its_parent_repeats_within_the_grace() {
        for (presented, now, step) in [
            (5, 1000, Step::Advance),
            (5, 2_591_999, Step::Advance),
            (5, 2_592_000, Step::Refuse),
            (4, 1000, Step::Repeat),
            (4, 1010, Step::Repeat),
            (4, 1011, Step::Refuse),
            (3, 1000, Step::Refuse),
            (6, 1000, Step::Refuse),
            (i64::MIN, 1000, Step::Refuse),
        ] {
            assert_eq!(session().step(presented, now, &LIFETIMES), step, "{presented} at {now}");
        }
        let ended = Session { ended: Some(EndReason::LoggedOut), ..session() };
        assert_eq!(ended.step(5, 1000, &LIFETIMES), Step::Refuse);
    }

    #[test]
    fn nothing_lives_longer_than_the_session() {
        let session = session();
        assert_eq!(session.refresh_grant(&LIFETIMES).expires_at, 1000 + 604_800);
        let short = Session { remember: false, ..session.clone() };
        assert_eq!(short.refresh_grant(&LIFETIMES).expires_at, 1000 + 43_200);
        let late = Session { refreshed_at: 2_591_000, ..session };
        assert_eq!(late.refresh_grant(&LIFETIMES).expires_at, 2_592_000);
        assert_eq!(late.access_grant(2_591_999, &LIFETIMES).expires_at, 2_592_000);
    }
}
