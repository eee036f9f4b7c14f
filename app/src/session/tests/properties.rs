//! What is true of several tabs whatever happens. Most of it the model itself insists on: no
//! refresh looks like a thief's, and there are never two of one session at a time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    model::{Locks, Model, Tab},
    *,
};

/// As many tabs as are open at most.
const TABS: usize = 4;

/// What may happen. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Open,
    Duplicate(usize),
    /// A tab crashes, and what it has sent may have reached the server.
    Close(usize, bool),
    Reload(usize, bool),
    LogIn {
        tab: usize,
        who: usize,
        remember: bool,
    },
    LogOut(usize),
    Call(usize),
    RenewAhead(usize),
    Sleep(usize),
    Wake(usize),
    Hear(usize),
    Look(usize),
    Serve(usize),
    BringBack(usize),
    Lose(usize),
    Pass(Duration),
    Settle,
    CrashServer,
}

fn deed() -> impl Strategy<Value = Deed> {
    let one = || 0..8_usize;
    let seconds = prop_oneof![
        4 => 0..15_u64,
        2 => 15..60_u64,
        3 => 700..1000_u64,
        1 => 1000..7200_u64,
    ];
    prop_oneof![
        2 => Just(Deed::Open),
        2 => one().prop_map(Deed::Duplicate),
        1 => (one(), any::<bool>()).prop_map(|(tab, was_served)| Deed::Close(tab, was_served)),
        2 => (one(), any::<bool>()).prop_map(|(tab, was_served)| Deed::Reload(tab, was_served)),
        3 => (one(), 0..2_usize, any::<bool>()).prop_map(|(tab, who, remember)| Deed::LogIn { tab, who, remember }),
        1 => one().prop_map(Deed::LogOut),
        8 => one().prop_map(Deed::Call),
        4 => one().prop_map(Deed::RenewAhead),
        2 => one().prop_map(Deed::Sleep),
        3 => one().prop_map(Deed::Wake),
        3 => one().prop_map(Deed::Hear),
        2 => one().prop_map(Deed::Look),
        8 => one().prop_map(Deed::Serve),
        8 => one().prop_map(Deed::BringBack),
        3 => one().prop_map(Deed::Lose),
        6 => seconds.prop_map(|seconds| Deed::Pass(Duration::from_secs(seconds))),
        3 => (1..200_u64).prop_map(|milliseconds| Deed::Pass(Duration::from_millis(milliseconds))),
        4 => Just(Deed::Settle),
        1 => Just(Deed::CrashServer),
    ]
}

struct Play {
    model: Rc<Model>,
    /// The sessions that somebody is logging out of, or has.
    leaving: BTreeSet<String>,
    /// The sessions that somebody has logged out of.
    left: Rc<RefCell<BTreeSet<String>>>,
}

impl Play {
    fn new(locks: Locks, storage_is_forbidden: bool) -> Self {
        let model = Model::new(locks, storage_is_forbidden);
        model.open(None);
        Self { model, leaving: BTreeSet::new(), left: Rc::default() }
    }

    fn tab(&self, which: usize) -> Option<Rc<Tab>> {
        let tabs = self.model.open_tabs();
        tabs.get(which % tabs.len().max(1)).cloned()
    }

    fn awake(&self, which: usize) -> Option<Rc<Tab>> {
        self.tab(which).filter(|tab| !tab.is_asleep())
    }

    fn call(&self, tab: &Tab) -> Rc<Cell<Option<u16>>> {
        let (session, status) = (Rc::clone(&tab.session), Rc::new(Cell::new(None)));
        let answered = Rc::clone(&status);
        self.model.begin(tab, async move {
            let answer = session.call(me()).await;
            answered.set(Some(answer.map_or(0, |answer| answer.status)));
        });
        status
    }

    fn act(&mut self, deed: Deed) -> Option<()> {
        let model = Rc::clone(&self.model);
        match deed {
            Deed::Open if model.open_tabs().len() < TABS => drop(model.open(None)),
            Deed::Duplicate(which) if model.open_tabs().len() < TABS => {
                let tab = self.awake(which)?;
                // A page is not loaded before a message has arrived.
                model.catch_up(&tab);
                model.open(tab.own());
            }
            Deed::Open | Deed::Duplicate(_) => {}
            Deed::Close(which, was_served) => {
                drop(model.close(self.tab(which)?.as_ref(), was_served));
            }
            Deed::Reload(which, was_served) => {
                let tab = self.awake(which)?;
                model.catch_up(&tab);
                let own = model.close(&tab, was_served);
                model.open(own);
            }
            Deed::LogIn { tab, who, remember } => {
                let tab = self.awake(tab)?;
                // Who types a password is slower than any message.
                model.pass(Duration::from_secs(1));
                tab.session.look_again();
                // Without storage a new tab does not know that somebody is signed in already, and
                // all would follow.
                let is_known =
                    !remember || model.open_tabs().iter().all(|tab| tab.held().is_none());
                if tab.held().is_some() || model.storage_is_forbidden && !is_known {
                    return None;
                }
                model.log_in(&tab, ["bob", "amy"][who], remember);
            }
            Deed::LogOut(which) => {
                let tab = self.awake(which)?;
                let (held, left, session) =
                    (tab.held()?, Rc::clone(&self.left), Rc::clone(&tab.session));
                self.leaving.insert(held.clone());
                model.begin(&tab, async move {
                    session.log_out().await;
                    left.borrow_mut().insert(held);
                });
            }
            Deed::Call(which) => {
                let tab = self.awake(which).filter(|tab| tab.held().is_some())?;
                self.call(&tab);
            }
            Deed::RenewAhead(which) => {
                let tab = self.awake(which)?;
                let session = Rc::clone(&tab.session);
                model.begin(&tab, async move { session.renew_if_due().await });
            }
            Deed::Sleep(which) => self.tab(which)?.sleep(),
            Deed::Wake(which) => model.wake(self.tab(which)?.as_ref()),
            Deed::Hear(which) => {
                model.hear(self.awake(which)?.as_ref());
            }
            Deed::Look(which) => {
                self.awake(which)?.session.look_again();
                model.run();
            }
            Deed::Serve(which) => model.serve_one(which),
            Deed::BringBack(which) => model.bring_back(which, false),
            Deed::Lose(which) => model.bring_back(which, true),
            Deed::Pass(time) => model.pass(time),
            Deed::Settle => model.settle(),
            Deed::CrashServer => model.server.borrow_mut().crash(model.seconds()),
        }
        Some(())
    }

    /// Nobody loses a session that somebody has neither left nor let run out.
    fn step(&mut self, deed: Deed) {
        let before: Vec<_> =
            self.model.open_tabs().into_iter().filter_map(|tab| Some((tab.held()?, tab))).collect();
        self.act(deed);
        let open: BTreeMap<_, _> =
            self.model.open_tabs().iter().map(|tab| (tab.number(), tab.endings())).collect();
        for (session, tab) in before {
            let Some(endings) = open.get(&tab.number()) else { continue };
            let now = tab.held();
            assert!(
                now.is_some() || self.may_end(&session),
                "{session} has ended in tab {}",
                tab.number()
            );
            assert!(*endings == 0 || now.as_ref() != Some(&session), "a notice without an end");
        }
    }

    fn may_end(&self, session: &str) -> bool {
        let server = self.model.server.borrow();
        self.leaving.contains(session)
            || server.is_logged_out(session)
            || server.has_expired(session, self.model.seconds())
    }

    /// In the end everybody is awake, and the network works.
    fn end(&mut self) {
        for tab in self.model.open_tabs() {
            self.model.wake(&tab);
        }
        self.step(Deed::Pass(Duration::from_mins(1)));
        self.step(Deed::Settle);
        for tab in self.model.open_tabs() {
            let left = tab.held().filter(|session| self.left.borrow().contains(session));
            assert_eq!(left, None, "everybody has been told that this session is over");
        }
        // The access tokens run out, so that all of them refresh together.
        self.step(Deed::Pass(Duration::from_secs(1000)));
        let refreshes = self.model.refreshes.get();
        let tabs: Vec<_> =
            self.model.open_tabs().into_iter().filter_map(|tab| Some((tab.held()?, tab))).collect();
        let calls: Vec<_> =
            tabs.iter().flat_map(|(_, tab)| [self.call(tab), self.call(tab)]).collect();
        self.step(Deed::Settle);
        let sessions: BTreeSet<_> = tabs.iter().map(|(session, _)| session).collect();
        assert!(self.model.refreshes.get() - refreshes <= sessions.len(), "one refresh a session");
        for ((session, tab), calls) in tabs.iter().zip(calls.chunks(2)) {
            let is_over = self.may_end(session);
            for call in calls {
                let status = call.get().expect("it has come to its end");
                assert!(
                    status == 200 || is_over && status == 401,
                    "{status} in tab {}",
                    tab.number()
                );
            }
            assert!(is_over || tab.held().as_ref() == Some(session));
        }
        for tab in self.model.open_tabs() {
            let is_dead = |session: &String| self.model.server.borrow().is_logged_out(session);
            assert!(!tab.held().as_ref().is_some_and(is_dead), "a guest by now");
        }
    }
}

fn play(locks: Locks, storage_is_forbidden: bool, deeds: Vec<Deed>) {
    let mut play = Play::new(locks, storage_is_forbidden);
    for deed in deeds {
        play.step(deed);
    }
    play.end();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn with_the_browsers_locks(deeds in prop::collection::vec(deed(), 1..120)) {
        play(Locks::Given, false, deeds);
    }

    #[test]
    fn with_leases(deeds in prop::collection::vec(deed(), 1..120)) {
        play(Locks::Leased, false, deeds);
    }

    #[test]
    fn without_storage(deeds in prop::collection::vec(deed(), 1..120)) {
        play(Locks::Given, true, deeds);
    }
}

#[test]
fn three_tabs_that_have_slept_together_send_one_refresh() {
    for locks in [Locks::Given, Locks::Leased] {
        let mut play = Play::new(locks, false);
        play.step(Deed::LogIn { tab: 0, who: 0, remember: true });
        play.step(Deed::Open);
        play.step(Deed::Open);
        play.step(Deed::Pass(Duration::from_hours(1)));
        for tab in [0, 1, 2] {
            for _ in 0..5 {
                play.step(Deed::Call(tab));
            }
        }
        play.step(Deed::Settle);
        assert_eq!(play.model.refreshes.get(), 1, "{locks:?}");
        play.end();
    }
}

#[test]
fn a_tab_that_dies_while_it_refreshes_keeps_nobody_waiting_for_ever_and_costs_nobody_the_session() {
    for locks in [Locks::Given, Locks::Leased] {
        for was_served in [true, false] {
            let mut play = Play::new(locks, false);
            play.step(Deed::LogIn { tab: 0, who: 0, remember: true });
            play.step(Deed::Open);
            play.step(Deed::Pass(Duration::from_hours(1)));
            play.step(Deed::Call(0));
            play.step(Deed::Serve(0));
            play.step(Deed::BringBack(0));
            play.step(Deed::Pass(Duration::from_millis(50)));
            assert_eq!(play.model.refreshes.get(), 1, "it is on its way");
            play.step(Deed::Close(0, was_served));
            // After the grace.
            play.step(Deed::Pass(Duration::from_secs(11)));
            let survivor = play.tab(0).unwrap();
            let call = play.call(&survivor);
            play.step(Deed::Settle);
            // What is left of the lease.
            play.step(Deed::Pass(Duration::from_secs(22)));
            play.step(Deed::Settle);
            assert_eq!(call.get(), Some(200), "{locks:?}");
            assert_eq!(play.model.server.borrow().replaced, usize::from(was_served));
            play.end();
        }
    }
}
