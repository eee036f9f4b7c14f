//! Documentation of an endpoint: the facts of the OpenAPI document that are not part of its behaviour.

use app::protocol::error::Code;
use axum::http::StatusCode;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema, path::Parameter},
};

/// Group of endpoints in the documentation.
#[derive(Clone, Copy)]
pub(in crate::http) enum Tag {
    Auth,
    Account,
    Administration,
}

impl Tag {
    pub(in crate::http) const ALL: [Self; 3] = [Self::Auth, Self::Account, Self::Administration];

    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Account => "account",
            Self::Administration => "administration",
        }
    }

    pub(in crate::http) const fn description(self) -> &'static str {
        match self {
            Self::Auth => "Registration, login, tokens and logout.",
            Self::Account => {
                "The account of the authenticated user: profile, password, sessions, files, export."
            }
            Self::Administration => "User accounts, for administrators.",
        }
    }
}

/// A named schema and the schemas that it references.
pub(in crate::http) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A body in the documentation.
#[derive(Clone, Copy)]
pub(in crate::http) struct BodyDocs {
    pub(in crate::http) media_types: &'static [&'static str],
    /// The schema of the body comes first.
    pub(in crate::http) schemas: fn() -> Schemas,
}

/// The documentation of an endpoint.
pub(in crate::http) struct Docs {
    /// The `operationId`: the name in generated clients.
    pub(in crate::http) id: &'static str,
    pub(in crate::http) tag: Tag,
    pub(in crate::http) summary: &'static str,
    pub(in crate::http) description: &'static str,
    pub(in crate::http) parameters: fn() -> Vec<Parameter>,
    pub(in crate::http) request: Option<BodyDocs>,
    pub(in crate::http) status: StatusCode,
    pub(in crate::http) response: BodyDocs,
    /// Description of the cookie that the response sets.
    pub(in crate::http) cookie: Option<&'static str>,
    /// Error codes beyond those of the checks that precede the handler.
    pub(in crate::http) errors: &'static [Code],
}

/// A JSON body.
pub(in crate::http) fn json<T: ToSchema>() -> BodyDocs {
    BodyDocs { media_types: &["application/json"], schemas: schemas_of::<T> }
}

fn schemas_of<T: ToSchema>() -> Schemas {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas
}
