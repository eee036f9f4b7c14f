//! Deletion of an account by its user.

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
    domain::username,
    failure::internal,
    metrics::{Revocation, metrics},
    store::{Actor, AuditEntry, DeletionOutcome, Event},
};

impl Inner {
    /// Deletes the caller's account, after its username was typed in any equivalent spelling.
    pub(super) async fn delete_account(&self, caller: &Caller, typed: &str) -> Result<(), Failure> {
        let gone = || Failure::Revoked(None);
        let account = self.user_cache.get(caller.user).await.map_err(internal)?.ok_or_else(gone)?;
        let key = username::lookup_key(&account.user.username).ok_or_else(gone)?;
        if username::lookup_key(typed).is_none_or(|typed| typed != key) {
            return Err(Failure::field("username", Problem::UsernameMismatch));
        }
        // The audit log records that an account was deleted, but not which.
        let nowhere = ClientInfo::default();
        let failure_subjects = vec![account_subject(&key), devices_subject(caller.user)];
        let now = self.env.now();
        let entry = AuditEntry::of(Event::AccountDeleted, now, nowhere);
        let done = self.store.delete_user(Actor::new(caller, now), failure_subjects, entry).await;
        match &done {
            Ok(DeletionOutcome::Deleted(sessions)) => {
                for session in sessions {
                    self.session_cache.invalidate(session);
                }
                let ended = sessions.len() as u64;
                metrics().revocations.of(Revocation::AccountDeleted).inc_by(ended);
                self.deletions.notify_one();
            }
            Ok(DeletionOutcome::LastAdmin) => return Err(Code::LastAdmin.into()),
            // The write's outcome is unknown.
            Ok(DeletionOutcome::NoAccount) | Err(_) => self.session_cache.invalidate_all(),
        }
        self.user_cache.invalidate(caller.user);
        match done.map_err(Failure::from)? {
            DeletionOutcome::NoAccount => Err(gone()),
            DeletionOutcome::Deleted(_) | DeletionOutcome::LastAdmin => {
                tracing::info!("account deleted");
                Ok(())
            }
        }
    }
}
