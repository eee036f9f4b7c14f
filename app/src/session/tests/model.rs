//! A deterministic model of several tabs that share storage, locks and a channel, and a
//! [`FakeServer`] behind a network. Tests decide the order of all events.

use std::task::Waker;

use super::{fake_server::FakeServer, *};
use crate::session::lease::{Lease, LeaseStorage};

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(35);
/// Key of the session in `localStorage`.
const SESSION_KEY: &str = "session";

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

/// The ports of a tab.
struct ModelPort {
    model: Rc<Model>,
    side: Rc<Side>,
}

impl Fetch for ModelPort {
    fn send(
        &self,
        request: ApiRequest,
        bearer: Option<String>,
    ) -> LocalBoxFuture<'static, Outcome> {
        let model = &self.model;
        let request = Rc::new(Request {
            tab: self.side.number,
            url: request.url,
            bearer: bearer.expect("only logins carry no token, and the model does not send them"),
            until: model.now.get() + REQUEST_TIMEOUT,
            response: RefCell::default(),
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
        model.progress();
        until(move || {
            request.is_back.get().then(|| request.response.take().unwrap_or(Err(NetworkError)))
        })
    }
}

impl Storage for ModelPort {
    fn load(&self, scope: StorageScope) -> Option<PersistedSession> {
        if self.model.storage_is_forbidden {
            return None;
        }
        match scope {
            StorageScope::SessionStorage => self.side.own.borrow().clone(),
            StorageScope::LocalStorage => {
                match Message::decode(&self.model.value(&self.side, SESSION_KEY)?)? {
                    Message::SessionStarted(persisted) => Some(persisted),
                    _ => None,
                }
            }
        }
    }

    fn save(&self, scope: StorageScope, persisted: &PersistedSession) -> bool {
        match scope {
            StorageScope::LocalStorage => self.model.write(
                &self.side,
                SESSION_KEY,
                Some(Message::SessionStarted(persisted.clone()).encode()),
            ),
            StorageScope::SessionStorage if self.model.storage_is_forbidden => false,
            StorageScope::SessionStorage => {
                self.side.own.replace(Some(persisted.clone()));
                true
            }
        }
    }

    fn clear(&self, scope: StorageScope) {
        match scope {
            StorageScope::LocalStorage => {
                self.model.write(&self.side, SESSION_KEY, None);
            }
            StorageScope::SessionStorage => {
                self.side.own.take();
            }
        }
    }
}

impl Runtime for ModelPort {
    fn now(&self) -> Duration {
        self.model.now.get()
    }

    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        let (model, end) = (Rc::clone(&self.model), self.model.now.get() + time);
        model.alarms.borrow_mut().push(end);
        until(move || (model.now.get() >= end).then_some(()))
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.side.tasks.borrow_mut().push(task);
        self.model.progress();
    }
}

impl Channel for ModelPort {
    fn broadcast(&self, message: &Message) {
        for tab in self.model.open_tabs() {
            if tab.side.number != self.side.number {
                tab.side.inbox.borrow_mut().push_back(message.clone());
            }
        }
        self.model.progress();
    }
}

impl Observer for ModelPort {
    fn auth_changed(&self, _: AuthState) {}
    fn tokens_refreshed(&self) {}
    fn renewal_rescheduled(&self) {}
    fn reauth_pending(&self, _: bool) {}
    fn session_ended(&self, _: SessionEnd) {
        self.side.endings.set(self.side.endings.get() + 1);
    }
}

impl Lock for ModelPort {
    fn acquire(&self, name: String) -> LocalBoxFuture<'static, Option<Box<dyn LockGuard>>> {
        let number = self.model.progress.get();
        self.model.progress();
        let late = self.sleep(LOCK_TIMEOUT);
        match self.model.locks {
            Locks::WebLocks => {
                let ticket = Ticket { tab: self.side.number, number };
                let guard =
                    ModelLockGuard { model: Rc::clone(&self.model), name: name.clone(), ticket };
                self.model.queues.borrow_mut().entry(name).or_default().push_back(ticket);
                let (model, side) = (Rc::clone(&self.model), Rc::clone(&self.side));
                let mut guard = Some(guard);
                let first = until(move || {
                    let is_first = guard.as_ref().is_some_and(ModelLockGuard::is_first);
                    if !is_first {
                        return None;
                    }
                    // A lock is released only after writes made under it are visible.
                    side.read.set(model.written.borrow().len());
                    guard.take()
                });
                async move {
                    let guard = in_time(first, late).await?;
                    Some(Box::new(guard) as Box<dyn LockGuard>)
                }
                .boxed_local()
            }
            Locks::Leases => {
                let record = ModelLease {
                    port: Self { model: Rc::clone(&self.model), side: Rc::clone(&self.side) },
                    name,
                };
                let lease = Lease::acquire(Rc::new(record), number).boxed_local();
                async move {
                    let lease = in_time(lease, late).await?;
                    Some(Box::new(ModelLeaseGuard(lease)) as Box<dyn LockGuard>)
                }
                .boxed_local()
            }
        }
    }
}

async fn in_time<T>(
    task: LocalBoxFuture<'static, T>,
    late: LocalBoxFuture<'static, ()>,
) -> Option<T> {
    match futures::future::select(task, late).await {
        futures::future::Either::Left((guard, _)) => Some(guard),
        futures::future::Either::Right(_) => None,
    }
}

struct ModelLockGuard {
    model: Rc<Model>,
    name: String,
    ticket: Ticket,
}

impl ModelLockGuard {
    fn is_first(&self) -> bool {
        self.model.queues.borrow()[&self.name].front() == Some(&self.ticket)
    }
}

impl LockGuard for ModelLockGuard {
    fn extend(&self) -> bool {
        assert!(self.is_first(), "a Web Lock is not lost");
        true
    }
}

impl Drop for ModelLockGuard {
    fn drop(&mut self) {
        if let Some(queue) = self.model.queues.borrow_mut().get_mut(&self.name) {
            queue.retain(|ticket| *ticket != self.ticket);
        }
        self.model.progress();
    }
}

struct ModelLeaseGuard(Lease);

impl LockGuard for ModelLeaseGuard {
    fn extend(&self) -> bool {
        self.0.extend()
    }
}

struct ModelLease {
    port: ModelPort,
    name: String,
}

impl LeaseStorage for ModelLease {
    fn read(&self) -> Option<String> {
        self.port.model.value(&self.port.side, &self.name)
    }
    fn write(&self, record: &str) -> bool {
        self.port.model.write(&self.port.side, &self.name, Some(record.to_owned()))
    }
    fn clear(&self) {
        // A tab that crashes leaves its note.
        if !self.port.side.is_gone.get() {
            self.port.model.write(&self.port.side, &self.name, None);
        }
    }
    fn now(&self) -> u64 {
        self.port.model.now.get().as_millis().try_into().unwrap()
    }
    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        self.port.sleep(time)
    }
}

/// Completes once `look` returns a value.
fn until<T: 'static>(mut look: impl FnMut() -> Option<T> + 'static) -> LocalBoxFuture<'static, T> {
    std::future::poll_fn(move |_| look().map_or(Poll::Pending, Poll::Ready)).boxed_local()
}
