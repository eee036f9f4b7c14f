//! Starts that are interrupted: every later start succeeds. Several at once do not disturb each
//! other.

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

use crate::process::Place;

/// A database as the program made it that knew the first migration alone, with an account.
const FIRST: &str = include_str!("databases/m0001.sql");
/// The same with the first five migrations.
const FIFTH: &str = include_str!("databases/m0005.sql");

/// How many starts are killed: in `make test` as many as take some seconds, in `make soak` more.
fn kills() -> u32 {
    std::env::var("GATEHOUSE_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(24)
}

/// Runs SQL on a database in the folder of a test.
fn execute(place: &Place, sql: &str) {
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    let url = format!("sqlite://{}?mode=rwc", data.join("gatehouse.sqlite").display());
    block_on(async {
        let connection = Database::connect(url).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// What SQLite's check of a database says.
fn integrity(place: &Place) -> String {
    let url = format!("sqlite://{}", place.path().join("data/gatehouse.sqlite").display());
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

/// How long a first start takes here.
fn time_of_a_start() -> Duration {
    let place = Place::new();
    let began = Instant::now();
    place.serve(&[]).kill();
    began.elapsed()
}

/// Kills starts at random moments, and looks whether the next one succeeds.
fn kill_starts(prepare: impl Fn(&Place) + Sync, seed: u64) {
    let longest = time_of_a_start();
    let threads = 3;
    thread::scope(|scope| {
        for thread in 0..threads {
            let prepare = &prepare;
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(seed + u64::from(thread));
                for _ in 0..kills().div_ceil(threads) {
                    let place = Place::new();
                    prepare(&place);
                    // Up to two interrupted starts, one after the other, on the same folder.
                    for _ in 0..random.random_range(1..=2) {
                        let mut child = place.launch(place.command(&[], &[]));
                        thread::sleep(random.random_range(Duration::ZERO..longest));
                        child.kill().unwrap();
                        child.wait().unwrap();
                    }
                    let running = place.serve(&[]);
                    let (status, _) = running.call("GET", "/api/me", None, &Value::Null).unwrap();
                    assert_eq!(status, 401);
                    running.kill();
                    assert_eq!(integrity(&place), "ok");
                }
            });
        }
    });
    println!("killed starts: {}", kills());
}

#[test]
fn start_after_kills_at_any_moment_of_a_first_start_succeeds() {
    kill_starts(|_| {}, 1);
}

#[test]
fn start_after_kills_at_any_moment_of_an_upgrade_succeeds() {
    kill_starts(|place| execute(place, FIRST), 2);
    kill_starts(|place| execute(place, FIFTH), 3);
}

#[test]
fn upgrade_of_a_database_of_an_earlier_version_keeps_its_accounts() {
    for database in [FIRST, FIFTH] {
        let place = Place::new();
        execute(&place, database);
        let running = place.serve(&[]);
        let body = json!({ "username": "ada", "password": "correct horse battery" });
        assert_eq!(running.call("POST", "/api/auth/login", None, &body).unwrap().0, 200);
        assert_eq!(running.stop(), Some(0));
        assert_eq!(integrity(&place), "ok");
    }
}

#[test]
fn start_of_several_processes_at_once_on_an_empty_folder_succeeds() {
    for round in 0..6 {
        let place = Place::new();
        if round % 2 == 1 {
            execute(&place, FIRST);
        }
        let input = "correct horse battery\n";
        thread::scope(|scope| {
            let servers: Vec<_> = (0..2).map(|_| scope.spawn(|| place.serve(&[]))).collect();
            let create =
                scope.spawn(|| place.run_with(&["user", "create", "eve", "--admin"], &[], input));
            let keys = scope.spawn(|| place.run(&["keys", "list"], &[]));
            let seed = scope.spawn(|| place.run(&["seed", "--users", "2"], &[]));
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
        assert_eq!(integrity(&place), "ok");
    }
}

#[test]
fn termination_during_a_start_ends_it_cleanly() {
    let longest = time_of_a_start();
    let mut random = StdRng::seed_from_u64(4);
    for _ in 0..12 {
        let place = Place::new();
        let mut child = place.launch(place.command(&[], &[]));
        thread::sleep(random.random_range(Duration::ZERO..longest));
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = child.wait().unwrap();
        // The system ends a program that has not got as far as its first instruction.
        let came_too_early = status.signal() == Some(15) && !place.path().join("data").exists();
        assert!(status.code() == Some(0) || came_too_early, "{status}: {}", place.log());
        place.serve(&[]).kill();
    }
}

#[test]
fn start_with_the_journal_of_another_database_is_refused_and_changes_nothing() {
    let place = Place::new();
    let (database, wal) = (
        place.path().join("data/gatehouse.sqlite"),
        place.path().join("data/gatehouse.sqlite-wal"),
    );
    let seed = |users: &str| assert!(place.run(&["seed", "--users", users], &[]).status.success());
    seed("100");
    place.serve(&[]).stop();
    let backup = fs::read(&database).unwrap();
    seed("3000");
    place.serve(&[]).stop();
    let running = place.serve(&[]);
    let body = json!({ "username": "ada", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
    running.kill();
    assert!(fs::metadata(&wal).unwrap().len() > 0);
    let journal = fs::read(&wal).unwrap();

    // The backup takes the database's place: in the same file, and as another one.
    for as_another_file in [false, true] {
        if as_another_file {
            fs::write(place.path().join("put back"), &backup).unwrap();
            fs::rename(place.path().join("put back"), &database).unwrap();
        } else {
            fs::write(&database, &backup).unwrap();
        }
        for _ in 0..2 {
            let text = place.complaint(&[]);
            assert!(text.contains("do not fit together") && text.contains("-wal"), "{text}");
            let output = place.run(&["user", "list"], &[]);
            assert_eq!(output.status.code(), Some(1));
            assert!(fs::read(&database).unwrap() == backup, "the backup is left as it is");
            assert!(fs::read(&wal).unwrap() == journal, "the journal is left as it is");
        }
    }
    // What the message says helps.
    fs::remove_file(&wal).unwrap();
    fs::remove_file(place.path().join("data/gatehouse.sqlite-shm")).unwrap();
    let running = place.serve(&[]);
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
}

#[test]
fn start_after_a_kill_takes_the_journal_also_where_the_folder_was_moved() {
    let place = Place::new();
    let running = place.serve(&[]);
    let body = json!({ "username": "ada", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
    running.kill();
    for arguments in [&["-r"][..], &["-a"]] {
        let copied = Command::new("cp")
            .args(arguments)
            .args(["data", "copy"])
            .current_dir(place.path())
            .status();
        assert!(copied.unwrap().success());
        let running = place.serve(&[("GATEHOUSE_DATA_DIR", "copy")]);
        assert_eq!(
            running.call("POST", "/api/auth/register", None, &body).unwrap().0,
            409,
            "the account is there"
        );
        crate::process::within_a_second(|| {
            place.log().contains("the database and its journal are sound")
        });
        running.kill();
        fs::remove_dir_all(place.path().join("copy")).unwrap();
    }
    fs::remove_file(place.path().join("log")).unwrap();
    let running = place.serve(&[]);
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).unwrap().0, 409);
    assert_eq!(running.stop(), Some(0));
    assert!(
        !place.log().contains("checking the database"),
        "nothing was changed since the kill: {}",
        place.log()
    );
}

#[test]
fn second_start_waits_for_the_one_that_prepares_the_database() {
    let place = Place::new();
    fs::create_dir(place.path().join("data")).unwrap();
    let lock = fs::File::create(place.path().join("data/gatehouse.sqlite-lock")).unwrap();
    lock.lock().unwrap();
    let mut child = place.launch(place.command(&[], &[]));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    crate::process::within_a_second(|| place.log().contains("waiting for another process"));
    assert!(!place.path().join("data/gatehouse.sqlite").exists());
    drop(lock);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("listening"), "{line}");
    child.kill().unwrap();
    output.read_to_string(&mut line).unwrap();
    child.wait().unwrap();
}
