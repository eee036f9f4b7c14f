//! Query parameters.

use app::protocol::users::AccountSort;
use utoipa::openapi::{
    ObjectBuilder,
    schema::{KnownFormat, SchemaFormat, SchemaType, Type},
};

/// One query parameter.
pub(in super::super) struct Parameter {
    pub(in super::super) name: &'static str,
    pub(in super::super) description: &'static str,
    pub(in super::super) is_required: bool,
    pub(in super::super) schema: fn() -> ObjectBuilder,
}

impl Parameter {
    pub(super) const fn required(
        name: &'static str,
        description: &'static str,
        schema: fn() -> ObjectBuilder,
    ) -> Self {
        Self { name, description, is_required: true, schema }
    }

    pub(super) const fn optional(
        name: &'static str,
        description: &'static str,
        schema: fn() -> ObjectBuilder,
    ) -> Self {
        Self { name, description, is_required: false, schema }
    }
}

/// Any string.
pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Any non-empty string.
pub(super) fn filled() -> ObjectBuilder {
    text().min_length(Some(1))
}

pub(super) fn uuid() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
}

pub(super) fn size() -> ObjectBuilder {
    text().enum_values(Some(["full", "thumb"]))
}

// An empty list parameter counts as absent: HTML forms send empty fields.

pub(super) fn order() -> ObjectBuilder {
    text().enum_values(Some(AccountSort::ALL.map(AccountSort::as_str).into_iter().chain([""])))
}

/// A number, or an empty string.
pub(super) fn limit() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Integer, Type::String]))
        .minimum(Some(1))
        .maximum(Some(100))
        .max_length(Some(0))
}
