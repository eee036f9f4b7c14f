//! URLs and errors of PostgreSQL. The tests of `on_postgres` need a server.

use super::*;

fn url_error(url: &str) -> String {
    Target::parse(url).unwrap_err().to_string()
}

#[test]
fn parse_of_url_shows_it_without_password_and_parameters() {
    for (url, shown) in [
        ("postgres://gate:geheim@db:5433/x", "postgres://gate@db:5433/x"),
        ("postgresql://gate:geheim@db/x?sslmode=require", "postgres://gate@db:5432/x"),
        (
            "postgres://gate@localhost/x?host=/run/pg&password=geheim",
            "postgres://gate@/run/pg:5432/x",
        ),
    ] {
        assert_eq!(Target::parse(url).unwrap().shown, shown);
    }
}

#[test]
fn parse_of_invalid_url_fails_without_its_password() {
    for url in [
        "postgres://gate:geheim@[db/x",
        "postgres://gate:geheim@db:port/x",
        "postgres://gate:geheim@db/x?sslmode=geheim",
    ] {
        let error = url_error(url);
        assert!(error.contains("GATEHOUSE_DATABASE_URL is not valid"), "{error}");
        assert!(!error.contains("gate:geheim"), "{error}");
    }
}

#[test]
fn problem_of_refused_certificate_is_one_of_tls() {
    let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, refused);
    let problem = problem(&sqlx::Error::Io(error)).unwrap();
    assert!(matches!(problem, PostgresProblem::Tls(_)), "{problem}");
    assert!(problem.to_string().contains("sslrootcert"), "{problem}");
}

#[tokio::test]
async fn open_of_unreachable_server_fails_with_the_remedy() {
    // Nothing listens on this port, and this name has no address.
    for host in ["127.0.0.1:1", "no-such-host.invalid:5432"] {
        let url = format!("postgres://gate:geheim@{host}/x");
        let error = crate::store::Store::open(&url).await.unwrap_err().to_string();
        assert!(error.contains("cannot be reached") && error.contains("check host"), "{error}");
        assert!(error.contains(&format!("postgres://gate@{host}/x")), "{error}");
        assert!(!error.contains("geheim"), "{error}");
    }
}

mod on_postgres {
    use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DbBackend, Statement};

    use crate::store::{SharedTask, Store, test_database::PostgresDatabase};

    fn database() -> PostgresDatabase {
        PostgresDatabase::create().expect("GATEHOUSE_TEST_POSTGRES")
    }

    /// Runs statements in a database.
    async fn execute(url: &str, statements: &[&str]) {
        let connection = Database::connect(url).await.unwrap();
        for statement in statements {
            connection.execute_unprepared(statement).await.unwrap();
        }
        connection.close().await.unwrap();
    }

    /// The URL with another user.
    fn with_user(url: &str, user: &str) -> String {
        url.replace("gatehouse@", &format!("{user}@"))
    }

    async fn error(url: &str) -> String {
        let error = Store::open(url).await.unwrap_err().to_string();
        assert!(!error.contains("geheim"), "{error}");
        error
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn shared_tasks_with_one_connection_for_reads_leave_it_to_reads() {
        let database = database();
        let store = Store::open_with(&database.url(), 2).await.unwrap();
        let cleanup = store.begin_shared_task(SharedTask::Cleanup).await.unwrap();
        let sweep = store.begin_shared_task(SharedTask::OrphanSweep).await.unwrap();
        assert!(cleanup.is_some() && sweep.is_some());
        assert_eq!(store.newest_audit_entry().await.unwrap(), None);
        assert!(store.begin_shared_task(SharedTask::Cleanup).await.unwrap().is_none());
        for guard in [cleanup, sweep].into_iter().flatten() {
            guard.end().await.unwrap();
        }
        // At once, also if the server has not noticed yet that the connection is closed.
        assert!(store.begin_shared_task(SharedTask::Cleanup).await.unwrap().is_some());
        store.close().await;
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_with_wrong_password_fails_without_it() {
        let database = database();
        // The user of all tests that log in with a password (scripts/postgres).
        let create = "DO $$ BEGIN CREATE USER with_password PASSWORD 'right'; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
        execute(&database.url(), &[create]).await;
        let error = error(&with_user(&database.url(), "with_password:geheim")).await;
        assert!(error.contains("does not accept the user or the password"), "{error}");
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_of_missing_database_fails_with_the_remedy() {
        let database = database();
        let error = error(&database.url().replace("/test_", "/no_test_")).await;
        assert!(error.contains("CREATE DATABASE"), "{error}");
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_without_rights_fails_with_the_remedy() {
        let database = database();
        let user = format!("without_rights_{}", std::process::id());
        let create = format!("CREATE USER {user}");
        execute(&database.url(), &[&create]).await;
        let error = error(&with_user(&database.url(), &user)).await;
        execute(&database.url(), &[&format!("DROP USER {user}")]).await;
        assert!(error.contains("lacks a right") && error.contains("GRANT"), "{error}");
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_beyond_the_connection_limit_fails_with_the_remedy() {
        let database = database();
        let user = format!("limited_{}", std::process::id());
        let create = format!("CREATE USER {user} CONNECTION LIMIT 1");
        let grant = format!("GRANT ALL ON SCHEMA public TO {user}");
        execute(&database.url(), &[&create, &grant]).await;
        let error = error(&with_user(&database.url(), &user)).await;
        assert!(error.contains("max_connections"), "{error}");
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_of_read_only_database_fails_with_the_remedy() {
        let database = database();
        let url = database.url();
        let (server, _) = url.split_once('?').unwrap();
        let (_, name) = server.rsplit_once('/').unwrap();
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        execute(&database.url(), &[&set]).await;
        let error = error(&database.url()).await;
        assert!(error.contains("name the primary"), "{error}");
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_with_required_tls_fails_where_the_server_has_none() {
        let database = database();
        let error = error(&format!("{}&sslmode=require", database.url())).await;
        assert!(error.contains("TLS") && error.contains("sslmode"), "{error}");
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_of_newer_unreleased_or_foreign_database_fails() {
        let newer = database();
        Store::open(&newer.url()).await.unwrap().close().await;
        execute(&newer.url(), &["INSERT INTO seaql_migrations VALUES ('m9999_future', 0)"]).await;
        let newer = error(&newer.url()).await;
        assert!(newer.contains("newer version") && newer.contains("m9999_future"), "{newer}");

        let records = "CREATE TABLE seaql_migrations (version varchar, applied_at bigint)";
        let unreleased = database();
        let insert = "INSERT INTO seaql_migrations VALUES ('m0001_core', 0)";
        execute(&unreleased.url(), &[records, insert]).await;
        let unreleased = error(&unreleased.url()).await;
        assert!(unreleased.contains("before its first release"), "{unreleased}");

        let foreign = database();
        execute(&foreign.url(), &["CREATE TABLE users (id integer)"]).await;
        let foreign = error(&foreign.url()).await;
        assert!(
            foreign.contains("users") && foreign.contains("a database of its own"),
            "{foreign}"
        );
    }

    /// Each node reads the changes several times a second, beside a large blocklist.
    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn query_of_changes_reads_new_rows_only() {
        let database = database();
        Store::open(&database.url()).await.unwrap().close().await;
        let prepare = format!("PREPARE snapshot(bigint) AS {}", crate::store::changes::SNAPSHOT);
        let connection =
            Database::connect(ConnectOptions::new(database.url()).max_connections(1).to_owned());
        let connection = connection.await.unwrap();
        for statement in [
            "INSERT INTO changes (at, kind, id) SELECT 0, 'session', n::text FROM generate_series(1, 20000) AS n",
            "INSERT INTO revoked_tokens (jti, type, expires_at, revoked_at, reason) \
             SELECT n::text, 'access', 0, 0, '' FROM generate_series(1, 20000) AS n",
            "ANALYZE",
            // As the driver's statements are planned after some executions.
            "SET plan_cache_mode = force_generic_plan",
            &prepare,
        ] {
            connection.execute_unprepared(statement).await.unwrap();
        }
        let explain = "EXPLAIN EXECUTE snapshot(1)";
        let explain = Statement::from_string(DbBackend::Postgres, explain);
        let rows = connection.query_all_raw(explain).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        let plan = plan.join("\n");
        for index in ["changes_by_transaction", "revoked_tokens_by_transaction"] {
            assert!(plan.contains(&format!("Index Scan using {index}")), "{plan}");
        }
        assert!(!plan.contains("Filter:") && !plan.contains("Sort"), "{plan}");
        connection.close().await.unwrap();
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn queries_of_the_store_are_planned_for_their_values() {
        let database = database();
        let store = Store::open_with(&database.url(), 2).await.unwrap();
        for (setting, expected) in
            [("plan_cache_mode", "force_custom_plan"), ("max_parallel_workers_per_gather", "0")]
        {
            let show = Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}"));
            let row = store.read.query_one_raw(show).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<String>(0).unwrap(), expected);
        }
        store.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn open_by_several_at_once_migrates_once() {
        let database = database();
        let opens = (0..8).map(|_| async { Store::open_with(&database.url(), 2).await });
        for store in futures::future::join_all(opens).await {
            store.unwrap().close().await;
        }
    }
}
