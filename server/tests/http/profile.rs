//! What people say about themselves: `PATCH /api/me`.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, App, START};

async fn change(app: &App, token: &str, changes: &Value) -> Answer {
    app.call(Method::PATCH, "/api/me").bearer(token).json(changes).send().await
}

#[tokio::test]
async fn what_is_named_changes_and_the_rest_stays() {
    let app = App::start().await;
    let pair = app.person("Alice").await;
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
        let answer = change(&app, &pair.access, &changes).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let expected = json!({ "message": "Profile saved", "user": user(nickname.clone()), "email": email, "mobile": mobile });
        assert_eq!(answer.json(), expected, "{changes}");
        let me = app.me(&pair.access).await.json();
        assert_eq!((&me["nickname"], &me["email"], &me["mobile"]), (&nickname, &email, &mobile));
        assert_eq!((&me["username"], &me["role"]), (&json!("Alice"), &json!("user")));
    }
}

#[tokio::test]
async fn it_is_kept_and_a_log_in_tells_the_new_nickname() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    change(&app, &pair.access, &json!({ "nickname": "Al", "email": "al@example.com" })).await;
    let app = app.restart().await;
    let body = json!({ "username": "alice", "password": crate::app::PASSWORD });
    let login = app.post("/api/auth/login").json(&body).send().await.json();
    assert_eq!(login["user"]["nickname"], "Al");
    assert_eq!(login["user"].get("email"), None, "an address is for its person's eyes alone");
    assert_eq!(app.me(&pair.access).await.json()["email"], "al@example.com");
}

#[tokio::test]
async fn what_the_rules_refuse_changes_nothing() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    for (changes, fields) in [
        (json!({ "nickname": "x".repeat(65) }), vec!["nickname"]),
        (
            json!({ "nickname": "Al", "email": "al", "mobile": "13912345901" }),
            vec!["email", "mobile"],
        ),
        (json!({ "email": format!("{}@b.c", "a".repeat(251)) }), vec!["email"]),
        (json!({ "mobile": "+1234567" }), vec!["mobile"]),
    ] {
        let answer = change(&app, &pair.access, &changes).await;
        answer.assert_failure(400, "validation_failed");
        let told: Vec<_> = answer.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(told, fields, "{changes}");
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
    let answer =
        app.call(Method::PATCH, "/api/me").header("accept-language", "zh").bearer(&pair.access);
    let answer = answer.json(&json!({ "mobile": "x" })).send().await.json();
    assert_eq!(
        answer["fields"]["mobile"],
        "请输入 11 位手机号，或带国家代码的号码，例如 +49 151 2345 6789"
    );
}

#[tokio::test]
async fn invariant_20_another_address_or_number_takes_a_fresh_token() {
    let app = App::start().await;
    let pair = app.person("alice").await;
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
    // What cannot be taken is told first: nobody types a password for nothing.
    change(&app, &stale, &json!({ "email": "al" })).await.assert_failure(400, "validation_failed");
    // What stays as it is was not changed, in whichever spelling it comes.
    let same =
        json!({ "nickname": "Al", "email": " al@example.com", "mobile": "+86 139 1234 5901" });
    assert_eq!(change(&app, &stale, &same).await.status, StatusCode::OK);
    let me = app.me(&stale).await.json();
    assert_eq!((&me["nickname"], &me["email"]), (&json!("Al"), &json!("al@example.com")));
}

#[tokio::test]
async fn who_calls_is_decided_before_anybody_looks_at_what_is_to_change() {
    let app = App::start().await;
    let pair = app.person("alice").await;
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
async fn invariant_42_the_audit_log_tells_which_members_have_changed_and_not_to_what() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    app.clock.advance(7);
    change(&app, &pair.access, &json!({ "nickname": "Al", "email": "al@example.com" })).await;
    for same in [json!({}), json!({ "nickname": "Al" })] {
        change(&app, &pair.access, &same).await;
    }
    let entries = app.server.store.audit_entries().await.unwrap();
    let told: Vec<_> = entries.iter().filter(|entry| entry.event == "profile_changed").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].detail.as_deref(), told[0].at, &*told[0].outcome),
        (Some("nickname, email"), START + 7, "success")
    );
    assert!(told[0].user.is_some() && told[0].session.is_some());
}

#[tokio::test]
async fn change_of_mobile_without_country_is_chinese_in_chinese_requests() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    for typed in ["13912345901", "139 1234-5901", "１３９１２３４５９０１"] {
        let call =
            app.call(Method::PATCH, "/api/me").header("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
        let answer = call.bearer(&pair.access).json(&json!({ "mobile": typed })).send().await;
        assert_eq!(answer.json()["mobile"], "+8613912345901", "{typed}");
        let call =
            app.call(Method::PATCH, "/api/me").header("accept-language", "en").bearer(&pair.access);
        let answer = call.json(&json!({ "mobile": typed })).send().await;
        answer.assert_failure(400, "validation_failed");
        assert!(answer.json()["fields"]["mobile"].is_string());
    }
    assert_eq!(app.me(&pair.access).await.json()["mobile"], "+8613912345901");
}

#[tokio::test]
async fn change_of_email_takes_every_spelling_and_administrators_find_both_forms() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let admin = app.admin("root").await;
    for (typed, shown) in [
        ("ada＠example．com", "ada@example.com"),
        ("Ada@MÜNCHEN.example", "Ada@münchen.example"),
        ("Ada@XN--mnchen-3ya.example", "Ada@XN--mnchen-3ya.example"),
    ] {
        let answer = change(&app, &pair.access, &json!({ "email": typed })).await;
        assert_eq!(answer.json()["email"], shown, "{typed}");
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
