//! The end of an account, by its person.

use app::{
    backend::{Caller, ClientInfo, Failure},
    protocol::error::Code,
    validation::Problem,
};

use super::{
    login::{account_subject, devices_subject},
    service::Inner,
};
use crate::{
    accounts::username,
    failure::{act_failure, internal},
    store::{Actor, AuditEntry, Deletion, Event},
};

impl Inner {
    /// Deletes the caller's account, once they have typed its name, in whichever spelling it is
    /// found by.
    pub(super) async fn delete_account(&self, caller: &Caller, typed: &str) -> Result<(), Failure> {
        let gone = || Failure::Revoked(None);
        let account = self.user_cache.get(caller.user).await.map_err(internal)?.ok_or_else(gone)?;
        let key = username::lookup_key(&account.user.username).ok_or_else(gone)?;
        if username::lookup_key(typed).is_none_or(|typed| typed != key) {
            return Err(Failure::field("username", Problem::NameDiffers));
        }
        // The log tells that an account was deleted, and not whose.
        let nowhere = ClientInfo::default();
        let forgotten = vec![account_subject(&key), devices_subject(caller.user)];
        let now = self.env.now();
        let entry = AuditEntry::of(Event::AccountDeleted, now, nowhere);
        let done = self.store.delete_user(Actor::new(caller, now), forgotten, entry).await;
        match &done {
            Ok(Deletion::Done(sessions)) => {
                for session in sessions {
                    self.session_cache.invalidate(session);
                }
                self.deletions.notify_one();
            }
            Ok(Deletion::LastAdmin) => return Err(Code::LastAdmin.into()),
            // It is not known whether the database has got it: memory must not know better.
            Ok(Deletion::NoAccount) | Err(_) => self.session_cache.invalidate_all(),
        }
        self.user_cache.invalidate(caller.user);
        match done.map_err(act_failure)? {
            Deletion::NoAccount => Err(gone()),
            Deletion::Done(_) | Deletion::LastAdmin => {
                tracing::info!("account deleted");
                Ok(())
            }
        }
    }
}
