//! `/api/audit`: the audit log, for administrators.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Types of events, by which the log can be filtered.
pub const EVENTS: [&str; 30] = [
    "registered",
    "logged_in",
    "refreshed",
    "refresh_reused",
    "logged_out",
    "session_revoked",
    "key_rotated",
    "key_retired",
    "profile_changed",
    "password_changed",
    "reauthenticated",
    "new_device",
    "exported",
    "account_deleted",
    "user_created",
    "user_disabled",
    "user_enabled",
    "role_changed",
    "change_refused",
    "pictures_viewed",
    "picture_removed",
    "alert_undone",
    "mail_failed",
    "address_verified",
    "address_lost",
    "reset_requested",
    "password_reset",
    "verification_sent",
    "invitation_created",
    "invitation_revoked",
];

/// Outcomes of events, by which the log can be filtered.
pub const OUTCOMES: [&str; 6] =
    ["success", "unknown_account", "wrong_password", "disabled", "address_unverified", "throttled"];

/// An account that an entry names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AuditUser {
    /// The `id` of the account.
    pub id: Uuid,
    /// Its username; `null` if it has been deleted.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub username: Option<String>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Number of the entry: greater than those of the entries before.
    pub id: i64,
    /// Seconds of Unix time.
    pub at: i64,
    /// Type of the event.
    pub event: String,
    /// Outcome of the event.
    pub outcome: String,
    /// The account that the event is about; `null` if there is none, or it has been deleted.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub user: Option<AuditUser>,
    /// The administrator who acted on the account of another user.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub actor: Option<AuditUser>,
    /// The session.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub session: Option<Uuid>,
    /// Client IP.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub address: Option<String>,
    /// Browser name, if the user agent is a known one.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub browser: Option<String>,
    /// Operating system, if the user agent names a known one.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub system: Option<String>,
    /// User agent, as it was sent.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub user_agent: Option<String>,
    /// Details: a reason, the names of changed fields, a key.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub detail: Option<String>,
}

/// Entries of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// Cursor of older entries: their `before`; `null` if there are none. A page may have few
    /// entries, or none, and such a cursor: filters search a part of the log at a time.
    pub next: Option<String>,
    /// Cursor of newer entries: their `after`.
    pub latest: String,
}

/// Query of the audit log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AuditQuery {
    /// Only entries of this type.
    #[cfg_attr(feature = "ssr", param(value_type = EventFilter, inline, required = false))]
    pub event: Option<String>,
    /// Only entries with this outcome.
    #[cfg_attr(feature = "ssr", param(value_type = OutcomeFilter, inline, required = false))]
    pub outcome: Option<String>,
    /// Only entries about this account: its id, or its username in any spelling.
    pub user: Option<String>,
    /// Only entries since this time, in seconds of Unix time.
    #[cfg_attr(feature = "ssr", param(value_type = SinceFilter, inline, required = false))]
    pub since: Option<String>,
    /// The `next` cursor of newer entries.
    pub before: Option<String>,
    /// The `latest` cursor of an earlier response: returns what was written since. An entry
    /// may be repeated if an earlier transaction was still open; clients drop the ids that they
    /// have. Not together with `before`.
    pub after: Option<String>,
    /// Page size: 1 to 100, default 50.
    #[cfg_attr(feature = "ssr", param(value_type = super::PageSize, inline, required = false))]
    pub limit: Option<String>,
}

/// Schema of the filter by event.
#[cfg(feature = "ssr")]
struct EventFilter;

/// Schema of the filter by outcome.
#[cfg(feature = "ssr")]
struct OutcomeFilter;

/// Schema of the filter by time: a number, or an empty value, which counts as absent.
#[cfg(feature = "ssr")]
struct SinceFilter;

#[cfg(feature = "ssr")]
super::word_parameter!(EventFilter, EVENTS);
#[cfg(feature = "ssr")]
super::word_parameter!(OutcomeFilter, OUTCOMES);

#[cfg(feature = "ssr")]
impl utoipa::PartialSchema for SinceFilter {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{SchemaType, Type};
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::Integer, Type::String]))
            .minimum(Some(0))
            .max_length(Some(0))
            .into()
    }
}

#[cfg(feature = "ssr")]
impl utoipa::ToSchema for SinceFilter {}
