//! A deterministic model of several tabs that share storage, locks and a channel, and a
//! [`FakeServer`] behind a network. Tests decide the order of all events.

mod ports;

use std::task::Waker;

use self::ports::ModelPort;
use super::{fake_server::FakeServer, *};

/// The kind of lock that the tabs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locks {
    /// Web Locks.
    WebLocks,
    /// Leases in storage.
    Leases,
}

/// The browser and its environment.
pub(super) struct Model {
    now: Cell<Duration>,
    pub(super) server: RefCell<FakeServer>,
    locks: Locks,
    /// The browser forbids storage.
    pub(super) storage_is_forbidden: bool,
    /// Writes to `localStorage` in order; each tab sees a prefix of them.
    written: RefCell<Vec<(String, Option<String>)>>,
    tabs: RefCell<Vec<Rc<Tab>>>,
    requests: RefCell<Vec<Rc<Request>>>,
    /// Queues of the locks, by name; the first ticket holds the lock.
    queues: RefCell<HashMap<String, VecDeque<Ticket>>>,
    alarms: RefCell<Vec<Duration>>,
    /// Counts events: waiting tasks are polled again after each.
    progress: Cell<u64>,
    pub(super) refreshes: Cell<usize>,
    pub(super) sessions: Cell<usize>,
}

/// A tab.
pub(super) struct Tab {
    pub(super) session: Rc<Session>,
    side: Rc<Side>,
}

/// State of a tab that the browser holds.
struct Side {
    number: usize,
    is_gone: Cell<bool>,
    is_asleep: Cell<bool>,
    /// Number of writes that this tab's process has seen.
    read: Cell<usize>,
    own: RefCell<Option<PersistedSession>>,
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
    /// The response of the server.
    response: RefCell<Option<Outcome>>,
    /// The tab has received it.
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
            progress: Cell::default(),
            refreshes: Cell::default(),
            sessions: Cell::default(),
        };
        Rc::new(model)
    }

    pub(super) fn seconds(&self) -> i64 {
        self.now.get().as_secs().try_into().unwrap()
    }

    /// Tabs that are open.
    pub(super) fn open_tabs(&self) -> Vec<Rc<Tab>> {
        self.tabs.borrow().iter().filter(|tab| !tab.side.is_gone.get()).cloned().collect()
    }

    /// Opens a tab; `own` is the `sessionStorage` of the tab that it duplicates.
    pub(super) fn open(self: &Rc<Self>, own: Option<PersistedSession>) -> Rc<Tab> {
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
        let port = || Box::new(ModelPort { model: Rc::clone(self), side: Rc::clone(&side) });
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

    /// Closes a tab. `was_served` says whether its pending requests reach the server.
    pub(super) fn close(&self, tab: &Tab, was_served: bool) -> Option<PersistedSession> {
        let side = &tab.side;
        for request in self.requests_of(side.number) {
            if was_served && request.response.borrow().is_none() {
                self.serve(&request);
            }
        }
        side.is_gone.set(true);
        // Dropped outside of the list, because dropping a guard changes the queues.
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

    /// Logs a user in.
    pub(super) fn log_in(&self, tab: &Tab, who: &str, remember: bool) {
        let number = self.sessions.get() + 1;
        self.sessions.set(number);
        let pair = self.server.borrow_mut().log_in(&format!("{who}{number}"), self.seconds());
        tab.session.start(pair, user(who), remember);
        self.run();
    }

    /// Starts a task in a tab.
    pub(super) fn begin(&self, tab: &Tab, task: impl Future<Output = ()> + 'static) {
        tab.side.tasks.borrow_mut().push(task.boxed_local());
        self.run();
    }

    pub(super) fn wake(&self, tab: &Tab) {
        tab.side.is_asleep.set(false);
        tab.side.read.set(self.written.borrow().len());
        self.run();
    }

    /// Delivers a pending request to the server.
    pub(super) fn serve_one(&self, which: usize) {
        let waiting: Vec<_> = self
            .requests
            .borrow()
            .iter()
            .filter(|request| request.response.borrow().is_none())
            .cloned()
            .collect();
        if let Some(request) = pick(&waiting, which) {
            self.serve(request);
        }
    }

    /// Delivers a response to its tab, or loses the request or its response.
    pub(super) fn return_one(&self, which: usize, is_lost: bool) {
        let waiting: Vec<_> = {
            let requests = self.requests.borrow();
            requests
                .iter()
                .filter(|request| is_lost || request.response.borrow().is_some())
                .cloned()
                .collect()
        };
        if let Some(request) = pick(&waiting, which) {
            if is_lost {
                request.response.replace(Some(Err(NetworkError)));
            }
            self.return_response(request);
            self.run();
        }
    }

    /// Delivers one message to a tab.
    pub(super) fn receive(&self, tab: &Tab) {
        let message = tab.side.inbox.borrow_mut().pop_front();
        if let Some(message) = message {
            tab.session.receive(message);
            self.run();
        }
    }

    /// Advances the clock. Writes and messages reach all tabs that are not suspended.
    pub(super) fn advance(&self, time: Duration) {
        let end = self.now.get() + time;
        loop {
            self.deliver();
            self.run();
            let next =
                self.alarms.borrow().iter().copied().filter(|alarm| *alarm > self.now.get()).min();
            let next = next.filter(|next| *next < end);
            self.now.set(next.unwrap_or(end));
            self.alarms.borrow_mut().retain(|alarm| *alarm > self.now.get());
            self.time_out_requests();
            self.run();
            if next.is_none() {
                self.deliver();
                self.run();
                return;
            }
        }
    }

    /// Delivers everything and advances the clock by 4 seconds in small steps.
    pub(super) fn run_to_completion(&self) {
        for _ in 0..40 {
            let waiting: Vec<_> = self.requests.borrow().clone();
            for request in waiting {
                if request.response.borrow().is_none() {
                    self.serve(&request);
                }
                self.return_response(&request);
                self.run();
            }
            self.advance(Duration::from_millis(100));
        }
    }

    fn serve(&self, request: &Request) {
        let mut response =
            self.server.borrow_mut().respond(&request.url, &request.bearer, self.seconds());
        if let Ok(response) = &mut response {
            response.date = Some(self.seconds());
        }
        request.response.replace(Some(response));
    }

    fn return_response(&self, request: &Rc<Request>) {
        request.is_back.set(true);
        self.requests.borrow_mut().retain(|other| !Rc::ptr_eq(other, request));
        self.progress();
    }

    fn requests_of(&self, tab: usize) -> Vec<Rc<Request>> {
        self.requests.borrow().iter().filter(|request| request.tab == tab).cloned().collect()
    }

    /// Times out late requests; a suspended tab finds a response that has arrived when it resumes.
    fn time_out_requests(&self) {
        let late: Vec<_> = self
            .requests
            .borrow()
            .iter()
            .filter(|request| request.until <= self.now.get())
            .cloned()
            .collect();
        for request in late {
            let is_asleep = self.tabs.borrow()[request.tab].side.is_asleep.get();
            if !is_asleep || request.response.borrow().is_none() {
                request.response.replace(Some(Err(NetworkError)));
            }
            self.return_response(&request);
        }
    }

    /// Delivers writes and messages to all tabs that are not suspended.
    fn deliver(&self) {
        for tab in self.open_tabs() {
            if !tab.side.is_asleep.get() {
                self.deliver_to(&tab);
            }
        }
    }

    /// Delivers writes and messages to one tab.
    pub(super) fn catch_up(&self, tab: &Tab) {
        self.deliver_to(tab);
        tab.session.sync();
        self.run();
    }

    fn deliver_to(&self, tab: &Tab) {
        tab.side.read.set(self.written.borrow().len());
        while let Some(message) = { tab.side.inbox.borrow_mut().pop_front() } {
            tab.session.receive(message);
        }
    }

    /// Polls the tasks of all tabs that are not suspended until none makes progress.
    pub(super) fn run(&self) {
        loop {
            let before = self.progress.get();
            for tab in self.open_tabs() {
                if !tab.side.is_asleep.get() {
                    let mut context = Context::from_waker(Waker::noop());
                    let mut tasks = tab.side.tasks.take();
                    tasks.retain_mut(|task| {
                        let is_pending = task.as_mut().poll(&mut context).is_pending();
                        if !is_pending {
                            self.progress();
                        }
                        is_pending
                    });
                    tab.side.tasks.borrow_mut().append(&mut tasks);
                }
            }
            if self.progress.get() == before {
                return;
            }
        }
    }

    fn progress(&self) {
        self.progress.set(self.progress.get() + 1);
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
    /// Id of the current session.
    pub(super) fn session_id(&self) -> Option<String> {
        self.session.inner.borrow().current.as_ref().map(|current| current.persisted.session_id())
    }

    pub(super) fn number(&self) -> usize {
        self.side.number
    }

    pub(super) fn own(&self) -> Option<PersistedSession> {
        self.side.own.borrow().clone()
    }

    pub(super) fn sleep(&self) {
        self.side.is_asleep.set(true);
    }

    pub(super) fn is_asleep(&self) -> bool {
        self.side.is_asleep.get()
    }

    /// Number of session-ended events since the last call.
    pub(super) fn endings(&self) -> usize {
        self.side.endings.take()
    }
}

fn pick<T>(list: &[T], which: usize) -> Option<&T> {
    list.get(which % list.len().max(1))
}
