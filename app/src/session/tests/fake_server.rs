//! A fake server that rotates refresh tokens by the rules of the server's `rotation` module, which
//! `app` cannot depend on. It panics on token reuse: a correct client must never cause it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, base64url, ok, rejected};
use crate::{
    protocol::{Refreshed, TokenPair, TokenScheme},
    session::{
        token::{self, Claims},
        transport::ApiResponse,
    },
};

/// Lifetimes in seconds.
pub(super) const ACCESS: i64 = 900;
pub(super) const REFRESH: i64 = 604_800;
pub(super) const SESSION: i64 = 2_592_000;
const GRACE: i64 = 10;

#[derive(Default)]
pub(super) struct FakeServer {
    rows: BTreeMap<String, Row>,
    /// Number of generations replaced because their response was lost.
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

/// Use of a token of the current generation: noted at once, persisted within a second.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acknowledged {
    No,
    Noted(i64),
    Written,
}

impl FakeServer {
    /// Starts a session.
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

    /// Responds to a request.
    pub(super) fn respond(&mut self, url: &str, bearer: &str, now: i64) -> Outcome {
        let claims = token::claims(bearer).expect("clients send well-formed tokens");
        let kind = bearer.rsplit('.').next().unwrap_or_default();
        if now >= claims.exp {
            return rejected("token_expired");
        }
        let is_refresh = kind == "r";
        assert!(is_refresh != (url == "/api/me"), "{url} with a token of the wrong type");
        let row = self.rows.get_mut(&claims.sid).expect("the session was started here");
        if row.logged_out || now >= row.expires_at {
            return rejected("token_revoked");
        }
        assert!(claims.generation <= row.generation, "a generation that was never issued");
        assert!(
            is_refresh || !row.replaced.contains(&claims.generation),
            "an undelivered token: {claims:?}"
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

    fn refresh(&mut self, claims: &Claims, now: i64) -> ApiResponse {
        let row = self.rows.get_mut(&claims.sid).expect("the session exists");
        let presented = claims.generation;
        if presented == row.generation {
            row.parent = Some(presented);
            row.next_generation(now);
        } else {
            assert_eq!(
                row.parent,
                Some(presented),
                "reuse of {presented} in generation {}",
                row.generation
            );
            if now > row.refreshed_at + GRACE {
                let is_acknowledged = row.acknowledged != Acknowledged::No;
                assert!(!is_acknowledged, "reuse of {presented}, whose response was delivered");
                row.replaced.insert(row.generation);
                row.next_generation(now);
                self.replaced += 1;
            }
        }
        let pair = self.pair(&claims.sid, now);
        let refreshed = Refreshed::new("ok".to_owned(), pair);
        ok(&serde_json::to_string(&refreshed).expect("it serializes"))
    }

    /// Crashes: acknowledgements that were not persisted are lost.
    pub(super) fn crash(&mut self, now: i64) {
        for row in self.rows.values_mut() {
            row.acknowledged = match row.acknowledged {
                Acknowledged::Noted(at) if at == now => Acknowledged::No,
                Acknowledged::Noted(_) => Acknowledged::Written,
                other => other,
            };
        }
    }

    /// Returns whether a session has expired.
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
    fn next_generation(&mut self, now: i64) {
        self.generation += 1;
        self.refreshed_at = now;
        self.acknowledged = Acknowledged::No;
    }
}

#[test]
fn refresh_with_parent_token_repeats_within_grace_and_replaces_after_lost_response() {
    let generation = |outcome: Outcome| {
        let response = outcome.unwrap();
        let pair: Option<Refreshed> = serde_json::from_slice(&response.body).ok();
        pair.map(|pair| token::claims(&pair.refresh_token).unwrap().generation)
    };
    let mut server = FakeServer::default();
    let first = server.log_in("s", 0);
    let refresh =
        |server: &mut FakeServer, token: &str, now| server.respond("/api/auth/refresh", token, now);
    assert_eq!(generation(refresh(&mut server, &first.refresh_token, 100)), Some(2));
    assert_eq!(
        generation(refresh(&mut server, &first.refresh_token, 110)),
        Some(2),
        "within the grace"
    );
    assert_eq!(
        generation(refresh(&mut server, &first.refresh_token, 111)),
        Some(3),
        "the response was lost"
    );
    assert_eq!(server.replaced, 1);
    assert_eq!(server.respond("/api/me", &first.access_token, 899).unwrap().status, 200);
    assert_eq!(server.respond("/api/me", &first.access_token, 900).unwrap().status, 401);
    assert_eq!(server.respond("/api/auth/logout", &first.refresh_token, 900).unwrap().status, 200);
    assert_eq!(refresh(&mut server, &first.refresh_token, 900).unwrap().status, 401);
}

#[test]
#[should_panic(expected = "whose response was delivered")]
fn refresh_with_parent_token_after_acknowledgement_panics() {
    let mut server = FakeServer::default();
    let first = server.log_in("s", 0);
    let response = server.respond("/api/auth/refresh", &first.refresh_token, 1).unwrap();
    let second: Refreshed = serde_json::from_slice(&response.body).unwrap();
    server.respond("/api/me", &second.access_token, 5).unwrap();
    let _ = server.respond("/api/auth/refresh", &first.refresh_token, 50);
}
