//! The session end to end with a fake server: requests when the access token has expired.

use app::{
    protocol::LoggedIn,
    session::{
        browser,
        wire::{Answer, Call},
    },
};
use http::Method;
use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Replaced, local, saved};

/// Fake `fetch` that accepts only the access token of the second generation. It records requests in
/// `window.sent`.
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

/// Response of login and refresh.
fn answer(generation: i64) -> serde_json::Value {
    let saved = saved("client", generation);
    serde_json::json!({
        "message": "Here you are.",
        "access_token": saved.access,
        "refresh_token": saved.refresh,
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_expires_in": 604_800,
        "user": saved.user,
    })
}

#[wasm_bindgen_test]
async fn concurrent_calls_with_expired_token_are_repeated_after_one_refresh() {
    // The executor may be initialised already.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    let owner = Owner::new();
    owner.set();
    set("sent", &Array::new());
    set("successor", &js_sys::JSON::parse(&answer(2).to_string()).unwrap());
    let _server = Replaced::by(&window(), "fetch", &Function::new_with_args("input, init", SERVER));
    browser::begin_page(browser::provide());
    let logged_in: LoggedIn = serde_json::from_value(answer(1)).unwrap();
    browser::begin(logged_in, true);

    let call = |number: u32| Call {
        method: Method::PATCH,
        url: "/api/thing".to_owned(),
        content_type: "application/json".to_owned(),
        accept: "application/json".to_owned(),
        body: Some(format!("{{\"number\":{number}}}").into()),
    };
    let answers = futures::future::join_all((0..5).map(|number| browser::send(call(number)))).await;
    for answer in answers {
        let Answer { status, body, .. } = answer.unwrap();
        assert_eq!((status, &body[..]), (200, &b"\"done\""[..]));
    }

    let sent: Array = Reflect::get(&window(), &"sent".into()).unwrap().into();
    let mut sent: Vec<String> = sent.iter().map(|call| call.as_string().unwrap()).collect();
    let (first, second) = (saved("client", 1), saved("client", 2));
    let calls = |token: &str| {
        (0..5).map(|number| format!("PATCH /api/thing {token} {{\"number\":{number}}}")).collect()
    };
    let mut expected: Vec<String> = calls(&first.access);
    expected.push(format!("POST /api/auth/refresh {} ", first.refresh));
    let repeated: Vec<String> = calls(&second.access);
    expected.extend(repeated);
    assert_eq!(sent[5], expected[5], "the refresh comes between them: {sent:#?}");
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
    assert_eq!(local().get_item("refresh_token").unwrap(), Some(format!("\"{}\"", second.refresh)));
    let _ = browser::log_out().await;
}
