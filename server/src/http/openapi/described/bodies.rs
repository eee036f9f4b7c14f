//! Schemas of request and response bodies that no Rust type of the API describes.

use app::protocol::Role;
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{KnownFormat, SchemaFormat, SchemaType, Type},
    },
};

/// Returns a named schema and the schemas that it references.
pub(in super::super) type Part = fn() -> Vec<(String, RefOr<Schema>)>;

/// Returns the media types of a body by the name of its schema.
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
    vec![(
        PICTURE.to_owned(),
        text("Image bytes.").content_media_type("application/octet-stream").into(),
    )]
}

pub(super) fn archive() -> Vec<(String, RefOr<Schema>)> {
    vec![(
        ARCHIVE.to_owned(),
        text("ZIP archive.").content_media_type("application/octet-stream").into(),
    )]
}

/// Schema of a Rust type and of the types that it contains.
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

// Rules that JSON Schema cannot express (usernames, passwords) are stated in the descriptions.

pub(super) fn registration() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "username",
            text("Email address or handle.").min_length(Some(1)).examples(["ada@example.com"]),
        )
        .required("username")
        .property(
            "password",
            text("The password.").min_length(Some(1)).examples(["correct horse battery"]),
        )
        .required("password")
        .property("nickname", optional(Type::String, "Display name, up to 64 characters."));
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
        .property("current_password", presented("The current password, at most 1024 bytes."))
        .required("current_password")
        .property(
            "password",
            text("The new password.").min_length(Some(1)).examples(["battery horse correct"]),
        )
        .required("password");
    vec![("PasswordChange".to_owned(), body.into())]
}

pub(super) fn confirmation() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "username",
            text("The username, in any spelling.")
                .min_length(Some(1))
                .examples(["ada@example.com"]),
        )
        .required("username");
    vec![("Confirmation".to_owned(), body.into())]
}

pub(super) fn profile_changes() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("nickname", optional(Type::String, "Display name, up to 64 characters."))
        .property("email", optional(Type::String, "Email address, at most 254 characters."))
        .property(
            "mobile",
            optional(
                Type::String,
                "Phone number in E.164 format: `+` and 8 to 15 digits. Spaces, hyphens and parentheses are removed.",
            ),
        );
    vec![("ProfileChanges".to_owned(), body.into())]
}

pub(super) fn credentials() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "username",
            text("The username, in any spelling.")
                .min_length(Some(1))
                .examples(["ada@example.com"]),
        )
        .required("username")
        .property("password", presented("The password, at most 1024 bytes."))
        .required("password")
        .property(
            "remember",
            optional(
                Type::Boolean,
                "Whether the refresh token gets the long lifetime (default true).",
            ),
        );
    vec![("Credentials".to_owned(), body.into())]
}

pub(super) fn account_changes() -> Vec<(String, RefOr<Schema>)> {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "id",
            text("The `id` of the account.")
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
        )
        .required("id")
        .property(
            "disabled",
            optional(
                Type::Boolean,
                "Disables or enables the account. Disabling revokes its sessions.",
            ),
        )
        .property(
            "role",
            optional(Type::String, "The role of the account.").enum_values(Some(
                Role::ALL.map(|role| Some(role.as_str())).into_iter().chain([None]),
            )),
        )
        .property("end_sessions", optional(Type::Boolean, "Revokes all sessions of the account."));
    vec![("AccountChanges".to_owned(), body.into())]
}
