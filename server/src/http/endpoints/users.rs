//! `/api/users`: user accounts, for administrators.

use app::{
    protocol::error::Code,
    server_fns::{ListUsers, UpdateUser},
};

use super::{Endpoint, Tag};
use crate::domain::access::AuthRequirement;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::query_fn::<ListUsers>(Tag::Administration, "list_users", AuthRequirement::Admin)
            .describe(
                "List user accounts",
                "For administrators. Keyset pagination: constant cost per page, no gaps or \
                 duplicates under concurrent writes. An empty parameter counts as absent.",
            )
            .errors(&[Code::ValidationFailed]),
        Endpoint::json_fn::<UpdateUser>(
            Tag::Administration,
            "update_user",
            AuthRequirement::FreshAdmin,
        )
        .describe(
            "Update a user account",
            "For administrators, with a fresh access token. Absent members stay unchanged. \
             Disabling an account or ending its sessions takes effect on the next request; ended \
             sessions stay ended when the account is enabled again. The last active administrator \
             cannot be disabled or demoted (`last_admin`), and administrators cannot disable \
             themselves.",
        )
        .errors(&[Code::ValidationFailed, Code::NotFound, Code::LastAdmin]),
    ]
}
