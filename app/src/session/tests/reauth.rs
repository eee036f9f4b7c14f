//! Tests of re-authentication.

use futures::{executor::block_on, future::join3, poll};

use super::*;
use crate::{protocol::Reauthenticated, session::state::LogoutOutcome};

/// The response to the right password: another access token of the current generation.
fn reauthenticated(session: &str, generation: i64) -> Reauthenticated {
    Reauthenticated {
        message: "ok".to_owned(),
        access_token: token("f", session, generation),
        token_type: TokenScheme::Bearer,
        expires_in: 900,
    }
}
fn change() -> ApiRequest {
    ApiRequest {
        body: Some(Bytes::from_static(b"{\"email\":\"\"}")),
        ..request(Method::PATCH, "/api/me")
    }
}
/// A session of Bob with a pending request that requires re-authentication.
fn reauth_requested() -> (Rc<FakeBrowser>, Rc<Session>, LocalBoxFuture<'static, Outcome>) {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("fresh_required")]);
    let sent = {
        let session = Rc::clone(&session);
        async move { session.send(change()).await }
    };
    let mut sent = sent.boxed_local();
    block_on(async {
        while browser.events.borrow().is_empty() {
            assert!(poll!(sent.as_mut()).is_pending());
        }
    });
    assert_eq!(browser.events(), ["asking"]);
    (browser, session, sent)
}

#[test]
fn complete_reauth_with_pending_request_repeats_it_and_keeps_refresh_token() {
    let (browser, session, sent) = reauth_requested();
    browser.advance(60);
    session.complete_reauth(reauthenticated("bob", 1));
    assert_eq!(block_on(sent).unwrap().status, 200);
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/me f.1.x"]);
    assert_eq!(browser.bodies.take()[1].as_deref(), Some(&b"{\"email\":\"\"}"[..]));
    assert_eq!(browser.events(), ["asked", "renewed"]);
    let fresh = PersistedSession { access_token: token("f", "bob", 1), ..persisted(1, "bob") };
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == fresh);
    assert!(browser.broadcasts() == [Message::TokensRefreshed(fresh)]);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)), "lifetime starts now");
}

#[test]
fn cancel_reauth_with_pending_request_returns_rejection() {
    let (browser, session, sent) = reauth_requested();
    session.cancel_reauth();
    assert_eq!(block_on(sent).unwrap().status, 401);
    assert_eq!(browser.sent(), ["/api/me a.1.x"]);
    assert_eq!(browser.events(), ["asked"]);
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"));
    session.cancel_reauth();
    assert_eq!(browser.events(), [""; 0], "no request is pending");
}

#[test]
fn concurrent_requests_that_require_reauth_share_one_prompt() {
    let (browser, session) = signed_in();
    browser.respond(
        "/api/me",
        [rejected("fresh_required"), rejected("fresh_required"), rejected("fresh_required")],
    );
    block_on(async {
        let mut calls = Box::pin(join3(session.send(me()), session.send(me()), session.send(me())));
        for _ in 0..9 {
            assert!(poll!(calls.as_mut()).is_pending());
        }
        session.complete_reauth(reauthenticated("bob", 1));
        let (one, two, three) = calls.await;
        assert_eq!([one, two, three].map(|response| response.unwrap().status), [200; 3]);
    });
    assert_eq!(browser.events(), ["asking", "asked", "renewed"]);
    assert_eq!(browser.sent().iter().filter(|request| *request == "/api/me f.1.x").count(), 3);
}

#[test]
fn request_in_flight_during_reauth_is_repeated_without_second_prompt() {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("fresh_required")]);
    block_on(async {
        let mut request = Box::pin(session.send(me()));
        assert!(poll!(request.as_mut()).is_pending());
        session.complete_reauth(reauthenticated("bob", 1));
        assert_eq!(request.await.unwrap().status, 200);
    });
    assert_eq!(browser.events(), ["asked", "renewed"]);
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/me f.1.x"]);
}

#[test]
fn request_rejected_after_reauth_is_not_repeated_again() {
    let (browser, session, sent) = reauth_requested();
    browser.respond("/api/me", [rejected("fresh_required"), Ok(ok("never"))]);
    session.complete_reauth(reauthenticated("bob", 1));
    assert_eq!(block_on(sent).unwrap().status, 401);
    assert_eq!(browser.sent().len(), 2);
}

#[test]
fn request_with_expired_token_refreshes_before_reauth() {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("token_expired"), rejected("fresh_required")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut request = Box::pin(session.send(me()));
        for _ in 0..9 {
            assert!(poll!(request.as_mut()).is_pending());
        }
        session.complete_reauth(reauthenticated("bob", 2));
        assert_eq!(request.await.unwrap().status, 200);
    });
    assert_eq!(
        browser.sent(),
        ["/api/me a.1.x", "/api/auth/refresh r.1.x", "/api/me a.2.x", "/api/me f.2.x"]
    );
}

#[test]
fn reauth_after_login_of_another_user_is_ignored() {
    let (browser, session, sent) = reauth_requested();
    session.start(pair_of("amy", 7), user("amy"), true);
    assert_eq!(browser.events(), ["asked", "amy"]);
    assert_eq!(block_on(sent).unwrap().status, 401, "the prompt belonged to the other session");
    session.complete_reauth(reauthenticated("bob", 1));
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(7, "amy"));
    assert_eq!(browser.events(), [""; 0]);
}

#[test]
fn logout_during_reauth_cancels_it() {
    let (browser, session, sent) = reauth_requested();
    assert_eq!(block_on(session.log_out()), LogoutOutcome::Everywhere);
    assert_eq!(block_on(sent).unwrap().status, 401);
    assert_eq!(browser.events(), ["asked", "Guest"]);
}
