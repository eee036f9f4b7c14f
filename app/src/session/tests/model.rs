//! Several tabs of one browser, with a storage, locks and a channel between them and a [`Server`]
//! behind a network: everything happens when a test says so, in whatever order.

use std::task::Waker;

use super::{server::Server, *};
use crate::session::lease::{Lease, Slate};

/// After this time without an answer a call is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// After this time the lock is no longer waited for.
const PATIENCE_FOR_LOCK: Duration = Duration::from_secs(35);
/// Where the remembered session is.
const KEPT: &str = "session";

/// What the tabs have for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locks {
    /// The browser's own.
    Given,
    /// Leases in storage.
    Leased,
}

/// The browser, and what is outside of it.
pub(super) struct Model {
    now: Cell<Duration>,
    pub(super) server: RefCell<Server>,
    locks: Locks,
    /// Whether the browser forbids storage.
    pub(super) storage_is_forbidden: bool,
    /// What was written to the storage of all tabs, in order: each tab has read so far.
    written: RefCell<Vec<(String, Option<String>)>>,
    tabs: RefCell<Vec<Rc<Tab>>>,
    requests: RefCell<Vec<Rc<Request>>>,
    /// Who waits for a lock, by its name; the first has it.
    queues: RefCell<HashMap<String, VecDeque<Ticket>>>,
    alarms: RefCell<Vec<Duration>>,
    /// Counts whatever happens: who waits looks again.
    stir: Cell<u64>,
    pub(super) refreshes: Cell<usize>,
    pub(super) sessions: Cell<usize>,
}

/// A tab, from its opening to its end.
pub(super) struct Tab {
    pub(super) session: Rc<Session>,
    side: Rc<Side>,
}

/// The browser's side of a tab.
struct Side {
    number: usize,
    is_gone: Cell<bool>,
    is_asleep: Cell<bool>,
    /// How much of what was written this tab's process knows.
    read: Cell<usize>,
    own: RefCell<Option<Saved>>,
    inbox: RefCell<VecDeque<Message>>,
    tasks: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    endings: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Ticket {
    tab: usize,
    number: u64,
}

struct Request {
    tab: usize,
    url: String,
    bearer: String,
    until: Duration,
    /// What the server has answered.
    answer: RefCell<Option<Outcome>>,
    /// Whether the tab has it.
    is_back: Cell<bool>,
}

impl Model {
    pub(super) fn new(locks: Locks, storage_is_forbidden: bool) -> Rc<Self> {
        let model = Self {
            now: Cell::new(Duration::from_secs(1_700_000_000)),
            server: RefCell::default(),
            locks,
            storage_is_forbidden,
            written: RefCell::default(),
            tabs: RefCell::default(),
            requests: RefCell::default(),
            queues: RefCell::default(),
            alarms: RefCell::default(),
            stir: Cell::default(),
            refreshes: Cell::default(),
            sessions: Cell::default(),
        };
        Rc::new(model)
    }

    pub(super) fn seconds(&self) -> i64 {
        self.now.get().as_secs().try_into().unwrap()
    }

    /// The tabs that are open.
    pub(super) fn open_tabs(&self) -> Vec<Rc<Tab>> {
        self.tabs.borrow().iter().filter(|tab| !tab.side.is_gone.get()).cloned().collect()
    }

    /// Opens a tab, which may have been copied from another.
    pub(super) fn open(self: &Rc<Self>, own: Option<Saved>) -> Rc<Tab> {
        let side = Rc::new(Side {
            number: self.tabs.borrow().len(),
            is_gone: Cell::default(),
            is_asleep: Cell::default(),
            read: Cell::new(self.written.borrow().len()),
            own: RefCell::new(own),
            inbox: RefCell::default(),
            tasks: RefCell::default(),
            endings: Cell::default(),
        });
        let port = || Box::new(Wire { model: Rc::clone(self), side: Rc::clone(&side) });
        let session = Session::new(Ports {
            fetch: port(),
            storage: port(),
            runtime: port(),
            lock: port(),
            channel: port(),
            observer: port(),
        });
        let tab = Rc::new(Tab { session, side });
        self.tabs.borrow_mut().push(Rc::clone(&tab));
        tab.session.restore();
        self.run();
        tab
    }

    /// A tab is gone. What it has sent may or may not have reached the server.
    pub(super) fn close(&self, tab: &Tab, was_served: bool) -> Option<Saved> {
        let side = &tab.side;
        for request in self.requests_of(side.number) {
            if was_served && request.answer.borrow().is_none() {
                self.serve(&request);
            }
        }
        side.is_gone.set(true);
        // Dropped outside of the list: what they hold lets go of locks.
        let tasks = side.tasks.take();
        tab.session.inner.take();
        drop(tasks);
        self.requests.borrow_mut().retain(|request| request.tab != side.number);
        for queue in self.queues.borrow_mut().values_mut() {
            queue.retain(|ticket| ticket.tab != side.number);
        }
        self.run();
        side.own.take()
    }

    /// Somebody logs in in a tab.
    pub(super) fn log_in(&self, tab: &Tab, who: &str, remember: bool) {
        let number = self.sessions.get() + 1;
        self.sessions.set(number);
        let pair = self.server.borrow_mut().log_in(&format!("{who}{number}"), self.seconds());
        tab.session.begin(pair, user(who), remember);
        self.run();
    }

    /// A tab does something that takes time.
    pub(super) fn begin(&self, tab: &Tab, task: impl Future<Output = ()> + 'static) {
        tab.side.tasks.borrow_mut().push(task.boxed_local());
        self.run();
    }

    pub(super) fn wake(&self, tab: &Tab) {
        tab.side.is_asleep.set(false);
        tab.side.read.set(self.written.borrow().len());
        self.run();
    }

    /// The next of the calls that wait for the server reaches it.
    pub(super) fn serve_one(&self, which: usize) {
        let waiting: Vec<_> = self
            .requests
            .borrow()
            .iter()
            .filter(|request| request.answer.borrow().is_none())
            .cloned()
            .collect();
        if let Some(request) = pick(&waiting, which) {
            self.serve(request);
        }
    }

    /// An answer comes back, or gets lost with whatever it is the answer to.
    pub(super) fn bring_back(&self, which: usize, is_lost: bool) {
        let waiting: Vec<_> = {
            let requests = self.requests.borrow();
            requests
                .iter()
                .filter(|request| is_lost || request.answer.borrow().is_some())
                .cloned()
                .collect()
        };
        if let Some(request) = pick(&waiting, which) {
            if is_lost {
                request.answer.replace(Some(Err(NoAnswer)));
            }
            self.hand_over(request);
            self.run();
        }
    }

    /// A tab hears one message.
    pub(super) fn hear(&self, tab: &Tab) {
        let message = tab.side.inbox.borrow_mut().pop_front();
        if let Some(message) = message {
            tab.session.hear(message);
            self.run();
        }
    }

    /// Time passes. What was written and told reaches everybody who is awake.
    pub(super) fn pass(&self, time: Duration) {
        let end = self.now.get() + time;
        loop {
            self.spread();
            self.run();
            let next =
                self.alarms.borrow().iter().copied().filter(|alarm| *alarm > self.now.get()).min();
            let next = next.filter(|next| *next < end);
            self.now.set(next.unwrap_or(end));
            self.alarms.borrow_mut().retain(|alarm| *alarm > self.now.get());
            self.give_up_late_calls();
            self.run();
            if next.is_none() {
                self.spread();
                self.run();
                return;
            }
        }
    }

    /// Lets everything go on until nothing is left to do but to wait for long.
    pub(super) fn settle(&self) {
        for _ in 0..40 {
            let waiting: Vec<_> = self.requests.borrow().clone();
            for request in waiting {
                if request.answer.borrow().is_none() {
                    self.serve(&request);
                }
                self.hand_over(&request);
                self.run();
            }
            self.pass(Duration::from_millis(100));
        }
    }

    fn serve(&self, request: &Request) {
        let mut answer =
            self.server.borrow_mut().answer(&request.url, &request.bearer, self.seconds());
        if let Ok(answer) = &mut answer {
            answer.date = Some(self.seconds());
        }
        request.answer.replace(Some(answer));
    }

    fn hand_over(&self, request: &Rc<Request>) {
        request.is_back.set(true);
        self.requests.borrow_mut().retain(|other| !Rc::ptr_eq(other, request));
        self.stir();
    }

    fn requests_of(&self, tab: usize) -> Vec<Rc<Request>> {
        self.requests.borrow().iter().filter(|request| request.tab == tab).cloned().collect()
    }

    /// Calls that have waited for too long have no answer; a tab that is asleep finds the one that
    /// has come when it wakes up.
    fn give_up_late_calls(&self) {
        let late: Vec<_> = self
            .requests
            .borrow()
            .iter()
            .filter(|request| request.until <= self.now.get())
            .cloned()
            .collect();
        for request in late {
            let is_asleep = self.tabs.borrow()[request.tab].side.is_asleep.get();
            if !is_asleep || request.answer.borrow().is_none() {
                request.answer.replace(Some(Err(NoAnswer)));
            }
            self.hand_over(&request);
        }
    }

    /// What was written and told arrives.
    fn spread(&self) {
        for tab in self.open_tabs() {
            if !tab.side.is_asleep.get() {
                self.spread_to(&tab);
            }
        }
    }

    /// What was written and told arrives in a tab.
    pub(super) fn catch_up(&self, tab: &Tab) {
        self.spread_to(tab);
        tab.session.look_again();
        self.run();
    }

    fn spread_to(&self, tab: &Tab) {
        tab.side.read.set(self.written.borrow().len());
        while let Some(message) = { tab.side.inbox.borrow_mut().pop_front() } {
            tab.session.hear(message);
        }
    }

    /// Lets all tabs that are awake go on as far as they can.
    pub(super) fn run(&self) {
        loop {
            let before = self.stir.get();
            for tab in self.open_tabs() {
                if !tab.side.is_asleep.get() {
                    let mut context = Context::from_waker(Waker::noop());
                    let mut tasks = tab.side.tasks.take();
                    tasks.retain_mut(|task| {
                        let is_pending = task.as_mut().poll(&mut context).is_pending();
                        if !is_pending {
                            self.stir();
                        }
                        is_pending
                    });
                    tab.side.tasks.borrow_mut().append(&mut tasks);
                }
            }
            if self.stir.get() == before {
                return;
            }
        }
    }

    fn stir(&self) {
        self.stir.set(self.stir.get() + 1);
    }

    fn value(&self, side: &Side, key: &str) -> Option<String> {
        let written = self.written.borrow();
        written[..side.read.get()].iter().rev().find(|(name, _)| name == key)?.1.clone()
    }

    fn write(&self, side: &Side, key: &str, value: Option<String>) -> bool {
        if !self.storage_is_forbidden {
            self.written.borrow_mut().push((key.to_owned(), value));
            side.read.set(self.written.borrow().len());
        }
        !self.storage_is_forbidden
    }
}

impl Tab {
    /// The session at hand.
    pub(super) fn held(&self) -> Option<String> {
        self.session.inner.borrow().held.as_ref().map(|held| held.saved.session())
    }

    pub(super) fn number(&self) -> usize {
        self.side.number
    }

    pub(super) fn own(&self) -> Option<Saved> {
        self.side.own.borrow().clone()
    }

    pub(super) fn sleep(&self) {
        self.side.is_asleep.set(true);
    }

    pub(super) fn is_asleep(&self) -> bool {
        self.side.is_asleep.get()
    }

    /// How often the tab was told that the server has ended its session, since the last time.
    pub(super) fn endings(&self) -> usize {
        self.side.endings.take()
    }
}

fn pick<T>(list: &[T], which: usize) -> Option<&T> {
    list.get(which % list.len().max(1))
}

/// What a tab has of the model.
struct Wire {
    model: Rc<Model>,
    side: Rc<Side>,
}

impl Fetch for Wire {
    fn send(&self, call: Call, bearer: Option<String>) -> LocalBoxFuture<'static, Outcome> {
        let model = &self.model;
        let request = Rc::new(Request {
            tab: self.side.number,
            url: call.url,
            bearer: bearer.expect("only log-ins carry no token, and they are not sent here"),
            until: model.now.get() + PATIENCE,
            answer: RefCell::default(),
            is_back: Cell::default(),
        });
        if request.url.ends_with("refresh") {
            model.refreshes.set(model.refreshes.get() + 1);
            let session = token::claims(&request.bearer).unwrap().sid;
            for other in &*model.requests.borrow() {
                let is_refresh = other.url.ends_with("refresh");
                let is_same = token::claims(&other.bearer).unwrap().sid == session;
                assert!(!(is_refresh && is_same), "two refreshes of one session at a time");
            }
        }
        model.requests.borrow_mut().push(Rc::clone(&request));
        model.stir();
        until(move || request.is_back.get().then(|| request.answer.take().unwrap_or(Err(NoAnswer))))
    }
}

impl Storage for Wire {
    fn load(&self, place: Place) -> Option<Saved> {
        if self.model.storage_is_forbidden {
            return None;
        }
        match place {
            Place::Tab => self.side.own.borrow().clone(),
            Place::Browser => match Message::decode(&self.model.value(&self.side, KEPT)?)? {
                Message::Began(saved) => Some(saved),
                _ => None,
            },
        }
    }

    fn save(&self, place: Place, saved: &Saved) -> bool {
        match place {
            Place::Browser => {
                self.model.write(&self.side, KEPT, Some(Message::Began(saved.clone()).encode()))
            }
            Place::Tab if self.model.storage_is_forbidden => false,
            Place::Tab => {
                self.side.own.replace(Some(saved.clone()));
                true
            }
        }
    }

    fn clear(&self, place: Place) {
        match place {
            Place::Browser => {
                self.model.write(&self.side, KEPT, None);
            }
            Place::Tab => {
                self.side.own.take();
            }
        }
    }
}

impl Runtime for Wire {
    fn now(&self) -> Duration {
        self.model.now.get()
    }

    fn wait(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        let (model, end) = (Rc::clone(&self.model), self.model.now.get() + time);
        model.alarms.borrow_mut().push(end);
        until(move || (model.now.get() >= end).then_some(()))
    }

    fn run(&self, task: LocalBoxFuture<'static, ()>) {
        self.side.tasks.borrow_mut().push(task);
        self.model.stir();
    }
}

impl Channel for Wire {
    fn tell(&self, message: &Message) {
        for tab in self.model.open_tabs() {
            if tab.side.number != self.side.number {
                tab.side.inbox.borrow_mut().push_back(message.clone());
            }
        }
        self.model.stir();
    }
}

impl Observer for Wire {
    fn changed(&self, _: Auth) {}
    fn renewed(&self) {}
    fn planned(&self) {}
    fn asking(&self, _: bool) {}
    fn ended(&self, _: Ending) {
        self.side.endings.set(self.side.endings.get() + 1);
    }
}

impl Lock for Wire {
    fn take(&self, name: String) -> LocalBoxFuture<'static, Option<Box<dyn Turn>>> {
        let number = self.model.stir.get();
        self.model.stir();
        let late = self.wait(PATIENCE_FOR_LOCK);
        match self.model.locks {
            Locks::Given => {
                let ticket = Ticket { tab: self.side.number, number };
                let turn = Given { model: Rc::clone(&self.model), name: name.clone(), ticket };
                self.model.queues.borrow_mut().entry(name).or_default().push_back(ticket);
                let (model, side) = (Rc::clone(&self.model), Rc::clone(&self.side));
                let mut turn = Some(turn);
                let first = until(move || {
                    let is_first = turn.as_ref().is_some_and(Given::is_first);
                    if !is_first {
                        return None;
                    }
                    // A turn lasts until what was written in it is known.
                    side.read.set(model.written.borrow().len());
                    turn.take()
                });
                async move {
                    let turn = in_time(first, late).await?;
                    Some(Box::new(turn) as Box<dyn Turn>)
                }
                .boxed_local()
            }
            Locks::Leased => {
                let note = Note {
                    wire: Self { model: Rc::clone(&self.model), side: Rc::clone(&self.side) },
                    name,
                };
                let lease = Lease::take(Rc::new(note), number).boxed_local();
                async move {
                    let lease = in_time(lease, late).await?;
                    Some(Box::new(Leased(lease)) as Box<dyn Turn>)
                }
                .boxed_local()
            }
        }
    }
}

async fn in_time<T>(
    wish: LocalBoxFuture<'static, T>,
    late: LocalBoxFuture<'static, ()>,
) -> Option<T> {
    match futures::future::select(wish, late).await {
        futures::future::Either::Left((turn, _)) => Some(turn),
        futures::future::Either::Right(_) => None,
    }
}

struct Given {
    model: Rc<Model>,
    name: String,
    ticket: Ticket,
}

impl Given {
    fn is_first(&self) -> bool {
        self.model.queues.borrow()[&self.name].front() == Some(&self.ticket)
    }
}

impl Turn for Given {
    fn keep(&self) -> bool {
        assert!(self.is_first(), "a lock of the browser's stays");
        true
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        if let Some(queue) = self.model.queues.borrow_mut().get_mut(&self.name) {
            queue.retain(|ticket| *ticket != self.ticket);
        }
        self.model.stir();
    }
}

struct Leased(Lease);

impl Turn for Leased {
    fn keep(&self) -> bool {
        self.0.extend()
    }
}

struct Note {
    wire: Wire,
    name: String,
}

impl Slate for Note {
    fn read(&self) -> Option<String> {
        self.wire.model.value(&self.wire.side, &self.name)
    }
    fn write(&self, note: &str) -> bool {
        self.wire.model.write(&self.wire.side, &self.name, Some(note.to_owned()))
    }
    fn wipe(&self) {
        // A tab that crashes leaves its note.
        if !self.wire.side.is_gone.get() {
            self.wire.model.write(&self.wire.side, &self.name, None);
        }
    }
    fn now(&self) -> u64 {
        self.wire.model.now.get().as_millis().try_into().unwrap()
    }
    fn wait(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        self.wire.wait(time)
    }
}

/// Is ready once there is something.
fn until<T: 'static>(mut look: impl FnMut() -> Option<T> + 'static) -> LocalBoxFuture<'static, T> {
    std::future::poll_fn(move |_| look().map_or(Poll::Pending, Poll::Ready)).boxed_local()
}
