//! Failures of PostgreSQL, and of a node, under two nodes: nothing that was answered is lost, no
//! revoked token is accepted, and no session ends.

use std::{
    os::unix::fs::symlink,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};
use serde_json::Value;

use crate::{
    cluster::{Cluster, Node as _, Pair, credentials, serve, settings_of},
    metrics::{metric, metrics_address},
    postgres_server::{PostgresServer, execute, select},
    process::{RunningServer, TestDir, within},
};

/// Time after which tokens are refused without the database, also cached ones: five seconds of
/// silence, and the time limits of a request that has begun before.
const SILENCE: Duration = Duration::from_secs(12);
/// Time in which the nodes recover by themselves.
const RECOVERY: Duration = Duration::from_secs(15);

/// Status and `Retry-After` of a request.
fn answer(node: &RunningServer, method: &str, path: &str, token: &str) -> (u16, Option<String>) {
    node.call_for_retry(method, path, Some(token), &Value::Null).expect("an answer")
}

/// Asserts that an answer asks to try again later.
fn assert_unavailable((status, retry): &(u16, Option<String>)) {
    assert_eq!(*status, 503);
    let seconds: Option<u64> = retry.as_ref().and_then(|retry| retry.parse().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "Retry-After: {retry:?}");
}

/// Ends the registrations when it is dropped, also by a failed assertion.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Registers accounts on a node until the end, and notes those that were answered as created.
fn register_until(node: &RunningServer, is_over: &AtomicBool, created: &Mutex<Vec<String>>) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    while !is_over.load(Ordering::Relaxed) {
        let name = format!("person{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = "/api/auth/register";
        let answer = node.call_for_retry("POST", path, None, &credentials(&name));
        match answer.expect("an answer") {
            (201, _) => created.lock().expect("no panic").push(name),
            refused => assert_unavailable(&refused),
        }
    }
}

/// State of the database during a failure.
#[derive(Clone, Copy, PartialEq)]
enum During {
    /// It does not answer.
    Silent,
    /// It answers queries, and takes no changes.
    ReadOnly,
}

/// Asserts that a node answers 503 without its database. What is cached is answered for some seconds,
/// and for longer if the changes of other nodes can be read.
fn assert_refuses_all(
    node: &RunningServer,
    during: During,
    sessions: &[Pair],
    (leaving, revoked): (&Pair, &Pair),
) {
    if during == During::ReadOnly {
        assert_ne!(node.status(&revoked.access), 200);
        for (method, path, token) in [
            ("POST", "/api/auth/refresh", &sessions[1].refresh),
            ("DELETE", "/api/auth/logout", &leaving.access),
        ] {
            assert_unavailable(&answer(node, method, path, token));
        }
        return;
    }
    within(SILENCE, || {
        assert_ne!(answer(node, "GET", "/api/me", &revoked.access).0, 200);
        let refused = answer(node, "GET", "/api/me", &sessions[0].access);
        if refused.0 == 200 {
            return false;
        }
        assert_unavailable(&refused);
        true
    });
    for (method, path, token) in [
        ("GET", "/api/me", &sessions[0].access),
        ("POST", "/api/auth/refresh", &sessions[1].refresh),
        ("POST", "/api/auth/refresh", &revoked.refresh),
        ("DELETE", "/api/auth/logout", &leaving.access),
    ] {
        assert_unavailable(&answer(node, method, path, token));
    }
    let login = node.call_for_retry("POST", "/api/auth/login", None, &credentials("alice"));
    assert_unavailable(&login.expect("an answer"));
}

/// The public keys, for those who verify tokens themselves.
fn public_keys(node: &RunningServer) -> (u16, Vec<u8>) {
    node.send("GET", "/.well-known/jwks.json", None, b"").expect("an answer")
}

/// Cuts the nodes from their database and heals that again, under load.
fn outage_loses_nothing(
    cluster: &Cluster,
    during: During,
    cut: impl FnOnce(),
    heal: impl FnOnce(),
) {
    let nodes = [&cluster.a, &cluster.b];
    let sessions: Vec<Pair> =
        ["alice", "bertha", "carla"].iter().map(|name| cluster.session(name)).collect();
    let (leaving, revoked) = (cluster.session("leaving"), cluster.session("revoked"));
    assert_eq!(answer(nodes[0], "DELETE", "/api/auth/logout", &revoked.access).0, 200);
    nodes[1].assert_refuses(&revoked.access, Some("logged_out"));

    let keys = public_keys(nodes[0]);
    assert_eq!(keys.0, 200);

    let (sessions, others) = (&sessions[..], (&leaving, &revoked));
    let (is_over, created) = &(AtomicBool::new(false), Mutex::new(Vec::new()));
    let count = || created.lock().expect("no panic").len();
    let await_more = || {
        let before = count();
        within(RECOVERY, || count() > before + 3);
    };
    std::thread::scope(|scope| {
        let over = Over(is_over);
        for node in nodes {
            scope.spawn(move || register_until(node, is_over, created));
        }
        await_more();
        cut();
        let [one, other] = nodes
            .map(|node| scope.spawn(move || assert_refuses_all(node, during, sessions, others)));
        one.join().and(other.join()).expect("no panic");
        assert_eq!(nodes.map(public_keys), [keys.clone(), keys]);
        heal();
        for node in nodes {
            within(RECOVERY, || {
                assert_ne!(answer(node, "GET", "/api/me", &revoked.access).0, 200);
                answer(node, "GET", "/api/me", &sessions[0].access).0 == 200
            });
        }
        await_more();
        drop(over);
    });

    for (number, session) in sessions.iter().enumerate() {
        let (one, other) = (nodes[number % 2], nodes[(number + 1) % 2]);
        let (status, answer) = one.refresh(&session.refresh);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(other.status(&Pair::of(&answer).access), 200);
    }
    for node in nodes {
        assert_eq!(node.status(&revoked.access), 401);
        assert_eq!(node.refresh(&revoked.refresh).0, 401);
    }
    for name in created.lock().expect("no panic").iter() {
        let answer = nodes[0].call("POST", "/api/auth/register", None, &credentials(name));
        assert_eq!(answer.expect("an answer").0, 409, "{name} is lost");
    }
    assert_eq!(answer(nodes[1], "DELETE", "/api/auth/logout", &leaving.access).0, 200);
    nodes[0].assert_refuses(&leaving.access, Some("logged_out"));
}

/// Two nodes on the database of a URL.
fn cluster_on(url: &str) -> Cluster {
    Cluster::with(&[("GATEHOUSE_DATABASE_URL", url)])
}

/// A role without special rights, which owns what the nodes create.
struct Role {
    name: String,
    /// URL of the database, as its administrator.
    url: String,
}

impl Role {
    fn create(dir: &TestDir) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let role =
            Self { name: format!("node_{}_{number}", std::process::id()), url: dir.postgres_url() };
        role.administer("CREATE ROLE {} LOGIN");
        role.administer("GRANT ALL ON SCHEMA public TO {}");
        role
    }

    /// Runs a statement that names the role as `{}`.
    fn administer(&self, statement: &str) {
        execute(&self.url, &statement.replace("{}", &self.name));
    }

    fn node_url(&self) -> String {
        self.url.replace("gatehouse@", &format!("{}@", self.name))
    }

    /// Ends the connections that the nodes have made until now.
    fn disconnect(&self) {
        let now = select(&self.url, "SELECT clock_timestamp()::text").expect("a time");
        let of_role = format!(
            "FROM pg_stat_activity WHERE usename = '{}' AND backend_start <= '{now}'",
            self.name
        );
        within(RECOVERY, || {
            execute(&self.url, &format!("SELECT pg_terminate_backend(pid) {of_role}"));
            let left = select(&self.url, &format!("SELECT count(*)::text {of_role}"));
            left.is_some_and(|left| left == "0")
        });
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // The nodes are gone, and their tables are of no use without them.
        self.administer("DROP OWNED BY {}");
        self.administer("DROP ROLE {}");
    }
}

mod on_postgres {
    use super::*;

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_44_requests_while_postgres_is_stopped_are_503_and_lose_nothing() {
        let server = Mutex::new(PostgresServer::start());
        let cluster = cluster_on(&server.lock().expect("no panic").url());
        outage_loses_nothing(
            &cluster,
            During::Silent,
            || server.lock().expect("no panic").stop(),
            || server.lock().expect("no panic").resume(),
        );
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_44_requests_during_a_failover_are_503_and_lose_nothing() {
        let mut primary = PostgresServer::start();
        let standby = primary.start_standby();
        let dir = TestDir::new();
        // An address that leads to one of the two, as that of a proxy does.
        let address = dir.path().join("address");
        symlink(primary.socket(), &address).expect("linked");
        let cluster = cluster_on(&PostgresServer::url_at(&address));
        let error = dir.startup_error(
            &[&settings_of("c")[..], &[("GATEHOUSE_DATABASE_URL", &standby.url())]].concat(),
        );
        assert!(error.contains("name the primary"), "{error}");
        outage_loses_nothing(
            &cluster,
            During::Silent,
            || primary.kill(),
            || {
                let moved = dir.path().join("moved");
                symlink(standby.socket(), &moved).expect("linked");
                std::fs::rename(&moved, &address).expect("replaced");
                standby.promote();
            },
        );
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_44_requests_without_free_connections_are_503_and_lose_nothing() {
        let dir = TestDir::new();
        let role = Role::create(&dir);
        let cluster = cluster_on(&role.node_url());
        outage_loses_nothing(
            &cluster,
            During::Silent,
            || {
                role.administer("ALTER ROLE {} CONNECTION LIMIT 0");
                role.disconnect();
                let url = role.node_url();
                let settings =
                    [&settings_of("c")[..], &[("GATEHOUSE_DATABASE_URL", url.as_str())]].concat();
                let error = dir.startup_error(&settings);
                assert!(error.contains("max_connections"), "{error}");
            },
            || role.administer("ALTER ROLE {} CONNECTION LIMIT -1"),
        );
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_44_requests_while_postgres_is_read_only_are_503_and_lose_nothing() {
        let dir = TestDir::new();
        let role = Role::create(&dir);
        let cluster = cluster_on(&role.node_url());
        outage_loses_nothing(
            &cluster,
            During::ReadOnly,
            || {
                role.administer("ALTER ROLE {} SET default_transaction_read_only = on");
                role.disconnect();
            },
            || {
                role.administer("ALTER ROLE {} RESET default_transaction_read_only");
                role.disconnect();
            },
        );
    }

    /// A full file system. Without the permission to mount one, the test says so and is skipped.
    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_50_changes_on_a_full_disk_of_postgres_are_503_and_lose_nothing() {
        let Some(server) = PostgresServer::start_on_small_disk("100m") else {
            eprintln!("SKIPPED: no file system can be mounted here (unshare -Um)");
            return;
        };
        let cluster = cluster_on(&server.url());
        let nodes = [&cluster.a, &cluster.b];
        let (staying, leaving) = (cluster.session("alice"), cluster.session("leaving"));
        server.fill_disk();

        // Until the tables need further pages, accounts are created; then none is.
        let mut created = Vec::new();
        let began = Instant::now();
        let refused = loop {
            assert!(began.elapsed() < RECOVERY, "the disk is full, but changes are made");
            let name = format!("person{}", created.len());
            let node = nodes[created.len() % 2];
            let path = "/api/auth/register";
            let answer = node.call_for_retry("POST", path, None, &credentials(&name));
            match answer.expect("an answer") {
                (201, _) => created.push(name),
                refused => {
                    assert_unavailable(&refused);
                    break name;
                }
            }
        };
        for node in nodes {
            assert_eq!(node.status(&staying.access), 200, "what needs no change is answered");
        }
        server.free_disk();

        let register = |node: &RunningServer, name: &str| {
            node.call("POST", "/api/auth/register", None, &credentials(name)).expect("an answer").0
        };
        assert_eq!(register(nodes[0], &refused), 201, "what was refused left nothing behind");
        for name in created {
            assert_eq!(register(nodes[1], &name), 409, "{name} is lost");
        }
        assert_eq!(answer(nodes[0], "DELETE", "/api/auth/logout", &leaving.access).0, 200);
        nodes[1].assert_refuses(&leaving.access, Some("logged_out"));
        assert_eq!(nodes[1].refresh(&staying.refresh).0, 200);
    }

    /// The first node hangs in its cleanup, because a table is locked.
    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn cleanup_is_done_by_one_node_and_by_another_once_that_is_killed() {
        let dir = TestDir::new();
        assert_eq!(serve(&dir, "a", &[]).stop(), Some(0));
        dir.execute(
            "INSERT INTO revoked_tokens (jti, type, expires_at, revoked_at, reason) \
             VALUES ('expired', 'access', 1, 1, 'logged_out')",
        );
        let url = dir.postgres_url();
        let node = |name: &str| {
            let url = format!("{url}&application_name={name}");
            let settings = [
                ("GATEHOUSE_DATABASE_URL", url.as_str()),
                ("GATEHOUSE_METRICS_ADDR", "127.0.0.1:0"),
            ];
            serve(&dir, name, &settings)
        };
        // The key of the lock is "gh-clean".
        let cleaner = || {
            select(
                &url,
                "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) \
                 WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM \
                 pg_database WHERE datname = current_database()) \
                 AND (classid::bigint << 32) + objid::bigint = x'67682d636c65616e'::bigint",
            )
        };
        let expired =
            || select(&url, "SELECT count(*)::text FROM revoked_tokens WHERE jti = 'expired'");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let mut locking = runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.expect("connected");
            let lock = "BEGIN; LOCK TABLE revoked_tokens IN SHARE MODE";
            connection.execute(lock).await.expect("locked");
            connection
        });

        let a = node("a");
        within(RECOVERY, || cleaner().as_deref() == Some("a"));
        let b = node("b");
        let metrics = metrics_address(&dir);
        let done = "gatehouse_background_task_last_success_timestamp_seconds{task=\"cleanup\"}";
        within(RECOVERY, || metric(&metrics, done) > 0.0);
        assert_eq!(cleaner().as_deref(), Some("a"), "the second one did not wait for it");
        assert_eq!(expired().as_deref(), Some("1"));
        a.kill();
        within(RECOVERY, || cleaner().is_none());
        let c = node("c");
        within(RECOVERY, || cleaner().as_deref() == Some("c"));
        runtime.block_on(locking.execute("ROLLBACK")).expect("unlocked");
        within(RECOVERY, || expired().as_deref() == Some("0"));
        within(RECOVERY, || cleaner().is_none());
        drop((b, c));
    }
}

mod with_s3 {
    use super::*;

    #[test]
    #[ignore = "needs PostgreSQL and a store that speaks S3: make test-s3"]
    fn picture_that_one_node_stores_in_s3_is_served_and_deleted_by_the_other() {
        let endpoint = std::env::var("TEST_S3_ENDPOINT").expect("the address of a store");
        let s3 = [
            ("GATEHOUSE_S3_ENDPOINT", endpoint.as_str()),
            ("GATEHOUSE_S3_BUCKET", "pictures"),
            ("GATEHOUSE_S3_ACCESS_KEY_ID", "gatehouse"),
            ("GATEHOUSE_S3_SECRET_ACCESS_KEY", "correct horse battery staple"),
        ];
        let cluster = Cluster::with(&s3);
        let pair = cluster.session("alice");
        let send = |node: &RunningServer, method: &str, path: &str, body: &[u8]| {
            node.send(method, path, Some(&pair.access), body).expect("an answer")
        };
        let picture = crate::cluster::picture();
        let (status, stored) = send(&cluster.a, "POST", "/api/me/files?name=x.png", &picture);
        let stored: Value = serde_json::from_slice(&stored).expect("JSON");
        assert_eq!(status, 201, "{stored}");
        let query = format!("id={}", stored["file"]["id"].as_str().expect("an id"));
        let file = format!("/api/me/file?{query}");
        assert_eq!(send(&cluster.b, "GET", &file, b""), (200, picture));
        assert_eq!(send(&cluster.b, "DELETE", &format!("/api/me/files?{query}"), b"").0, 200);
        assert_eq!(send(&cluster.a, "GET", &file, b"").0, 404);
        // A node that would keep its uploads elsewhere does not start.
        let error = cluster.dir.startup_error(&settings_of("c"));
        assert!(error.contains("GATEHOUSE_UPLOADS_DIR") || error.contains("S3"), "{error}");
    }
}
