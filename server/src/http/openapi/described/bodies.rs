//! What operations take and answer, beside the types of the interface.

use app::api::Role;
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{KnownFormat, SchemaFormat, SchemaType, Type},
    },
};

/// A schema with its name, and those that it refers to.
pub(in super::super) type Part = fn() -> Vec<(String, RefOr<Schema>)>;

/// What something is on the wire, by the name of its schema.
pub(in super::super) fn media_types(name: &str) -> &'static [&'static str] {
    match name {
        PICTURE => &["image/jpeg", "image/png", "image/webp"],
        ARCHIVE => &["application/zip"],
        _ => &["application/json"],
    }
}

const PICTURE: &str = "Picture";
const ARCHIVE: &str = "Archive";

pub(super) fn picture() -> Vec<(String, RefOr<Schema>)> {
    vec![(PICTURE.to_owned(), text("The bytes of a picture.").content_media_type("application/octet-stream").into())]
}

pub(super) fn archive() -> Vec<(String, RefOr<Schema>)> {
    vec![(ARCHIVE.to_owned(), text("The bytes of a ZIP.").content_media_type("application/octet-stream").into())]
}

/// A type of the interface, with those that it is made of.
pub(in super::super) fn part<T: ToSchema>() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn optional(of: Type, description: &str) -> ObjectBuilder {
    let schema_type = SchemaType::Array(vec![of, Type::Null]);
    ObjectBuilder::new().schema_type(schema_type).description(Some(description))
}

// What the schemas do not say is said in words: most of what a name and a password must be is no matter of JSON.

pub(super) fn registration() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("username", text("An e-mail address or a name.").min_length(Some(1)).examples(["ada@example.com"]))
        .required("username")
        .property("password", text("The password.").min_length(Some(1)).examples(["correct horse battery"]))
        .required("password")
        .property("nickname", optional(Type::String, "How the person wants to be called: up to 64 characters."));
    vec![("Registration".to_owned(), body.into())]
}

fn presented(description: &str) -> ObjectBuilder {
    text(description).min_length(Some(1)).max_length(Some(1024)).examples(["correct horse battery"])
}

pub(super) fn password() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("password", presented("The account's password, at most 1024 bytes."))
        .required("password");
    vec![("Password".to_owned(), body.into())]
}

pub(super) fn password_change() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("current_password", presented("The one that the account has, at most 1024 bytes."))
        .required("current_password")
        .property("password", text("The new one.").min_length(Some(1)).examples(["battery horse correct"]))
        .required("password");
    vec![("PasswordChange".to_owned(), body.into())]
}

pub(super) fn confirmation() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "username",
            text("The account's name, in any spelling.").min_length(Some(1)).examples(["ada@example.com"]),
        )
        .required("username");
    vec![("Confirmation".to_owned(), body.into())]
}

pub(super) fn profile_changes() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("nickname", optional(Type::String, "How the person wants to be called: up to 64 characters."))
        .property("email", optional(Type::String, "An e-mail address of at most 254 characters."))
        .property(
            "mobile",
            optional(
                Type::String,
                "A number of E.164: `+` and 8 to 15 digits; blanks, hyphens and parentheses between them are dropped.",
            ),
        );
    vec![("ProfileChanges".to_owned(), body.into())]
}

pub(super) fn credentials() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "username",
            text("The account's name, in any spelling.").min_length(Some(1)).examples(["ada@example.com"]),
        )
        .required("username")
        .property("password", presented("The password, at most 1024 bytes."))
        .required("password")
        .property(
            "remember",
            optional(Type::Boolean, "Whether the session outlives the browser's window; it does by default."),
        );
    vec![("Credentials".to_owned(), body.into())]
}

pub(super) fn account_changes() -> Vec<(String, RefOr<Schema>)> {
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
