//! Tests of requests from a single tab.

use futures::{
    executor::block_on,
    future::{join, join3},
};

use super::*;
use crate::{protocol::error::Reason, session::state::LogoutOutcome};

#[test]
fn start_with_remember_choice_stores_session_in_matching_storage() {
    for (remember, scope) in
        [(true, StorageScope::LocalStorage), (false, StorageScope::SessionStorage)]
    {
        let (browser, session) = session();
        browser.stored.borrow_mut().insert(StorageScope::SessionStorage, persisted(9, "old"));
        session.start(pair(1), user("bob"), remember);
        assert_eq!(browser.stored.borrow().len(), 1);
        assert!(browser.stored.borrow().get(&scope) == Some(&persisted(1, "bob")));
        assert_eq!(browser.events(), ["bob"]);
    }
}

#[test]
fn restore_with_stored_session_signs_in_unless_it_is_invalid() {
    let bob = (StorageScope::LocalStorage, persisted(1, "bob"));
    let invalid = |access: &str, refresh: &str| {
        (
            StorageScope::LocalStorage,
            PersistedSession {
                access_token: access.to_owned(),
                refresh_token: refresh.to_owned(),
                user: user("bob"),
            },
        )
    };
    for (stored, who) in [
        (vec![], "Guest"),
        (vec![bob.clone()], "bob"),
        // `sessionStorage` takes precedence over `localStorage`.
        (vec![bob.clone(), (StorageScope::SessionStorage, persisted(2, "amy"))], "amy"),
        (vec![invalid(&bob.1.access_token, "undefined")], "Guest"),
        // Tokens of two sessions.
        (vec![invalid(&bob.1.access_token, &persisted(2, "amy").refresh_token)], "Guest"),
    ] {
        let (browser, session) = session();
        browser.stored.borrow_mut().extend(stored);
        session.restore();
        assert_eq!(browser.events(), [who]);
    }
}

#[test]
fn send_of_public_operation_carries_no_token_and_others_do() {
    let (browser, session) = signed_in();
    for path in ["/api/me", "/api/auth/login", "/api/auth/register"] {
        block_on(session.send(request(Method::POST, path))).unwrap();
    }
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/auth/login ", "/api/auth/register "]);
}

#[test]
fn wrong_password_response_starts_no_refresh() {
    let (browser, session) = signed_in();
    browser.respond("/api/auth/login", [rejected("invalid_credentials")]);
    browser.respond("/api/me", [rejected("invalid_credentials")]);
    for path in ["/api/auth/login", "/api/me"] {
        assert_eq!(block_on(session.send(request(Method::POST, path))).unwrap().status, 401);
    }
    assert_eq!(browser.sent().iter().filter(|request| request.contains("refresh")).count(), 0);
}

#[test]
fn request_with_rejected_token_is_repeated_with_its_body_after_refresh() {
    let (browser, session) = signed_in();
    browser.respond("/api/x", [rejected("token_expired"), Ok(ok("done"))]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    let with_body = ApiRequest {
        body: Some(Bytes::from_static(b"{\"a\":1}")),
        ..request(Method::POST, "/api/x")
    };
    assert_eq!(&block_on(session.send(with_body)).unwrap().body[..], b"done");
    assert_eq!(browser.sent(), ["/api/x a.1.x", "/api/auth/refresh r.1.x", "/api/x a.2.x"]);
    assert_eq!(browser.bodies.take()[2].as_deref(), Some(&b"{\"a\":1}"[..]));
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(2, "bob"));
    assert_eq!(browser.events(), ["renewed"]);
}

#[test]
fn request_rejected_after_refresh_is_not_repeated_again() {
    let (browser, session) = signed_in();
    browser.respond(
        "/api/me",
        [rejected("token_expired"), rejected("token_expired"), Ok(ok("never"))],
    );
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    assert_eq!(block_on(session.send(me())).unwrap().status, 401);
    assert_eq!(browser.sent().len(), 3);
}

#[test]
fn concurrent_requests_with_expired_token_share_one_refresh() {
    let (browser, session) = signed_in();
    browser.respond(
        "/api/me",
        [rejected("token_expired"), rejected("token_expired"), rejected("token_expired")],
    );
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    let (one, two, three) =
        block_on(join3(session.send(me()), session.send(me()), session.send(me())));
    assert_eq!([one, two, three].map(|response| response.unwrap().status), [200; 3]);
    let sent = browser.sent();
    assert_eq!(sent.iter().filter(|request| request.contains("refresh")).count(), 1, "{sent:?}");
    assert_eq!(sent.iter().filter(|request| *request == "/api/me a.2.x").count(), 3, "{sent:?}");
}

#[test]
fn rejection_that_arrives_after_refresh_repeats_request_without_second_refresh() {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/slow", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    let slow = {
        let session = Rc::clone(&session);
        async move { session.send(request(Method::GET, "/api/slow")).await }
    };
    block_on(async {
        // Sent with the first token; its response arrives after the refresh has completed.
        let mut slow = Box::pin(slow);
        assert!(futures::poll!(slow.as_mut()).is_pending());
        session.send(me()).await.unwrap();
        assert_eq!(slow.await.unwrap().status, 200);
    });
    assert_eq!(
        browser.sent(),
        [
            "/api/slow a.1.x",
            "/api/me a.1.x",
            "/api/auth/refresh r.1.x",
            "/api/me a.2.x",
            "/api/slow a.2.x"
        ]
    );
}

#[test]
fn rejected_refresh_ends_session_with_one_event() {
    for (refusal, end) in [
        (rejected("token_expired"), format!("{:?}", SessionEnd::Expired)),
        (
            error_response(
                401,
                r#"{"code":"token_revoked","message":"?","reason":"reused","request_id":"r"}"#,
            ),
            format!("{:?}", SessionEnd::Revoked(Reason::Reused)),
        ),
    ] {
        let (browser, session) = signed_in();
        browser.respond("/api/me", [rejected("token_expired"), rejected("token_expired")]);
        browser.respond("/api/auth/refresh", [refusal]);
        let (one, two) = block_on(join(session.send(me()), session.send(me())));
        assert_eq!([one.unwrap().status, two.unwrap().status], [401, 401]);
        assert_eq!(browser.events(), [end, "Guest".to_owned()]);
        assert!(browser.stored.borrow().is_empty());
        assert_eq!(browser.sent().len(), 3, "no logout request with an invalid token");
    }
}

#[test]
fn failed_refresh_without_rejection_keeps_tokens() {
    let busy = r#"{"code":"unavailable","message":"busy","request_id":"r"}"#;
    for (outcome, status) in [
        (Err(NetworkError), None),
        (error_response(503, busy), Some(503)),
        (error_response(429, &busy.replace("unavailable", "too_many_attempts")), Some(429)),
        // From the server, but not about the token.
        (error_response(403, &busy.replace("unavailable", "forbidden")), Some(403)),
        (rejected("fresh_required"), Some(401)),
        // Code of another status.
        (error_response(401, busy), None),
    ] {
        let (browser, session) = signed_in();
        browser.respond("/api/me", [rejected("token_expired"), rejected("token_expired")]);
        browser.respond("/api/auth/refresh", [outcome, refreshed(2)]);
        assert_eq!(block_on(session.send(me())).ok().map(|response| response.status), status);
        assert!(
            browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"),
            "tokens are kept"
        );
        assert_eq!(browser.events(), [""; 0]);
        // A retry succeeds.
        assert_eq!(block_on(session.send(me())).unwrap().status, 200);
    }
}

#[test]
fn invariant_16_foreign_answer_to_refresh_keeps_tokens() {
    for outcome in proxy_responses() {
        let says = format!("{outcome:?}");
        let is_refused =
            outcome.as_ref().is_ok_and(|response| !response.is_from_server("application/json"));
        let (browser, session) = signed_in();
        browser.respond("/api/me", [rejected("token_expired"), rejected("token_expired")]);
        browser.respond("/api/auth/refresh", [outcome, refreshed(2)]);
        assert!(block_on(session.send(me())).is_err(), "{says}");
        assert!(
            browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"),
            "{says}"
        );
        assert_eq!(browser.events(), [""; 0], "{says}");
        assert!(
            !is_refused || session.seconds_until(ISSUED_AT).is_none(),
            "a proxy's clock is ignored: {says}"
        );
        assert_eq!(block_on(session.send(me())).unwrap().status, 200, "{says}");
        assert_eq!(browser.events(), ["renewed"], "{says}");
    }
}

#[test]
fn invariant_16_foreign_answer_to_call_is_network_error_and_starts_no_refresh() {
    for outcome in proxy_responses() {
        let says = format!("{outcome:?}");
        let (browser, session) = signed_in();
        browser.respond("/api/me", [outcome]);
        let request = ApiRequest { accept: "application/json".to_owned(), ..me() };
        // JSON with a success status: only decoding it shows that it is of another type.
        let profile = block_on(session.send(request))
            .ok()
            .and_then(|response| response.success::<crate::protocol::Profile>());
        assert!(profile.is_none(), "{says}");
        assert_eq!(browser.sent(), ["/api/me a.1.x"], "{says}");
        assert!(
            browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"),
            "{says}"
        );
        assert_eq!(browser.events(), [""; 0], "{says}");
    }
}

#[test]
fn proxy_response_to_logout_counts_as_unreachable_server() {
    for outcome in proxy_responses() {
        let says = format!("{outcome:?}");
        let (browser, session) = signed_in();
        browser.respond("/api/auth/logout", [outcome]);
        assert_eq!(block_on(session.log_out()), LogoutOutcome::LocalOnly, "{says}");
        assert!(browser.stored.borrow().is_empty(), "{says}");
        assert_eq!(browser.events(), ["Guest"], "{says}");
    }
}

#[test]
fn logout_with_any_result_sends_refresh_token_and_ends_session_locally() {
    for (outcome, result) in [
        (Ok(ok(r#"{"message":"ok"}"#)), LogoutOutcome::Everywhere),
        (rejected("token_revoked"), LogoutOutcome::Everywhere),
        (Err(NetworkError), LogoutOutcome::LocalOnly),
        (error_response(503, ""), LogoutOutcome::LocalOnly),
    ] {
        let (browser, session) = signed_in();
        browser.respond("/api/auth/logout", [outcome]);
        assert_eq!(block_on(session.log_out()), result);
        assert_eq!(browser.sent(), ["/api/auth/logout r.1.x"]);
        assert!(browser.stored.borrow().is_empty());
        assert_eq!(browser.events(), ["Guest"]);
    }
}

#[test]
fn request_rejected_during_logout_starts_no_refresh_and_no_event() {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("token_revoked")]);
    let (response, _) = block_on(join(session.send(me()), session.log_out()));
    assert_eq!(response.unwrap().status, 401);
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/auth/logout r.1.x"]);
    assert_eq!(browser.events(), ["Guest"]);
}

#[test]
fn refresh_response_after_logout_is_ignored() {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut request = Box::pin(session.send(me()));
        while !browser.sent.borrow().iter().any(|request| request.contains("refresh")) {
            assert!(futures::poll!(request.as_mut()).is_pending());
        }
        session.log_out().await;
        assert_eq!(request.await.unwrap().status, 401);
    });
    assert!(browser.stored.borrow().is_empty());
    assert_eq!(browser.events(), ["Guest"]);
}

#[test]
fn request_rejected_after_login_of_another_user_is_not_repeated() {
    let (browser, session) = signed_in();
    browser.respond("/api/x", [rejected("token_expired")]);
    block_on(async {
        let mut request = Box::pin(session.send(request(Method::POST, "/api/x")));
        assert!(futures::poll!(request.as_mut()).is_pending());
        session.log_out().await;
        session.start(pair_of("amy", 7), user("amy"), true);
        assert_eq!(request.await.unwrap().status, 401);
    });
    assert_eq!(browser.sent(), ["/api/x a.1.x", "/api/auth/logout r.1.x"]);
}

#[test]
fn session_without_storage_lives_as_long_as_page() {
    let (browser, session) = session();
    browser.storage_is_forbidden.set(true);
    session.start(pair(1), user("bob"), true);
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    assert_eq!(block_on(session.send(me())).unwrap().status, 200);
    assert_eq!(browser.events(), ["bob", "renewed"]);
}

#[test]
fn renew_if_due_before_expiry_refreshes_and_backs_off_after_failure() {
    let (browser, session) = signed_in();
    assert_eq!(
        session.renewal_due_in(),
        Some(Duration::from_mins(13)),
        "two minutes before expiry"
    );
    browser.advance(779);
    block_on(session.renew_if_due());
    assert_eq!(browser.sent(), [""; 0]);
    browser.advance(1);
    browser.respond("/api/auth/refresh", [Err(NetworkError), refreshed(2)]);
    block_on(session.renew_if_due());
    assert_eq!(browser.events(), [""; 0], "a failure is not reported");
    assert_eq!(
        session.renewal_due_in(),
        Some(Duration::from_secs(15)),
        "and is repeated after the backoff"
    );
    browser.advance(15);
    block_on(session.renew_if_due());
    assert_eq!(browser.sent().len(), 2);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)));

    session.start(TokenPair { expires_in: 10, ..pair(3) }, user("bob"), true);
    assert_eq!(
        session.renewal_due_in(),
        Some(Duration::from_secs(8)),
        "a fifth of a short lifetime"
    );
}

#[test]
fn renewal_after_reload_is_scheduled_by_server_clock() {
    let (browser, session) = session();
    browser.stored.borrow_mut().insert(StorageScope::LocalStorage, persisted(1, "bob"));
    session.restore();
    assert_eq!(session.renewal_due_in(), None);
    assert_eq!(session.seconds_until(ISSUED_AT + 900), None);
    browser.advance(1000);
    browser.respond("/api/me", [Ok(ApiResponse { date: Some(ISSUED_AT + 100), ..ok("{}") })]);
    block_on(session.send(me())).unwrap();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(800 - 120)));
    browser.advance(300);
    assert_eq!(session.seconds_until(ISSUED_AT + 900), Some(500));
}

#[test]
fn response_after_sleep_corrects_renewal_schedule() {
    let (browser, session) = signed_in();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(15 - 2)));
    // The machine slept for ten minutes, during which the page's clock stopped.
    browser.respond("/api/me", [Ok(ApiResponse { date: Some(ISSUED_AT + 600), ..ok("{}") })]);
    block_on(session.send(me())).unwrap();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(5 - 2)));
}

#[test]
fn network_restored_after_failed_renewal_ends_backoff() {
    let (browser, session) = signed_in();
    browser.advance(800);
    browser.respond("/api/auth/refresh", [Err(NetworkError)]);
    block_on(session.renew_if_due());
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(15)));
    session.network_restored();
    assert_eq!(session.renewal_due_in(), Some(Duration::ZERO));
}
