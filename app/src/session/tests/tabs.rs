//! What a tab makes of the others.

use futures::executor::block_on;

use super::*;
use crate::protocol::error::Reason;

const LOGGED_OUT: Ending = Ending::Revoked(Reason::LoggedOut);

fn ended(session: &str) -> Message {
    Message::Ended { session: session.to_owned(), why: LOGGED_OUT }
}
fn asked(session: &str) -> Message {
    Message::Asked { session: session.to_owned() }
}
fn keep(world: &World, place: Place, saved: Saved) {
    world.kept.borrow_mut().insert(place, saved);
}
/// Bob has logged in, for this tab alone.
fn signed_in_here() -> (Rc<World>, Rc<Session>) {
    let (world, session) = session();
    session.begin(pair(1), user("bob"), false);
    world.heard();
    assert!(world.told().is_empty(), "nobody else's business");
    (world, session)
}

/// Somebody under a nickname.
fn called(name: &str, nickname: &str) -> User {
    User { nickname: Some(nickname.to_owned()), ..user(name) }
}
fn saved_as(number: u8, user: User) -> Saved {
    Saved { user, ..saved(number, "bob") }
}

#[test]
fn what_a_person_is_called_is_told() {
    let (world, session) = signed_in();
    session.know(called("bob", "Bob"));
    assert!(world.kept.borrow()[&Place::Browser] == saved_as(1, called("bob", "Bob")));
    assert!(world.told() == [Message::Known(called("bob", "Bob"))]);
    assert_eq!(world.heard(), ["bob"]);
    session.know(called("bob", "Bob"));
    session.know(called("amy", "Amy"));
    assert!(world.told().is_empty(), "it is no news, or about somebody else");
    assert_eq!(world.heard(), [""; 0]);
}

#[test]
fn what_a_person_is_called_elsewhere_is_heard_and_not_told_again() {
    let (world, session) = signed_in();
    session.hear(Message::Known(called("bob", "Bob")));
    session.hear(Message::Known(called("amy", "Amy")));
    assert_eq!(world.heard(), ["bob"]);
    assert!(world.told().is_empty());
    assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"), "whoever tells writes it");

    let (world, session) = signed_in_here();
    session.hear(Message::Known(called("bob", "Bob")));
    assert!(
        world.kept.borrow()[&Place::Tab] == saved_as(1, called("bob", "Bob")),
        "a duplicate writes its own"
    );
}

#[test]
fn what_a_person_is_called_is_found_in_storage_and_comes_with_a_newer_pair() {
    let (world, session) = signed_in();
    keep(&world, Place::Browser, saved_as(1, called("bob", "Bob")));
    session.look_again();
    assert_eq!(world.heard(), ["bob"]);
    session.look_again();
    assert_eq!(world.heard(), [""; 0], "it is known");
    session.hear(Message::Renewed(saved_as(2, called("bob", "Robert"))));
    assert_eq!(world.heard(), ["bob", "renewed"]);
    assert!(world.told().is_empty());
}

#[test]
fn messages_arrive_as_they_were_sent() {
    for message in [
        Message::Began(saved(1, "bob")),
        Message::Renewed(saved(2, "bob")),
        ended("bob"),
        Message::Ended { session: "bob".to_owned(), why: Ending::Expired },
        asked("bob"),
        Message::Known(called("bob", "Bob")),
    ] {
        assert!(Message::decode(&message.encode()) == Some(message));
    }
    let whole = Message::Began(saved(1, "bob")).encode();
    let torn = whole.replace(&saved(1, "bob").refresh, &saved(1, "amy").refresh);
    for rubbish in [
        "",
        "\n\n\n",
        "began",
        "began\n\n\n",
        "later\na\nb\nc",
        "ended\nbob\nwhy\n",
        &whole[..whole.len() - 1],
        &torn,
    ] {
        assert!(Message::decode(rubbish).is_none(), "{rubbish:?}");
    }
}

#[test]
fn log_in_and_log_out_and_refresh_are_told() {
    let (world, session) = session();
    session.begin(pair(1), user("bob"), true);
    assert!(world.told() == [Message::Began(saved(1, "bob"))]);
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    block_on(session.call(me())).unwrap();
    assert!(world.told() == [Message::Renewed(saved(2, "bob"))]);
    block_on(session.log_out());
    assert!(world.told() == [ended("bob")]);
}

#[test]
fn a_refused_session_is_over_in_every_tab() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refused("token_expired")]);
    block_on(session.call(me())).unwrap();
    let over = Message::Ended { session: "bob".to_owned(), why: Ending::Expired };
    assert!(world.told() == [over.clone()]);

    let (world, session) = signed_in();
    session.hear(over);
    assert_eq!(world.heard(), ["Expired", "Guest"]);
    assert!(world.kept.borrow().is_empty());
    assert!(world.told().is_empty(), "everybody has heard it");
}

#[test]
fn guests_and_remembered_people_follow_a_log_in() {
    let (world, session) = session();
    session.restore();
    session.hear(Message::Began(saved(1, "bob")));
    assert_eq!(world.heard(), ["Guest", "bob"]);
    session.hear(Message::Began(saved(1, "amy")));
    assert_eq!(world.heard(), ["amy"]);
    block_on(session.call(me())).unwrap();
    assert_eq!(world.sent(), ["/api/me a.1.x"]);
    assert!(world.kept.borrow().is_empty(), "who has told has written it down");
}

#[test]
fn a_tab_with_a_session_of_its_own_ignores_the_log_ins_of_others() {
    let (world, session) = signed_in_here();
    session.hear(Message::Began(saved(1, "amy")));
    session.hear(Message::Renewed(saved(2, "amy")));
    session.hear(ended("amy"));
    session.hear(asked("amy"));
    keep(&world, Place::Browser, saved(3, "amy"));
    session.look_again();
    assert_eq!(world.heard(), [""; 0]);
    assert!(world.told() == [asked("bob")]);
}

#[test]
fn a_newer_pair_is_taken_over_and_an_older_one_is_not() {
    let (world, session) = signed_in();
    for (generation, used) in [(3, "a.3.x"), (2, "a.3.x"), (3, "a.3.x"), (4, "a.4.x")] {
        session.hear(Message::Renewed(saved(generation, "bob")));
        block_on(session.call(me())).unwrap();
        assert_eq!(world.sent(), [format!("/api/me {used}")]);
    }
    assert_eq!(world.heard(), ["renewed", "renewed"]);
    assert!(
        world.kept.borrow()[&Place::Browser] == saved(1, "bob"),
        "who has told has written it down"
    );
}

#[test]
fn a_pair_that_another_tab_has_left_in_storage_is_taken_over() {
    let (world, session) = signed_in();
    keep(&world, Place::Browser, saved(2, "bob"));
    world.answer("/api/me", [refused("token_expired")]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me a.2.x"]);
}

#[test]
fn a_refresh_that_waits_for_its_turn_is_not_sent_once_another_tab_has_told() {
    let (world, session) = signed_in();
    world.turns.borrow_mut().push_back(Chance::Waits);
    world.answer("/api/me", [refused("token_expired")]);
    block_on(async {
        let mut call = Box::pin(session.call(me()));
        for _ in 0..5 {
            assert!(futures::poll!(call.as_mut()).is_pending());
        }
        session.hear(Message::Renewed(saved(2, "bob")));
        assert_eq!(call.await.unwrap().status, 200);
    });
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me a.2.x"]);
}

#[test]
fn a_lock_that_does_not_come_is_an_outage_and_no_refusal() {
    let (world, session) = signed_in();
    world.turns.borrow_mut().push_back(Chance::Fails);
    world.answer("/api/me", [refused("token_expired")]);
    assert!(block_on(session.call(me())).is_err());
    assert_eq!(world.sent(), ["/api/me a.1.x"]);
    assert_eq!(world.heard(), [""; 0]);
    assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"));
}

#[test]
fn an_answer_that_comes_after_the_turn_has_passed_is_not_used() {
    let (world, session) = signed_in();
    world.turns.borrow_mut().push_back(Chance::Passes);
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    assert!(block_on(session.call(me())).is_err());
    assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"));
    assert!(world.told().is_empty());

    // What the other tab has got counts.
    let (world, session) = signed_in();
    world.turns.borrow_mut().push_back(Chance::Passes);
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut call = Box::pin(session.call(me()));
        while !world.sent.borrow().iter().any(|call| call.contains("refresh")) {
            assert!(futures::poll!(call.as_mut()).is_pending());
        }
        keep(&world, Place::Browser, saved(3, "bob"));
        assert_eq!(call.await.unwrap().status, 200);
    });
    assert_eq!(world.sent().last().unwrap(), "/api/me a.3.x");
}

#[test]
fn another_person_in_storage_is_followed_but_no_call_is_repeated_in_their_name() {
    let (world, session) = signed_in();
    keep(&world, Place::Browser, saved(7, "amy"));
    world.answer("/api/me", [refused("token_expired")]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 401);
    assert_eq!(world.sent(), ["/api/me a.1.x"]);
    assert_eq!(world.heard(), ["amy"]);
    assert!(world.kept.borrow()[&Place::Browser] == saved(7, "amy"));
}

#[test]
fn a_later_session_of_the_same_person_is_as_good() {
    let (world, session) = signed_in();
    let again = pair_of("another", 1);
    let again =
        Saved { access: again.access_token, refresh: again.refresh_token, user: user("bob") };
    keep(&world, Place::Browser, again);
    world.answer("/api/me", [refused("token_expired")]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me a.1.x"]);
    assert_eq!(world.heard(), ["renewed"]);
}

#[test]
fn the_session_of_another_is_not_forgotten_at_the_end() {
    let (world, session) = signed_in();
    keep(&world, Place::Browser, saved(7, "amy"));
    block_on(session.log_out());
    assert!(world.kept.borrow()[&Place::Browser] == saved(7, "amy"));
}

#[test]
fn a_duplicated_tab_shares_its_pair() {
    // The duplicate has copied the first generation.
    let (world, duplicate) = session();
    keep(&world, Place::Tab, saved(1, "bob"));
    duplicate.restore();
    assert!(world.told() == [asked("bob")]);

    let (first_world, first) = signed_in_here();
    first.hear(Message::Renewed(saved(2, "bob")));
    assert!(
        first_world.kept.borrow()[&Place::Tab] == saved(2, "bob"),
        "each has a storage of its own"
    );
    first.hear(asked("bob"));
    assert!(first_world.told() == [Message::Renewed(saved(2, "bob"))]);

    world.answer("/api/me", [refused("token_expired")]);
    block_on(async {
        let mut call = Box::pin(duplicate.call(me()));
        while !world.told.borrow().contains(&asked("bob")) {
            assert!(futures::poll!(call.as_mut()).is_pending());
        }
        duplicate.hear(Message::Renewed(saved(2, "bob")));
        assert_eq!(call.await.unwrap().status, 200);
    });
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me a.2.x"], "no refresh");

    block_on(first.log_out());
    for message in first_world.told() {
        duplicate.hear(message);
    }
    assert!(world.kept.borrow().is_empty());
    assert_eq!(world.heard().last().unwrap(), "Guest");
}

#[test]
fn without_rotation_the_later_access_token_is_the_newer() {
    let later = |seconds: i64| {
        let claims = format!(r#"{{"sid":"bob","gen":1,"iat":{0},"exp":{0}}}"#, MADE_AT + seconds);
        Saved { access: format!("e30.{}.a", base64url(&claims)), ..saved(1, "bob") }
    };
    assert!(later(1).succeeds(&saved(1, "bob")));
    assert!(!later(0).succeeds(&saved(1, "bob")));
    assert!(!later(-1).succeeds(&saved(1, "bob")));
}

#[test]
fn what_was_kept_and_is_gone_was_ended_and_what_never_was_is_not_missed() {
    let (world, session) = signed_in();
    world.kept.borrow_mut().clear();
    session.look_again();
    assert_eq!(world.heard(), [format!("{LOGGED_OUT:?}"), "Guest".to_owned()]);
    assert!(world.told().is_empty());

    let (world, session) = self::session();
    world.storage_is_forbidden.set(true);
    session.begin(pair(1), user("bob"), true);
    session.look_again();
    assert_eq!(world.heard(), ["bob"]);

    // A tab has told, and its storage is full.
    let (world, session) = signed_in();
    session.hear(Message::Renewed(saved(2, "bob")));
    world.kept.borrow_mut().clear();
    session.look_again();
    assert_eq!(world.heard(), ["renewed"]);
}

#[test]
fn a_guest_who_has_missed_a_log_in_finds_it() {
    let (world, session) = session();
    session.restore();
    keep(&world, Place::Browser, saved(1, "bob"));
    session.look_again();
    assert_eq!(world.heard(), ["Guest", "bob"]);
}

#[test]
fn somebody_who_is_logging_out_hears_of_it_once() {
    let (world, session) = signed_in();
    block_on(async {
        let mut leaving = Box::pin(session.log_out());
        assert!(futures::poll!(leaving.as_mut()).is_pending());
        session.hear(ended("bob"));
        leaving.await;
    });
    assert_eq!(world.heard(), ["Guest"]);

    // Who has asked twice, and has logged in again after the first time, stays in.
    let (world, session) = signed_in();
    block_on(async {
        let mut twice = Box::pin(session.log_out());
        assert!(futures::poll!(twice.as_mut()).is_pending());
        session.log_out().await;
        session.begin(pair(2), user("bob"), true);
        twice.await;
    });
    assert_eq!(world.heard(), ["Guest", "bob"]);

    // In the other tab somebody has logged in again: that is not what is ended.
    let (world, session) = signed_in();
    block_on(async {
        let mut leaving = Box::pin(session.log_out());
        assert!(futures::poll!(leaving.as_mut()).is_pending());
        keep(&world, Place::Browser, saved(1, "amy"));
        session.hear(Message::Began(saved(1, "amy")));
        leaving.await;
    });
    assert_eq!(world.heard(), ["Guest"]);
    assert!(world.kept.borrow()[&Place::Browser] == saved(1, "amy"));
}
