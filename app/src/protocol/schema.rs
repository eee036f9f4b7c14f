//! How the interface is described where its data are nested in the program: as they are on the
//! wire.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Schema},
};

use super::{
    LoggedIn, Profile, Refreshed, User,
    flat::{FlatProfile, FlatTokens},
};

type Named = (String, RefOr<Schema>);

/// What a log-in and a refresh answer, with or without the person.
fn tokens(with_user: bool) -> RefOr<Schema> {
    let mut schema = FlatTokens::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.properties.remove("user");
        if with_user {
            object.properties.insert("user".to_owned(), Ref::from_schema_name(User::name()).into());
            object.required.push("user".to_owned());
        }
    }
    schema
}

impl PartialSchema for LoggedIn {
    fn schema() -> RefOr<Schema> {
        tokens(true)
    }
}

impl ToSchema for LoggedIn {
    fn schemas(schemas: &mut Vec<Named>) {
        FlatTokens::schemas(schemas);
    }
}

impl PartialSchema for Refreshed {
    fn schema() -> RefOr<Schema> {
        tokens(false)
    }
}

impl ToSchema for Refreshed {
    fn schemas(schemas: &mut Vec<Named>) {
        FlatTokens::schemas(schemas);
    }
}

impl PartialSchema for Profile {
    fn schema() -> RefOr<Schema> {
        FlatProfile::schema()
    }
}

impl ToSchema for Profile {
    fn schemas(schemas: &mut Vec<Named>) {
        FlatProfile::schemas(schemas);
    }
}
