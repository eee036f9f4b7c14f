//! Administration of other users. Changes apply from the next request: cached sessions and accounts
//! are invalidated after the commit.

use std::sync::Arc;

use app::{
    backend::{
        AccountSearch, AccountUpdate, Administration, AuditSearch, Caller, ClientInfo, Failure,
        FieldErrors,
    },
    protocol::{
        audit::AuditPage,
        error::Code,
        sessions::SessionInfo,
        users::{Account, AccountDetails, AccountPage, AccountStatus},
    },
    validation::ServerProblem,
};
use async_trait::async_trait;
use uuid::Uuid;

use super::{SessionService, service::Inner};
use crate::{
    domain::search_words,
    failure::internal,
    metrics::{Revocation, metrics},
    store::{
        AccountChange, AccountChangeError, AccountChangeOutcome, Actor, AuditContext, Cursor,
        Event, PageStart, UserQuery, UserSearch,
    },
};

/// Interprets the text of a search for accounts.
#[must_use]
pub fn looked_for(typed: &str) -> UserSearch {
    match Uuid::try_parse(typed.trim()) {
        Ok(id) => UserSearch::Id(id),
        Err(_) => UserSearch::Terms(search_words::terms(typed)),
    }
}

#[async_trait]
impl Administration for SessionService {
    async fn accounts(&self, search: AccountSearch) -> Result<AccountPage, Failure> {
        let inner = self.inner();
        let AccountSearch { search, role, status, sort, after, before, limit } = search;
        let mut fields = FieldErrors::default();
        let parse = |cursor: Option<String>| {
            cursor
                .map(|text| Cursor::parse(&text, sort).ok_or(ServerProblem::CursorInvalid))
                .transpose()
        };
        let after = fields.check("after", parse(after)).flatten();
        let before = fields.check("before", parse(before)).flatten();
        fields.into_result()?;
        let query = UserQuery {
            search: search.as_deref().map(looked_for),
            role,
            disabled: status.map(|status| status == AccountStatus::Disabled),
            sort,
            start: match (after, before) {
                (Some(after), _) => PageStart::After(after),
                (None, Some(before)) => PageStart::Before(before),
                (None, None) => PageStart::First,
            },
            limit,
        };
        let now = inner.env.now();
        let found = inner.store.accounts_and_total(&query, now).await;
        let (page, total) = found.map_err(internal)?;
        // Accounts may have been created between the two queries.
        let last = page.first.saturating_add(page.accounts.len() as u64).saturating_sub(1);
        Ok(AccountPage {
            users: page.accounts,
            next: page.next.map(|next| next.write()),
            previous: page.previous.map(|previous| previous.write()),
            first: page.first,
            total: total.count.max(last),
            total_exact: total.is_exact,
        })
    }

    async fn change_account(
        &self,
        caller: &Caller,
        changes: AccountUpdate,
        client_info: ClientInfo,
    ) -> Result<Account, Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.clone());
        self.run_to_completion(
            async move { inner.change_account(&caller, changes, client_info).await },
        )
        .await
    }

    async fn account(&self, id: Uuid) -> Result<AccountDetails, Failure> {
        let Inner { store, env, .. } = &**self.inner();
        let user = store.account(id, env.now()).await.map_err(internal)?.ok_or(Code::NotFound)?;
        let usage = store.files_usage(id).await.map_err(internal)?;
        let stored = store.user(id).await.map_err(internal)?.ok_or(Code::NotFound)?;
        Ok(AccountDetails {
            email_verified: stored.is_email_verified(),
            pending_email: stored.pending_email(),
            user,
            last_login_at: store.last_login(id).await.map_err(internal)?,
            files: usage.files,
            files_used: usage.bytes,
        })
    }

    async fn sessions(&self, caller: &Caller, id: Uuid) -> Result<Vec<SessionInfo>, Failure> {
        let inner = self.inner();
        inner.require_account(id).await?;
        inner.sessions_of(id, caller.session).await
    }

    async fn revoke_session(
        &self,
        caller: &Caller,
        id: Uuid,
        session: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.clone());
        self.run_to_completion(async move {
            inner.revoke_session_of(&caller, id, session, client_info).await
        })
        .await
    }

    async fn audit_entries(&self, search: AuditSearch) -> Result<AuditPage, Failure> {
        self.inner().audit_entries(search).await
    }
}

impl Inner {
    async fn require_account(&self, id: Uuid) -> Result<(), Failure> {
        match self.user_cache.get(id).await.map_err(internal)? {
            Some(_) => Ok(()),
            None => Err(Code::NotFound.into()),
        }
    }

    async fn revoke_session_of(
        &self,
        caller: &Caller,
        user: Uuid,
        session: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let context = AuditContext::of(caller, self.env.now(), client_info);
        let entry = context.entry(Event::SessionRevoked, Some(user), None);
        let done = self.store.end_device(Actor::admin(caller, entry.at), session, entry).await;
        // Invalidate even if the write's outcome is unknown, so the cache never disagrees with the
        // database.
        self.session_cache.invalidate(&session);
        if !done.map_err(Failure::from)? {
            return Err(Code::NotFound.into());
        }
        metrics().revocations.of(Revocation::Administrator).inc();
        tracing::info!(%user, %session, by = %caller.user, "session revoked by an administrator");
        Ok(())
    }

    async fn change_account(
        &self,
        caller: &Caller,
        changes: AccountUpdate,
        client_info: ClientInfo,
    ) -> Result<Account, Failure> {
        let AccountUpdate { id, disabled, role, end_sessions } = changes;
        let now = self.env.now();
        let change = AccountChange { disabled, role, end_sessions };
        let context = AuditContext::of(caller, now, client_info);
        let outcome =
            self.store.change_account_as(Actor::admin(caller, now), id, change, context).await;
        // Invalidate even if the write's outcome is unknown, so the cache never disagrees with the
        // database.
        self.user_cache.invalidate(id);
        match outcome {
            Ok(AccountChangeOutcome { ended }) => {
                for session in &ended {
                    self.session_cache.invalidate(session);
                }
                let reason = if disabled == Some(true) {
                    Revocation::AccountDisabled
                } else {
                    Revocation::Administrator
                };
                metrics().revocations.of(reason).inc_by(ended.len() as u64);
                tracing::info!(user = %id, by = %caller.user, ?disabled, ?role, sessions = ended.len(), "account changed");
            }
            Err(AccountChangeError::NoAccount) => return Err(Code::NotFound.into()),
            Err(AccountChangeError::LastAdmin) => return Err(Code::LastAdmin.into()),
            Err(AccountChangeError::Denied(denied)) => return Err(denied.into()),
            Err(AccountChangeError::Store(error)) => {
                // The ended sessions are unknown.
                self.session_cache.invalidate_all();
                return Err(internal(error));
            }
        }
        let account = self.store.account(id, now).await.map_err(internal)?;
        account.ok_or(Failure::Plain(Code::NotFound))
    }
}
