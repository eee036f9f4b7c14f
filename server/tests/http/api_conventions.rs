//! What all operations share: addresses, verbs, bodies, languages, and failures that never reach an
//! operation.

use app::protocol::operations::{self, AuthRequirement, OPERATIONS};
use axum::{
    Router,
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::json;

use crate::app::{App, PASSWORD};

#[test]
fn the_table_of_operations_is_what_server_functions_and_handlers_answer() {
    let mut registered: Vec<_> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, method)| format!("{method} {path}"))
        .collect();
    let mut listed: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    registered.extend(server::http::handled().map(|(method, path)| format!("{method} {path}")));
    registered.sort();
    listed.sort();
    assert_eq!(listed, registered);
}

#[tokio::test]
async fn an_unknown_address_is_not_found_also_for_a_browser() {
    let app = App::start().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/auth",
        "/api/me/",
        "/api/auth/login/",
        "/api//me",
        "/api/%6de",
    ] {
        app.get(path).send().await.assert_failure(404, "not_found");
        app.post(path).header("accept", "text/html").send().await.assert_failure(404, "not_found");
    }
}

#[tokio::test]
async fn a_wrong_verb_is_told_the_right_ones() {
    let app = App::start().await;
    for (method, path, allowed) in [
        (Method::GET, "/api/auth/login", "POST, OPTIONS"),
        (Method::HEAD, "/api/auth/login", "POST, OPTIONS"),
        (Method::PUT, "/api/auth/register", "POST, OPTIONS"),
        (Method::POST, "/api/auth/logout", "DELETE, OPTIONS"),
        (Method::PUT, "/api/me", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        (Method::from_bytes(b"BREW").unwrap(), "/api/me", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ] {
        let answer = app.call(method.clone(), path).header("accept", "text/html").send().await;
        if method == Method::HEAD {
            assert_eq!((answer.status, answer.bytes.len()), (StatusCode::METHOD_NOT_ALLOWED, 0));
        } else {
            answer.assert_failure(405, "method_not_allowed");
        }
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn options_tells_the_verbs() {
    let app = App::start().await;
    let answer = app.call(Method::OPTIONS, "/api/me").send().await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PATCH, DELETE, OPTIONS"));
    app.call(Method::OPTIONS, "/api/nothing").send().await.assert_failure(404, "not_found");
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let get = app.me(&pair.access).await;
    let head = app.call(Method::HEAD, "/api/me").bearer(&pair.access).send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), Some(get.bytes.len().to_string().as_str()));
    let head = app.call(Method::HEAD, "/api/me").send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::UNAUTHORIZED, 0));
}

#[tokio::test]
async fn a_navigation_gets_json_and_no_redirect() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let browser = |call: crate::app::Call| {
        call.header("accept", "text/html,*/*;q=0.8").header("referer", "https://x/")
    };
    browser(app.get("/api/me")).send().await.assert_failure(401, "token_missing");
    let answer = browser(app.get("/api/me")).bearer(&pair.access).send().await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, None));
    let login = json!({ "username": "alice", "password": PASSWORD });
    assert_eq!(
        browser(app.post("/api/auth/login")).json(&login).send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn only_json_is_taken() {
    let app = App::start().await;
    let body = json!({ "username": "alice", "password": PASSWORD }).to_string();
    for content_type in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/json, text/plain",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let call =
            app.post("/api/auth/register").header("content-type", content_type).body(body.clone());
        call.send().await.assert_failure(415, "unsupported_media_type");
    }
    app.post("/api/auth/register")
        .body(body.clone())
        .send()
        .await
        .assert_failure(415, "unsupported_media_type");
    for content_type in ["application/json; charset=utf-8", "Application/JSON;x=y"] {
        let call =
            app.post("/api/auth/login").header("content-type", content_type).body(body.clone());
        call.send().await.assert_failure(401, "invalid_credentials");
    }
}

/// What a page of somebody else's can have a browser send without asking: links, and forms of three
/// types.
#[tokio::test]
async fn invariant_22_nothing_that_a_page_of_others_can_send_does_anything() {
    let app = App::start().await;
    app.register("alice").await;
    let credentials = json!({ "username": "alice", "password": PASSWORD });
    let login = app.post("/api/auth/login").json(&credentials).send().await;
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let foreign = |call: crate::app::Call| {
        call.header("cookie", &cookie)
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
    };
    for operation in OPERATIONS {
        for content_type in
            ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]
        {
            // The body of a text form can be made to be JSON.
            for body in [
                "username=alice&password=correct+horse+battery".to_owned(),
                credentials.to_string(),
            ] {
                let call = foreign(app.call(operation.method.clone(), operation.path));
                let answer = call.header("content-type", content_type).body(body).send().await;
                match operation.auth {
                    AuthRequirement::Public => answer.assert_failure(415, "unsupported_media_type"),
                    _ => answer.assert_failure(401, "token_missing"),
                }
                assert_eq!(answer.header("set-cookie"), None);
            }
        }
        if operation.method != Method::GET {
            let query = "?username=alice&password=correct+horse+battery&_method=POST";
            let call = foreign(app.get(&format!("{}{query}", operation.path)))
                .header("x-http-method-override", "POST");
            let answer = call.send().await;
            match operations::at(operation.path).find(|here| here.method == Method::GET) {
                Some(_) => answer.assert_failure(401, "token_missing"),
                None => answer.assert_failure(405, "method_not_allowed"),
            }
        }
    }
    assert_eq!(app.me(&login.pair().access).await.status, StatusCode::OK, "nobody was logged out");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_bad_request() {
    let app = App::start().await;
    for body in ["", " ", "{", "{'a':1}", "nonsense", "{\"username\":\"a\u{0}", "\u{feff}{}"] {
        let call = app
            .post("/api/auth/login")
            .header("content-type", "application/json")
            .body(body.to_owned());
        call.send().await.assert_failure(400, "bad_request");
    }
    let call = app.post("/api/auth/login").header("content-type", "application/json");
    call.body(b"{\"username\":\"\xff\"}".to_vec()).send().await.assert_failure(400, "bad_request");
}

#[tokio::test]
async fn a_large_body_is_not_read() {
    let app = App::start().await;
    let padded = |length: usize| {
        let mut body = json!({ "username": "alice", "password": "x" }).to_string();
        body.push_str(&" ".repeat(length - body.len()));
        body
    };
    let login = |body: axum::body::Body| {
        app.post("/api/auth/login").header("content-type", "application/json").body(body).send()
    };
    login(padded(64 * 1024).into()).await.assert_failure(401, "invalid_credentials");
    login(padded(64 * 1024 + 1).into()).await.assert_failure(413, "payload_too_large");
    let endless =
        futures::stream::repeat_with(|| Ok::<_, std::convert::Infallible>(vec![b' '; 1024]));
    login(axum::body::Body::from_stream(endless)).await.assert_failure(413, "payload_too_large");
}

#[tokio::test]
async fn messages_are_in_the_language_of_the_request() {
    let app = App::start().await;
    for (languages, message) in [
        (None, "Wrong username or password"),
        (Some("zh-CN,zh;q=0.9,en;q=0.8"), "用户名或密码错误"),
        (Some("en;q=0.4,zh;q=0.5"), "用户名或密码错误"),
        (Some("fr"), "Wrong username or password"),
        (Some("\u{ff}\u{fe}"), "Wrong username or password"),
    ] {
        let call =
            app.post("/api/auth/login").json(&json!({ "username": "nobody", "password": "x" }));
        let call = match languages {
            Some(languages) => call.header("accept-language", languages),
            None => call,
        };
        assert_eq!(call.send().await.json()["message"], message, "{languages:?}");
    }
    let chinese = |call: crate::app::Call| call.header("accept-language", "zh");
    let answer =
        chinese(app.post("/api/auth/register")).json(&json!({ "username": "a" })).send().await;
    assert_eq!(answer.json()["fields"]["username"], "用户名至少需要 3 个字符");
    assert_eq!(answer.json()["fields"]["password"], "请输入密码");
    app.register("alice").await;
    let answer = chinese(app.post("/api/auth/register"))
        .json(&json!({ "username": "alice", "password": PASSWORD }));
    assert_eq!(answer.send().await.json()["message"], "用户名 alice 已存在");
    let answer = chinese(app.post("/api/auth/login"))
        .json(&json!({ "username": "alice", "password": PASSWORD }));
    assert_eq!(answer.send().await.json()["message"], "登录成功");
    assert_eq!(chinese(app.get("/api/nothing")).send().await.json()["message"], "未找到请求的内容");
}

#[tokio::test]
async fn invariant_44_a_panic_is_an_internal_error_without_internals() {
    async fn panics() -> StatusCode {
        panic!("geheim")
    }
    let app = App::start().await;
    let router = app.server.router(Router::new().route("/panics", get(panics)));
    let answer = app.get("/panics").header("accept-language", "zh").to(&router).send().await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["code"], "internal_error");
    assert_eq!(answer.json()["message"], "服务器出错，请稍后重试");
    assert_eq!(answer.json()["request_id"].as_str(), answer.header("x-request-id"));
    assert!(!answer.text().contains("geheim"));
}

#[tokio::test]
async fn a_page_that_cannot_be_made_says_so_in_words() {
    async fn panics() -> StatusCode {
        panic!("geheim")
    }
    let app = App::start().await;
    let router = app.server.router(Router::new().route("/panics", get(panics)));
    for (cookie, accepted, lang, words) in [
        ("", "zh-CN", "zh", "此页面未能显示"),
        ("lang=zh", "en", "zh", "此页面未能显示"),
        ("", "fr", "en", "This page could not be displayed"),
    ] {
        let call = app.get("/panics").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let answer = call
            .header("cookie", cookie)
            .header("accept-language", accepted)
            .to(&router)
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let page = answer.text();
        assert!(
            page.contains(words) && page.contains(&format!("<html lang=\"{lang}\">")),
            "{page}"
        );
        assert!(page.contains(answer.header("x-request-id").unwrap()), "{page}");
        let left =
            ["{lang}", "{nonce}", "{product}", "{what}", "{why}", "{id}", "{reload}", "{home}"];
        assert!(
            !page.contains("geheim") && !left.iter().any(|place| page.contains(place)),
            "{page}"
        );
        // Its one style carries the answer's nonce, and there is nothing else that a policy would
        // have to allow.
        let policy = answer.header("content-security-policy").unwrap();
        let nonce = page.split("<style nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(
            nonce.len() == 32 && policy.contains(&format!("style-src 'nonce-{nonce}'")),
            "{policy}"
        );
        assert!(
            !page.contains("<script") && !page.contains("style=\"") && !policy.contains("unsafe")
        );
    }
}
