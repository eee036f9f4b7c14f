//! Logging in: a name, a password, a new session.

use std::sync::Arc;

use app::{
    api::error::Code,
    backend::{Credentials, Failure, Origin},
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::service::Inner;
use crate::{
    accounts::{hashing::Verdict, password::Password, username},
    failure::internal,
    store::{AuditEntry, Event, Outcome, Session, StoreError, StoredUser},
};

/// Living sessions that a user may have.
const PER_USER: u64 = 100;

impl Inner {
    /// The account that these credentials are for. What is wrong is not told, and costs the same: one look-up, one hash.
    pub(super) async fn check_password(
        self: &Arc<Self>,
        credentials: &Credentials,
        origin: &Origin,
    ) -> Result<StoredUser, Failure> {
        let password = Password::presented(credentials.password.clone());
        let found = match username::lookup_key(&credentials.username) {
            Some(key) => self.store.user_with_hash(&key).await.map_err(internal)?,
            None => None,
        };
        let stored = found.as_ref().map(|(_, hash)| hash.as_str());
        let verdict = self.hasher.verify(&password, stored).await.map_err(internal)?;
        let Some((account, old_hash)) = found else {
            tracing::info!("log-in refused: no such account");
            self.note_refusal(None, Outcome::UnknownAccount, origin);
            return Err(Code::InvalidCredentials.into());
        };
        let user = Some(account.user.id);
        match verdict {
            Verdict::Wrong => {
                tracing::info!(user = %account.user.id, "log-in refused: wrong password");
                self.note_refusal(user, Outcome::WrongPassword, origin);
                return Err(Code::InvalidCredentials.into());
            }
            Verdict::Right => {}
            Verdict::RightButOutdated(new_hash) => {
                self.store.replace_hash(account.user.id, &old_hash, &new_hash).await.map_err(internal)?;
            }
        }
        if account.disabled_at.is_some() {
            tracing::info!(user = %account.user.id, "log-in refused: disabled");
            self.note_refusal(user, Outcome::Disabled, origin);
            return Err(Code::AccountDisabled.into());
        }
        Ok(account)
    }

    /// Puts a refused log-in into the audit log. Nobody waits for it: the answer takes the same time whatever was wrong.
    fn note_refusal(self: &Arc<Self>, user: Option<Uuid>, outcome: Outcome, origin: &Origin) {
        let entry = AuditEntry { outcome, ..self.entry(Event::LoggedIn, user, None, origin.clone()) };
        let inner = Arc::clone(self);
        let noting = async move {
            if let Err(error) = inner.store.insert_audit_entry(entry).await {
                tracing::error!(%error, "a refused log-in is missing in the audit log");
            }
        };
        tokio::spawn(noting.in_current_span());
    }

    pub(super) async fn begin(&self, user: Uuid, remember: bool, origin: Origin) -> Result<Session, StoreError> {
        let now = self.world.now();
        let session = Session {
            id: self.world.uuid(),
            user,
            generation: 1,
            parent_generation: None,
            acknowledged: false,
            replaced: Vec::new(),
            remember,
            created_at: now,
            refreshed_at: now,
            expires_at: now.saturating_add(self.lifetimes.session),
            ended: None,
        };
        let entry = self.entry(Event::LoggedIn, Some(user), Some(session.id), origin);
        for ended in self.store.insert_session(session.clone(), PER_USER, entry).await? {
            self.seen.forget(&ended.id);
        }
        tracing::info!(%user, session = %session.id, "logged in");
        Ok(session)
    }
}
