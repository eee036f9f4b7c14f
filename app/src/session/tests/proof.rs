//! What asks for the password, and what becomes of it.

use futures::{executor::block_on, future::join3, poll};

use super::*;
use crate::{protocol::Reauthenticated, session::state::LoggedOut};

/// What the server answers to the right password: another access token of the generation at hand.
fn proof_of(session: &str, generation: i64) -> Reauthenticated {
    Reauthenticated {
        message: "ok".to_owned(),
        access_token: token("f", session, generation),
        token_type: TokenScheme::Bearer,
        expires_in: 900,
    }
}
fn change() -> Call {
    Call { body: Some(Bytes::from_static(b"{\"email\":\"\"}")), ..call(Method::PATCH, "/api/me") }
}
/// Bob has logged in, and has sent a call that asks for the password. Gives what becomes of it.
fn asked() -> (Rc<World>, Rc<Session>, LocalBoxFuture<'static, Outcome>) {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("fresh_required")]);
    let sent = {
        let session = Rc::clone(&session);
        async move { session.call(change()).await }
    };
    let mut sent = sent.boxed_local();
    block_on(async {
        while world.heard.borrow().is_empty() {
            assert!(poll!(sent.as_mut()).is_pending());
        }
    });
    assert_eq!(world.heard(), ["asking"]);
    (world, session, sent)
}

#[test]
fn who_gives_the_password_goes_on_with_a_fresh_token_and_the_same_refresh_token() {
    let (world, session, sent) = asked();
    world.pass(60);
    session.prove(proof_of("bob", 1));
    assert_eq!(block_on(sent).unwrap().status, 200);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me f.1.x"]);
    assert_eq!(world.bodies.take()[1].as_deref(), Some(&b"{\"email\":\"\"}"[..]));
    assert_eq!(world.heard(), ["asked", "renewed"]);
    let fresh = Saved { access: token("f", "bob", 1), ..saved(1, "bob") };
    assert!(world.kept.borrow()[&Place::Browser] == fresh);
    assert!(world.told() == [Message::Renewed(fresh)]);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)), "it lives from now on");
}

#[test]
fn who_would_rather_not_has_a_call_that_failed() {
    let (world, session, sent) = asked();
    session.decline();
    assert_eq!(block_on(sent).unwrap().status, 401);
    assert_eq!(world.sent(), ["/api/me a.1.x"]);
    assert_eq!(world.heard(), ["asked"]);
    assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"));
    session.decline();
    assert_eq!(world.heard(), [""; 0], "nobody is asking");
}

#[test]
fn however_many_calls_ask_the_person_is_asked_once() {
    let (world, session) = signed_in();
    world.answer(
        "/api/me",
        [refused("fresh_required"), refused("fresh_required"), refused("fresh_required")],
    );
    block_on(async {
        let mut calls = Box::pin(join3(session.call(me()), session.call(me()), session.call(me())));
        for _ in 0..9 {
            assert!(poll!(calls.as_mut()).is_pending());
        }
        session.prove(proof_of("bob", 1));
        let (one, two, three) = calls.await;
        assert_eq!([one, two, three].map(|answer| answer.unwrap().status), [200; 3]);
    });
    assert_eq!(world.heard(), ["asking", "asked", "renewed"]);
    assert_eq!(world.sent().iter().filter(|call| *call == "/api/me f.1.x").count(), 3);
}

#[test]
fn a_call_that_was_on_its_way_while_the_person_was_asked_asks_no_more() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("fresh_required")]);
    block_on(async {
        let mut call = Box::pin(session.call(me()));
        assert!(poll!(call.as_mut()).is_pending());
        session.prove(proof_of("bob", 1));
        assert_eq!(call.await.unwrap().status, 200);
    });
    assert_eq!(world.heard(), ["asked", "renewed"]);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me f.1.x"]);
}

#[test]
fn a_call_asks_once_only() {
    let (world, session, sent) = asked();
    world.answer("/api/me", [refused("fresh_required"), Ok(ok("never"))]);
    session.prove(proof_of("bob", 1));
    assert_eq!(block_on(sent).unwrap().status, 401);
    assert_eq!(world.sent().len(), 2);
}

#[test]
fn an_expired_token_is_renewed_before_anybody_is_asked() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired"), refused("fresh_required")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut call = Box::pin(session.call(me()));
        for _ in 0..9 {
            assert!(poll!(call.as_mut()).is_pending());
        }
        session.prove(proof_of("bob", 2));
        assert_eq!(call.await.unwrap().status, 200);
    });
    assert_eq!(
        world.sent(),
        ["/api/me a.1.x", "/api/auth/refresh r.1.x", "/api/me a.2.x", "/api/me f.2.x"]
    );
}

#[test]
fn nobody_answers_for_somebody_else() {
    let (world, session, sent) = asked();
    session.begin(pair_of("amy", 7), user("amy"), true);
    assert_eq!(world.heard(), ["asked", "amy"]);
    assert_eq!(block_on(sent).unwrap().status, 401, "the question was the other's");
    session.prove(proof_of("bob", 1));
    assert!(world.kept.borrow()[&Place::Browser] == saved(7, "amy"));
    assert_eq!(world.heard(), [""; 0]);
}

#[test]
fn who_logs_out_is_not_asked() {
    let (world, session, sent) = asked();
    assert_eq!(block_on(session.log_out()), LoggedOut::Everywhere);
    assert_eq!(block_on(sent).unwrap().status, 401);
    assert_eq!(world.heard(), ["asked", "Guest"]);
}
