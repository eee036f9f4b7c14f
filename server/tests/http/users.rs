//! User administration.

use std::collections::HashSet;

use ::app::{backend::ClientInfo, protocol::Role};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::store::{AccountChange, AccountChangeError, AuditContext};

use crate::app::{App, PASSWORD, Response, START, Tokens};

impl App {
    async fn users(&self, admin: &Tokens, query: &str) -> Response {
        self.get(&format!("/api/users{query}")).bearer(&admin.access).send().await
    }

    async fn names(&self, admin: &Tokens, query: &str) -> Vec<String> {
        let response = self.users(admin, query).await;
        assert_eq!(response.status, StatusCode::OK, "{query}: {}", response.text());
        names(&response.json())
    }

    async fn change(&self, admin: &Tokens, body: &Value) -> Response {
        self.call(Method::PATCH, "/api/users").bearer(&admin.access).json(body).send().await
    }

    pub async fn id_of(&self, pair: &Tokens) -> String {
        self.me(&pair.access).await.json()["id"].as_str().unwrap().to_owned()
    }

    async fn events(&self, event: &str) -> Vec<(String, String)> {
        let entries = self.server.store.audit_entries().await.unwrap();
        let entries = entries.into_iter().filter(|entry| entry.event == event);
        entries
            .map(|entry| (entry.user.unwrap().to_string(), entry.detail.unwrap_or_default()))
            .collect()
    }
}

fn names(page: &Value) -> Vec<String> {
    let users = page["users"].as_array().unwrap();
    users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn user_list_without_admin_role_is_forbidden() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let body = json!({ "id": app.id_of(&admin).await, "disabled": true });
    for call in [app.get("/api/users"), app.call(Method::PATCH, "/api/users").json(&body)] {
        call.send().await.assert_failure(401, "token_missing");
    }
    app.users(&alice, "").await.assert_failure(403, "forbidden");
    // A caller without the role learns nothing about validation.
    app.users(&alice, "?limit=x").await.assert_failure(403, "forbidden");
    app.change(&alice, &body).await.assert_failure(403, "forbidden");
    let call = app.call(Method::PATCH, "/api/users").bearer(&alice.access).body("rubbish");
    call.send().await.assert_failure(403, "forbidden");
    for token in [&admin.refresh, &alice.refresh] {
        let response = app.get("/api/users").bearer(token).send().await;
        response.assert_failure(401, "token_wrong_type");
    }
    assert_eq!(app.users(&admin, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn user_list_entry_has_documented_members_and_no_secrets() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    app.clock.advance(10);
    let body = json!({ "username": "Alice", "password": PASSWORD, "nickname": "小明" });
    app.post("/api/auth/register").json(&body).send().await;
    let pairs = [app.login("alice").await, app.login("alice").await, app.login("alice").await];
    app.logout(&pairs[0].access).await;
    let response = app.users(&admin, "?search=alice").await;
    assert!(
        !response.text().contains("argon2") && !response.text().contains("password"),
        "{}",
        response.text()
    );
    let id = app.id_of(&pairs[1]).await;
    let expected = json!({
        "id": id, "username": "Alice", "nickname": "小明", "avatar_url": null, "role": "user", "email": null,
        "created_at": START + 10, "disabled_at": null, "sessions": 2,
    });
    assert_eq!(
        response.json(),
        json!({
            "users": [expected], "next": null, "previous": null, "first": 1, "total": 1,
            "total_exact": true,
        })
    );
    assert_eq!(response.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn user_search_matches_the_beginning_of_any_word_and_the_id() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    for (username, nickname) in [
        ("Alice", "Zoe Monahan"),
        ("albert@example.com", "Émile"),
        ("bob", "alpha"),
        ("测试用户", "小明"),
        ("zed", "100%_x"),
    ] {
        let body = json!({ "username": username, "password": PASSWORD, "nickname": nickname });
        assert_eq!(
            app.post("/api/auth/register").json(&body).send().await.status,
            StatusCode::CREATED
        );
    }
    let bob = app.login("bob").await;
    let call = app
        .call(Method::PATCH, "/api/me")
        .bearer(&bob.access)
        .json(&json!({ "email": "Robert@example.com" }));
    assert_eq!(call.send().await.status, StatusCode::OK);
    let id = app.users(&admin, "?search=bob").await.json()["users"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (search, expected) in [
        ("al", &["albert@example.com", "Alice", "bob"][..]),
        ("ＡＬ", &["albert@example.com", "Alice", "bob"]),
        ("%20alice%20", &["Alice"]),
        ("albert@EXAMPLE.com", &["albert@example.com"]),
        ("lice", &[]),
        ("robert@EXAMPLE.com", &["bob"]),
        ("robert@example", &["bob"]),
        ("exam", &["albert@example.com", "bob"]),
        // Any word, in any order; each has to match.
        ("monahan", &["Alice"]),
        ("MONA%20zo", &["Alice"]),
        ("zoe%20alpha", &[]),
        ("onahan", &[]),
        ("%C3%89mil", &["albert@example.com"]),
        ("%C3%A9MILE", &["albert@example.com"]),
        ("z", &["Alice", "zed"]),
        ("ALPHA", &["bob"]),
        ("%E6%B5%8B%E8%AF%95", &["测试用户"]),
        ("%E5%B0%8F", &["测试用户"]),
        // Given names in scripts without spaces.
        ("%E6%98%8E", &["测试用户"]),
        ("100%25_", &["zed"]),
        // No character is a wildcard.
        ("%25", &[]),
        ("_", &[]),
        ("*", &[]),
        ("'+OR+1=1--", &[]),
        ("%00", &[]),
        ("", &["albert@example.com", "Alice", "bob", "root", "zed", "测试用户"]),
        ("%20", &["albert@example.com", "Alice", "bob", "root", "zed", "测试用户"]),
        (&id, &["bob"]),
        (&id.to_uppercase(), &["bob"]),
        (&id[..8], &[]),
    ] {
        assert_eq!(
            app.names(&admin, &format!("?search={search}&sort=username")).await,
            expected,
            "{search}"
        );
    }
}

#[tokio::test]
async fn user_list_pagination_in_every_order_is_complete() {
    let app = App::with(&[("RATE_LIMITS", "off")]).await;
    let admin = app.admin("root").await;
    let mut expected = vec!["root".to_owned()];
    for number in 0..17 {
        // Some are created in the same second.
        app.clock.advance(i64::from(number % 3 == 0));
        let username = format!("u{:02}", (number * 7) % 17);
        assert_eq!(app.register(&username).await.status, StatusCode::CREATED);
        expected.push(username);
    }
    let by_age = app.names(&admin, "?sort=created_at").await;
    assert_eq!(by_age.len(), expected.len());
    let mut by_name = expected.clone();
    by_name.sort();
    let reversed = |names: &[String]| names.iter().rev().cloned().collect::<Vec<_>>();
    for (sort, search, expected) in [
        ("created_at", "", by_age.clone()),
        ("-created_at", "", reversed(&by_age)),
        ("username", "", by_name.clone()),
        ("-username", "", reversed(&by_name)),
        ("-username", "u", reversed(&by_name[1..])),
        (
            "created_at",
            "u0",
            by_age.iter().filter(|name| name.starts_with("u0")).cloned().collect(),
        ),
    ] {
        for limit in [1, 4, 17, 100] {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = app
                    .users(&admin, &format!("?sort={sort}&search={search}&limit={limit}{after}"))
                    .await
                    .json();
                let found = names(&page);
                assert!(found.len() <= limit && !found.is_empty());
                seen.extend(found);
                let Some(next) = page["next"].as_str() else { break };
                after = format!("&after={next}");
            }
            assert_eq!(seen, expected, "{sort} {search} {limit}");
        }
    }
    assert_eq!(app.names(&admin, "").await, reversed(&by_age), "the newest first");
}

#[tokio::test]
async fn user_list_pagination_during_changes_has_no_gaps_or_duplicates() {
    let app = App::with(&[("RATE_LIMITS", "off")]).await;
    let admin = app.admin("root").await;
    for number in 0..9 {
        app.clock.advance(1);
        assert_eq!(app.register(&format!("us{number}")).await.status, StatusCode::CREATED);
    }
    let first = app.users(&admin, "?limit=4&sort=username").await.json();
    assert_eq!(names(&first), ["root", "us0", "us1", "us2"]);
    for newcomer in ["aaa", "us1b", "us2b", "zzz"] {
        app.register(newcomer).await;
    }
    let next = first["next"].as_str().unwrap();
    let rest = app.names(&admin, &format!("?sort=username&after={next}")).await;
    assert_eq!(rest, ["us2b", "us3", "us4", "us5", "us6", "us7", "us8", "zzz"]);
}

#[tokio::test]
async fn user_list_with_invalid_query_is_bad_request() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    app.register("alice").await;
    let next = app.users(&admin, "?limit=1").await.json()["next"].as_str().unwrap().to_owned();
    for (query, field) in [
        ("?sort=password_hash".to_owned(), "sort"),
        ("?sort=created_at,id".to_owned(), "sort"),
        ("?limit=0".to_owned(), "limit"),
        ("?limit=101".to_owned(), "limit"),
        ("?limit=-1".to_owned(), "limit"),
        ("?limit=many".to_owned(), "limit"),
        ("?limit=99999999999999999999".to_owned(), "limit"),
        ("?after=x".to_owned(), "after"),
        ("?after=YTE".to_owned(), "after"),
        (format!("?after={next}&sort=username"), "after"),
        (format!("?after={next}x"), "after"),
        ("?before=x".to_owned(), "before"),
        (format!("?before={next}&sort=username"), "before"),
        (format!("?before={next}&after={next}"), "before"),
        ("?role=root".to_owned(), "role"),
        ("?status=gone".to_owned(), "status"),
    ] {
        let response = app.users(&admin, &query).await;
        response.assert_failure(400, "validation_failed");
        let fields: Vec<_> =
            response.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, [field], "{query}");
    }
    app.users(&admin, "?search=a&search=b").await.assert_failure(400, "bad_request");
    app.users(&admin, &format!("?search={}", "a".repeat(2048)))
        .await
        .assert_failure(400, "bad_request");
    assert_eq!(app.names(&admin, &format!("?search={}", "a".repeat(2000))).await, [""; 0]);
    assert_eq!(
        app.names(&admin, "?limit=&sort=&after=&before=&role=&status=&search=&unknown=1")
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn user_search_follows_changed_names_and_deletion() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    let body = json!({ "username": "alice", "password": PASSWORD, "nickname": "Ada King" });
    app.post("/api/auth/register").json(&body).send().await;
    let alice = app.login("alice").await;
    assert_eq!(app.names(&admin, "?search=king").await, ["alice"]);
    let rename = |nickname: Value| {
        let call = app.call(Method::PATCH, "/api/me").bearer(&alice.access);
        call.json(&json!({ "nickname": nickname })).send()
    };
    assert_eq!(rename(json!("Ada Lovelace")).await.status, StatusCode::OK);
    assert_eq!(app.names(&admin, "?search=king").await, [""; 0]);
    assert_eq!(app.names(&admin, "?search=love").await, ["alice"]);
    assert_eq!(rename(Value::Null).await.status, StatusCode::OK);
    assert_eq!(app.names(&admin, "?search=love").await, [""; 0]);
    assert_eq!(app.names(&admin, "?search=ali").await, ["alice"]);
    let body = json!({ "username": "alice" });
    let deleted = app.delete("/api/me").bearer(&alice.access).json(&body).send().await;
    assert_eq!(deleted.status, StatusCode::OK);
    let page = app.users(&admin, "?search=ali").await.json();
    assert_eq!((names(&page), &page["total"]), (Vec::new(), &json!(0)));
}

#[tokio::test]
async fn user_list_with_filters_returns_matching_accounts_and_their_total() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    app.admin("rita").await;
    for name in ["alice", "albert", "bob"] {
        app.register(name).await;
    }
    app.disable("albert").await;
    app.disable("rita").await;
    for (query, expected) in [
        ("?role=admin", &["rita", "root"][..]),
        ("?role=user", &["albert", "alice", "bob"]),
        ("?status=disabled", &["albert", "rita"]),
        ("?status=active", &["alice", "bob", "root"]),
        ("?status=disabled&role=admin", &["rita"]),
        ("?status=active&role=user&search=al", &["alice"]),
        ("?status=disabled&role=user&search=bob", &[]),
        ("?search=al", &["albert", "alice"]),
    ] {
        for sort in ["username", "created_at", "-created_at", "-username"] {
            let page = app.users(&admin, &format!("{query}&sort={sort}")).await.json();
            let mut found = names(&page);
            found.sort();
            assert_eq!(found, expected, "{query} {sort}");
            assert_eq!(
                (&page["total"], &page["total_exact"]),
                (&json!(expected.len()), &json!(true))
            );
        }
    }
}

#[tokio::test]
async fn user_list_previous_page_leads_back_with_its_numbers() {
    let app = App::with(&[("RATE_LIMITS", "off")]).await;
    let admin = app.admin("root").await;
    for number in 0..9 {
        app.register(&format!("us{number}")).await;
    }
    let page = |query: String| {
        let (app, admin) = (&app, &admin);
        async move { app.users(admin, &format!("?limit=4&sort=username{query}")).await.json() }
    };
    let cursor = |page: &Value, member: &str| page[member].as_str().unwrap().to_owned();
    let first = page(String::new()).await;
    let second = page(format!("&after={}", cursor(&first, "next"))).await;
    let third = page(format!("&after={}", cursor(&second, "next"))).await;
    assert_eq!(names(&third), ["us7", "us8"]);
    assert_eq!(
        (&third["first"], &third["total"], &third["next"]),
        (&json!(9), &json!(10), &Value::Null)
    );
    assert_eq!(page(format!("&before={}", cursor(&third, "previous"))).await, second);
    assert_eq!(page(format!("&before={}", cursor(&second, "previous"))).await, first);
    assert_eq!(first["previous"], Value::Null);
    // New accounts before the page: a page that would begin before the list is the first one.
    app.register("aaa").await;
    let back = page(format!("&before={}", cursor(&second, "previous"))).await;
    assert_eq!(names(&back), ["root", "us0", "us1", "us2"]);
    assert!(back["previous"].is_string());
    let back = page(format!("&before={}", cursor(&back, "previous"))).await;
    assert_eq!(names(&back), ["aaa", "root", "us0", "us1"]);
    assert_eq!((&back["first"], &back["previous"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn account_details_and_sessions_are_those_of_the_account() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    app.clock.advance(60);
    app.login("alice").await;
    let id = app.id_of(&alice).await;
    let get = |path: String| app.get(&path).bearer(&admin.access).send();
    let details = get(format!("/api/users/account?id={id}")).await.json();
    let listed = app.users(&admin, "?search=alice").await.json()["users"][0].clone();
    assert_eq!(
        details,
        json!({
            "user": listed, "last_login_at": START + 60, "files": 0, "files_used": 0,
            "email_verified": false, "pending_email": null,
        })
    );
    let sessions = get(format!("/api/users/sessions?id={id}")).await.json();
    let sessions = sessions["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session["current"] == false));
    let own = app.id_of(&admin).await;
    let own = get(format!("/api/users/sessions?id={own}")).await.json();
    assert_eq!(own["sessions"][0]["current"], true);
    let nobody = "019b76da-a800-7000-8000-000000000000";
    for path in ["account", "sessions"] {
        get(format!("/api/users/{path}?id={nobody}")).await.assert_failure(404, "not_found");
        get(format!("/api/users/{path}?id=x")).await.assert_failure(400, "bad_request");
        get(format!("/api/users/{path}")).await.assert_failure(400, "bad_request");
    }
}

#[tokio::test]
async fn invariant_11_session_ended_by_an_administrator_is_refused_on_the_next_request() {
    let app = App::start().await;
    let (admin, one) = (app.admin("root").await, app.register_and_login("alice").await);
    let (other, bob) = (app.login("alice").await, app.register_and_login("bob").await);
    let id = app.id_of(&one).await;
    let session = |pair: &Tokens| crate::forged_tokens::parts(&pair.access).1["sid"].clone();
    let end = |pair: &Tokens, user: &str, session: &Value| {
        let path = format!("/api/users/sessions?id={user}&session={}", session.as_str().unwrap());
        app.delete(&path).bearer(&pair.access).send()
    };
    end(&bob, &id, &session(&one)).await.assert_failure(403, "forbidden");
    let stale = app.refresh(&admin.refresh).await.pair();
    end(&stale, &id, &session(&one)).await.assert_failure(401, "fresh_required");
    // A session of another account.
    end(&admin, &id, &session(&bob)).await.assert_failure(404, "not_found");
    assert_eq!(app.me(&one.access).await.status, StatusCode::OK);
    assert_eq!(end(&admin, &id, &session(&one)).await.status, StatusCode::OK);
    let refused = app.me(&one.access).await;
    refused.assert_failure(401, "token_revoked");
    assert_eq!(refused.json()["reason"], "ended_elsewhere");
    assert_eq!(app.me(&other.access).await.status, StatusCode::OK);
    assert_eq!(app.me(&bob.access).await.status, StatusCode::OK);
    end(&admin, &id, &session(&one)).await.assert_failure(404, "not_found");
    let by = format!("ended_elsewhere by {}", app.id_of(&admin).await);
    assert_eq!(app.events("session_revoked").await, [(id, by)]);
}

#[tokio::test]
async fn invariant_11_user_disabled_by_an_administrator_is_refused_on_the_next_request() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    let [one, other] = [app.register_and_login("alice").await, app.login("alice").await];
    let bystander = app.register_and_login("bertha").await;
    let id = app.id_of(&one).await;
    app.id_of(&other).await;
    let response = app.change(&admin, &json!({ "id": id, "disabled": true })).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    let body = response.json();
    assert!(body["message"].is_string());
    assert_eq!(
        (&body["user"]["disabled_at"], &body["user"]["sessions"]),
        (&json!(START), &json!(0))
    );
    for response in
        [app.me(&one.access).await, app.me(&other.access).await, app.refresh(&one.refresh).await]
    {
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json()["reason"], "disabled");
    }
    let login = json!({ "username": "alice", "password": PASSWORD });
    app.post("/api/auth/login").json(&login).send().await.assert_failure(403, "account_disabled");
    assert_eq!(app.me(&bystander.access).await.status, StatusCode::OK);

    let response = app.change(&admin, &json!({ "id": id, "disabled": false })).await;
    assert_eq!(response.json()["user"]["disabled_at"], Value::Null);
    app.me(&one.access).await.assert_failure(401, "token_revoked");
    app.refresh(&one.refresh).await.assert_failure(401, "token_revoked");
    let back = app.login("alice").await;
    assert_eq!(app.me(&back.access).await.status, StatusCode::OK);
    let by = format!("by {}", app.id_of(&admin).await);
    assert_eq!(app.events("user_disabled").await, [(id.clone(), by.clone())]);
    assert_eq!(app.events("user_enabled").await, [(id.clone(), by.clone())]);
    assert_eq!(app.events("session_revoked").await, vec![(id, format!("disabled {by}")); 2]);
}

#[tokio::test]
async fn role_change_applies_to_the_next_request() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let response = app.change(&admin, &json!({ "id": id, "role": "admin" })).await;
    assert_eq!(response.json()["user"]["role"], "admin", "{}", response.text());
    assert_eq!(app.users(&alice, "").await.status, StatusCode::OK);
    app.change(&alice, &json!({ "id": app.id_of(&admin).await, "role": "user" })).await;
    app.users(&admin, "").await.assert_failure(403, "forbidden");
    assert_eq!(app.me(&admin.access).await.json()["role"], "user");
    let details: Vec<_> = app.events("role_changed").await.into_iter().skip(1).collect();
    assert_eq!(details[0], (id.clone(), format!("admin by {}", app.id_of(&admin).await)));
    assert_eq!(details[1], (app.id_of(&admin).await, format!("user by {id}")));
}

#[tokio::test]
async fn session_revocation_by_an_administrator_changes_nothing_else() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let response = app.change(&admin, &json!({ "id": id, "end_sessions": true })).await;
    assert_eq!(response.json()["user"]["disabled_at"], Value::Null);
    let response = app.me(&alice.access).await;
    response.assert_failure(401, "token_revoked");
    assert_eq!(response.json()["reason"], "ended_elsewhere");
    app.login("alice").await;
    // Administrators may end all of their own sessions.
    let own = app.id_of(&admin).await;
    assert_eq!(
        app.change(&admin, &json!({ "id": own, "end_sessions": true })).await.status,
        StatusCode::OK
    );
    app.users(&admin, "").await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_20_user_change_requires_fresh_token() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let stale = app.refresh(&admin.refresh).await.pair();
    assert_eq!(app.users(&stale, "").await.status, StatusCode::OK, "looking does not");
    for body in [
        json!({ "id": id, "disabled": true }),
        json!({ "id": id, "role": "admin" }),
        json!({ "id": id, "end_sessions": true }),
        json!({}),
    ] {
        app.change(&stale, &body).await.assert_failure(401, "fresh_required");
    }
    assert_eq!(app.me(&alice.access).await.json()["role"], "user");
}

#[tokio::test]
async fn user_change_with_invalid_members_changes_nothing() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let (own, id) = (app.id_of(&admin).await, app.id_of(&alice).await);
    for (body, field) in [
        (json!({}), "id"),
        (json!({ "id": "" , "disabled": true }), "id"),
        (json!({ "id": null, "disabled": true }), "id"),
        (json!({ "id": own, "disabled": true }), "disabled"),
        (json!({ "id": own.to_uppercase(), "disabled": true, "role": "user" }), "disabled"),
    ] {
        let response = app.change(&admin, &body).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"][field].is_string(), "{body}: {}", response.text());
    }
    for id in ["alice", "1", "0199c2f0-0000-7000-8000-000000000000", "' OR 1=1"] {
        app.change(&admin, &json!({ "id": id, "disabled": true }))
            .await
            .assert_failure(404, "not_found");
    }
    for body in [
        json!({ "id": 1, "disabled": true }),
        json!({ "id": id, "disabled": "true" }),
        json!({ "id": id, "role": "root" }),
        json!({ "id": id, "end_sessions": 1 }),
        json!([id, true]),
    ] {
        app.change(&admin, &body).await.assert_failure(400, "bad_request");
    }
    let before = app.users(&admin, "?search=alice").await.json();
    for body in [
        json!({ "id": id }),
        json!({ "id": id, "disabled": null, "role": null, "end_sessions": null }),
    ] {
        let response = app.change(&admin, &body).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        assert_eq!(response.json()["user"], before["users"][0]);
    }
    assert_eq!(app.me(&alice.access).await.status, StatusCode::OK);
    assert_eq!(app.events("user_disabled").await, []);
}

#[tokio::test]
async fn user_change_removing_the_last_administrator_is_refused_also_concurrently() {
    let app = App::start().await;
    let root = app.admin("root").await;
    let own = app.id_of(&root).await;
    app.change(&root, &json!({ "id": own, "role": "user" }))
        .await
        .assert_failure(409, "last_admin");
    let chinese =
        app.call(Method::PATCH, "/api/users").bearer(&root.access).header("accept-language", "zh");
    let response = chinese.json(&json!({ "id": own, "role": "user" })).send().await;
    assert_eq!(response.json()["message"], "必须至少保留一位可用的管理员");

    let mut ids = vec![own];
    for number in 1..6 {
        ids.push(app.id_of(&app.admin(&format!("admin{number}")).await).await);
    }
    // All of them give up the role concurrently.
    let store = &app.server.store;
    let changes = ids.iter().enumerate().map(|(number, id)| {
        let change = if number % 2 == 0 {
            AccountChange { role: Some(Role::User), ..AccountChange::default() }
        } else {
            AccountChange { disabled: Some(true), ..AccountChange::default() }
        };
        let context =
            AuditContext { at: START, by: "a test".to_owned(), client_info: ClientInfo::default() };
        store.change_account(id.parse().unwrap(), change, context)
    });
    let outcomes = futures::future::join_all(changes).await;
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(AccountChangeError::LastAdmin)))
        .count();
    assert_eq!(
        (refused, outcomes.iter().filter(|outcome| outcome.is_ok()).count()),
        (1, 5),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn user_search_by_id_is_on_one_page_only() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    for number in 0..5 {
        app.register(&format!("same{number}")).await;
    }
    // Matches both by name and by nickname.
    let body = json!({ "username": "samename", "password": PASSWORD, "nickname": "samename" });
    app.post("/api/auth/register").json(&body).send().await;
    let found = app.names(&admin, "?search=same").await;
    assert_eq!(found.len(), found.iter().collect::<HashSet<_>>().len());
    assert_eq!(found.len(), 6);
}
