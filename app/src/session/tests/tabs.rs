//! Tests of messages from other tabs and of shared storage.

use futures::executor::block_on;

use super::*;
use crate::protocol::error::Reason;

const LOGGED_OUT: SessionEnd = SessionEnd::Revoked(Reason::LoggedOut);

fn ended(session: &str) -> Message {
    Message::SessionEnded { session_id: session.to_owned(), end: LOGGED_OUT }
}
fn tokens_requested(session: &str) -> Message {
    Message::TokensRequested { session_id: session.to_owned() }
}
fn store(browser: &FakeBrowser, scope: StorageScope, persisted: PersistedSession) {
    browser.stored.borrow_mut().insert(scope, persisted);
}
/// A session of Bob in `sessionStorage`.
fn signed_in_this_tab() -> (Rc<FakeBrowser>, Rc<Session>) {
    let (browser, session) = session();
    session.start(pair(1), user("bob"), false);
    browser.events();
    assert!(browser.broadcasts().is_empty(), "the session belongs to this tab");
    (browser, session)
}

/// A user with a nickname.
fn with_nickname(name: &str, nickname: &str) -> User {
    User { nickname: Some(nickname.to_owned()), ..user(name) }
}
fn persisted_as(number: u8, user: User) -> PersistedSession {
    PersistedSession { user, ..persisted(number, "bob") }
}

#[test]
fn update_user_with_new_nickname_stores_and_broadcasts_it() {
    let (browser, session) = signed_in();
    session.update_user(with_nickname("bob", "Bob"));
    assert!(
        browser.stored.borrow()[&StorageScope::LocalStorage]
            == persisted_as(1, with_nickname("bob", "Bob"))
    );
    assert!(browser.broadcasts() == [Message::UserUpdated(with_nickname("bob", "Bob"))]);
    assert_eq!(browser.events(), ["bob"]);
    session.update_user(with_nickname("bob", "Bob"));
    session.update_user(with_nickname("amy", "Amy"));
    assert!(browser.broadcasts().is_empty(), "nothing has changed, or it is another user");
    assert_eq!(browser.events(), [""; 0]);
}

#[test]
fn user_updated_message_is_applied_without_broadcast() {
    let (browser, session) = signed_in();
    session.receive(Message::UserUpdated(with_nickname("bob", "Bob")));
    session.receive(Message::UserUpdated(with_nickname("amy", "Amy")));
    assert_eq!(browser.events(), ["bob"]);
    assert!(browser.broadcasts().is_empty());
    assert!(
        browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"),
        "the sender writes it"
    );

    let (browser, session) = signed_in_this_tab();
    session.receive(Message::UserUpdated(with_nickname("bob", "Bob")));
    assert!(
        browser.stored.borrow()[&StorageScope::SessionStorage]
            == persisted_as(1, with_nickname("bob", "Bob")),
        "a duplicate has its own storage"
    );
}

#[test]
fn user_change_in_storage_or_with_newer_tokens_is_applied() {
    let (browser, session) = signed_in();
    store(&browser, StorageScope::LocalStorage, persisted_as(1, with_nickname("bob", "Bob")));
    session.sync();
    assert_eq!(browser.events(), ["bob"]);
    session.sync();
    assert_eq!(browser.events(), [""; 0], "nothing has changed");
    session.receive(Message::TokensRefreshed(persisted_as(2, with_nickname("bob", "Robert"))));
    assert_eq!(browser.events(), ["bob", "renewed"]);
    assert!(browser.broadcasts().is_empty());
}

#[test]
fn decode_of_encoded_message_returns_it_and_rejects_invalid_text() {
    for message in [
        Message::SessionStarted(persisted(1, "bob")),
        Message::TokensRefreshed(persisted(2, "bob")),
        ended("bob"),
        Message::SessionEnded { session_id: "bob".to_owned(), end: SessionEnd::Expired },
        tokens_requested("bob"),
        Message::UserUpdated(with_nickname("bob", "Bob")),
    ] {
        assert!(Message::decode(&message.encode()) == Some(message));
    }
    let whole = Message::SessionStarted(persisted(1, "bob")).encode();
    let torn =
        whole.replace(&persisted(1, "bob").refresh_token, &persisted(1, "amy").refresh_token);
    for invalid in [
        "",
        "\n\n\n",
        "began",
        "began\n\n\n",
        "later\na\nb\nc",
        "ended\nbob\nwhy\n",
        &whole[..whole.len() - 1],
        &torn,
    ] {
        assert!(Message::decode(invalid).is_none(), "{invalid:?}");
    }
}

#[test]
fn login_refresh_and_logout_are_broadcast() {
    let (browser, session) = session();
    session.start(pair(1), user("bob"), true);
    assert!(browser.broadcasts() == [Message::SessionStarted(persisted(1, "bob"))]);
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    block_on(session.send(me())).unwrap();
    assert!(browser.broadcasts() == [Message::TokensRefreshed(persisted(2, "bob"))]);
    block_on(session.log_out());
    assert!(browser.broadcasts() == [ended("bob")]);
}

#[test]
fn rejected_refresh_ends_session_in_every_tab() {
    let (browser, session) = signed_in();
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [rejected("token_expired")]);
    block_on(session.send(me())).unwrap();
    let over = Message::SessionEnded { session_id: "bob".to_owned(), end: SessionEnd::Expired };
    assert!(browser.broadcasts() == [over.clone()]);

    let (browser, session) = signed_in();
    session.receive(over);
    assert_eq!(browser.events(), ["Expired", "Guest"]);
    assert!(browser.stored.borrow().is_empty());
    assert!(browser.broadcasts().is_empty(), "the sender has notified all tabs");
}

#[test]
fn session_started_message_replaces_guest_or_shared_session() {
    let (browser, session) = session();
    session.restore();
    session.receive(Message::SessionStarted(persisted(1, "bob")));
    assert_eq!(browser.events(), ["Guest", "bob"]);
    session.receive(Message::SessionStarted(persisted(1, "amy")));
    assert_eq!(browser.events(), ["amy"]);
    block_on(session.send(me())).unwrap();
    assert_eq!(browser.sent(), ["/api/me a.1.x"]);
    assert!(browser.stored.borrow().is_empty(), "the sender has stored it");
}

#[test]
fn message_of_shared_session_is_ignored_by_tab_with_own_session() {
    let (browser, session) = signed_in_this_tab();
    session.receive(Message::SessionStarted(persisted(1, "amy")));
    session.receive(Message::TokensRefreshed(persisted(2, "amy")));
    session.receive(ended("amy"));
    session.receive(tokens_requested("amy"));
    store(&browser, StorageScope::LocalStorage, persisted(3, "amy"));
    session.sync();
    assert_eq!(browser.events(), [""; 0]);
    assert!(browser.broadcasts() == [tokens_requested("bob")]);
}

#[test]
fn tokens_refreshed_message_replaces_older_tokens_only() {
    let (browser, session) = signed_in();
    for (generation, used) in [(3, "a.3.x"), (2, "a.3.x"), (3, "a.3.x"), (4, "a.4.x")] {
        session.receive(Message::TokensRefreshed(persisted(generation, "bob")));
        block_on(session.send(me())).unwrap();
        assert_eq!(browser.sent(), [format!("/api/me {used}")]);
    }
    assert_eq!(browser.events(), ["renewed", "renewed"]);
    assert!(
        browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"),
        "the sender has stored it"
    );
}

#[test]
fn request_with_expired_token_uses_newer_tokens_from_storage() {
    let (browser, session) = signed_in();
    store(&browser, StorageScope::LocalStorage, persisted(2, "bob"));
    browser.respond("/api/me", [rejected("token_expired")]);
    assert_eq!(block_on(session.send(me())).unwrap().status, 200);
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/me a.2.x"]);
}

#[test]
fn refresh_waiting_for_lock_is_not_sent_once_newer_tokens_arrive() {
    let (browser, session) = signed_in();
    browser.lock_behaviors.borrow_mut().push_back(LockBehavior::NeverGranted);
    browser.respond("/api/me", [rejected("token_expired")]);
    block_on(async {
        let mut request = Box::pin(session.send(me()));
        for _ in 0..5 {
            assert!(futures::poll!(request.as_mut()).is_pending());
        }
        session.receive(Message::TokensRefreshed(persisted(2, "bob")));
        assert_eq!(request.await.unwrap().status, 200);
    });
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/me a.2.x"]);
}

#[test]
fn lock_timeout_fails_request_and_keeps_tokens() {
    let (browser, session) = signed_in();
    browser.lock_behaviors.borrow_mut().push_back(LockBehavior::TimesOut);
    browser.respond("/api/me", [rejected("token_expired")]);
    assert!(block_on(session.send(me())).is_err());
    assert_eq!(browser.sent(), ["/api/me a.1.x"]);
    assert_eq!(browser.events(), [""; 0]);
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"));
}

#[test]
fn refresh_response_after_lost_lock_is_discarded() {
    let (browser, session) = signed_in();
    browser.lock_behaviors.borrow_mut().push_back(LockBehavior::LostDuringRequest);
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    assert!(block_on(session.send(me())).is_err());
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "bob"));
    assert!(browser.broadcasts().is_empty());

    // The other tab's tokens are used.
    let (browser, session) = signed_in();
    browser.lock_behaviors.borrow_mut().push_back(LockBehavior::LostDuringRequest);
    browser.respond("/api/me", [rejected("token_expired")]);
    browser.respond("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut request = Box::pin(session.send(me()));
        while !browser.sent.borrow().iter().any(|request| request.contains("refresh")) {
            assert!(futures::poll!(request.as_mut()).is_pending());
        }
        store(&browser, StorageScope::LocalStorage, persisted(3, "bob"));
        assert_eq!(request.await.unwrap().status, 200);
    });
    assert_eq!(browser.sent().last().unwrap(), "/api/me a.3.x");
}

#[test]
fn session_of_another_user_in_storage_is_adopted_without_repeating_request() {
    let (browser, session) = signed_in();
    store(&browser, StorageScope::LocalStorage, persisted(7, "amy"));
    browser.respond("/api/me", [rejected("token_expired")]);
    assert_eq!(block_on(session.send(me())).unwrap().status, 401);
    assert_eq!(browser.sent(), ["/api/me a.1.x"]);
    assert_eq!(browser.events(), ["amy"]);
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(7, "amy"));
}

#[test]
fn session_of_same_user_in_storage_is_adopted_and_request_repeated() {
    let (browser, session) = signed_in();
    let again = pair_of("another", 1);
    let again = PersistedSession {
        access_token: again.access_token,
        refresh_token: again.refresh_token,
        user: user("bob"),
    };
    store(&browser, StorageScope::LocalStorage, again);
    browser.respond("/api/me", [rejected("token_expired")]);
    assert_eq!(block_on(session.send(me())).unwrap().status, 200);
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/me a.1.x"]);
    assert_eq!(browser.events(), ["renewed"]);
}

#[test]
fn logout_with_another_session_in_storage_keeps_it() {
    let (browser, session) = signed_in();
    store(&browser, StorageScope::LocalStorage, persisted(7, "amy"));
    block_on(session.log_out());
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(7, "amy"));
}

#[test]
fn duplicated_tab_shares_tokens_and_logout() {
    // The duplicate has a copy of the first generation.
    let (browser, duplicate) = session();
    store(&browser, StorageScope::SessionStorage, persisted(1, "bob"));
    duplicate.restore();
    assert!(browser.broadcasts() == [tokens_requested("bob")]);

    let (first_browser, first) = signed_in_this_tab();
    first.receive(Message::TokensRefreshed(persisted(2, "bob")));
    assert!(
        first_browser.stored.borrow()[&StorageScope::SessionStorage] == persisted(2, "bob"),
        "each has its own storage"
    );
    first.receive(tokens_requested("bob"));
    assert!(first_browser.broadcasts() == [Message::TokensRefreshed(persisted(2, "bob"))]);

    browser.respond("/api/me", [rejected("token_expired")]);
    block_on(async {
        let mut request = Box::pin(duplicate.send(me()));
        while !browser.broadcasts.borrow().contains(&tokens_requested("bob")) {
            assert!(futures::poll!(request.as_mut()).is_pending());
        }
        duplicate.receive(Message::TokensRefreshed(persisted(2, "bob")));
        assert_eq!(request.await.unwrap().status, 200);
    });
    assert_eq!(browser.sent(), ["/api/me a.1.x", "/api/me a.2.x"], "no refresh");

    block_on(first.log_out());
    for message in first_browser.broadcasts() {
        duplicate.receive(message);
    }
    assert!(browser.stored.borrow().is_empty());
    assert_eq!(browser.events().last().unwrap(), "Guest");
}

#[test]
fn is_newer_than_without_rotation_compares_time_of_issue() {
    let later = |seconds: i64| {
        let claims = format!(r#"{{"sid":"bob","gen":1,"iat":{0},"exp":{0}}}"#, ISSUED_AT + seconds);
        PersistedSession {
            access_token: format!("e30.{}.a", base64url(&claims)),
            ..persisted(1, "bob")
        }
    };
    assert!(later(1).is_newer_than(&persisted(1, "bob")));
    assert!(!later(0).is_newer_than(&persisted(1, "bob")));
    assert!(!later(-1).is_newer_than(&persisted(1, "bob")));
}

#[test]
fn sync_with_cleared_storage_ends_session_that_was_stored() {
    let (browser, session) = signed_in();
    browser.stored.borrow_mut().clear();
    session.sync();
    assert_eq!(browser.events(), [format!("{LOGGED_OUT:?}"), "Guest".to_owned()]);
    assert!(browser.broadcasts().is_empty());

    let (browser, session) = self::session();
    browser.storage_is_forbidden.set(true);
    session.start(pair(1), user("bob"), true);
    session.sync();
    assert_eq!(browser.events(), ["bob"]);

    // The tokens arrived by message, and were never seen in storage.
    let (browser, session) = signed_in();
    session.receive(Message::TokensRefreshed(persisted(2, "bob")));
    browser.stored.borrow_mut().clear();
    session.sync();
    assert_eq!(browser.events(), ["renewed"]);
}

#[test]
fn sync_of_guest_adopts_session_from_storage() {
    let (browser, session) = session();
    session.restore();
    store(&browser, StorageScope::LocalStorage, persisted(1, "bob"));
    session.sync();
    assert_eq!(browser.events(), ["Guest", "bob"]);
}

#[test]
fn session_ended_message_during_logout_causes_no_second_event() {
    let (browser, session) = signed_in();
    block_on(async {
        let mut logout = Box::pin(session.log_out());
        assert!(futures::poll!(logout.as_mut()).is_pending());
        session.receive(ended("bob"));
        logout.await;
    });
    assert_eq!(browser.events(), ["Guest"]);

    // A second logout request does not end a session that was started in between.
    let (browser, session) = signed_in();
    block_on(async {
        let mut twice = Box::pin(session.log_out());
        assert!(futures::poll!(twice.as_mut()).is_pending());
        session.log_out().await;
        session.start(pair(2), user("bob"), true);
        twice.await;
    });
    assert_eq!(browser.events(), ["Guest", "bob"]);

    // A login in another tab during logout is kept.
    let (browser, session) = signed_in();
    block_on(async {
        let mut logout = Box::pin(session.log_out());
        assert!(futures::poll!(logout.as_mut()).is_pending());
        store(&browser, StorageScope::LocalStorage, persisted(1, "amy"));
        session.receive(Message::SessionStarted(persisted(1, "amy")));
        logout.await;
    });
    assert_eq!(browser.events(), ["Guest"]);
    assert!(browser.stored.borrow()[&StorageScope::LocalStorage] == persisted(1, "amy"));
}
