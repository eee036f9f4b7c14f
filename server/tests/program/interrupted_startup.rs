//! Interrupted starts do not prevent later ones, and concurrent starts do not disturb each other.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use fake::rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sea_orm::{ConnectionTrait as _, Database, Statement};
use serde_json::{Value, json};

use crate::process::TestDir;

/// Number of killed starts: some seconds in `make test`, more in `make soak`.
fn kills() -> u32 {
    std::env::var("GATEHOUSE_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(24)
}

/// Runs SQLite's integrity check.
fn integrity(dir: &TestDir) -> String {
    let url = format!("sqlite://{}", dir.path().join("data/gatehouse.sqlite").display());
    block_on(async {
        let connection = Database::connect(url).await.unwrap();
        let check =
            Statement::from_string(connection.get_database_backend(), "PRAGMA integrity_check");
        let row = connection.query_one_raw(check).await.unwrap().unwrap();
        connection.close().await.unwrap();
        row.try_get_by_index(0).unwrap()
    })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Measures a first start.
fn time_of_a_start() -> Duration {
    let dir = TestDir::new();
    let began = Instant::now();
    dir.serve(&[]).kill();
    began.elapsed()
}

/// Kills starts at random moments and asserts that the next one succeeds.
fn kill_starts(seed: u64) {
    let longest = time_of_a_start();
    let threads = 3;
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(seed + u64::from(thread));
                for _ in 0..kills().div_ceil(threads) {
                    let dir = TestDir::new();
                    // Up to two interrupted starts, one after the other, on the same folder.
                    for _ in 0..random.random_range(1..=2) {
                        let mut child = dir.launch(dir.command(&[], &[]));
                        thread::sleep(random.random_range(Duration::ZERO..longest));
                        child.kill().unwrap();
                        child.wait().unwrap();
                    }
                    let running = dir.serve(&[]);
                    let (status, _) = running.call("GET", "/api/me", None, &Value::Null).unwrap();
                    assert_eq!(status, 401);
                    running.kill();
                    assert_eq!(integrity(&dir), "ok");
                }
            });
        }
    });
    println!("killed starts: {}", kills());
}

#[test]
fn start_after_kills_at_any_moment_of_a_first_start_succeeds() {
    kill_starts(1);
}

#[test]
fn start_with_a_database_from_before_the_first_release_is_refused_and_changes_nothing() {
    let dir = TestDir::new();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    let path = data.join("gatehouse.sqlite");
    block_on(async {
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let connection = Database::connect(url).await.unwrap();
        for statement in [
            "CREATE TABLE seaql_migrations (version text NOT NULL PRIMARY KEY, applied_at integer NOT NULL)",
            "INSERT INTO seaql_migrations VALUES ('m0001_core', 0)",
        ] {
            connection.execute_unprepared(statement).await.unwrap();
        }
        connection.close().await.unwrap();
    });
    for error in
        [dir.startup_error(&[]), String::from_utf8(dir.run(&["user", "list"], &[]).stderr).unwrap()]
    {
        assert!(error.contains("from before its first release"), "{error}");
        assert!(error.contains("move it away"), "{error}");
    }
    block_on(async {
        let connection = Database::connect(format!("sqlite://{}", path.display())).await.unwrap();
        let select = Statement::from_string(
            connection.get_database_backend(),
            "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table'",
        );
        let row = connection.query_one_raw(select).await.unwrap().unwrap();
        let tables: String = row.try_get_by_index(0).unwrap();
        assert_eq!(tables, "seaql_migrations");
    });
}

#[test]
fn start_of_several_processes_at_once_on_an_empty_folder_succeeds() {
    for _ in 0..6 {
        let dir = TestDir::new();
        let input = "correct horse battery\n";
        thread::scope(|scope| {
            let servers: Vec<_> = (0..2).map(|_| scope.spawn(|| dir.serve(&[]))).collect();
            let create =
                scope.spawn(|| dir.run_with(&["user", "create", "eve", "--admin"], &[], input));
            let keys = scope.spawn(|| dir.run(&["keys", "list"], &[]));
            let seed = scope.spawn(|| dir.run(&["seed", "--users", "2"], &[]));
            for output in [create, keys, seed].map(|command| command.join().unwrap()) {
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            let servers: Vec<_> =
                servers.into_iter().map(|server| server.join().unwrap()).collect();
            let body = json!({ "username": "eve", "password": "correct horse battery" });
            for server in servers {
                assert_eq!(server.call("POST", "/api/auth/login", None, &body).unwrap().0, 200);
                assert_eq!(server.stop(), Some(0));
            }
        });
        assert_eq!(integrity(&dir), "ok");
    }
}

#[test]
fn termination_during_a_start_ends_it_cleanly() {
    let longest = time_of_a_start();
    let mut random = StdRng::seed_from_u64(4);
    for _ in 0..12 {
        let dir = TestDir::new();
        let mut child = dir.launch(dir.command(&[], &[]));
        thread::sleep(random.random_range(Duration::ZERO..longest));
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = child.wait().unwrap();
        // The signal may arrive before the first instruction of the program.
        let came_too_early = status.signal() == Some(15) && !dir.path().join("data").exists();
        assert!(status.code() == Some(0) || came_too_early, "{status}: {}", dir.log());
        dir.serve(&[]).kill();
    }
}

#[test]
fn start_with_the_journal_of_another_database_is_refused_and_changes_nothing() {
    let dir = TestDir::new();
    let (database, wal) =
        (dir.path().join("data/gatehouse.sqlite"), dir.path().join("data/gatehouse.sqlite-wal"));
    let seed = |users: &str| assert!(dir.run(&["seed", "--users", users], &[]).status.success());
    seed("100");
    dir.serve(&[]).stop();
    let backup = fs::read(&database).unwrap();
    seed("3000");
    dir.serve(&[]).stop();
    let running = dir.serve(&[]);
    let body = json!({ "username": "ada", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
    running.kill();
    assert!(fs::metadata(&wal).unwrap().len() > 0);
    let journal = fs::read(&wal).unwrap();

    // A backup replaces the database: in the same file, and as another file.
    for as_another_file in [false, true] {
        if as_another_file {
            fs::write(dir.path().join("put back"), &backup).unwrap();
            fs::rename(dir.path().join("put back"), &database).unwrap();
        } else {
            fs::write(&database, &backup).unwrap();
        }
        for _ in 0..2 {
            let text = dir.startup_error(&[]);
            assert!(text.contains("do not fit together") && text.contains("-wal"), "{text}");
            let output = dir.run(&["user", "list"], &[]);
            assert_eq!(output.status.code(), Some(1));
            assert!(fs::read(&database).unwrap() == backup, "the backup is left as it is");
            assert!(fs::read(&wal).unwrap() == journal, "the journal is left as it is");
        }
    }
    // The advice of the message works.
    fs::remove_file(&wal).unwrap();
    fs::remove_file(dir.path().join("data/gatehouse.sqlite-shm")).unwrap();
    let running = dir.serve(&[]);
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
}

#[test]
fn start_after_a_kill_takes_the_journal_also_where_the_folder_was_moved() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let body = json!({ "username": "ada", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
    running.kill();
    for arguments in [&["-r"][..], &["-a"]] {
        let copied = Command::new("cp")
            .args(arguments)
            .args(["data", "copy"])
            .current_dir(dir.path())
            .status();
        assert!(copied.unwrap().success());
        let running = dir.serve(&[("GATEHOUSE_DATA_DIR", "copy")]);
        assert_eq!(
            running.call("POST", "/api/auth/register", None, &body).unwrap().0,
            409,
            "the account is there"
        );
        crate::process::within_a_second(|| {
            dir.log().contains("the database and its journal are sound")
        });
        running.kill();
        fs::remove_dir_all(dir.path().join("copy")).unwrap();
    }
    fs::remove_file(dir.path().join("log")).unwrap();
    let running = dir.serve(&[]);
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 409);
    assert_eq!(running.stop(), Some(0));
    assert!(
        !dir.log().contains("checking the database"),
        "nothing was changed since the kill: {}",
        dir.log()
    );
}

#[test]
fn start_after_a_kill_behind_a_checkpoint_does_not_check_the_whole_database() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let body = json!({ "username": "ada", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
    let database = dir.path().join("data/gatehouse.sqlite");
    let url = format!("sqlite://{}", database.display());
    block_on(async {
        let connection = Database::connect(url).await.unwrap();
        connection.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
        // Closed while the server is open: the journal stays.
        connection.close().await.unwrap();
    });
    running.kill();
    let changed = |path| fs::metadata(path).unwrap().modified().unwrap();
    let journal = dir.path().join("data/gatehouse.sqlite-wal");
    assert!(fs::metadata(&journal).unwrap().len() > 0);
    assert!(changed(&database) > changed(&journal), "the database was written last");
    let running = dir.serve(&[]);
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 409);
    assert_eq!(running.stop(), Some(0));
    assert!(!dir.log().contains("checking the database"), "{}", dir.log());
}

#[test]
fn second_start_waits_for_the_one_that_prepares_the_database() {
    let dir = TestDir::new();
    fs::create_dir(dir.path().join("data")).unwrap();
    let lock = fs::File::create(dir.path().join("data/gatehouse.sqlite-lock")).unwrap();
    lock.lock().unwrap();
    let mut child = dir.launch(dir.command(&[], &[]));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    crate::process::within_a_second(|| dir.log().contains("waiting for another process"));
    assert!(!dir.path().join("data/gatehouse.sqlite").exists());
    drop(lock);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("listening"), "{line}");
    child.kill().unwrap();
    output.read_to_string(&mut line).unwrap();
    child.wait().unwrap();
}
