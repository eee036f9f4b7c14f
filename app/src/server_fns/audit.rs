//! `/api/audit`: the audit log, for administrators.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use super::{client::ApiClient, json::Json, transparent};
#[cfg(feature = "ssr")]
use crate::backend::{AuditSearch, RequestContext};
use crate::protocol::{
    audit::{AuditPage, AuditQuery},
    error::ApiError,
};

/// Lists entries of the audit log.
#[server(
    prefix = "/api", endpoint = "audit", input = GetUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn list_audit_entries(query: AuditQuery) -> Result<AuditPage, ApiError> {
    let request = RequestContext::current()?;
    request.caller()?;
    Ok(request.backend.administration.audit_entries(AuditSearch::parse(query)?).await?)
}

transparent!(ListAuditEntries { query: AuditQuery });
