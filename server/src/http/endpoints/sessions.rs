//! `/api/me/sessions` and `/api/me/activity`: sessions and events of the caller's account.

use app::{
    protocol::error::Code,
    server_fns::{ListActivity, ListSessions, RevokeSessions},
};

use super::{Endpoint, Tag};
use crate::{domain::access::AuthRequirement, limits::ChangeLimit};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::server_fn::<ListSessions>(Tag::Account, "list_sessions", AuthRequirement::Access)
            .describe(
                "List active sessions",
                "The active sessions of the account: the current one first, then by last activity.",
            ),
        Endpoint::query_fn::<ListActivity>(Tag::Account, "list_activity", AuthRequirement::Access)
            .describe(
                "List recent activity",
                "The events of the account in the last 90 days, newest first, with cursor \
                 pagination. `session_id` is that of an active session: the user can end one that \
                 they do not know. Events that an administrator has caused have no client. An \
                 empty parameter counts as absent.",
            )
            .errors(&[Code::ValidationFailed]),
        Endpoint::query_fn::<RevokeSessions>(
            Tag::Account,
            "revoke_sessions",
            AuthRequirement::Access,
        )
        .describe(
            "Revoke sessions",
            "Revokes one session; its tokens are rejected from the next request on, with the \
             reason `ended_elsewhere`. Without `id`, revokes all sessions except the current one. \
             A session of another user is `not_found`.",
        )
        .change_limit(ChangeLimit::Session)
        .errors(&[Code::NotFound]),
    ]
}
