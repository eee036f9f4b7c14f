//! The OpenAPI document equals the implemented operations.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::{
    domain::access::AuthRequirement,
    http::{Input, endpoints},
};

use crate::app::{App, PASSWORD};

const JSON: &str = "/api/openapi.json";
const PAGE: &str = "/api/docs";

async fn document(app: &App) -> Value {
    let response = app.get(JSON).send().await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (StatusCode::OK, Some("application/json"))
    );
    response.json()
}

/// Returns the operations of the document by name, such as `POST /api/auth/login`.
fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").clone();
        methods
            .into_iter()
            .map(|(method, it)| (format!("{} {path}", method.to_uppercase()), it))
            .collect::<Vec<_>>()
    };
    paths.flat_map(of_path).collect()
}

#[tokio::test]
async fn openapi_operations_equal_the_endpoints() {
    let app = App::start().await;
    let document = document(&app).await;
    let described: BTreeSet<_> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let listed: BTreeSet<_> = endpoints().iter().map(ToString::to_string).collect();
    assert_eq!(described, listed);
}

#[tokio::test]
async fn openapi_operations_document_authentication_input_and_errors() {
    let app = App::start().await;
    let document = document(&app).await;
    assert_eq!(document["openapi"], "3.1.0");
    for scheme in ["access_token", "refresh_token"] {
        let scheme = &document["components"]["securitySchemes"][scheme];
        assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    }
    for (name, described) in operations(&document) {
        let operation = endpoints().iter().find(|it| name == it.to_string()).expect("an endpoint");
        let security = described.get("security").cloned().unwrap_or(json!([]));
        let expected = match operation.auth {
            AuthRequirement::Public => json!([]),
            AuthRequirement::Optional => json!([{}, { "access_token": [] }]),
            AuthRequirement::Access
            | AuthRequirement::Fresh
            | AuthRequirement::Admin
            | AuthRequirement::FreshAdmin => {
                json!([{ "access_token": [] }])
            }
            AuthRequirement::Refresh => json!([{ "refresh_token": [] }]),
            AuthRequirement::AccessOrRefresh => {
                json!([{ "access_token": [] }, { "refresh_token": [] }])
            }
        };
        assert_eq!(security, expected, "{name}");
        let takes_body = matches!(operation.input, Input::Json | Input::Upload);
        assert_eq!(described.get("requestBody").is_some(), takes_body, "{name}");
        let responses = described["responses"].as_object().expect("responses");
        for (status, documented) in responses {
            let content = documented["content"].as_object().expect("content");
            let schemas: BTreeSet<_> =
                content.values().map(|it| it["schema"]["$ref"].as_str().expect(&name)).collect();
            assert_eq!(schemas.len(), 1, "{name} {status}");
            assert!(content.contains_key("application/json") || status == "200", "{name} {status}");
            let schema = schemas.first().copied().unwrap_or_default();
            assert_eq!(
                schema == "#/components/schemas/ApiError",
                !status.starts_with('2'),
                "{name} {status}"
            );
            assert_eq!(
                documented["headers"].get("Retry-After").is_some(),
                ["429", "503"].contains(&&**status),
                "{name}"
            );
            assert_eq!(
                documented["headers"].get("WWW-Authenticate").is_some(),
                status == "401",
                "{name}"
            );
        }
        assert!(responses.contains_key("500") && responses.contains_key("503"), "{name}");
        assert_eq!(responses.contains_key("415"), takes_body, "{name}");
        assert!(responses.contains_key("403") || !operation.auth.is_for_admins(), "{name}");
        let takes_query = described.get("parameters").is_some();
        assert!(takes_query || operation.input != Input::Query, "{name}");
        assert!(!takes_query || matches!(operation.input, Input::Query | Input::Upload), "{name}");
    }
}

#[tokio::test]
async fn openapi_references_resolve() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let app = App::start().await;
    let document = document(&app).await;
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 30);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

/// Returns the paths of the `allOf` schemas whose parts have different types, so that no value fits.
fn contradictions(value: &Value, path: &str) -> Vec<String> {
    let of_child =
        |(name, child): (String, &Value)| contradictions(child, &format!("{path}/{name}"));
    match value {
        Value::Object(members) => {
            let parts = members.get("allOf").and_then(Value::as_array).into_iter().flatten();
            let types: BTreeSet<_> =
                parts.filter_map(|part| part.get("type")).map(Value::to_string).collect();
            let own = (types.len() > 1).then(|| path.to_owned());
            let members = members.iter().map(|(name, child)| (name.clone(), child));
            own.into_iter().chain(members.flat_map(of_child)).collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| (index.to_string(), item));
            items.flat_map(of_child).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn openapi_schemas_do_not_contradict_themselves() {
    let app = App::start().await;
    assert_eq!(contradictions(&document(&app).await, ""), Vec::<String>::new());
}

#[tokio::test]
async fn responses_have_the_members_of_their_schema() {
    let app = App::start().await;
    let document = document(&app).await;
    let pair = app.register_and_login("alice").await;
    let login = json!({ "username": "alice", "password": PASSWORD });
    let register = json!({ "username": "bertha", "password": PASSWORD });
    for (name, call) in [
        ("Registered", app.post("/api/auth/register").json(&register)),
        ("LoggedIn", app.post("/api/auth/login").json(&login)),
        ("Verified", app.post("/api/auth/verify").bearer(&pair.access)),
        ("Profile", app.get("/api/me").bearer(&pair.access)),
        (
            "ProfileChanged",
            app.call(Method::PATCH, "/api/me").bearer(&pair.access).json(&json!({})),
        ),
        ("SessionList", app.get("/api/me/sessions").bearer(&pair.access)),
        (
            "Reauthenticated",
            app.post("/api/auth/reauthenticate")
                .bearer(&pair.access)
                .json(&json!({ "password": PASSWORD })),
        ),
        ("Refreshed", app.post("/api/auth/refresh").bearer(&pair.refresh)),
        ("Done", app.delete("/api/auth/logout").bearer(&pair.access)),
    ] {
        let schema = &document["components"]["schemas"][name];
        let described: BTreeSet<_> =
            schema["properties"].as_object().expect(name).keys().cloned().collect();
        let response = call.send().await.json();
        let comparable: BTreeSet<_> =
            response.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(comparable, described, "{name}");
    }
    let failure = app.get("/api/me").send().await.json();
    let required: BTreeSet<_> = document["components"]["schemas"]["ApiError"]["required"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| member.as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(
        failure.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>(),
        required
    );
}

#[tokio::test]
async fn openapi_page_renders_every_operation() {
    let app = App::start().await;
    let response = app.get(PAGE).send().await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    let html = response.text();
    for operation in endpoints() {
        assert!(
            html.contains(&format!("<code>{} {}</code>", operation.method, operation.path)),
            "{html}"
        );
    }
    for comparable in [
        "invalid_credentials",
        "refresh_expires_in",
        "Wrong username or password",
        "request_id",
        JSON,
    ] {
        assert!(html.contains(comparable), "{comparable}");
    }
    assert!(
        !html.contains("<script") && !html.contains(" style=") && !html.contains("//"),
        "{html}"
    );
    let policy = response.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"),
        "{policy}"
    );
}

#[tokio::test]
async fn openapi_page_in_chinese_has_chinese_labels_around_english_descriptions() {
    let app = App::start().await;
    let html = app.get(PAGE).header("accept-language", "zh-CN").send().await.text();
    for part in [
        "<html lang=\"zh\">",
        "<h1>API 文档</h1>",
        "<p>无需身份验证。</p>",
        "<h3>响应 200</h3>",
        "<span lang=\"en\">Log in</span>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[tokio::test]
async fn openapi_with_other_methods_is_405() {
    let app = App::start().await;
    for path in [JSON, PAGE] {
        let head = app.call(Method::HEAD, path).send().await;
        assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let response = app.call(method, path).send().await;
            response.assert_failure(405, "method_not_allowed");
            assert_eq!(response.header("allow"), Some("GET,HEAD"));
        }
    }
}
