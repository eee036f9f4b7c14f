//! What comes with the calls of administrators.

use app::api::{Role, users::AccountSort};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type};

use super::{Parameter, optional, text};

/// What may stand in the address of a list of accounts.
pub(in super::super) const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "search",
        description: "What the name begins with, in any spelling; or the nickname, where capitals of ASCII do not count; or the \
                      whole e-mail address or id.",
        is_required: false,
        schema: || ObjectBuilder::new().schema_type(Type::String),
    },
    Parameter {
        name: "sort",
        description: "The order: `-created_at` (the newest first) unless it says otherwise.",
        is_required: false,
        schema: || {
            // What is empty counts as absent.
            let orders = AccountSort::ALL.map(AccountSort::as_str).into_iter().chain([""]);
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(orders))
        },
    },
    Parameter {
        name: "after",
        description: "The `next` of the page before, of the same order.",
        is_required: false,
        schema: || ObjectBuilder::new().schema_type(Type::String),
    },
    Parameter {
        name: "limit",
        description: "How many at the most: 50 unless it says otherwise.",
        is_required: false,
        schema: super::limit,
    },
];

pub(in super::super) fn changes() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("id", text("Whose account.").format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))))
        .required("id")
        .property("disabled", optional(Type::Boolean, "Whether nobody may use it. Its sessions end."))
        .property(
            "role",
            optional(Type::String, "What its person may do.")
                .enum_values(Some(Role::ALL.map(|role| Some(role.as_str())).into_iter().chain([None]))),
        )
        .property("end_sessions", optional(Type::Boolean, "Whether its person is signed out everywhere."));
    vec![("AccountChanges".to_owned(), body.into())]
}
