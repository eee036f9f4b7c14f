//! Administration of other users. Changes apply from the next request: cached sessions and accounts
//! are invalidated after the commit.

use std::sync::Arc;

use app::{
    backend::{
        AccountSearch, AccountUpdate, Administration, Caller, ClientInfo, Failure, FieldErrors,
    },
    protocol::{
        error::Code,
        users::{Account, AccountPage},
    },
    validation::ServerProblem,
};
use async_trait::async_trait;
use uuid::Uuid;

use super::{SessionService, service::Inner};
use crate::{
    domain::{email_address, username},
    failure::internal,
    metrics::{Revocation, metrics},
    store::{
        AccountChange, AccountChangeError, AccountChangeOutcome, Actor, AuditContext, Cursor,
        UserQuery, UserSearch,
    },
    task::run_to_completion,
};

/// Interprets the text of a search for accounts.
#[must_use]
pub fn looked_for(typed: &str) -> UserSearch {
    UserSearch {
        name: username::lookup_key(typed),
        nickname: typed.trim().to_owned(),
        email: email_address::forms(typed),
        id: Uuid::try_parse(typed.trim()).ok(),
    }
}

#[async_trait]
impl Administration for SessionService {
    async fn accounts(&self, search: AccountSearch) -> Result<AccountPage, Failure> {
        let inner = self.inner();
        let AccountSearch { search, sort, after, limit } = search;
        let mut fields = FieldErrors::default();
        let after = after
            .map(|after| Cursor::parse(&after, sort).ok_or(ServerProblem::CursorInvalid))
            .transpose();
        let after = fields.check("after", after).flatten();
        fields.into_result()?;
        let query = UserQuery { search: search.as_deref().map(looked_for), sort, after, limit };
        let (users, next) =
            inner.store.accounts(&query, inner.env.now()).await.map_err(internal)?;
        Ok(AccountPage { users, next: next.map(|next| next.write()) })
    }

    async fn change_account(
        &self,
        caller: &Caller,
        changes: AccountUpdate,
        client_info: ClientInfo,
    ) -> Result<Account, Failure> {
        let (inner, caller) = (Arc::clone(self.inner()), caller.clone());
        run_to_completion(async move { inner.change_account(&caller, changes, client_info).await })
            .await
    }
}

impl Inner {
    async fn change_account(
        &self,
        caller: &Caller,
        changes: AccountUpdate,
        client_info: ClientInfo,
    ) -> Result<Account, Failure> {
        let AccountUpdate { id, disabled, role, end_sessions } = changes;
        let now = self.env.now();
        let change = AccountChange { disabled, role, end_sessions };
        let context = AuditContext { at: now, by: caller.user.to_string(), client_info };
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
