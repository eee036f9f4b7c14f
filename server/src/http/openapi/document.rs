//! Builds the OpenAPI document from the operations table and the documentation of each operation.

use std::collections::BTreeMap;

use app::{
    backend::Failure,
    i18n::Lang,
    protocol::{
        error::{ApiError, Code},
        operations::{self, AuthRequirement, Body, Operation},
    },
};
use axum::http::Method;
use utoipa::openapi::{
    self, ComponentsBuilder, Content, Header, HeaderBuilder, HttpMethod, InfoBuilder,
    LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, Required,
    Response, ResponseBuilder, SecurityRequirement,
    path::{OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
    schema::Type,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

use super::described::{
    DESCRIBED, Described,
    bodies::{Part, media_types, part},
    queries::Parameter,
};

const ABOUT: &str = "Accounts and sessions: register, log in, manage the account, log out. Requests and \
                     responses are JSON in UTF-8; request bodies are `application/json` of at most 64 KiB, \
                     uploads excepted, and unknown members are ignored. Every error, from every layer, is an \
                     `ApiError`: `code` is stable and meant for programs, `message` and `fields` are meant for \
                     users, in the language of `Accept-Language` (`en`, `zh`). All responses carry \
                     `Cache-Control: no-store`. Tokens are accepted in the `Authorization` header only.";

/// Tags: the groups of operations.
const TAGS: [(&str, &str); 3] = [
    ("auth", "Registration, login, tokens and logout."),
    (
        "account",
        "The account of the authenticated user: profile, password, sessions, files, export.",
    ),
    ("administration", "User accounts, for administrators."),
];

/// Builds the document.
pub(super) fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new()
        .security_scheme(
            "access_token",
            scheme("Access token of a login or refresh (15 minutes by default)."),
        )
        .security_scheme(
            "refresh_token",
            scheme("Refresh token of a login or refresh. Accepted by refresh and logout only."),
        )
        .schemas_from_iter(part::<ApiError>());
    for described in DESCRIBED {
        let Some(operation) =
            operations::at(described.path).find(|operation| operation.method == described.method)
        else {
            continue;
        };
        let Some(method) = method(&described.method) else { continue };
        for part in described.request.into_iter().chain([described.answer]) {
            components = components.schemas_from_iter(part());
        }
        paths = paths.path(described.path, PathItem::new(method, describe(described, operation)));
    }
    let info = InfoBuilder::new()
        .title("Gatehouse")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let tags =
        TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}

fn scheme(description: &str) -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(description));
    SecurityScheme::Http(scheme.build())
}

fn method(method: &Method) -> Option<HttpMethod> {
    Some(match *method {
        Method::GET => HttpMethod::Get,
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => return None,
    })
}

fn describe(described: &Described, operation: &Operation) -> OperationBuilder {
    let tag = match described.path {
        path if path.starts_with("/api/auth/") => "auth",
        path if path.starts_with("/api/users") => "administration",
        _ => "account",
    };
    let mut builder = OperationBuilder::new()
        .operation_id(Some(described.id))
        .summary(Some(described.summary))
        .description(Some(described.description))
        .tag(tag)
        .response(described.status.to_string(), success(described));
    let schemes: &[&str] = match operation.auth {
        AuthRequirement::Public => &[],
        AuthRequirement::Access
        | AuthRequirement::Fresh
        | AuthRequirement::Admin
        | AuthRequirement::FreshAdmin => &["access_token"],
        AuthRequirement::Refresh => &["refresh_token"],
        AuthRequirement::AccessOrRefresh => &["access_token", "refresh_token"],
    };
    for scheme in schemes {
        builder = builder.security(SecurityRequirement::new(*scheme, Vec::<String>::new()));
    }
    for parameter in described.parameters {
        builder = builder.parameter(query(parameter));
    }
    if let Some(request) = described.request {
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        let body = contents(request)
            .fold(body, |body, (media_type, content)| body.content(media_type, content));
        builder = builder.request_body(Some(body.build()));
    }
    for (status, codes) in failures(described, operation) {
        builder = builder.response(status.to_string(), failure(status, &codes));
    }
    builder
}

fn query(parameter: &Parameter) -> openapi::path::Parameter {
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(if parameter.is_required { Required::True } else { Required::False })
        .description(Some(parameter.description))
        .schema(Some((parameter.schema)()))
        .build()
}

/// References the schema once per media type.
fn contents(part: Part) -> impl Iterator<Item = (&'static str, Content)> {
    let name = part().into_iter().next().map(|(name, _)| name).unwrap_or_default();
    let content = Content::new(Some(Ref::from_schema_name(&name)));
    media_types(&name).iter().map(move |media_type| (*media_type, content.clone()))
}

fn success(described: &Described) -> Response {
    let response =
        ResponseBuilder::new().description("Success.").header("X-Request-Id", request_id());
    let mut response = contents(described.answer)
        .fold(response, |response, (media_type, content)| response.content(media_type, content));
    if described.id == "login" {
        let cookie =
            header(Type::String, "The known-device cookie `device_…`, scoped to this path.");
        response = response.header("Set-Cookie", cookie);
    }
    response.build()
}

/// Error codes by status: those of the layers that every request passes, and those of the
/// operation.
fn failures(described: &Described, operation: &Operation) -> BTreeMap<u16, Vec<Code>> {
    let by_body: &[Code] = match operation.body {
        Body::None | Body::Query | Body::Upload => &[],
        Body::Json => &[Code::PayloadTooLarge, Code::UnsupportedMediaType],
    };
    let by_auth: &[Code] = match operation.auth {
        AuthRequirement::Public => &[],
        _ => &[
            Code::TokenMissing,
            Code::TokenMalformed,
            Code::TokenInvalid,
            Code::TokenWrongType,
            Code::TokenExpired,
            Code::TokenRevoked,
        ],
    };
    let by_standing = [
        operation.auth.is_for_admins().then_some(Code::Forbidden),
        operation.auth.is_fresh().then_some(Code::FreshRequired),
    ];
    // Some operations say it for reasons of their own.
    let by_limit =
        operation.is_limited_change() && !described.codes.contains(&Code::TooManyAttempts);
    let by_limit = by_limit.then_some(Code::TooManyAttempts);
    let everywhere = [Code::BadRequest, Code::InternalError, Code::Unavailable];
    let mut failures = BTreeMap::<u16, Vec<Code>>::new();
    let by_standing = by_standing.iter().flatten();
    let by_operation = by_standing.chain(described.codes).chain(&by_limit);
    for code in by_body.iter().chain(by_auth).chain(by_operation).chain(&everywhere) {
        failures.entry(code.status()).or_default().push(*code);
    }
    failures
}

fn failure(status: u16, codes: &[Code]) -> Response {
    let lines = codes.iter().map(|code| {
        let name = serde_json::to_value(code)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default();
        format!("- `{name}`: {}", Failure::from(*code).into_api_error(Lang::En, "").message)
    });
    let mut response = ResponseBuilder::new()
        .description(lines.collect::<Vec<_>>().join("\n"))
        .header("X-Request-Id", request_id());
    for (media_type, content) in contents(part::<ApiError>) {
        response = response.content(media_type, content);
    }
    match status {
        401 => {
            response = response
                .header("WWW-Authenticate", header(Type::String, "Challenge (RFC 6750 §3)."));
        }
        429 | 503 => {
            response = response
                .header("Retry-After", header(Type::Integer, "Seconds until a retry may succeed."));
        }
        _ => {}
    }
    response.build()
}

fn header(of: Type, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(of)))
        .description(Some(description))
        .build()
}

fn request_id() -> Header {
    header(Type::String, "Identifies the request in the server's log.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_describes_every_operation_once() {
        for described in DESCRIBED {
            let here = operations::at(described.path)
                .filter(|operation| operation.method == described.method);
            assert_eq!(here.count(), 1, "{} {}", described.method, described.path);
        }
        assert_eq!(DESCRIBED.len(), operations::OPERATIONS.len());
    }
}
