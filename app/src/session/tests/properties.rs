//! Invariants of several tabs under any sequence of steps. The model itself asserts most of them:
//! no refresh triggers reuse detection, and a session never has two refreshes in flight.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    model::{Locks, Model, Tab},
    *,
};

/// Maximum number of open tabs.
const TABS: usize = 4;

/// A step. Numbers select a tab or a request, modulo their count.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    Duplicate(usize),
    /// Crashes a tab; the flag says whether its pending requests reached the server.
    Close(usize, bool),
    Reload(usize, bool),
    LogIn {
        tab: usize,
        who: usize,
        remember: bool,
    },
    LogOut(usize),
    Send(usize),
    Renew(usize),
    Sleep(usize),
    Wake(usize),
    Receive(usize),
    Sync(usize),
    Serve(usize),
    ReturnResponse(usize),
    LoseResponse(usize),
    Advance(Duration),
    RunToCompletion,
    CrashServer,
}

fn step() -> impl Strategy<Value = Step> {
    let one = || 0..8_usize;
    let seconds = prop_oneof![
        4 => 0..15_u64,
        2 => 15..60_u64,
        3 => 700..1000_u64,
        1 => 1000..7200_u64,
    ];
    prop_oneof![
        2 => Just(Step::Open),
        2 => one().prop_map(Step::Duplicate),
        1 => (one(), any::<bool>()).prop_map(|(tab, was_served)| Step::Close(tab, was_served)),
        2 => (one(), any::<bool>()).prop_map(|(tab, was_served)| Step::Reload(tab, was_served)),
        3 => (one(), 0..2_usize, any::<bool>()).prop_map(|(tab, who, remember)| Step::LogIn { tab, who, remember }),
        1 => one().prop_map(Step::LogOut),
        8 => one().prop_map(Step::Send),
        4 => one().prop_map(Step::Renew),
        2 => one().prop_map(Step::Sleep),
        3 => one().prop_map(Step::Wake),
        3 => one().prop_map(Step::Receive),
        2 => one().prop_map(Step::Sync),
        8 => one().prop_map(Step::Serve),
        8 => one().prop_map(Step::ReturnResponse),
        3 => one().prop_map(Step::LoseResponse),
        6 => seconds.prop_map(|seconds| Step::Advance(Duration::from_secs(seconds))),
        3 => (1..200_u64).prop_map(|milliseconds| Step::Advance(Duration::from_millis(milliseconds))),
        4 => Just(Step::RunToCompletion),
        1 => Just(Step::CrashServer),
    ]
}

struct Simulation {
    model: Rc<Model>,
    /// Sessions with a logout in progress or completed.
    logging_out: BTreeSet<String>,
    /// Sessions with a completed logout.
    logged_out: Rc<RefCell<BTreeSet<String>>>,
}

impl Simulation {
    fn new(locks: Locks, storage_is_forbidden: bool) -> Self {
        let model = Model::new(locks, storage_is_forbidden);
        model.open(None);
        Self { model, logging_out: BTreeSet::new(), logged_out: Rc::default() }
    }

    fn tab(&self, which: usize) -> Option<Rc<Tab>> {
        let tabs = self.model.open_tabs();
        tabs.get(which % tabs.len().max(1)).cloned()
    }

    fn awake(&self, which: usize) -> Option<Rc<Tab>> {
        self.tab(which).filter(|tab| !tab.is_asleep())
    }

    fn send(&self, tab: &Tab) -> Rc<Cell<Option<u16>>> {
        let (session, status) = (Rc::clone(&tab.session), Rc::new(Cell::new(None)));
        let received = Rc::clone(&status);
        self.model.begin(tab, async move {
            let response = session.send(me()).await;
            received.set(Some(response.map_or(0, |response| response.status)));
        });
        status
    }

    fn act(&mut self, step: Step) -> Option<()> {
        let model = Rc::clone(&self.model);
        match step {
            Step::Open if model.open_tabs().len() < TABS => drop(model.open(None)),
            Step::Duplicate(which) if model.open_tabs().len() < TABS => {
                let tab = self.awake(which)?;
                // Messages arrive faster than a page loads.
                model.catch_up(&tab);
                model.open(tab.own());
            }
            Step::Open | Step::Duplicate(_) => {}
            Step::Close(which, was_served) => {
                drop(model.close(self.tab(which)?.as_ref(), was_served));
            }
            Step::Reload(which, was_served) => {
                let tab = self.awake(which)?;
                model.catch_up(&tab);
                let own = model.close(&tab, was_served);
                model.open(own);
            }
            Step::LogIn { tab, who, remember } => {
                let tab = self.awake(tab)?;
                // Messages arrive faster than a user types a password.
                model.advance(Duration::from_secs(1));
                tab.session.sync();
                // Without storage a new tab does not know of an existing session, and all tabs
                // would follow its login.
                let is_known =
                    !remember || model.open_tabs().iter().all(|tab| tab.session_id().is_none());
                if tab.session_id().is_some() || model.storage_is_forbidden && !is_known {
                    return None;
                }
                model.log_in(&tab, ["bob", "amy"][who], remember);
            }
            Step::LogOut(which) => {
                let tab = self.awake(which)?;
                let (current, logged_out, session) =
                    (tab.session_id()?, Rc::clone(&self.logged_out), Rc::clone(&tab.session));
                self.logging_out.insert(current.clone());
                model.begin(&tab, async move {
                    session.log_out().await;
                    logged_out.borrow_mut().insert(current);
                });
            }
            Step::Send(which) => {
                let tab = self.awake(which).filter(|tab| tab.session_id().is_some())?;
                self.send(&tab);
            }
            Step::Renew(which) => {
                let tab = self.awake(which)?;
                let session = Rc::clone(&tab.session);
                model.begin(&tab, async move { session.renew_if_due().await });
            }
            Step::Sleep(which) => self.tab(which)?.sleep(),
            Step::Wake(which) => model.wake(self.tab(which)?.as_ref()),
            Step::Receive(which) => {
                model.receive(self.awake(which)?.as_ref());
            }
            Step::Sync(which) => {
                self.awake(which)?.session.sync();
                model.run();
            }
            Step::Serve(which) => model.serve_one(which),
            Step::ReturnResponse(which) => model.return_one(which, false),
            Step::LoseResponse(which) => model.return_one(which, true),
            Step::Advance(time) => model.advance(time),
            Step::RunToCompletion => model.run_to_completion(),
            Step::CrashServer => model.server.borrow_mut().crash(model.seconds()),
        }
        Some(())
    }

    /// Performs a step, and asserts that no session is lost without logout or expiry.
    fn step(&mut self, step: Step) {
        let before: Vec<_> = self
            .model
            .open_tabs()
            .into_iter()
            .filter_map(|tab| Some((tab.session_id()?, tab)))
            .collect();
        self.act(step);
        let open: BTreeMap<_, _> =
            self.model.open_tabs().iter().map(|tab| (tab.number(), tab.endings())).collect();
        for (session, tab) in before {
            let Some(endings) = open.get(&tab.number()) else { continue };
            let now = tab.session_id();
            assert!(
                now.is_some() || self.may_end(&session),
                "{session} has ended in tab {}",
                tab.number()
            );
            assert!(*endings == 0 || now.as_ref() != Some(&session), "an event without an end");
        }
    }

    fn may_end(&self, session: &str) -> bool {
        let server = self.model.server.borrow();
        self.logging_out.contains(session)
            || server.is_logged_out(session)
            || server.has_expired(session, self.model.seconds())
    }

    /// Resumes all tabs and asserts that the browser reaches a consistent state.
    fn end(&mut self) {
        for tab in self.model.open_tabs() {
            self.model.wake(&tab);
        }
        self.step(Step::Advance(Duration::from_mins(1)));
        self.step(Step::RunToCompletion);
        for tab in self.model.open_tabs() {
            let logged_out =
                tab.session_id().filter(|session| self.logged_out.borrow().contains(session));
            assert_eq!(logged_out, None, "every tab has learned that this session has ended");
        }
        // All access tokens expire, so that all tabs refresh together.
        self.step(Step::Advance(Duration::from_secs(1000)));
        let refreshes = self.model.refreshes.get();
        let tabs: Vec<_> = self
            .model
            .open_tabs()
            .into_iter()
            .filter_map(|tab| Some((tab.session_id()?, tab)))
            .collect();
        let calls: Vec<_> =
            tabs.iter().flat_map(|(_, tab)| [self.send(tab), self.send(tab)]).collect();
        self.step(Step::RunToCompletion);
        let sessions: BTreeSet<_> = tabs.iter().map(|(session, _)| session).collect();
        assert!(self.model.refreshes.get() - refreshes <= sessions.len(), "one refresh a session");
        for ((session, tab), calls) in tabs.iter().zip(calls.chunks(2)) {
            let is_over = self.may_end(session);
            for request in calls {
                let status = request.get().expect("the request has completed");
                assert!(
                    status == 200 || is_over && status == 401,
                    "{status} in tab {}",
                    tab.number()
                );
            }
            assert!(is_over || tab.session_id().as_ref() == Some(session));
        }
        for tab in self.model.open_tabs() {
            let is_dead = |session: &String| self.model.server.borrow().is_logged_out(session);
            assert!(
                !tab.session_id().as_ref().is_some_and(is_dead),
                "the tab of an ended session is a guest"
            );
        }
    }
}

fn simulate(locks: Locks, storage_is_forbidden: bool, steps: Vec<Step>) {
    let mut simulation = Simulation::new(locks, storage_is_forbidden);
    for step in steps {
        simulation.step(step);
    }
    simulation.end();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_with_web_locks_keep_invariants(steps in prop::collection::vec(step(), 1..120)) {
        simulate(Locks::WebLocks, false, steps);
    }

    #[test]
    fn steps_with_leases_keep_invariants(steps in prop::collection::vec(step(), 1..120)) {
        simulate(Locks::Leases, false, steps);
    }

    #[test]
    fn steps_without_storage_keep_invariants(steps in prop::collection::vec(step(), 1..120)) {
        simulate(Locks::WebLocks, true, steps);
    }
}

#[test]
fn three_tabs_with_expired_token_send_one_refresh() {
    for locks in [Locks::WebLocks, Locks::Leases] {
        let mut simulation = Simulation::new(locks, false);
        simulation.step(Step::LogIn { tab: 0, who: 0, remember: true });
        simulation.step(Step::Open);
        simulation.step(Step::Open);
        simulation.step(Step::Advance(Duration::from_hours(1)));
        for tab in [0, 1, 2] {
            for _ in 0..5 {
                simulation.step(Step::Send(tab));
            }
        }
        simulation.step(Step::RunToCompletion);
        assert_eq!(simulation.model.refreshes.get(), 1, "{locks:?}");
        simulation.end();
    }
}

#[test]
fn tab_that_crashes_during_refresh_blocks_no_other_tab_and_keeps_session() {
    for locks in [Locks::WebLocks, Locks::Leases] {
        for was_served in [true, false] {
            let mut simulation = Simulation::new(locks, false);
            simulation.step(Step::LogIn { tab: 0, who: 0, remember: true });
            simulation.step(Step::Open);
            simulation.step(Step::Advance(Duration::from_hours(1)));
            simulation.step(Step::Send(0));
            simulation.step(Step::Serve(0));
            simulation.step(Step::ReturnResponse(0));
            simulation.step(Step::Advance(Duration::from_millis(50)));
            assert_eq!(simulation.model.refreshes.get(), 1, "the refresh is in flight");
            simulation.step(Step::Close(0, was_served));
            // After the grace period.
            simulation.step(Step::Advance(Duration::from_secs(11)));
            let survivor = simulation.tab(0).unwrap();
            let request = simulation.send(&survivor);
            simulation.step(Step::RunToCompletion);
            // The rest of the lease.
            simulation.step(Step::Advance(Duration::from_secs(22)));
            simulation.step(Step::RunToCompletion);
            assert_eq!(request.get(), Some(200), "{locks:?}");
            assert_eq!(simulation.model.server.borrow().replaced, usize::from(was_served));
            simulation.end();
        }
    }
}

#[test]
fn logout_that_completes_after_a_login_in_another_tab_keeps_that_session() {
    let mut simulation = Simulation::new(Locks::WebLocks, false);
    for step in [
        Step::Open,
        Step::Open,
        Step::LogIn { tab: 1, who: 0, remember: true },
        Step::Receive(2),
        Step::LogOut(1),
        Step::LogOut(2),
        // The first logout ends the session in this browser.
        Step::LoseResponse(0),
        Step::LogIn { tab: 0, who: 0, remember: true },
        // The other tab completes its logout before it sees what the login has stored.
        Step::RunToCompletion,
    ] {
        simulation.step(step);
    }
    assert!(simulation.tab(0).unwrap().session_id().is_some());
    simulation.end();
}

#[test]
fn tab_that_slept_during_its_refresh_learns_of_a_logout() {
    let mut simulation = Simulation::new(Locks::WebLocks, false);
    for step in [
        Step::LogIn { tab: 0, who: 0, remember: false },
        Step::LogOut(0),
        Step::RunToCompletion,
        Step::Open,
        Step::Open,
        Step::LogIn { tab: 0, who: 0, remember: true },
        Step::Advance(Duration::from_mins(13)),
        Step::Renew(0),
        Step::Sleep(0),
        Step::Advance(Duration::from_millis(1)),
        Step::Open,
        Step::LogOut(1),
        Step::RunToCompletion,
        Step::Close(1, false),
        Step::Wake(0),
        Step::Open,
    ] {
        simulation.step(step);
    }
    simulation.end();
}

#[test]
fn tab_that_slept_ignores_the_messages_of_a_login_before_the_stored_one() {
    let mut simulation = Simulation::new(Locks::Leases, false);
    for step in [
        Step::Sleep(0),
        Step::Open,
        Step::LogIn { tab: 1, who: 0, remember: true },
        Step::LogOut(1),
        Step::RunToCompletion,
        Step::LogIn { tab: 1, who: 0, remember: true },
        Step::Wake(0),
        // Reads the second session from storage, before the messages of both arrive.
        Step::Sync(0),
    ] {
        simulation.step(step);
    }
    let second = simulation.tab(1).unwrap().session_id();
    assert!(second.is_some());
    for _ in 0..3 {
        assert_eq!(simulation.tab(0).unwrap().session_id(), second);
        simulation.step(Step::Receive(0));
    }
    simulation.end();
}

#[test]
fn tab_that_logs_out_ignores_the_message_of_that_login_afterwards() {
    let mut simulation = Simulation::new(Locks::WebLocks, false);
    for step in [
        Step::Open,
        Step::LogIn { tab: 0, who: 0, remember: true },
        Step::Wake(1),
        // Reads the session from storage, before the message of the login arrives.
        Step::Sync(1),
        Step::LogOut(1),
        Step::Serve(0),
        Step::ReturnResponse(0),
        Step::Receive(1),
    ] {
        simulation.step(step);
    }
    assert_eq!(simulation.tab(1).unwrap().session_id(), None);
    simulation.end();
}

#[test]
fn tab_that_reloads_during_its_logout_does_not_restore_a_session_that_ended_in_another() {
    let mut simulation = Simulation::new(Locks::WebLocks, false);
    for step in [
        Step::LogIn { tab: 0, who: 0, remember: false },
        Step::Duplicate(0),
        Step::LogOut(0),
        Step::Serve(0),
        Step::ReturnResponse(0),
        Step::LogOut(1),
        Step::Reload(1, false),
    ] {
        simulation.step(step);
    }
    assert_eq!(simulation.tab(1).unwrap().session_id(), None);
    simulation.end();
}
