//! Confusable usernames (security invariant 38).

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{App, PASSWORD, assert_one_registered};

/// "cop" in Cyrillic letters that look like ASCII.
const CYRILLIC: &str = "\u{441}\u{43e}\u{440}";

#[tokio::test]
async fn invariant_38_registration_of_a_confusable_name_is_refused_in_either_order() {
    for (first, second) in [
        ("cop", CYRILLIC),
        (CYRILLIC, "cop"),
        ("Cop", "\u{421}\u{41e}\u{420}"),
        ("bob1", "ｂｏｂｌ"),
        ("ｂｏｂｌ", "bob1"),
    ] {
        let app = App::start().await;
        assert_eq!(app.register(first).await.status, StatusCode::CREATED, "{first}");
        let response = app.register(second).await;
        response.assert_failure(409, "username_taken");
        assert_eq!(
            response.json()["fields"]["username"],
            format!("The username {second} is taken")
        );
        app.login(first).await;
    }
}

#[tokio::test]
async fn registration_of_similar_ascii_names_succeeds() {
    let app = App::start().await;
    for name in
        ["bob1", "bobl", "b0b1", "bobi", "rnaria", "maria", "1@example.com", "l@example.com"]
    {
        assert_eq!(app.register(name).await.status, StatusCode::CREATED, "{name}");
    }
    // A name that resembles them is still available.
    app.register("ｂｏｂ1").await.assert_failure(409, "username_taken");
}

#[tokio::test]
async fn invariant_38_registration_with_invisible_or_bidi_characters_is_refused() {
    let app = App::start().await;
    assert_eq!(app.register("Admin").await.status, StatusCode::CREATED);
    for name in ["admin", "ADMIN", "ａｄｍｉｎ", " admin"] {
        app.register(name).await.assert_failure(409, "username_taken");
    }
    for name in [
        "\u{430}dmin",
        "ad\u{3bc}in",
        "admin\u{200b}",
        "ad\u{200d}min",
        "admin\u{ad}",
        "\u{202e}nimda",
        "ad\u{2066}min",
        "admin\u{0}",
        "ad\nmin",
        "ad\u{fe0f}min",
    ] {
        let response = app.register(name).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"]["username"].is_string(), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_39_concurrent_registrations_of_confusable_names_succeed_once() {
    let app = Arc::new(App::start().await);
    let (_, other) = app.second().await;
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (app, other) = (Arc::clone(&app), other.clone());
            tokio::spawn(async move {
                let name = if number % 2 == 0 { "cop" } else { CYRILLIC };
                let call = app
                    .post("/api/auth/register")
                    .json(&json!({ "username": name, "password": PASSWORD }));
                if number % 4 < 2 { call.send().await } else { call.to(&other).send().await }
            })
        })
        .collect();
    assert_one_registered(tasks).await;
}

#[tokio::test]
async fn invariant_38_registration_of_a_reserved_name_is_refused_as_configured() {
    let app = App::with(&[("RESERVED_USERNAMES", "admin, cop,")]).await;
    for name in ["admin", " Admin", "ａｄｍｉｎ", "cop", CYRILLIC] {
        let response = app.register(name).await;
        response.assert_failure(400, "validation_failed");
        let comparable = response.json()["fields"]["username"].as_str().unwrap().to_owned();
        assert_eq!(comparable, "This username is reserved, please choose another", "{name}");
    }
    assert_eq!(app.register("administrator").await.status, StatusCode::CREATED);
    assert_eq!(
        App::start().await.register("admin").await.status,
        StatusCode::CREATED,
        "none by default"
    );
}

#[tokio::test]
async fn invariant_38_registration_of_an_email_in_any_domain_form_is_one_name() {
    let app = App::start().await;
    for (first, shown, others) in [
        (
            "ada＠example．com",
            "ada@example.com",
            ["ada@example.com", "ADA@EXAMPLE.COM", "ａｄａ@example。com"],
        ),
        (
            "Ada@münchen.example",
            "Ada@münchen.example",
            ["ada@xn--mnchen-3ya.example", "ada@MU\u{308}NCHEN.example", "ada＠münchen．example"],
        ),
        (
            "eve@xn--mnchen-3ya.example",
            "eve@xn--mnchen-3ya.example",
            ["eve@münchen.example", "EVE@XN--MNCHEN-3YA.example", "eve＠MÜNCHEN．example"],
        ),
    ] {
        let response = app.register(first).await;
        assert_eq!(
            (response.status, &response.json()["user"]["username"]),
            (StatusCode::CREATED, &json!(shown))
        );
        for other in others {
            app.register(other).await.assert_failure(409, "username_taken");
            app.login(other).await;
        }
        app.login(first).await;
        app.login(shown).await;
    }
    // Search and commands accept both forms, too.
    let admin = app.admin("root").await;
    for search in
        ["ada%40m%C3%BCnchen.example", "ada%40xn--mnchen-3ya.example", "ada%40m%C3%BCnchen."]
    {
        let found = app
            .get(&format!("/api/users?search={search}"))
            .bearer(&admin.access)
            .send()
            .await
            .json();
        assert_eq!(found["users"][0]["username"], "Ada@münchen.example", "{search}");
    }
    for typed in ["ada@münchen.example", "ada@xn--mnchen-3ya.example"] {
        let id = server::accounts::lookup::find(&app.server.store, typed).await.unwrap();
        assert!(id.is_some(), "{typed}");
    }
}

#[tokio::test]
async fn invariant_39_concurrent_registrations_of_both_email_forms_succeed_once() {
    let app = App::start().await;
    let forms = ["ada@münchen.example", "ada@xn--mnchen-3ya.example", "ada＠MÜNCHEN．example"];
    let responses = futures::future::join_all(forms.map(|form| app.register(form))).await;
    let mut codes: Vec<_> = responses.iter().map(|response| response.status.as_u16()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [201, 409, 409]);
}

#[tokio::test]
async fn registration_with_impossible_domain_is_refused_as_an_invalid_email() {
    let app = App::start().await;
    for (name, words) in [
        ("ä@example.com", "Enter a valid email address"),
        ("ada@\u{301}x.example", "Enter a valid email address"),
        ("ada@ex\u{430}mple.com", "Use letters of a single script, such as Latin or Cyrillic"),
    ] {
        let response = app.register(name).await;
        response.assert_failure(400, "validation_failed");
        assert_eq!(response.json()["fields"]["username"], words, "{name}");
    }
}
