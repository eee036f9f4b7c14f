//! A tab by itself.

use futures::{
    executor::block_on,
    future::{join, join3},
};

use super::*;
use crate::{protocol::error::Reason, session::state::LoggedOut};

#[test]
fn a_session_is_kept_where_the_person_wants_it() {
    for (remember, place) in [(true, Place::Browser), (false, Place::Tab)] {
        let (world, session) = session();
        world.kept.borrow_mut().insert(Place::Tab, saved(9, "old"));
        session.begin(pair(1), user("bob"), remember);
        assert_eq!(world.kept.borrow().len(), 1);
        assert!(world.kept.borrow().get(&place) == Some(&saved(1, "bob")));
        assert_eq!(world.heard(), ["bob"]);
    }
}

#[test]
fn a_reload_restores_it_and_rubbish_is_a_guest() {
    let bob = (Place::Browser, saved(1, "bob"));
    let rubbish = |access: &str, refresh: &str| {
        (
            Place::Browser,
            Saved { access: access.to_owned(), refresh: refresh.to_owned(), user: user("bob") },
        )
    };
    for (kept, who) in [
        (vec![], "Guest"),
        (vec![bob.clone()], "bob"),
        // The tab's own session goes before the remembered one.
        (vec![bob.clone(), (Place::Tab, saved(2, "amy"))], "amy"),
        (vec![rubbish(&bob.1.access, "undefined")], "Guest"),
        // Half of one session and half of another.
        (vec![rubbish(&bob.1.access, &saved(2, "amy").refresh)], "Guest"),
    ] {
        let (world, session) = session();
        world.kept.borrow_mut().extend(kept);
        session.restore();
        assert_eq!(world.heard(), [who]);
    }
}

#[test]
fn a_call_carries_the_token_and_open_calls_carry_none() {
    let (world, session) = signed_in();
    for path in ["/api/me", "/api/auth/login", "/api/auth/register"] {
        block_on(session.call(call(Method::POST, path))).unwrap();
    }
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/auth/login ", "/api/auth/register "]);
}

#[test]
fn a_wrong_password_is_no_expired_token() {
    let (world, session) = signed_in();
    world.answer("/api/auth/login", [refused("invalid_credentials")]);
    world.answer("/api/me", [refused("invalid_credentials")]);
    for path in ["/api/auth/login", "/api/me"] {
        assert_eq!(block_on(session.call(call(Method::POST, path))).unwrap().status, 401);
    }
    assert_eq!(world.sent().iter().filter(|call| call.contains("refresh")).count(), 0);
}

#[test]
fn a_refused_token_is_renewed_and_the_call_repeated_with_its_body() {
    let (world, session) = signed_in();
    world.answer("/api/x", [refused("token_expired"), Ok(ok("done"))]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    let with_body =
        Call { body: Some(Bytes::from_static(b"{\"a\":1}")), ..call(Method::POST, "/api/x") };
    assert_eq!(&block_on(session.call(with_body)).unwrap().body[..], b"done");
    assert_eq!(world.sent(), ["/api/x a.1.x", "/api/auth/refresh r.1.x", "/api/x a.2.x"]);
    assert_eq!(world.bodies.take()[2].as_deref(), Some(&b"{\"a\":1}"[..]));
    assert!(world.kept.borrow()[&Place::Browser] == saved(2, "bob"));
    assert_eq!(world.heard(), ["renewed"]);
}

#[test]
fn a_call_is_repeated_once_only() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired"), refused("token_expired"), Ok(ok("never"))]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 401);
    assert_eq!(world.sent().len(), 3);
}

#[test]
fn however_many_calls_fail_together_one_refresh_is_sent() {
    let (world, session) = signed_in();
    world.answer(
        "/api/me",
        [refused("token_expired"), refused("token_expired"), refused("token_expired")],
    );
    world.answer("/api/auth/refresh", [refreshed(2)]);
    let (one, two, three) =
        block_on(join3(session.call(me()), session.call(me()), session.call(me())));
    assert_eq!([one, two, three].map(|answer| answer.unwrap().status), [200; 3]);
    let sent = world.sent();
    assert_eq!(sent.iter().filter(|call| call.contains("refresh")).count(), 1, "{sent:?}");
    assert_eq!(sent.iter().filter(|call| *call == "/api/me a.2.x").count(), 3, "{sent:?}");
}

#[test]
fn a_refusal_that_comes_after_the_refresh_only_repeats_the_call() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/slow", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    let slow = {
        let session = Rc::clone(&session);
        async move { session.call(call(Method::GET, "/api/slow")).await }
    };
    block_on(async {
        // It has been sent with the first token, and its answer is looked at when the refresh has
        // long ended.
        let mut slow = Box::pin(slow);
        assert!(futures::poll!(slow.as_mut()).is_pending());
        session.call(me()).await.unwrap();
        assert_eq!(slow.await.unwrap().status, 200);
    });
    assert_eq!(
        world.sent(),
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
fn a_refused_refresh_ends_the_session_with_one_notice() {
    for (refusal, why) in [
        (refused("token_expired"), format!("{:?}", Ending::Expired)),
        (
            failure(
                401,
                r#"{"code":"token_revoked","message":"?","reason":"reused","request_id":"r"}"#,
            ),
            format!("{:?}", Ending::Revoked(Reason::Reused)),
        ),
    ] {
        let (world, session) = signed_in();
        world.answer("/api/me", [refused("token_expired"), refused("token_expired")]);
        world.answer("/api/auth/refresh", [refusal]);
        let (one, two) = block_on(join(session.call(me()), session.call(me())));
        assert_eq!([one.unwrap().status, two.unwrap().status], [401, 401]);
        assert_eq!(world.heard(), [why, "Guest".to_owned()]);
        assert!(world.kept.borrow().is_empty());
        assert_eq!(world.sent().len(), 3, "no log-out with a dead token");
    }
}

#[test]
fn an_outage_is_no_refusal() {
    let busy = r#"{"code":"unavailable","message":"busy","request_id":"r"}"#;
    for (outcome, status) in [
        (Err(NoAnswer), None),
        (failure(503, busy), Some(503)),
        (failure(429, &busy.replace("unavailable", "too_many_attempts")), Some(429)),
        // Ours, but no refusal of the token.
        (failure(403, &busy.replace("unavailable", "forbidden")), Some(403)),
        (refused("fresh_required"), Some(401)),
        // The code of another status.
        (failure(401, busy), None),
    ] {
        let (world, session) = signed_in();
        world.answer("/api/me", [refused("token_expired"), refused("token_expired")]);
        world.answer("/api/auth/refresh", [outcome, refreshed(2)]);
        assert_eq!(block_on(session.call(me())).ok().map(|answer| answer.status), status);
        assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"), "the tokens stay");
        assert_eq!(world.heard(), [""; 0]);
        // It can be tried again.
        assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    }
}

#[test]
fn invariant_16_foreign_answer_to_refresh_keeps_tokens() {
    for outcome in foreign() {
        let says = format!("{outcome:?}");
        let is_refused = outcome.as_ref().is_ok_and(|answer| !answer.is_ours("application/json"));
        let (world, session) = signed_in();
        world.answer("/api/me", [refused("token_expired"), refused("token_expired")]);
        world.answer("/api/auth/refresh", [outcome, refreshed(2)]);
        assert!(block_on(session.call(me())).is_err(), "{says}");
        assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"), "{says}");
        assert_eq!(world.heard(), [""; 0], "{says}");
        assert!(
            !is_refused || session.seconds_until(MADE_AT).is_none(),
            "its clock is not ours: {says}"
        );
        assert_eq!(block_on(session.call(me())).unwrap().status, 200, "{says}");
        assert_eq!(world.heard(), ["renewed"], "{says}");
    }
}

#[test]
fn invariant_16_foreign_answer_to_call_is_network_error_and_starts_no_refresh() {
    for outcome in foreign() {
        let says = format!("{outcome:?}");
        let (world, session) = signed_in();
        world.answer("/api/me", [outcome]);
        let call = Call { accept: "application/json".to_owned(), ..me() };
        // JSON with the status of a success: its type decides, which the session does not know.
        let profile = block_on(session.call(call))
            .ok()
            .and_then(|answer| answer.success::<crate::protocol::Profile>());
        assert!(profile.is_none(), "{says}");
        assert_eq!(world.sent(), ["/api/me a.1.x"], "{says}");
        assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"), "{says}");
        assert_eq!(world.heard(), [""; 0], "{says}");
    }
}

#[test]
fn foreign_answer_to_logout_is_not_taken_for_the_server_s() {
    for outcome in foreign() {
        let says = format!("{outcome:?}");
        let (world, session) = signed_in();
        world.answer("/api/auth/logout", [outcome]);
        assert_eq!(block_on(session.log_out()), LoggedOut::HereOnly, "{says}");
        assert!(world.kept.borrow().is_empty(), "{says}");
        assert_eq!(world.heard(), ["Guest"], "{says}");
    }
}

#[test]
fn logging_out_uses_the_refresh_token_and_always_ends_here() {
    for (outcome, result) in [
        (Ok(ok(r#"{"message":"ok"}"#)), LoggedOut::Everywhere),
        (refused("token_revoked"), LoggedOut::Everywhere),
        (Err(NoAnswer), LoggedOut::HereOnly),
        (failure(503, ""), LoggedOut::HereOnly),
    ] {
        let (world, session) = signed_in();
        world.answer("/api/auth/logout", [outcome]);
        assert_eq!(block_on(session.log_out()), result);
        assert_eq!(world.sent(), ["/api/auth/logout r.1.x"]);
        assert!(world.kept.borrow().is_empty());
        assert_eq!(world.heard(), ["Guest"]);
    }
}

#[test]
fn what_runs_while_somebody_logs_out_neither_refreshes_nor_complains() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_revoked")]);
    let (answer, _) = block_on(join(session.call(me()), session.log_out()));
    assert_eq!(answer.unwrap().status, 401);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/auth/logout r.1.x"]);
    assert_eq!(world.heard(), ["Guest"]);
}

#[test]
fn a_refresh_that_comes_back_after_a_log_out_brings_nobody_back() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut call = Box::pin(session.call(me()));
        while !world.sent.borrow().iter().any(|call| call.contains("refresh")) {
            assert!(futures::poll!(call.as_mut()).is_pending());
        }
        session.log_out().await;
        assert_eq!(call.await.unwrap().status, 401);
    });
    assert!(world.kept.borrow().is_empty());
    assert_eq!(world.heard(), ["Guest"]);
}

#[test]
fn a_call_of_one_person_is_never_repeated_as_another() {
    let (world, session) = signed_in();
    world.answer("/api/x", [refused("token_expired")]);
    block_on(async {
        let mut call = Box::pin(session.call(call(Method::POST, "/api/x")));
        assert!(futures::poll!(call.as_mut()).is_pending());
        session.log_out().await;
        session.begin(pair_of("amy", 7), user("amy"), true);
        assert_eq!(call.await.unwrap().status, 401);
    });
    assert_eq!(world.sent(), ["/api/x a.1.x", "/api/auth/logout r.1.x"]);
}

#[test]
fn without_storage_a_session_lives_as_long_as_the_page() {
    let (world, session) = session();
    world.storage_is_forbidden.set(true);
    session.begin(pair(1), user("bob"), true);
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    assert_eq!(world.heard(), ["bob", "renewed"]);
}

#[test]
fn a_token_is_renewed_ahead_of_its_time() {
    let (world, session) = signed_in();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)), "two minutes before 15");
    world.pass(779);
    block_on(session.renew_if_due());
    assert_eq!(world.sent(), [""; 0]);
    world.pass(1);
    world.answer("/api/auth/refresh", [Err(NoAnswer), refreshed(2)]);
    block_on(session.renew_if_due());
    assert_eq!(world.heard(), [""; 0], "a failure is silent");
    assert_eq!(
        session.renewal_due_in(),
        Some(Duration::from_secs(15)),
        "and is not repeated at once"
    );
    world.pass(15);
    block_on(session.renew_if_due());
    assert_eq!(world.sent().len(), 2);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)));

    session.begin(TokenPair { expires_in: 10, ..pair(3) }, user("bob"), true);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(8)), "a fifth of a short life");
}

#[test]
fn after_a_reload_the_servers_clock_tells_how_long_a_token_lives() {
    let (world, session) = session();
    world.kept.borrow_mut().insert(Place::Browser, saved(1, "bob"));
    session.restore();
    assert_eq!(session.renewal_due_in(), None);
    assert_eq!(session.seconds_until(MADE_AT + 900), None);
    world.pass(1000);
    world.answer("/api/me", [Ok(Answer { date: Some(MADE_AT + 100), ..ok("{}") })]);
    block_on(session.call(me())).unwrap();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(800 - 120)));
    world.pass(300);
    assert_eq!(session.seconds_until(MADE_AT + 900), Some(500));
}

#[test]
fn a_clock_that_stood_still_is_found_out_by_the_next_answer() {
    let (world, session) = signed_in();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(15 - 2)));
    // The machine was asleep for ten minutes, and nobody has noticed.
    world.answer("/api/me", [Ok(Answer { date: Some(MADE_AT + 600), ..ok("{}") })]);
    block_on(session.call(me())).unwrap();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(5 - 2)));
}

#[test]
fn a_network_that_is_back_is_tried_at_once() {
    let (world, session) = signed_in();
    world.pass(800);
    world.answer("/api/auth/refresh", [Err(NoAnswer)]);
    block_on(session.renew_if_due());
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(15)));
    session.resume();
    assert_eq!(session.renewal_due_in(), Some(Duration::ZERO));
}
