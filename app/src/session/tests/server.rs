//! A server that follows contract 1.4, as far as a client can tell: the same rules as the server's
//! own `rotation`, which `app` cannot know. It takes no reuse: whoever plays by the rules must
//! never look like a thief.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, base64url, ok, refused};
use crate::{
    protocol::{Refreshed, TokenPair, TokenScheme},
    session::{
        token::{self, Claims},
        wire::Answer,
    },
};

/// How long things live, in seconds.
pub(super) const ACCESS: i64 = 900;
pub(super) const REFRESH: i64 = 604_800;
pub(super) const SESSION: i64 = 2_592_000;
const GRACE: i64 = 10;

#[derive(Default)]
pub(super) struct Server {
    rows: BTreeMap<String, Row>,
    /// How often a generation was replaced because its answer was lost.
    pub(super) replaced: usize,
}

struct Row {
    generation: i64,
    parent: Option<i64>,
    acknowledged: Acknowledged,
    replaced: BTreeSet<i64>,
    refreshed_at: i64,
    expires_at: i64,
    logged_out: bool,
}

/// Whether the present generation was presented: noted at once, written down within a second.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acknowledged {
    No,
    Noted(i64),
    Written,
}

impl Server {
    /// Begins a session.
    pub(super) fn log_in(&mut self, session: &str, now: i64) -> TokenPair {
        let row = Row {
            generation: 1,
            parent: None,
            acknowledged: Acknowledged::No,
            replaced: BTreeSet::new(),
            refreshed_at: now,
            expires_at: now + SESSION,
            logged_out: false,
        };
        self.rows.insert(session.to_owned(), row);
        self.pair(session, now)
    }

    /// Answers a call.
    pub(super) fn answer(&mut self, url: &str, bearer: &str, now: i64) -> Outcome {
        let claims = token::claims(bearer).expect("honest clients present tokens");
        let kind = bearer.rsplit('.').next().unwrap_or_default();
        if now >= claims.exp {
            return refused("token_expired");
        }
        let is_refresh = kind == "r";
        assert!(is_refresh != (url == "/api/me"), "{url} with a token of the wrong type");
        let row = self.rows.get_mut(&claims.sid).expect("its session was begun here");
        if row.logged_out || now >= row.expires_at {
            return refused("token_revoked");
        }
        assert!(claims.generation <= row.generation, "a generation that is still to come");
        assert!(
            is_refresh || !row.replaced.contains(&claims.generation),
            "a token that nobody was given: {claims:?}"
        );
        if claims.generation == row.generation && row.acknowledged == Acknowledged::No {
            row.acknowledged = Acknowledged::Noted(now);
        }
        match url {
            "/api/auth/refresh" => Ok(self.refresh(&claims, now)),
            "/api/auth/logout" => {
                row.logged_out = true;
                Ok(ok(r#"{"message":"ok"}"#))
            }
            _ => Ok(ok("{}")),
        }
    }

    fn refresh(&mut self, claims: &Claims, now: i64) -> Answer {
        let row = self.rows.get_mut(&claims.sid).expect("it was looked up");
        let presented = claims.generation;
        if presented == row.generation {
            row.parent = Some(presented);
            row.move_on(now);
        } else {
            assert_eq!(
                row.parent,
                Some(presented),
                "reuse: generation {} came after {presented}",
                row.generation
            );
            if now > row.refreshed_at + GRACE {
                let is_acknowledged = row.acknowledged != Acknowledged::No;
                assert!(
                    !is_acknowledged,
                    "reuse: {presented} was used already, and its answer was not lost"
                );
                row.replaced.insert(row.generation);
                row.move_on(now);
                self.replaced += 1;
            }
        }
        let pair = self.pair(&claims.sid, now);
        let refreshed = Refreshed::new("ok".to_owned(), pair);
        ok(&serde_json::to_string(&refreshed).expect("it serializes"))
    }

    /// The program crashes: what was noted a moment ago is forgotten.
    pub(super) fn crash(&mut self, now: i64) {
        for row in self.rows.values_mut() {
            row.acknowledged = match row.acknowledged {
                Acknowledged::Noted(at) if at == now => Acknowledged::No,
                Acknowledged::Noted(_) => Acknowledged::Written,
                other => other,
            };
        }
    }

    /// Whether a session is over without anybody having logged out.
    pub(super) fn has_expired(&self, session: &str, now: i64) -> bool {
        let row = &self.rows[session];
        now >= row.expires_at || now >= row.refreshed_at + REFRESH
    }

    pub(super) fn is_logged_out(&self, session: &str) -> bool {
        self.rows[session].logged_out
    }

    fn pair(&self, session: &str, now: i64) -> TokenPair {
        let row = &self.rows[session];
        let token = |kind: &str, iat: i64, life: i64| {
            let exp = (iat + life).min(row.expires_at);
            let generation = row.generation;
            let claims =
                format!(r#"{{"sid":"{session}","gen":{generation},"iat":{iat},"exp":{exp}}}"#);
            format!("e30.{}.{kind}", base64url(&claims))
        };
        TokenPair {
            access_token: token("a", now, ACCESS),
            refresh_token: token("r", row.refreshed_at, REFRESH),
            token_type: TokenScheme::Bearer,
            expires_in: ACCESS.min(row.expires_at - now),
            refresh_expires_in: REFRESH,
        }
    }
}

impl Row {
    fn move_on(&mut self, now: i64) {
        self.generation += 1;
        self.refreshed_at = now;
        self.acknowledged = Acknowledged::No;
    }
}

#[test]
fn the_model_follows_the_contract() {
    let generation = |outcome: Outcome| {
        let answer = outcome.unwrap();
        let pair: Option<crate::protocol::Refreshed> = serde_json::from_slice(&answer.body).ok();
        pair.map(|pair| token::claims(&pair.refresh_token).unwrap().generation)
    };
    let mut server = Server::default();
    let first = server.log_in("s", 0);
    let refresh =
        |server: &mut Server, token: &str, now| server.answer("/api/auth/refresh", token, now);
    assert_eq!(generation(refresh(&mut server, &first.refresh_token, 100)), Some(2));
    assert_eq!(
        generation(refresh(&mut server, &first.refresh_token, 110)),
        Some(2),
        "within the grace"
    );
    assert_eq!(
        generation(refresh(&mut server, &first.refresh_token, 111)),
        Some(3),
        "the answer was lost"
    );
    assert_eq!(server.replaced, 1);
    assert_eq!(server.answer("/api/me", &first.access_token, 899).unwrap().status, 200);
    assert_eq!(server.answer("/api/me", &first.access_token, 900).unwrap().status, 401);
    assert_eq!(server.answer("/api/auth/logout", &first.refresh_token, 900).unwrap().status, 200);
    assert_eq!(refresh(&mut server, &first.refresh_token, 900).unwrap().status, 401);
}

#[test]
#[should_panic(expected = "its answer was not lost")]
fn the_model_takes_no_reuse() {
    let mut server = Server::default();
    let first = server.log_in("s", 0);
    let answer = server.answer("/api/auth/refresh", &first.refresh_token, 1).unwrap();
    let second: crate::protocol::Refreshed = serde_json::from_slice(&answer.body).unwrap();
    server.answer("/api/me", &second.access_token, 5).unwrap();
    let _ = server.answer("/api/auth/refresh", &first.refresh_token, 50);
}
