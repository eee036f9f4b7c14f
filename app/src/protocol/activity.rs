//! `GET /api/me/activity`: the events of the caller's own account.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event of the caller's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ActivityEvent {
    /// Type of the event, as in the audit log.
    pub event: String,
    /// Seconds of Unix time.
    pub at: i64,
    /// Browser name, if the user agent is a known one.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub browser: Option<String>,
    /// Operating system, if the user agent names a known one.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub system: Option<String>,
    /// Client IP.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub address: Option<String>,
    /// Outcome of the event, as in the audit log.
    pub outcome: String,
    /// The session, if the event belongs to one that is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
}

/// A page of the caller's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ActivityPage {
    /// Newest first, of the last 90 days.
    pub events: Vec<ActivityEvent>,
    /// Cursor of older events: their `after`; `null` if there are none.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub next: Option<String>,
}

/// Query of the caller's events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ActivityQuery {
    /// The `next` cursor of newer events.
    pub after: Option<String>,
    /// Page size: 1 to 100, default 50.
    #[cfg_attr(feature = "ssr", param(value_type = super::PageSize, inline, required = false))]
    pub limit: Option<String>,
}
