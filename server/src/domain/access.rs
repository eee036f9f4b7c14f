//! Access rules of endpoints.

use app::protocol::TokenType;

/// Token and role that an endpoint requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRequirement {
    /// No token.
    Public,
    /// An access token, if there is one: without a token there is no caller.
    Optional,
    /// An access token.
    Access,
    /// A fresh access token: one that was issued for a password, so that a stolen token is not
    /// enough.
    Fresh,
    /// An access token of an administrator.
    Admin,
    /// A fresh access token of an administrator.
    FreshAdmin,
    /// A refresh token.
    Refresh,
    /// An access or a refresh token.
    AccessOrRefresh,
}

impl AuthRequirement {
    /// Returns whether tokens of this type are accepted.
    #[must_use]
    pub const fn takes(self, token: TokenType) -> bool {
        match self {
            Self::Public => false,
            Self::Optional | Self::Access | Self::Fresh | Self::Admin | Self::FreshAdmin => {
                matches!(token, TokenType::Access)
            }
            Self::Refresh => matches!(token, TokenType::Refresh),
            Self::AccessOrRefresh => true,
        }
    }

    /// Returns whether the token has to be fresh.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh | Self::FreshAdmin)
    }

    /// Returns whether the caller has to be an administrator.
    #[must_use]
    pub const fn is_for_admins(self) -> bool {
        matches!(self, Self::Admin | Self::FreshAdmin)
    }
}
