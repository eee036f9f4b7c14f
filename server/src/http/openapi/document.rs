//! The description: what the table of operations says, put together with the words for it.

use std::collections::BTreeMap;

use app::{
    api::{
        error::{ApiError, Code},
        operations::{self, Auth, Body, Operation},
    },
    backend::Failure,
    i18n::Lang,
};
use axum::http::Method;
use utoipa::openapi::{
    self, ComponentsBuilder, Content, Header, HeaderBuilder, HttpMethod, InfoBuilder, LicenseBuilder, ObjectBuilder,
    OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, Required, Response, ResponseBuilder, SecurityRequirement,
    path::{OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
    schema::Type,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::described::{
    DESCRIBED, Described,
    bodies::{Part, media_types, part},
    queries::Parameter,
};

const ABOUT: &str = "Accounts: register, log in, see who you are, log out. JSON in UTF-8 both ways; bodies, but \
                     those that are pictures, are `application/json` of at most 64 KiB, and members that nobody knows are ignored. Every failure, from \
                     whichever layer, is an `ApiError`: `code` is for programs and stable, `message` and `fields` are for people, in \
                     the language of `Accept-Language` (`en`, `zh`). No answer may be kept (`Cache-Control: no-store`). Tokens travel in \
                     the `Authorization` header and nowhere else.";

/// The whole of it.
pub(super) fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new()
        .security_scheme("access_token", scheme("The access token of a log-in or a refresh: good for minutes."))
        .security_scheme(
            "refresh_token",
            scheme("The refresh token of a log-in or a refresh: good for the next pair alone."),
        )
        .schemas_from_iter(part::<ApiError>());
    for described in DESCRIBED {
        let Some(operation) = operations::at(described.path).find(|operation| operation.method == described.method)
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
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn scheme(description: &str) -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(description));
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
    let area = if described.path.starts_with("/api/auth/") { "auth" } else { "me" };
    let mut builder = OperationBuilder::new()
        .operation_id(Some(described.id))
        .summary(Some(described.summary))
        .description(Some(described.description))
        .tag(area)
        .response(described.status.to_string(), success(described));
    let schemes: &[&str] = match operation.auth {
        Auth::Nobody => &[],
        Auth::Access | Auth::Fresh | Auth::Admin | Auth::FreshAdmin => &["access_token"],
        Auth::Refresh => &["refresh_token"],
        Auth::EitherToken => &["access_token", "refresh_token"],
    };
    for scheme in schemes {
        builder = builder.security(SecurityRequirement::new(*scheme, Vec::<String>::new()));
    }
    for parameter in described.parameters {
        builder = builder.parameter(query(parameter));
    }
    if let Some(request) = described.request {
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        let body = contents(request).fold(body, |body, (media_type, content)| body.content(media_type, content));
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

/// A reference to what the first of the parts is called, for each type that it is sent as.
fn contents(part: Part) -> impl Iterator<Item = (&'static str, Content)> {
    let name = part().into_iter().next().map(|(name, _)| name).unwrap_or_default();
    let content = Content::new(Some(Ref::from_schema_name(&name)));
    media_types(&name).iter().map(move |media_type| (*media_type, content.clone()))
}

fn success(described: &Described) -> Response {
    let response = ResponseBuilder::new().description("Done.").header("X-Request-Id", request_id());
    let mut response = contents(described.answer)
        .fold(response, |response, (media_type, content)| response.content(media_type, content));
    if described.id == "login" {
        let cookie =
            header(Type::String, "A cookie that says that this device is known: `device_…`, for this path alone.");
        response = response.header("Set-Cookie", cookie);
    }
    response.build()
}

/// What may be refused, by status: by the layers that every call passes, and by the operation itself.
fn failures(described: &Described, operation: &Operation) -> BTreeMap<u16, Vec<Code>> {
    let by_body: &[Code] = match operation.body {
        Body::None | Body::Query | Body::Upload => &[],
        Body::Json => &[Code::PayloadTooLarge, Code::UnsupportedMediaType],
    };
    let by_auth: &[Code] = match operation.auth {
        Auth::Nobody => &[],
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
    let everywhere = [Code::BadRequest, Code::InternalError, Code::Unavailable];
    let mut failures = BTreeMap::<u16, Vec<Code>>::new();
    let by_standing = by_standing.iter().flatten();
    for code in by_body.iter().chain(by_auth).chain(by_standing).chain(described.codes).chain(&everywhere) {
        failures.entry(code.status()).or_default().push(*code);
    }
    failures
}

fn failure(status: u16, codes: &[Code]) -> Response {
    let lines = codes.iter().map(|code| {
        let name =
            serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        format!("- `{name}`: {}", Failure::from(*code).in_words(Lang::En, "").message)
    });
    let mut response =
        ResponseBuilder::new().description(lines.collect::<Vec<_>>().join("\n")).header("X-Request-Id", request_id());
    for (media_type, content) in contents(part::<ApiError>) {
        response = response.content(media_type, content);
    }
    match status {
        401 => response = response.header("WWW-Authenticate", header(Type::String, "A challenge (RFC 6750 §3).")),
        429 | 503 => {
            response =
                response.header("Retry-After", header(Type::Integer, "Seconds after which another try may succeed."));
        }
        _ => {}
    }
    response.build()
}

fn header(of: Type, description: &str) -> Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(of))).description(Some(description)).build()
}

fn request_id() -> Header {
    header(Type::String, "Names this answer in the server's log.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_is_there() {
        for described in DESCRIBED {
            let here = operations::at(described.path).filter(|operation| operation.method == described.method);
            assert_eq!(here.count(), 1, "{} {}", described.method, described.path);
        }
        assert_eq!(DESCRIBED.len(), operations::OPERATIONS.len());
    }
}
