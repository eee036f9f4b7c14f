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
fn refresh_with_current_generation_advances() {
    let RefreshOutcome::Rotated(next) = refresh(&session(), 5, 2000) else { panic!("refused") };
    let expected =
        Session { generation: 6, parent_generation: Some(5), refreshed_at: 2000, ..session() };
    assert_eq!(next, expected);
}

#[test]
fn refresh_with_parent_within_grace_repeats_without_extending_it() {
    for now in [1000, 1005, 1010] {
        assert_eq!(refresh(&session(), 4, now), RefreshOutcome::Repeated);
    }
    assert_ne!(refresh(&session(), 4, 1011), RefreshOutcome::Repeated);
}

#[test]
fn refresh_with_parent_after_clock_was_set_back_repeats_for_one_more_grace() {
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
fn refresh_with_parent_after_grace_supersedes_unacknowledged_generation_only() {
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
        "a repetition within the grace is no reuse"
    );
}

#[test]
fn refresh_with_older_generation_ends_the_session() {
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
fn refresh_of_future_generation_or_ended_session_is_rejected() {
    assert_eq!(refresh(&session(), 6, 1000), RefreshOutcome::Rejected);
    for presented in [3, 4, 5, 6] {
        assert_eq!(refresh(&session(), presented, 2_592_000), RefreshOutcome::Rejected);
        let ended = Session { ended: Some(EndReason::LoggedOut), ..session() };
        assert_eq!(refresh(&ended, presented, 1000), RefreshOutcome::Rejected);
    }
}

#[test]
fn grants_never_outlive_the_session() {
    let session = session();
    assert_eq!(session.refresh_grant(&LIFETIMES).expires_at, 1000 + 604_800);
    let short = Session { remember: false, ..session.clone() };
    assert_eq!(short.refresh_grant(&LIFETIMES).expires_at, 1000 + 43_200);
    let late = Session { refreshed_at: 2_591_000, ..session };
    assert_eq!(late.refresh_grant(&LIFETIMES).expires_at, 2_592_000);
    assert_eq!(late.access_grant(2_591_999, &LIFETIMES).expires_at, 2_592_000);
}

/// An event in the life of a session.
#[derive(Clone, Copy, Debug)]
enum ClientEvent {
    /// A refresh whose answer arrives.
    Refresh,
    /// A refresh whose answer is lost.
    RefreshInVain,
    /// Concurrent refreshes of several tabs; the last answer is kept.
    RefreshInParallel(u8),
    /// A request with the access token.
    Call,
    /// A crash of the server: unwritten acknowledgements are lost.
    Crash,
    /// Time passes.
    Wait(i64),
    /// The clock is set back.
    SetBack(i64),
}

fn client_event() -> impl Strategy<Value = ClientEvent> {
    prop_oneof![
        3 => Just(ClientEvent::Refresh),
        3 => Just(ClientEvent::RefreshInVain),
        1 => (2..5_u8).prop_map(ClientEvent::RefreshInParallel),
        3 => Just(ClientEvent::Call),
        1 => Just(ClientEvent::Crash),
        2 => (1..30_i64).prop_map(ClientEvent::Wait),
        1 => (30..2000_i64).prop_map(ClientEvent::Wait),
    ]
}

/// A server with one session.
struct ServerModel {
    session: Session,
    acknowledged_in_memory: bool,
    now: i64,
    /// The generation that was presented when each generation was first issued.
    made_from: Vec<(i64, i64)>,
}

impl ServerModel {
    fn new() -> Self {
        let session =
            Session { generation: 1, parent_generation: None, refreshed_at: 0, ..session() };
        Self { session, acknowledged_in_memory: false, now: 0, made_from: Vec::new() }
    }

    /// Returns the generation that a refresh is answered with.
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

    /// A request with an access token of a generation.
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

    /// Acknowledgements are written within a second.
    fn write_down(&mut self) {
        self.session.acknowledged |= self.acknowledged_in_memory;
    }
}

/// A client: the last generation it has received.
fn act(model: &mut ServerModel, held: &mut i64, client_event: ClientEvent) -> bool {
    match client_event {
        ClientEvent::Refresh => match model.refresh(*held) {
            Some(generation) => {
                *held = generation;
                true
            }
            None => false,
        },
        ClientEvent::RefreshInVain => model.refresh(*held).is_some(),
        ClientEvent::RefreshInParallel(tabs) => {
            let answers: Vec<_> = (0..tabs).map(|_| model.refresh(*held)).collect();
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
        ClientEvent::Call => model.call(*held),
        ClientEvent::Crash => {
            model.crash();
            true
        }
        ClientEvent::Wait(seconds) => {
            model.write_down();
            model.now += seconds;
            true
        }
        ClientEvent::SetBack(seconds) => {
            model.now -= seconds;
            true
        }
    }
}

proptest! {
    #[test]
    fn any_events_of_honest_client_keep_its_session(
        events in prop::collection::vec(prop_oneof![9 => client_event(), 1 => (1..5000_i64).prop_map(ClientEvent::SetBack)], 0..200),
    ) {
        let mut model = ServerModel::new();
        let mut held = 1;
        for client_event in events {
            let went_well = act(&mut model, &mut held, client_event);
            prop_assert!(went_well, "{client_event:?} at {} with {held}: {:?}", model.now, model.session);
        }
    }

    #[test]
    fn any_refreshes_leave_one_current_successor(events in prop::collection::vec((any::<bool>(), client_event()), 0..200)) {
        let mut model = ServerModel::new();
        let (mut first, mut second) = (1, 1);
        for (is_first, client_event) in events {
            act(&mut model, if is_first { &mut first } else { &mut second }, client_event);
            // Of all successors of one generation, all but the newest are superseded or used up:
            // only the current one refreshes.
            let living: Vec<_> = model
                .made_from
                .iter()
                .filter(|(generation, _)| {
                    let now = model.session.refreshed_at + LIFETIMES.grace + 1;
                    matches!(model.session.refresh(*generation, true, now, &LIFETIMES), RefreshOutcome::Rotated(_))
                })
                .collect();
            prop_assert!(living.len() <= 1, "{living:?}");
        }
    }

    #[test]
    fn refreshes_by_thief_and_owner_end_the_session(
        before in prop::collection::vec(client_event(), 0..20),
        between in prop::collection::vec(client_event(), 0..20),
        pause in 11..5000_i64,
        thief_is_first in any::<bool>(),
    ) {
        let mut model = ServerModel::new();
        let mut owner = 1;
        for client_event in before {
            act(&mut model, &mut owner, client_event);
        }
        model.now += 11;
        // The theft: both clients hold the same valid token.
        prop_assume!(model.refresh(owner).is_some());
        owner = model.session.generation;
        model.now += 11;
        let (mut one, mut other) = (owner, owner);
        // One of them refreshes and uses the result.
        prop_assert!(act(&mut model, &mut one, ClientEvent::Refresh));
        prop_assert!(act(&mut model, &mut one, ClientEvent::Call));
        for client_event in between {
            if !matches!(client_event, ClientEvent::Crash) {
                act(&mut model, &mut one, client_event);
            }
        }
        act(&mut model, &mut one, ClientEvent::Call);
        act(&mut model, &mut one, ClientEvent::Wait(pause));
        // The other one refreshes after the grace period: reuse is detected, whichever of them it
        // is.
        let went_on = act(&mut model, &mut other, ClientEvent::Refresh);
        prop_assert!(!went_on, "{thief_is_first}");
        prop_assert!(!act(&mut model, &mut one, ClientEvent::Refresh));
        prop_assert!(!model.session.is_active(model.now));
    }
}

#[test]
fn revokes_tokens_of_is_set_by_reuse_and_replaced_generations_only() {
    let before = session();
    let RefreshOutcome::Rotated(advanced) = refresh(&before, 5, 2000) else { panic!("refused") };
    assert!(!advanced.revokes_tokens_of(&before), "its access tokens stay valid");
    let RefreshOutcome::Rotated(replaced) = refresh(&before, 4, 1011) else { panic!("refused") };
    assert!(replaced.revokes_tokens_of(&before), "generation 5 was never delivered");
    let RefreshOutcome::Rotated(next) = refresh(&replaced, 6, 2000) else { panic!("refused") };
    assert!(!next.revokes_tokens_of(&replaced), "that was known before");
    assert!(before.reused().revokes_tokens_of(&before));
    let redated = Session { refreshed_at: 0, ..before.clone() };
    assert!(!redated.revokes_tokens_of(&before));
}
