//! Conventions of all operations: paths, methods, bodies, languages, and errors outside of
//! handlers.

use axum::{
    Router,
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::json;
use server::{domain::access::AuthRequirement, http::endpoints};

use crate::app::{App, PASSWORD};

#[test]
fn every_server_function_is_an_endpoint() {
    let listed: Vec<_> = endpoints().iter().map(ToString::to_string).collect();
    let mut registered = 0;
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        assert!(listed.contains(&format!("{method} {path}")), "{method} {path}");
        registered += 1;
    }
    assert_eq!(listed.len(), registered + 5, "and five endpoints carry bytes");
}

#[tokio::test]
async fn request_to_unknown_path_is_404_also_for_browsers() {
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
async fn request_with_wrong_method_is_405_with_allow() {
    let app = App::start().await;
    for (method, path, allowed) in [
        (Method::GET, "/api/auth/login", "POST"),
        (Method::HEAD, "/api/auth/login", "POST"),
        (Method::PUT, "/api/auth/register", "POST"),
        (Method::POST, "/api/auth/logout", "DELETE"),
        (Method::PUT, "/api/me", "GET,HEAD,PATCH,DELETE"),
        (Method::from_bytes(b"BREW").unwrap(), "/api/me", "GET,HEAD,PATCH,DELETE"),
    ] {
        let response = app.call(method.clone(), path).header("accept", "text/html").send().await;
        if method == Method::HEAD {
            assert_eq!(
                (response.status, response.bytes.len()),
                (StatusCode::METHOD_NOT_ALLOWED, 0)
            );
        } else {
            response.assert_failure(405, "method_not_allowed");
        }
        assert_eq!(response.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn options_request_without_cors_is_405_with_allow() {
    let app = App::start().await;
    let response = app.call(Method::OPTIONS, "/api/me").send().await;
    response.assert_failure(405, "method_not_allowed");
    assert_eq!(response.header("allow"), Some("GET,HEAD,PATCH,DELETE"));
    app.call(Method::OPTIONS, "/api/nothing").send().await.assert_failure(404, "not_found");
}

#[tokio::test]
async fn head_request_answers_like_get_without_body() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let get = app.me(&pair.access).await;
    let head = app.call(Method::HEAD, "/api/me").bearer(&pair.access).send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), Some(get.bytes.len().to_string().as_str()));
    let head = app.call(Method::HEAD, "/api/me").send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::UNAUTHORIZED, 0));
}

#[tokio::test]
async fn navigation_to_an_api_path_gets_json_without_redirect() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let browser = |call: crate::app::RequestBuilder| {
        call.header("accept", "text/html,*/*;q=0.8").header("referer", "https://x/")
    };
    browser(app.get("/api/me")).send().await.assert_failure(401, "token_missing");
    let response = browser(app.get("/api/me")).bearer(&pair.access).send().await;
    assert_eq!((response.status, response.header("location")), (StatusCode::OK, None));
    let login = json!({ "username": "alice", "password": PASSWORD });
    assert_eq!(
        browser(app.post("/api/auth/login")).json(&login).send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn request_with_content_type_other_than_json_is_415() {
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

/// Cross-site requests that browsers send without a preflight: links, and forms of three types.
#[tokio::test]
async fn invariant_22_cross_site_requests_change_nothing() {
    let app = App::start().await;
    app.register("alice").await;
    let credentials = json!({ "username": "alice", "password": PASSWORD });
    let login = app.post("/api/auth/login").json(&credentials).send().await;
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let foreign = |call: crate::app::RequestBuilder| {
        call.header("cookie", &cookie)
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
    };
    for operation in endpoints() {
        for content_type in
            ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]
        {
            // The body of a `text/plain` form can be valid JSON.
            for body in [
                "username=alice&password=correct+horse+battery".to_owned(),
                credentials.to_string(),
            ] {
                let call = foreign(app.call(operation.method.clone(), operation.path));
                let response = call.header("content-type", content_type).body(body).send().await;
                match operation.auth {
                    AuthRequirement::Public | AuthRequirement::Optional => {
                        response.assert_failure(415, "unsupported_media_type");
                    }
                    _ => response.assert_failure(401, "token_missing"),
                }
                assert_eq!(response.header("set-cookie"), None);
            }
        }
        if operation.method != Method::GET {
            let query = "?username=alice&password=correct+horse+battery&_method=POST";
            let call = foreign(app.get(&format!("{}{query}", operation.path)))
                .header("x-http-method-override", "POST");
            let response = call.send().await;
            let mut here = endpoints().iter().filter(|other| other.path == operation.path);
            match here.find(|other| other.method == Method::GET) {
                Some(_) => response.assert_failure(401, "token_missing"),
                None => response.assert_failure(405, "method_not_allowed"),
            }
        }
    }
    assert_eq!(
        app.me(&login.pair().access).await.status,
        StatusCode::OK,
        "the session has not ended"
    );
}

#[tokio::test]
async fn request_with_invalid_json_is_bad_request() {
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
async fn request_with_large_body_is_refused_unread() {
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
async fn error_messages_follow_accept_language() {
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
    let chinese = |call: crate::app::RequestBuilder| call.header("accept-language", "zh");
    let response =
        chinese(app.post("/api/auth/register")).json(&json!({ "username": "a" })).send().await;
    assert_eq!(response.json()["fields"]["username"], "用户名至少需要 3 个字符");
    assert_eq!(response.json()["fields"]["password"], "请输入密码");
    app.register("alice").await;
    let response = chinese(app.post("/api/auth/register"))
        .json(&json!({ "username": "alice", "password": PASSWORD }));
    assert_eq!(response.send().await.json()["message"], "用户名 alice 已存在");
    let response = chinese(app.post("/api/auth/login"))
        .json(&json!({ "username": "alice", "password": PASSWORD }));
    assert_eq!(response.send().await.json()["message"], "登录成功");
    assert_eq!(chinese(app.get("/api/nothing")).send().await.json()["message"], "未找到请求的内容");
}

#[tokio::test]
async fn invariant_44_panic_is_500_without_internals() {
    async fn panics() -> StatusCode {
        panic!("geheim")
    }
    let app = App::start().await;
    let router = app.server.router(Router::new().route("/panics", get(panics)));
    let response = app.get("/panics").header("accept-language", "zh").to(&router).send().await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.json()["code"], "internal_error");
    assert_eq!(response.json()["message"], "服务器出错，请稍后重试");
    assert_eq!(response.json()["request_id"].as_str(), response.header("x-request-id"));
    assert!(!response.text().contains("geheim"));
}

#[tokio::test]
async fn page_rendering_panic_shows_an_error_page() {
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
        let response = call
            .header("cookie", cookie)
            .header("accept-language", accepted)
            .to(&router)
            .send()
            .await;
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        let page = response.text();
        assert!(
            page.contains(words) && page.contains(&format!("<html lang=\"{lang}\">")),
            "{page}"
        );
        assert!(page.contains(response.header("x-request-id").unwrap()), "{page}");
        assert!(!page.contains("geheim") && page.contains("Gatehouse</a></header>"), "{page}");
        // Its only style has the nonce of the response; nothing else needs to be allowed.
        let policy = response.header("content-security-policy").unwrap();
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

#[tokio::test]
async fn browser_error_outside_the_api_is_a_page() {
    let app = App::start().await;
    for (lang, title, home) in
        [("en", "Page not found", "Back to the home page"), ("zh", "页面不存在", "返回首页")]
    {
        let call = app.get("/avatars/nothing.jpg").header("accept", "text/html");
        let response = call.header("accept-language", lang).send().await;
        assert_eq!(response.status, StatusCode::NOT_FOUND);
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
        let page = response.text();
        assert!(page.contains(&format!("<h1>{title}</h1>")) && page.contains(home), "{page}");
    }
    let call = app.post("/.well-known/jwks.json").header("accept", "text/html");
    let response = call.send().await;
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.header("allow"), Some("GET,HEAD"));
    assert!(response.text().contains("<h1>This method is not allowed here</h1>"));
    // Programs and images get no page.
    let response = app.get("/avatars/nothing.jpg").header("accept", "image/*,*/*").send().await;
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn change_password_url_redirects_to_the_form() {
    let app = App::start().await;
    let response = app.get("/.well-known/change-password").send().await;
    assert_eq!(response.status, StatusCode::FOUND);
    assert_eq!(response.header("location"), Some("/settings/security"));
}
