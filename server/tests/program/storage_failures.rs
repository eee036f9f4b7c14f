//! Storage failures: full disks and moved files. Acknowledged changes are kept, refused ones are
//! not made.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir, within_a_second};

const PASSWORD: &str = "correct horse battery";
/// Path of the database below the test folder.
const DATABASE: &str = "data/gatehouse.sqlite";

impl RunningServer {
    fn register(&self, username: &str) -> u16 {
        let body = json!({ "username": username, "password": PASSWORD });
        self.call("POST", "/api/auth/register", None, &body).unwrap().0
    }

    fn session(&self, username: &str) -> String {
        let body = json!({ "username": username, "password": PASSWORD });
        let (status, body) = self.call("POST", "/api/auth/login", None, &body).unwrap();
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn whoami(&self, token: &str) -> (u16, Value) {
        self.call("GET", "/api/me", Some(token), &Value::Null).unwrap()
    }

    fn rename(&self, token: &str, nickname: &str) -> u16 {
        self.call("PATCH", "/api/me", Some(token), &json!({ "nickname": nickname })).unwrap().0
    }

    fn logout(&self, token: &str) -> u16 {
        self.call("DELETE", "/api/auth/logout", Some(token), &Value::Null).unwrap().0
    }
}

/// Returns whether the output of `gatehouse user list --json` has an account.
fn lists(mut command: Command, username: &str) -> bool {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().contains(&format!("\"username\":\"{username}\""))
}

/// Makes changes before, while and after the disk is full, and checks them over HTTP, in another
/// process (`list`) and after a restart.
fn full_disk_loses_nothing(
    dir: &TestDir,
    running: RunningServer,
    list: impl Fn(&RunningServer) -> Command,
    fill: impl Fn(&RunningServer),
    empty: impl Fn(&RunningServer),
    again: impl Fn(RunningServer) -> RunningServer,
) {
    assert_eq!(running.register("alice"), 201);
    let (token, other) = (running.session("alice"), running.session("alice"));
    assert_eq!(running.rename(&token, "before"), 200);
    for round in 0..2 {
        fill(&running);
        for refused in ["one", "two", "three"] {
            assert_eq!(running.rename(&token, refused), 503);
        }
        assert_eq!(running.logout(&other), 503);
        assert_eq!(running.register(&format!("refused{round}")), 503);
        empty(&running);
        let expected = if round == 0 { "before" } else { "after0" };
        assert_eq!(running.whoami(&token).1["nickname"], expected, "what was refused was not done");
        let name = format!("taken{round}");
        assert_eq!(running.register(&name), 201);
        running.session(&name);
        assert_eq!(running.rename(&token, &format!("after{round}")), 200);
        assert!(lists(list(&running), &name), "another process sees it at once");
        assert!(!lists(list(&running), &format!("refused{round}")));
    }
    assert_eq!(running.logout(&other), 200);
    assert_eq!(running.whoami(&other).0, 401);
    within_a_second(|| dir.log().contains("the database refused changes"));
    within_a_second(|| dir.log().contains("the database takes changes again"));

    let running = again(running);
    assert_eq!(running.whoami(&other).0, 401, "a log-out that was answered is kept");
    assert_eq!(running.whoami(&token).1["nickname"], "after1");
    for round in 0..2 {
        running.session(&format!("taken{round}"));
        assert_eq!(
            running.register(&format!("refused{round}")),
            201,
            "what was refused left nothing behind"
        );
    }
}

#[test]
fn invariant_50_changes_after_writes_that_failed_at_a_file_size_limit_are_kept() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_RATE_LIMITS", "off")]);
    let limit = |running: &RunningServer, bytes: Option<u64>| {
        let pid = Pid::from_raw(running.id().try_into().unwrap());
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    };
    let journal = dir.path().join(format!("{DATABASE}-wal"));
    full_disk_loses_nothing(
        &dir,
        running,
        |_| dir.command(&["user", "list", "--json"], &[]),
        |running| limit(running, Some(fs::metadata(&journal).unwrap().len())),
        |running| limit(running, None),
        |running| {
            running.kill();
            dir.serve(&[])
        },
    );
}

/// A full file system. Without the permission to mount one, the test says so and is skipped: the
/// test above does the same with a file size limit.
#[test]
fn invariant_50_changes_after_writes_to_a_full_disk_are_kept() {
    let may_mount =
        Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no file system can be mounted here (unshare -rm)");
        return;
    }
    let dir = TestDir::new();
    fs::create_dir(dir.path().join("data")).unwrap();
    let mut command = dir.command(&[], &[("GATEHOUSE_RATE_LIMITS", "off")]);
    let program = command.get_program().to_owned();
    let mut inside = Command::new("/usr/bin/env");
    inside
        .args(["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=2m none data && exec \"$0\""])
        .arg(&program);
    inside.current_dir(dir.path()).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    for (name, value) in command.env_clear().env("GATEHOUSE_ADDR", "127.0.0.1:0").get_envs() {
        inside.env(name, value.unwrap());
    }
    inside.env("GATEHOUSE_RATE_LIMITS", "off");
    let running = dir.serve_with_command(inside);
    // The file system in the server's mount namespace.
    let folder = Path::new("/proc")
        .join(running.id().to_string())
        .join("root")
        .join(dir.path().strip_prefix("/").unwrap());
    let filler = folder.join("data/filler");
    full_disk_loses_nothing(
        &dir,
        running,
        |running| {
            let mut inside = Command::new("nsenter");
            inside.args([
                "-U",
                "-m",
                "--preserve-credentials",
                "-t",
                &running.id().to_string(),
                "sh",
                "-c",
            ]);
            inside.arg("cd \"$1\" && exec \"$0\" user list --json").arg(&program).arg(dir.path());
            inside
        },
        |_| {
            let mut file = File::create(&filler).unwrap();
            while file.write_all(&[1; 4096]).is_ok() {}
        },
        |_| fs::remove_file(&filler).unwrap(),
        |running| {
            // A kill would unmount the file system, so a server outside of it checks the files.
            let copied = Command::new("cp")
                .arg("-a")
                .arg(folder.join("data"))
                .arg(dir.path().join("copy"))
                .status();
            assert!(copied.unwrap().success());
            running.kill();
            dir.serve(&[("GATEHOUSE_DATA_DIR", "copy"), ("GATEHOUSE_RATE_LIMITS", "off")])
        },
    );
}

#[test]
fn invariant_51_requests_with_moved_database_are_refused_until_it_is_back_and_lose_nothing() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_RATE_LIMITS", "off")]);
    assert_eq!(running.register("alice"), 201);
    let token = running.session("alice");
    let (database, elsewhere) = (dir.path().join(DATABASE), dir.path().join("data/elsewhere"));
    let (answered, next, is_over) =
        (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let name = format!("person{}", next.fetch_add(1, Ordering::Relaxed));
                    match running.register(&name) {
                        201 => answered.lock().unwrap().push(name),
                        status => assert_eq!(status, 503),
                    }
                }
            });
        }
        let count = || answered.lock().unwrap().len();
        for _ in 0..2 {
            let before = count();
            while count() == before {
                std::thread::yield_now();
            }
            fs::rename(&database, &elsewhere).unwrap();
            within_a_second(|| running.whoami(&token).0 == 503);
            assert_eq!(running.rename(&token, "refused"), 503);
            fs::rename(&elsewhere, &database).unwrap();
            within_a_second(|| running.whoami(&token).0 == 200);
        }
        let before = count();
        while count() == before {
            std::thread::yield_now();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    within_a_second(|| {
        dir.log().matches("was moved or removed while the server is running").count() >= 2
    });
    within_a_second(|| dir.log().contains("are in their place again"));
    running.kill();
    let running = dir.serve(&[("GATEHOUSE_RATE_LIMITS", "off")]);
    for name in answered.into_inner().unwrap() {
        assert_eq!(running.register(&name), 409, "{name} is lost");
    }
    assert_eq!(running.whoami(&token).1["nickname"], Value::Null);
}

#[test]
fn invariant_51_requests_with_replaced_or_removed_database_are_refused() {
    for (file, replace) in [
        (DATABASE.to_owned(), true),
        (DATABASE.to_owned(), false),
        (format!("{DATABASE}-wal"), true),
        (format!("{DATABASE}-wal"), false),
    ] {
        let dir = TestDir::new();
        let running = dir.serve(&[]);
        assert_eq!(running.register("alice"), 201);
        let token = running.session("alice");
        let path = dir.path().join(&file);
        if replace {
            fs::copy(&path, dir.path().join("another")).unwrap();
            fs::rename(dir.path().join("another"), &path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(
            running.rename(&token, "refused"),
            503,
            "{file}: at once, where it would be lost"
        );
        within_a_second(|| running.whoami(&token).0 == 503);
        assert_eq!(running.register("bob"), 503);
        within_a_second(|| dir.log().contains("ERROR"));
        if file == DATABASE {
            // No other process opens what may be another database with a foreign journal.
            assert_eq!(dir.run(&["user", "list"], &[]).status.code(), Some(1));
        }
        assert_eq!(running.stop(), Some(0));
    }
}
