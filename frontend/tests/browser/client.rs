//! Test of a page's session with a fake server: the requests sent when a token has expired.

use app::{
    protocol::LoggedIn,
    session::{
        browser,
        transport::{ApiRequest, ApiResponse},
    },
};
use http::Method;
use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Replaced, local, persisted};

/// A server that accepts only the second generation's access token. `window.sent` records its
/// requests.
const SERVER: &str = r#"
    const request = new Request(input, init);
    return request.text().then((body) => {
        const path = new URL(request.url).pathname;
        const bearer = request.headers.get("Authorization")?.replace("Bearer ", "");
        window.sent.push([request.method, path, bearer, body].join(" "));
        const answer = (status, value) => Response.json(value, { status });
        if (path === "/api/auth/refresh") return answer(200, window.successor);
        return bearer === window.successor.access_token
            ? answer(200, "done")
            : answer(401, { code: "token_expired", message: "It has expired.", request_id: "0" });
    });
"#;

fn set(name: &str, value: &JsValue) {
    Reflect::set(&window(), &name.into(), value).unwrap();
}

/// The response to a login or refresh.
fn tokens_response(generation: i64) -> serde_json::Value {
    let persisted = persisted("client", generation);
    serde_json::json!({
        "message": "Here you are.",
        "access_token": persisted.access_token,
        "refresh_token": persisted.refresh_token,
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_expires_in": 604_800,
        "user": persisted.user,
    })
}

#[wasm_bindgen_test]
async fn concurrent_requests_with_expired_token_are_repeated_with_body_after_one_refresh() {
    // Fails if another test has initialised it.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    let owner = Owner::new();
    owner.set();
    set("sent", &Array::new());
    set("successor", &js_sys::JSON::parse(&tokens_response(2).to_string()).unwrap());
    let _server = Replaced::by(&window(), "fetch", &Function::new_with_args("input, init", SERVER));
    browser::start(browser::provide_session_context());
    let logged_in: LoggedIn = serde_json::from_value(tokens_response(1)).unwrap();
    browser::start_session(logged_in, true);

    let request = |number: u32| ApiRequest {
        method: Method::PATCH,
        url: "/api/thing".to_owned(),
        content_type: "application/json".to_owned(),
        accept: "application/json".to_owned(),
        body: Some(format!("{{\"number\":{number}}}").into()),
    };
    let responses =
        futures::future::join_all((0..5).map(|number| browser::send(request(number)))).await;
    for response in responses {
        let ApiResponse { status, body, .. } = response.unwrap();
        assert_eq!((status, &body[..]), (200, &b"\"done\""[..]));
    }

    let sent: Array = Reflect::get(&window(), &"sent".into()).unwrap().into();
    let mut sent: Vec<String> = sent.iter().map(|request| request.as_string().unwrap()).collect();
    let (first, second) = (persisted("client", 1), persisted("client", 2));
    let requests = |token: &str| {
        (0..5).map(|number| format!("PATCH /api/thing {token} {{\"number\":{number}}}")).collect()
    };
    let mut expected: Vec<String> = requests(&first.access_token);
    expected.push(format!("POST /api/auth/refresh {} ", first.refresh_token));
    let repeated: Vec<String> = requests(&second.access_token);
    expected.extend(repeated);
    assert_eq!(sent[5], expected[5], "the refresh is sent between them: {sent:#?}");
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
    assert_eq!(
        local().get_item("refresh_token").unwrap(),
        Some(format!("\"{}\"", second.refresh_token))
    );
    let _ = browser::log_out().await;
}
