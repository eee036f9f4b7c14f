//! The operations under `/api` and what each takes: what a layer must know before it lets a server
//! function see a request.

use http::Method;

use super::TokenType;

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRequirement {
    /// Nothing: anybody may call.
    Public,
    /// An access token.
    Access,
    /// An access token that comes straight from a password: what it does matters more than a stolen
    /// token should be able to.
    Fresh,
    /// An access token of an administrator.
    Admin,
    /// A fresh access token of an administrator.
    FreshAdmin,
    /// A refresh token.
    Refresh,
    /// Any unexpired token of a living session.
    AccessOrRefresh,
}

impl AuthRequirement {
    /// Whether a token of this type may be presented.
    #[must_use]
    pub const fn takes(self, token: TokenType) -> bool {
        match self {
            Self::Public => false,
            Self::Access | Self::Fresh | Self::Admin | Self::FreshAdmin => {
                matches!(token, TokenType::Access)
            }
            Self::Refresh => matches!(token, TokenType::Refresh),
            Self::AccessOrRefresh => true,
        }
    }

    /// Whether the token has to come straight from a password.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh | Self::FreshAdmin)
    }

    /// Whether the caller has to be an administrator.
    #[must_use]
    pub const fn is_for_admins(self) -> bool {
        matches!(self, Self::Admin | Self::FreshAdmin)
    }
}

/// What an operation takes as its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None; whatever comes is dropped unread.
    None,
    /// A JSON object.
    Json,
    /// None, but the address has a query.
    Query,
    /// Bytes of whatever type, for a handler that looks at them itself; the address may have a
    /// query.
    Upload,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its verb.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may call.
    pub auth: AuthRequirement,
    /// What comes with the call.
    pub body: Body,
}

impl Operation {
    /// Returns whether a call counts against the limit of changes: whether a signed-in caller makes
    /// the server write something, if only to the audit log. Refreshes have a limit of their own,
    /// and a session can be logged out only once.
    #[must_use]
    pub fn is_limited_change(&self) -> bool {
        match (&self.method, self.path) {
            (_, "/api/auth/verify" | "/api/auth/refresh" | "/api/auth/logout") => false,
            // It is written to the audit log.
            (_, "/api/me/export") => true,
            (method, _) => self.auth != AuthRequirement::Public && *method != Method::GET,
        }
    }

    /// Returns whether a call protects the account: its owner can always make it, however many
    /// changes others make with a token that they have stolen.
    #[must_use]
    pub fn protects_account(&self) -> bool {
        matches!(
            (self.method.as_str(), self.path),
            ("POST", "/api/auth/reauthenticate" | "/api/me/password")
                | ("DELETE", "/api/me/sessions" | "/api/me")
        )
    }
}

/// Every operation. What is not in here does not exist for a caller; a test compares it with the
/// registered server functions and with the handlers that the server has beside them.
pub static OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::POST,
        path: "/api/auth/register",
        auth: AuthRequirement::Public,
        body: Body::Json,
    },
    Operation {
        method: Method::POST,
        path: "/api/auth/login",
        auth: AuthRequirement::Public,
        body: Body::Json,
    },
    Operation {
        method: Method::POST,
        path: "/api/auth/refresh",
        auth: AuthRequirement::Refresh,
        body: Body::None,
    },
    Operation {
        method: Method::POST,
        path: "/api/auth/verify",
        auth: AuthRequirement::Access,
        body: Body::None,
    },
    Operation {
        method: Method::POST,
        path: "/api/auth/reauthenticate",
        auth: AuthRequirement::Access,
        body: Body::Json,
    },
    Operation {
        method: Method::DELETE,
        path: "/api/auth/logout",
        auth: AuthRequirement::AccessOrRefresh,
        body: Body::None,
    },
    Operation {
        method: Method::GET,
        path: "/api/me",
        auth: AuthRequirement::Access,
        body: Body::None,
    },
    // That another address takes a fresh token is decided where it is known whether it is another.
    Operation {
        method: Method::PATCH,
        path: "/api/me",
        auth: AuthRequirement::Access,
        body: Body::Json,
    },
    Operation {
        method: Method::DELETE,
        path: "/api/me",
        auth: AuthRequirement::Fresh,
        body: Body::Json,
    },
    Operation {
        method: Method::POST,
        path: "/api/me/password",
        auth: AuthRequirement::Fresh,
        body: Body::Json,
    },
    Operation {
        method: Method::GET,
        path: "/api/me/sessions",
        auth: AuthRequirement::Access,
        body: Body::None,
    },
    Operation {
        method: Method::DELETE,
        path: "/api/me/sessions",
        auth: AuthRequirement::Access,
        body: Body::Query,
    },
    Operation {
        method: Method::PUT,
        path: "/api/me/avatar",
        auth: AuthRequirement::Access,
        body: Body::Upload,
    },
    Operation {
        method: Method::DELETE,
        path: "/api/me/avatar",
        auth: AuthRequirement::Access,
        body: Body::None,
    },
    Operation {
        method: Method::GET,
        path: "/api/me/files",
        auth: AuthRequirement::Access,
        body: Body::Query,
    },
    Operation {
        method: Method::POST,
        path: "/api/me/files",
        auth: AuthRequirement::Access,
        body: Body::Upload,
    },
    Operation {
        method: Method::DELETE,
        path: "/api/me/files",
        auth: AuthRequirement::Access,
        body: Body::Query,
    },
    Operation {
        method: Method::GET,
        path: "/api/me/file",
        auth: AuthRequirement::Access,
        body: Body::Query,
    },
    Operation {
        method: Method::GET,
        path: "/api/me/export",
        auth: AuthRequirement::Fresh,
        body: Body::None,
    },
    Operation {
        method: Method::GET,
        path: "/api/users",
        auth: AuthRequirement::Admin,
        body: Body::Query,
    },
    Operation {
        method: Method::PATCH,
        path: "/api/users",
        auth: AuthRequirement::FreshAdmin,
        body: Body::Json,
    },
];

/// The operations at a path.
pub fn at(path: &str) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(move |operation| operation.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_limited_change_is_true_of_what_a_signed_in_caller_writes() {
        let of = |is_wanted: fn(&Operation) -> bool| -> Vec<_> {
            let wanted = OPERATIONS.iter().filter(|operation| is_wanted(operation));
            wanted.map(|operation| format!("{} {}", operation.method, operation.path)).collect()
        };
        let unlimited = of(|operation| !operation.is_limited_change());
        assert_eq!(
            unlimited,
            [
                "POST /api/auth/register",
                "POST /api/auth/login",
                "POST /api/auth/refresh",
                "POST /api/auth/verify",
                "DELETE /api/auth/logout",
                "GET /api/me",
                "GET /api/me/sessions",
                "GET /api/me/files",
                "GET /api/me/file",
                "GET /api/users",
            ]
        );
        let protecting = of(Operation::protects_account);
        assert_eq!(
            protecting,
            [
                "POST /api/auth/reauthenticate",
                "DELETE /api/me",
                "POST /api/me/password",
                "DELETE /api/me/sessions"
            ]
        );
    }
}
