use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const LIFETIMES: Lifetimes = Lifetimes {
    access: 900,
    refresh: 604_800,
    refresh_short: 43_200,
    session: 2_592_000,
    grace: 10,
};

fn session() -> Session {
    Session {
        id: Uuid::nil(),
        user: Uuid::nil(),
        generation: 5,
        parent_generation: Some(4),
        acknowledged: false,
        undelivered: Vec::new(),
        remember: true,
        created_at: 0,
        refreshed_at: 1000,
        expires_at: 2_592_000,
        ended: None,
    }
}

fn refresh(session: &Session, presented: i64, now: i64) -> RefreshOutcome {
    session.refresh(presented, false, now, &LIFETIMES)
}

#[test]
fn the_present_generation_moves_on() {
    let RefreshOutcome::Rotated(next) = refresh(&session(), 5, 2000) else { panic!("refused") };
    let expected =
        Session { generation: 6, parent_generation: Some(5), refreshed_at: 2000, ..session() };
    assert_eq!(next, expected);
}

#[test]
fn the_parent_gets_the_same_successor_within_the_grace_which_does_not_slide() {
    for now in [1000, 1005, 1010] {
        assert_eq!(refresh(&session(), 4, now), RefreshOutcome::Repeated);
    }
    assert_ne!(refresh(&session(), 4, 1011), RefreshOutcome::Repeated);
}

#[test]
fn refresh_with_the_parent_after_the_clock_was_set_back_gets_the_same_successor_for_one_more_grace()
{
    for now in [999, 995] {
        assert_eq!(refresh(&session(), 4, now), RefreshOutcome::Repeated, "within the leeway");
    }
    for acknowledged in [false, true] {
        let session = Session { acknowledged, ..session() };
        let RefreshOutcome::RepeatedAfterClockReset(redated) = refresh(&session, 4, 994) else {
            panic!("{acknowledged}")
        };
        assert_eq!(redated, Session { refreshed_at: 994, ..session.clone() });
        assert_eq!(refresh(&redated, 4, 1004), RefreshOutcome::Repeated);
        let after = refresh(&redated, 4, 1005);
        assert!(if acknowledged {
            matches!(after, RefreshOutcome::ReuseDetected(_))
        } else {
            matches!(after, RefreshOutcome::Rotated(_))
        });
        assert!(
            matches!(refresh(&session, 3, 994), RefreshOutcome::ReuseDetected(_)),
            "what was used up before stays reuse"
        );
        let RefreshOutcome::Rotated(next) = refresh(&session, 5, 994) else { panic!("refused") };
        assert_eq!((next.generation, next.refreshed_at), (6, 994));
    }
}

#[test]
fn a_lost_answer_is_replaced_and_an_acknowledged_one_is_not() {
    let RefreshOutcome::Rotated(next) = refresh(&session(), 4, 5000) else { panic!("refused") };
    assert_eq!((next.generation, next.parent_generation, next.refreshed_at), (6, Some(4), 5000));
    assert_eq!(next.undelivered, [UndeliveredGenerations { first: 5, last: 5, until: 5900 }]);
    assert!(next.is_undelivered(5) && !next.is_undelivered(4) && !next.is_undelivered(6));
    let RefreshOutcome::Rotated(again) = refresh(&next, 4, 5011) else { panic!("refused") };
    assert_eq!(again.undelivered, [UndeliveredGenerations { first: 5, last: 6, until: 5911 }]);

    let acknowledged = Session { acknowledged: true, ..session() };
    assert!(
        matches!(refresh(&acknowledged, 4, 5000), RefreshOutcome::ReuseDetected(_)),
        "written down"
    );
    assert!(
        matches!(session().refresh(4, true, 5000, &LIFETIMES), RefreshOutcome::ReuseDetected(_)),
        "known before it is written down"
    );
    assert_eq!(
        acknowledged.refresh(4, true, 1010, &LIFETIMES),
        RefreshOutcome::Repeated,
        "within the grace nobody is suspected"
    );
}

#[test]
fn anything_else_below_ends_the_session() {
    let RefreshOutcome::Rotated(replaced) = refresh(&session(), 4, 5000) else { panic!("refused") };
    for (session, presented) in
        [(&session(), 3), (&session(), 0), (&session(), i64::MIN), (&replaced, 5)]
    {
        let RefreshOutcome::ReuseDetected(ended) = refresh(session, presented, 5000) else {
            panic!("{presented}")
        };
        assert_eq!(ended.ended, Some(EndReason::Reused));
        assert_eq!(refresh(&ended, ended.generation, 5000), RefreshOutcome::Rejected);
    }
}

#[test]
fn what_is_ahead_or_over_is_refused_and_changes_nothing() {
    assert_eq!(refresh(&session(), 6, 1000), RefreshOutcome::Rejected);
    for presented in [3, 4, 5, 6] {
        assert_eq!(refresh(&session(), presented, 2_592_000), RefreshOutcome::Rejected);
        let ended = Session { ended: Some(EndReason::LoggedOut), ..session() };
        assert_eq!(refresh(&ended, presented, 1000), RefreshOutcome::Rejected);
    }
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

/// What may happen to a client of a session.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// It refreshes, and gets the answer.
    Refresh,
    /// It refreshes, and the answer is lost.
    RefreshInVain,
    /// Several of its tabs refresh at once; the last answer is kept.
    RefreshInParallel(u8),
    /// It makes a call with its access token.
    Call,
    /// The server crashes: what was acknowledged and not yet written down is forgotten.
    Crash,
    /// Time passes.
    Wait(i64),
    /// The clock is set back.
    SetBack(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => Just(Deed::Refresh),
        3 => Just(Deed::RefreshInVain),
        1 => (2..5_u8).prop_map(Deed::RefreshInParallel),
        3 => Just(Deed::Call),
        1 => Just(Deed::Crash),
        2 => (1..30_i64).prop_map(Deed::Wait),
        1 => (30..2000_i64).prop_map(Deed::Wait),
    ]
}

/// A server with one session, and the rules that it goes by.
struct Env {
    session: Session,
    acknowledged_in_memory: bool,
    now: i64,
    /// Whom each generation's refresh token was first handed to by a refresh: generation →
    /// generation presented.
    made_from: Vec<(i64, i64)>,
}

impl Env {
    fn new() -> Self {
        let session =
            Session { generation: 1, parent_generation: None, refreshed_at: 0, ..session() };
        Self { session, acknowledged_in_memory: false, now: 0, made_from: Vec::new() }
    }

    /// The generation that a refresh is answered with.
    fn refresh(&mut self, presented: i64) -> Option<i64> {
        match self.session.refresh(presented, self.acknowledged_in_memory, self.now, &LIFETIMES) {
            RefreshOutcome::Rotated(next) => {
                self.made_from.push((next.generation, presented));
                self.session = next;
                self.acknowledged_in_memory = false;
                Some(self.session.generation)
            }
            RefreshOutcome::RepeatedAfterClockReset(redated) => {
                self.session = redated;
                Some(self.session.generation)
            }
            RefreshOutcome::Repeated => Some(self.session.generation),
            RefreshOutcome::ReuseDetected(ended) => {
                self.session = ended;
                None
            }
            RefreshOutcome::Rejected => None,
        }
    }

    /// A call with an access token of a generation.
    fn call(&mut self, generation: i64) -> bool {
        if !self.session.is_active(self.now) {
            return false;
        }
        if self.session.is_undelivered(generation) {
            self.session = self.session.reused();
            return false;
        }
        if generation == self.session.generation {
            self.acknowledged_in_memory = true;
        }
        true
    }

    fn crash(&mut self) {
        self.acknowledged_in_memory = false;
    }

    /// What is acknowledged in memory is written down within a second.
    fn write_down(&mut self) {
        self.session.acknowledged |= self.acknowledged_in_memory;
    }
}

/// Somebody with tokens of a session: the last generation that an answer has brought.
fn act(env: &mut Env, held: &mut i64, deed: Deed) -> bool {
    match deed {
        Deed::Refresh => match env.refresh(*held) {
            Some(generation) => {
                *held = generation;
                true
            }
            None => false,
        },
        Deed::RefreshInVain => env.refresh(*held).is_some(),
        Deed::RefreshInParallel(tabs) => {
            let answers: Vec<_> = (0..tabs).map(|_| env.refresh(*held)).collect();
            let all_alike = answers.iter().all(|answer| *answer == answers[0]);
            assert!(all_alike, "a fork: {answers:?}");
            match answers[0] {
                Some(generation) => {
                    *held = generation;
                    true
                }
                None => false,
            }
        }
        Deed::Call => env.call(*held),
        Deed::Crash => {
            env.crash();
            true
        }
        Deed::Wait(seconds) => {
            env.write_down();
            env.now += seconds;
            true
        }
        Deed::SetBack(seconds) => {
            env.now -= seconds;
            true
        }
    }
}

proptest! {
    #[test]
    fn an_honest_client_is_never_signed_out_before_its_session_ends(
        deeds in prop::collection::vec(prop_oneof![9 => deed(), 1 => (1..5000_i64).prop_map(Deed::SetBack)], 0..200),
    ) {
        let mut env = Env::new();
        let mut held = 1;
        for deed in deeds {
            let went_well = act(&mut env, &mut held, deed);
            prop_assert!(went_well, "{deed:?} at {} with {held}: {:?}", env.now, env.session);
        }
    }

    #[test]
    fn a_generation_has_one_living_successor(deeds in prop::collection::vec((any::<bool>(), deed()), 0..200)) {
        let mut env = Env::new();
        let (mut first, mut second) = (1, 1);
        for (is_first, deed) in deeds {
            act(&mut env, if is_first { &mut first } else { &mut second }, deed);
            // Of all generations that came from one, all but the newest are replaced or used up:
            // only the present one refreshes.
            let living: Vec<_> = env
                .made_from
                .iter()
                .filter(|(generation, _)| {
                    let now = env.session.refreshed_at + LIFETIMES.grace + 1;
                    matches!(env.session.refresh(*generation, true, now, &LIFETIMES), RefreshOutcome::Rotated(_))
                })
                .collect();
            prop_assert!(living.len() <= 1, "{living:?}");
        }
    }

    #[test]
    fn once_thief_and_owner_have_used_what_they_got_the_session_is_over(
        before in prop::collection::vec(deed(), 0..20),
        between in prop::collection::vec(deed(), 0..20),
        pause in 11..5000_i64,
        thief_is_first in any::<bool>(),
    ) {
        let mut env = Env::new();
        let mut owner = 1;
        for deed in before {
            act(&mut env, &mut owner, deed);
        }
        env.now += 11;
        // The theft: both hold the same token, and it is good.
        prop_assume!(env.refresh(owner).is_some());
        owner = env.session.generation;
        env.now += 11;
        let (mut one, mut other) = (owner, owner);
        // One refreshes and uses what came of it.
        prop_assert!(act(&mut env, &mut one, Deed::Refresh));
        prop_assert!(act(&mut env, &mut one, Deed::Call));
        for deed in between {
            if !matches!(deed, Deed::Crash) {
                act(&mut env, &mut one, deed);
            }
        }
        act(&mut env, &mut one, Deed::Call);
        act(&mut env, &mut one, Deed::Wait(pause));
        // The other one refreshes, more than the grace later: whoever it is, that is the end.
        let went_on = act(&mut env, &mut other, Deed::Refresh);
        prop_assert!(!went_on, "{thief_is_first}");
        prop_assert!(!act(&mut env, &mut one, Deed::Refresh));
        prop_assert!(!env.session.is_active(env.now));
    }
}
