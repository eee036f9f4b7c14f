//! `/api/invitations`: who may register, and invitations by administrators.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::redact;

/// Policy of registration: the visitors that may create an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RegistrationPolicy {
    /// All visitors.
    #[default]
    Open,
    /// Visitors with an invitation.
    Invite,
    /// None: administrators create accounts on the command line.
    Closed,
}

impl RegistrationPolicy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Open, Self::Invite, Self::Closed];

    /// The value in settings and pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }

    /// Parses the value in settings and pages.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// An invitation that has been neither used nor revoked, and has not expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Identifies the invitation; not its token.
    pub id: Uuid,
    /// The address that it was sent to.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub email: Option<String>,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// Seconds of Unix time.
    pub expires_at: i64,
    /// Username of the administrator; `null` if that account has been deleted.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub created_by: Option<String>,
}

/// The valid invitations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InvitationList {
    /// Newest first.
    pub invitations: Vec<Invitation>,
}

/// Body of `POST /api/invitations`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewInvitation {
    /// Address that the invitation is sent to, where mail is configured.
    pub email: Option<String>,
}

/// Response to a new invitation: the only one that has its link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Invited {
    /// Confirmation for the administrator.
    pub message: String,
    /// Identifies the invitation.
    pub id: Uuid,
    /// The link, with the token in its fragment: an absolute URL where the public URL is
    /// configured, else path and fragment.
    pub link: String,
    /// Seconds of Unix time.
    pub expires_at: i64,
    /// True if it is on its way to the address by mail.
    pub sent: bool,
}

/// Query of `DELETE /api/invitations`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct InvitationId {
    /// The `id` of the invitation.
    pub id: Uuid,
}

redact!(Invited);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_policy_returns_that_of_as_str() {
        for policy in RegistrationPolicy::ALL {
            assert_eq!(RegistrationPolicy::parse(policy.as_str()), Some(policy));
        }
        assert_eq!(RegistrationPolicy::parse("Open"), None);
        assert_eq!(RegistrationPolicy::parse(""), None);
    }
}
