//! Profile changes: `PATCH /api/me`.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{App, Response, START};

async fn change(app: &App, token: &str, changes: &Value) -> Response {
    app.call(Method::PATCH, "/api/me").bearer(token).json(changes).send().await
}

#[tokio::test]
async fn profile_change_updates_named_members_only() {
    let app = App::start().await;
    let pair = app.register_and_login("Alice").await;
    let id = app.me(&pair.access).await.json()["id"].clone();
    let user = |nickname: Value| json!({ "id": id, "username": "Alice", "nickname": nickname, "avatar_url": null, "role": "user" });
    for (changes, nickname, email, mobile) in [
        (json!({}), json!(null), json!(null), json!(null)),
        (json!({ "nickname": "  小明 " }), json!("小明"), json!(null), json!(null)),
        (
            json!({ "email": " Ada@Example.com ", "mobile": "+86 (139) 1234-5901" }),
            json!("小明"),
            json!("Ada@Example.com"),
            json!("+8613912345901"),
        ),
        (
            json!({ "nickname": null, "username": "mallory", "role": "admin", "id": 5 }),
            json!(null),
            json!("Ada@Example.com"),
            json!("+8613912345901"),
        ),
        (json!({ "email": "", "mobile": " " }), json!(null), json!(null), json!(null)),
    ] {
        let response = change(&app, &pair.access, &changes).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        let expected = json!({ "message": "Profile saved", "user": user(nickname.clone()), "email": email, "pending_email": null, "mobile": mobile });
        assert_eq!(response.json(), expected, "{changes}");
        let me = app.me(&pair.access).await.json();
        assert_eq!((&me["nickname"], &me["email"], &me["mobile"]), (&nickname, &email, &mobile));
        assert_eq!((&me["username"], &me["role"]), (&json!("Alice"), &json!("user")));
    }
}

#[tokio::test]
async fn profile_change_persists_and_login_returns_the_new_nickname() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    change(&app, &pair.access, &json!({ "nickname": "Al", "email": "al@example.com" })).await;
    let app = app.restart().await;
    let body = json!({ "username": "alice", "password": crate::app::PASSWORD });
    let login = app.post("/api/auth/login").json(&body).send().await.json();
    assert_eq!(login["user"]["nickname"], "Al");
    assert_eq!(login["user"].get("email"), None, "an address is for its person's eyes alone");
    assert_eq!(app.me(&pair.access).await.json()["email"], "al@example.com");
}

#[tokio::test]
async fn profile_change_with_invalid_members_changes_nothing() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for (changes, fields) in [
        (json!({ "nickname": "x".repeat(65) }), vec!["nickname"]),
        (
            json!({ "nickname": "Al", "email": "al", "mobile": "13912345901" }),
            vec!["email", "mobile"],
        ),
        (json!({ "email": format!("{}@b.c", "a".repeat(251)) }), vec!["email"]),
        (json!({ "mobile": "+1234567" }), vec!["mobile"]),
    ] {
        let response = change(&app, &pair.access, &changes).await;
        response.assert_failure(400, "validation_failed");
        let refused: Vec<_> =
            response.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(refused, fields, "{changes}");
    }
    for changes in
        [json!({ "nickname": 5 }), json!({ "email": ["al@example.com"] }), json!([]), json!("Al")]
    {
        change(&app, &pair.access, &changes).await.assert_failure(400, "bad_request");
    }
    let refused =
        app.call(Method::PATCH, "/api/me").bearer(&pair.access).body("nickname=Al").send().await;
    refused.assert_failure(415, "unsupported_media_type");
    let me = app.me(&pair.access).await.json();
    assert_eq!(
        (&me["nickname"], &me["email"], &me["mobile"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let response =
        app.call(Method::PATCH, "/api/me").header("accept-language", "zh").bearer(&pair.access);
    let response = response.json(&json!({ "mobile": "x" })).send().await.json();
    assert_eq!(
        response["fields"]["mobile"],
        "请输入 11 位手机号，或带国家代码的号码，例如 +49 151 2345 6789"
    );
}

#[tokio::test]
async fn invariant_20_email_or_mobile_change_requires_fresh_token() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    change(&app, &pair.access, &json!({ "email": "al@example.com", "mobile": "+8613912345901" }))
        .await;
    let stale = app.refresh(&pair.refresh).await.pair().access;
    for changes in [
        json!({ "nickname": "Al", "email": "mallory@example.com" }),
        json!({ "mobile": "+8613912345902" }),
        json!({ "email": null }),
        json!({ "mobile": "" }),
    ] {
        change(&app, &stale, &changes).await.assert_failure(401, "fresh_required");
    }
    // Validation errors come first, so no user reauthenticates in vain.
    change(&app, &stale, &json!({ "email": "al" })).await.assert_failure(400, "validation_failed");
    // An equal value in another spelling is no change.
    let same =
        json!({ "nickname": "Al", "email": " al@example.com", "mobile": "+86 139 1234 5901" });
    assert_eq!(change(&app, &stale, &same).await.status, StatusCode::OK);
    let me = app.me(&stale).await.json();
    assert_eq!((&me["nickname"], &me["email"]), (&json!("Al"), &json!("al@example.com")));
}

#[tokio::test]
async fn profile_change_without_valid_token_is_refused_before_validation() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.call(Method::PATCH, "/api/me")
        .body("rubbish")
        .send()
        .await
        .assert_failure(401, "token_missing");
    change(&app, &pair.refresh, &json!({})).await.assert_failure(401, "token_wrong_type");
    app.logout(&pair.access).await;
    change(&app, &pair.access, &json!({ "nickname": "Al" }))
        .await
        .assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_42_profile_change_audits_member_names_without_values() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.clock.advance(7);
    change(&app, &pair.access, &json!({ "nickname": "Al", "email": "al@example.com" })).await;
    for same in [json!({}), json!({ "nickname": "Al" })] {
        change(&app, &pair.access, &same).await;
    }
    let entries = app.server.store.audit_entries().await.unwrap();
    let changes: Vec<_> = entries.iter().filter(|entry| entry.event == "profile_changed").collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].detail.as_deref(), changes[0].at, &*changes[0].outcome),
        (Some("nickname, email"), START + 7, "success")
    );
    assert!(changes[0].user.is_some() && changes[0].session.is_some());
}

#[tokio::test]
async fn profile_change_of_mobile_without_country_is_chinese_in_chinese_requests() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for typed in ["13912345901", "139 1234-5901", "１３９１２３４５９０１"] {
        let call =
            app.call(Method::PATCH, "/api/me").header("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
        let response = call.bearer(&pair.access).json(&json!({ "mobile": typed })).send().await;
        assert_eq!(response.json()["mobile"], "+8613912345901", "{typed}");
        let call =
            app.call(Method::PATCH, "/api/me").header("accept-language", "en").bearer(&pair.access);
        let response = call.json(&json!({ "mobile": typed })).send().await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"]["mobile"].is_string());
    }
    assert_eq!(app.me(&pair.access).await.json()["mobile"], "+8613912345901");
}

#[tokio::test]
async fn profile_change_of_email_accepts_both_domain_forms_and_both_are_searchable() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let admin = app.admin("root").await;
    for (typed, shown) in [
        ("ada＠example．com", "ada@example.com"),
        ("Ada@MÜNCHEN.example", "Ada@münchen.example"),
        ("Ada@XN--mnchen-3ya.example", "Ada@XN--mnchen-3ya.example"),
    ] {
        let response = change(&app, &pair.access, &json!({ "email": typed })).await;
        assert_eq!(response.json()["email"], shown, "{typed}");
        let forms: &[&str] = if shown == "ada@example.com" {
            &["ada%40example.com", "ADA%EF%BC%A0example.com"]
        } else {
            &[
                "ada%40m%C3%BCnchen.example",
                "ADA%40M%C3%9CNCHEN.example",
                "ada%40xn--mnchen-3ya.example",
            ]
        };
        for form in forms {
            let found = app
                .get(&format!("/api/users?search={form}"))
                .bearer(&admin.access)
                .send()
                .await
                .json();
            assert_eq!(found["users"][0]["username"], "alice", "{typed} by {form}");
        }
    }
    for typed in ["ä@example.com", "ada@mün chen.example", "ada@\u{301}x.example"] {
        change(&app, &pair.access, &json!({ "email": typed }))
            .await
            .assert_failure(400, "validation_failed");
    }
}
