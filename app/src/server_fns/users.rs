//! `/api/users`: user accounts, for administrators.

use leptos::prelude::*;
use server_fn::codec::{GetUrl, Json, PatchJson};

use super::{client::ApiClient, transparent};
#[cfg(feature = "ssr")]
use crate::backend::{AccountSearch, AccountUpdate, RequestContext};
use crate::protocol::{
    error::ApiError,
    users::{AccountChanged, AccountChanges, AccountPage, AccountQuery},
};

/// Lists user accounts: all of them, or those that match a search.
#[server(
    prefix = "/api", endpoint = "users", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_users(query: AccountQuery) -> Result<AccountPage, ApiError> {
    let request = RequestContext::current()?;
    request.caller()?;
    Ok(request.backend.administration.accounts(AccountSearch::parse(query)?).await?)
}

transparent!(ListUsers { query: AccountQuery });

/// Disables or enables an account, changes its role, revokes its sessions. Absent members stay
/// unchanged.
#[server(
    prefix = "/api", endpoint = "users", input = PatchJson, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn update_user(changes: AccountChanges) -> Result<AccountChanged, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let update = AccountUpdate::parse(caller, changes)?;
    let user = request.backend.administration.change_account(caller, update, client).await?;
    Ok(AccountChanged { message: request.message(|messages| messages.account_saved), user })
}

transparent!(UpdateUser { changes: AccountChanges });
