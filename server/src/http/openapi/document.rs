//! Builds the OpenAPI document from the endpoints.

use std::collections::BTreeMap;

use app::{
    backend::Failure,
    i18n::{Lang, document::DocumentStrings},
    protocol::error::{ApiError, Code},
};
use axum::http::Method;
use utoipa::openapi::{
    ComponentsBuilder, Content, Header, HeaderBuilder, HttpMethod, InfoBuilder, LicenseBuilder,
    ObjectBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, Required, Response,
    ResponseBuilder, SecurityRequirement,
    path::OperationBuilder,
    request_body::RequestBodyBuilder,
    schema::Type,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

use crate::{
    domain::access::AuthRequirement,
    http::endpoints::{BodyDocs, Docs, Endpoint, Input, Tag, endpoints, json},
    limits::ChangeLimit,
};

/// Builds the document. Its title is the name of the site.
pub(super) fn document(site: &str) -> OpenApi {
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
        .schemas_from_iter((json::<ApiError>().schemas)());
    for endpoint in endpoints() {
        let Some(method) = method(&endpoint.method) else { continue };
        for body in endpoint.docs.request.into_iter().chain([endpoint.docs.response]) {
            components = components.schemas_from_iter((body.schemas)());
        }
        paths = paths.path(endpoint.path, PathItem::new(method, operation(endpoint)));
    }
    let info = InfoBuilder::new()
        .title(site)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DocumentStrings::of(Lang::En).api_about))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let tags = Tag::ALL
        .map(|tag| TagBuilder::new().name(tag.name()).description(Some(tag.description())).build());
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

fn operation(endpoint: &Endpoint) -> OperationBuilder {
    let docs = &endpoint.docs;
    let mut builder = OperationBuilder::new()
        .operation_id(Some(docs.id))
        .summary(Some(docs.summary))
        .description(Some(docs.description))
        .tag(docs.tag.name())
        .response(docs.status.as_u16().to_string(), success(docs));
    let schemes: &[&str] = match endpoint.auth {
        AuthRequirement::Public => &[],
        AuthRequirement::Optional
        | AuthRequirement::Access
        | AuthRequirement::Fresh
        | AuthRequirement::Admin
        | AuthRequirement::FreshAdmin => &["access_token"],
        AuthRequirement::Refresh => &["refresh_token"],
        AuthRequirement::AccessOrRefresh => &["access_token", "refresh_token"],
    };
    if endpoint.auth == AuthRequirement::Optional {
        // One of the requirements has to be met: none is one of them.
        builder = builder.security(SecurityRequirement::default());
    }
    for scheme in schemes {
        builder = builder.security(SecurityRequirement::new(*scheme, Vec::<String>::new()));
    }
    for parameter in (docs.parameters)() {
        builder = builder.parameter(parameter);
    }
    if let Some(request) = docs.request {
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        let body = contents(request)
            .fold(body, |body, (media_type, content)| body.content(media_type, content));
        builder = builder.request_body(Some(body.build()));
    }
    for (status, codes) in failures(endpoint) {
        builder = builder.response(status.to_string(), failure(status, &codes));
    }
    builder
}

/// References the schema once per media type.
fn contents(body: BodyDocs) -> impl Iterator<Item = (&'static str, Content)> {
    let name = (body.schemas)().into_iter().next().map(|(name, _)| name).unwrap_or_default();
    let content = Content::new(Some(Ref::from_schema_name(&name)));
    body.media_types.iter().map(move |media_type| (*media_type, content.clone()))
}

fn success(docs: &Docs) -> Response {
    let response =
        ResponseBuilder::new().description("Success.").header("X-Request-Id", request_id());
    let mut response = contents(docs.response)
        .fold(response, |response, (media_type, content)| response.content(media_type, content));
    if let Some(cookie) = docs.cookie {
        response = response.header("Set-Cookie", header(Type::String, cookie));
    }
    response.build()
}

/// Error codes by status: those of the checks that precede every handler, and those of the handler.
fn failures(endpoint: &Endpoint) -> BTreeMap<u16, Vec<Code>> {
    let own = endpoint.docs.errors;
    let of_input: &[Code] = match endpoint.input {
        Input::None | Input::Query | Input::Upload => &[],
        Input::Json => &[Code::PayloadTooLarge, Code::UnsupportedMediaType],
    };
    let of_token: &[Code] = match endpoint.auth {
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
    let is_limited = endpoint.change_limit != ChangeLimit::None;
    let of_access = [
        endpoint.auth.is_for_admins().then_some(Code::Forbidden),
        endpoint.auth.is_fresh().then_some(Code::FreshRequired),
    ];
    let of_limit =
        (is_limited && !own.contains(&Code::TooManyAttempts)).then_some(Code::TooManyAttempts);
    let of_server = [Code::BadRequest, Code::InternalError, Code::Unavailable];
    let codes = of_input
        .iter()
        .chain(of_token)
        .chain(of_access.iter().flatten())
        .chain(own)
        .chain(&of_limit)
        .chain(&of_server);
    let mut failures = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
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
    for (media_type, content) in contents(json::<ApiError>()) {
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
