//! The ports of a tab in the model.

use super::{Locks, Model, Request, Side, Ticket};
use crate::session::{
    lease::{Lease, LeaseStorage},
    tests::*,
};

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(35);
/// Key of the session in `localStorage`.
const SESSION_KEY: &str = "session";

/// The ports of a tab.
pub(super) struct ModelPort {
    pub(super) model: Rc<Model>,
    pub(super) side: Rc<Side>,
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
            // The removal of a key that the tab does not see changes nothing, also if another tab has
            // just set it (HTML Standard, `removeItem`).
            StorageScope::LocalStorage => {
                if self.model.value(&self.side, SESSION_KEY).is_some() {
                    self.model.write(&self.side, SESSION_KEY, None);
                }
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
