//! Metrics of the running program: each figure is moved by the event that it counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    process::{RunningServer, TestDir, within},
    shutdown::running_download,
    smtp::{Behaviour, SmtpServer},
};

const PASSWORD: &str = "correct horse battery";
const SECOND: Duration = Duration::from_secs(1);
/// Settings of a server with metrics.
const METRICS: (&str, &str) = ("GATEHOUSE_METRICS_ADDR", "127.0.0.1:0");
const NO_LIMITS: (&str, &str) = ("GATEHOUSE_RATE_LIMITS", "off");

/// Returns the whole response to a request.
fn ask(address: &str, method: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn status(address: &str, path: &str) -> String {
    let answer = ask(address, "GET", path).unwrap_or_default();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Returns the address of the metrics, once it is in the log.
pub fn metrics_address(dir: &TestDir) -> String {
    let find = || {
        let log = dir.log();
        let line = log.lines().rfind(|line| line.contains("metrics are served"))?;
        Some(line.split("address=").nth(1)?.trim().to_owned())
    };
    within(30 * SECOND, || find().is_some());
    find().unwrap()
}

/// Returns the value of a time series; 0 without it.
pub fn metric(address: &str, series: &str) -> f64 {
    let text = ask(address, "GET", "/metrics").unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(series));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

/// A server with metrics.
struct Monitored {
    dir: TestDir,
    running: RunningServer,
    metrics: String,
}

impl Monitored {
    fn start(settings: &[(&str, &str)]) -> Self {
        let dir = TestDir::new();
        let running = dir.serve(&[&[METRICS, NO_LIMITS], settings].concat());
        let metrics = metrics_address(&dir);
        Self { dir, running, metrics }
    }

    fn text(&self) -> String {
        let answer = ask(&self.metrics, "GET", "/metrics").unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        text.to_owned()
    }

    /// Returns every time series with its value.
    fn scrape(&self) -> BTreeMap<String, f64> {
        let text = self.text();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series.to_owned(), value.parse().unwrap())
            })
            .collect()
    }

    /// Asserts that an action adds exactly these to the time series.
    fn adds<T>(&self, expected: &[(&str, f64)], action: impl FnOnce() -> T) -> T {
        let before = self.scrape();
        let done = action();
        let after = self.scrape();
        for (series, added) in expected {
            let of = |scrape: &BTreeMap<String, f64>| scrape.get(*series).copied().unwrap_or(0.0);
            let difference = of(&after) - of(&before);
            assert!((difference - added).abs() < 1e-9, "{series}: {difference}, not {added}");
        }
        done
    }

    /// Returns the last success of a background task, in seconds of Unix time.
    fn last_success(&self, task: &str) -> f64 {
        let series =
            format!("gatehouse_background_task_last_success_timestamp_seconds{{task=\"{task}\"}}");
        self.scrape()[&series]
    }

    /// Waits until the tasks that run at the start, and then every ten minutes, have run.
    fn await_cleanup(&self) {
        for task in ["cleanup", "orphan_sweep", "deletions"] {
            within(30 * SECOND, || self.last_success(task) > 0.0);
        }
    }

    fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.running.call(method, path, token, body).unwrap()
    }

    fn register(&self, name: &str) {
        let body = json!({ "username": name, "password": PASSWORD });
        assert_eq!(self.call("POST", "/api/auth/register", None, &body).0, 201);
    }

    fn try_login(&self, name: &str, password: &str) -> (u16, Value) {
        let body = json!({ "username": name, "password": password });
        self.call("POST", "/api/auth/login", None, &body)
    }

    /// Logs in and returns the access and the refresh token.
    fn login(&self, name: &str) -> (String, String) {
        let (status, pair) = self.try_login(name, PASSWORD);
        assert_eq!(status, 200, "{pair}");
        let token = |member: &str| pair[member].as_str().unwrap().to_owned();
        (token("access_token"), token("refresh_token"))
    }

    fn refresh(&self, token: &str) -> (u16, Value) {
        self.call("POST", "/api/auth/refresh", Some(token), &Value::Null)
    }
}

#[test]
fn requests_are_counted_by_endpoint_method_and_status() {
    let server = Monitored::start(&[]);
    let requests = |method: &str, endpoint: &str, status: &str| {
        format!(
            "gatehouse_http_requests_total{{endpoint=\"{endpoint}\",method=\"{method}\",status=\"{status}\"}}"
        )
    };
    for (method, path, expected) in [
        ("GET", "/api/me", ("GET", "/api/me", "401")),
        ("GET", "/api/users?search=alice", ("GET", "/api/users", "401")),
        ("GET", "/login?redirect=%2Fprofile", ("GET", "page", "200")),
        ("GET", "/.well-known/jwks.json", ("GET", "/.well-known/jwks.json", "200")),
        ("GET", "/avatars/x.jpg", ("GET", "/avatars/{file}", "404")),
        ("GET", "/no/such/page", ("other", "other", "404")),
        ("PROPFIND", "/api/me", ("other", "other", "405")),
    ] {
        let (by, endpoint, status) = expected;
        let duration = format!(
            "gatehouse_http_request_duration_seconds_count{{endpoint=\"{endpoint}\",method=\"{by}\"}}"
        );
        let counter = requests(by, endpoint, status);
        let expected =
            [(&*counter, 1.0), (&*duration, 1.0), ("gatehouse_connections_accepted_total", 1.0)];
        server.adds(&expected, || ask(&server.running.address, method, path).unwrap());
    }
    // Health checks and scrapes are not counted.
    let before: f64 = requests_in_all(&server);
    for path in ["/livez", "/readyz"] {
        assert_eq!(status(&server.running.address, path), "200");
        assert_eq!(status(&server.metrics, path), "200");
    }
    assert!((requests_in_all(&server) - before).abs() < 1e-9);
}

fn requests_in_all(server: &Monitored) -> f64 {
    let scrape = server.scrape();
    let requests =
        scrape.iter().filter(|(series, _)| series.starts_with("gatehouse_http_requests_total"));
    requests.map(|(_, count)| count).sum()
}

#[test]
fn logins_are_counted_by_outcome_with_their_password_hashes() {
    let server = Monitored::start(&[]);
    server.register("alice");
    let hash = ("gatehouse_password_hash_duration_seconds_count", 1.0);
    let wait = ("gatehouse_password_hash_wait_seconds_count", 1.0);
    for (name, password, outcome, status) in [
        ("alice", PASSWORD, "succeeded", 200),
        ("alice", "wrong horse battery", "wrong_password", 401),
        ("bob", PASSWORD, "unknown_account", 401),
    ] {
        let series = format!("gatehouse_logins_total{{outcome=\"{outcome}\"}}");
        let (found, _) =
            server.adds(&[(&series, 1.0), hash, wait], || server.try_login(name, password));
        assert_eq!(found, status);
    }
    assert!(server.dir.run(&["user", "disable", "alice"], &[]).status.success());
    let disabled = [("gatehouse_logins_total{outcome=\"disabled\"}", 1.0)];
    assert_eq!(server.adds(&disabled, || server.try_login("alice", PASSWORD)).0, 403);
}

#[test]
fn logins_beyond_the_rate_limit_are_counted_as_throttled() {
    let limits = [("GATEHOUSE_RATE_LIMITS", "on"), ("GATEHOUSE_LOGIN_FAILURES_PER_ACCOUNT", "1")];
    let server = Monitored::start(&limits);
    assert_eq!(server.try_login("alice", PASSWORD).0, 401);
    let throttled = [
        ("gatehouse_logins_total{outcome=\"throttled\"}", 1.0),
        ("gatehouse_password_hash_duration_seconds_count", 0.0),
    ];
    assert_eq!(server.adds(&throttled, || server.try_login("alice", PASSWORD)).0, 429);
}

#[test]
fn password_hashes_that_wait_are_a_gauge_that_returns_to_zero() {
    let server = Monitored::start(&[]);
    let waiting = || server.scrape()["gatehouse_password_hashes_waiting"];
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| server.try_login("alice", PASSWORD));
        }
        within(30 * SECOND, || waiting() > 0.0);
    });
    within(5 * SECOND, || waiting() < 1.0);
}

#[test]
fn refreshes_are_counted_by_outcome() {
    let server = Monitored::start(&[]);
    server.register("alice");
    let outcome = |outcome: &str| format!("gatehouse_refreshes_total{{outcome=\"{outcome}\"}}");
    let (_, first) = server.login("alice");
    for (expected, status) in [("rotated", 200), ("repeated", 200)] {
        let (found, _) = server.adds(&[(&outcome(expected), 1.0)], || server.refresh(&first));
        assert_eq!(found, status, "{expected}");
    }
    let refused = [(&*outcome("refused"), 1.0)];
    assert_eq!(server.adds(&refused, || server.refresh("nonsense")).0, 401);

    // Without a grace period, from the next second on.
    let server = Monitored::start(&[("GATEHOUSE_REFRESH_GRACE_SECONDS", "0")]);
    server.register("alice");
    let (_, first) = server.login("alice");
    let (_, lost) = server.refresh(&first);
    thread::sleep(Duration::from_millis(1100));
    let (status, _) = server.adds(&[(&outcome("replaced"), 1.0)], || server.refresh(&first));
    assert_eq!(status, 200);
    let lost = lost["refresh_token"].as_str().unwrap().to_owned();
    let reuse =
        [(&*outcome("reuse"), 1.0), ("gatehouse_sessions_revoked_total{reason=\"reuse\"}", 1.0)];
    assert_eq!(server.adds(&reuse, || server.refresh(&lost)).0, 401);
    // From now on its tokens are those of a revoked session.
    let again = [("gatehouse_sessions_revoked_total{reason=\"reuse\"}", 0.0)];
    assert_eq!(server.adds(&again, || server.refresh(&lost)).0, 401);

    let limits = [("GATEHOUSE_RATE_LIMITS", "on"), ("GATEHOUSE_REFRESHES_PER_SESSION", "1")];
    let server = Monitored::start(&limits);
    server.register("alice");
    let (_, first) = server.login("alice");
    assert_eq!(server.refresh(&first).0, 200);
    assert_eq!(server.adds(&[(&outcome("throttled"), 1.0)], || server.refresh(&first)).0, 429);
}

#[test]
fn revocations_are_counted_by_reason() {
    let server = Monitored::start(&[]);
    let created = server.dir.run_with(
        &["user", "create", "root@example.com", "--admin"],
        &[],
        &format!("{PASSWORD}\n"),
    );
    assert!(created.status.success(), "{created:?}");
    for name in ["alice", "bob"] {
        server.register(name);
    }
    let ok = |(status, body): (u16, Value)| assert_eq!(status, 200, "{body}");
    let revoked = |reason: &str| format!("gatehouse_sessions_revoked_total{{reason=\"{reason}\"}}");

    let (access, _) = server.login("alice");
    ok(server.adds(&[(&revoked("logout"), 1.0)], || {
        server.call("DELETE", "/api/auth/logout", Some(&access), &Value::Null)
    }));
    let (access, _) = server.login("alice");
    for _ in 0..2 {
        server.login("alice");
    }
    ok(server.adds(&[(&revoked("other_session"), 2.0), (&revoked("logout"), 0.0)], || {
        server.call("DELETE", "/api/me/sessions", Some(&access), &Value::Null)
    }));
    server.login("alice");
    ok(server.adds(&[(&revoked("password_changed"), 1.0)], || {
        let body = json!({ "current_password": PASSWORD, "password": "another battery staple" });
        server.call("POST", "/api/me/password", Some(&access), &body)
    }));
    ok(server.adds(&[(&revoked("account_deleted"), 1.0)], || {
        server.call("DELETE", "/api/me", Some(&access), &json!({ "username": "alice" }))
    }));

    let (root, _) = server.login("root@example.com");
    let bob = server.login("bob").0;
    let (_, bob) = server.call("GET", "/api/me", Some(&bob), &Value::Null);
    for (change, reason) in [
        (json!({ "id": bob["id"], "end_sessions": true }), "administrator"),
        (json!({ "id": bob["id"], "disabled": true }), "account_disabled"),
    ] {
        ok(server.adds(&[(&revoked(reason), 1.0)], || {
            server.call("PATCH", "/api/users", Some(&root), &change)
        }));
        if reason == "administrator" {
            server.login("bob");
        }
    }
}

#[test]
fn revocations_by_newer_logins_are_counted() {
    let server = Monitored::start(&[]);
    server.register("alice");
    for _ in 0..100 {
        server.login("alice");
    }
    let newer = [("gatehouse_sessions_revoked_total{reason=\"newer_login\"}", 1.0)];
    server.adds(&newer, || server.login("alice"));
}

#[test]
fn caches_commits_and_uploads_are_counted() {
    let server = Monitored::start(&[]);
    server.await_cleanup();
    let committed =
        [("gatehouse_commit_duration_seconds_count", 1.0), ("gatehouse_commit_changes_sum", 1.0)];
    server.adds(&committed, || server.register("alice"));
    let (access, refresh) = server.login("alice");
    let me = || server.call("GET", "/api/me", Some(&access), &Value::Null);
    let of = |cache: &str, result: &str| {
        format!("gatehouse_cache_requests_total{{cache=\"{cache}\",result=\"{result}\"}}")
    };
    let [hit, miss] = ["hit", "miss"].map(|result| of("sessions", result));
    let from_memory = [(&*hit, 1.0), (&*miss, 0.0)];
    server.adds(&[(&*miss, 1.0)], me);
    // Other lookups of the account are behind `GET /api/me`.
    let before = server.scrape();
    server.adds(&from_memory, me);
    assert!(server.scrape()[&of("users", "hit")] > before[&of("users", "hit")]);
    // A refresh changes the session, and it stays in the cache.
    let (status, renewed) = server.adds(&[(&*miss, 0.0)], || {
        server.call("POST", "/api/auth/refresh", Some(&refresh), &Value::Null)
    });
    assert_eq!(status, 200, "{renewed}");
    let renewed = renewed["access_token"].as_str().unwrap();
    let (status, _) =
        server.adds(&from_memory, || server.call("GET", "/api/me", Some(renewed), &Value::Null));
    assert_eq!(status, 200);

    let image = image::RgbImage::from_pixel(8, 8, image::Rgb([1, 2, 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let bytes = bytes.into_inner();
    let uploaded =
        [("gatehouse_upload_bytes_total", f64::from(u32::try_from(bytes.len()).unwrap()))];
    let (status, _) = server
        .adds(&uploaded, || server.running.send("PUT", "/api/me/avatar", Some(&access), &bytes))
        .unwrap();
    assert_eq!(status, 200);

    let elsewhere = server.dir.path().join("moved");
    fs::rename(server.dir.path().join("data/gatehouse.sqlite"), elsewhere).unwrap();
    let before = server.scrape()["gatehouse_commit_failures_total"];
    let body = json!({ "username": "carol", "password": PASSWORD });
    assert_eq!(server.call("POST", "/api/auth/register", None, &body).0, 503);
    within(5 * SECOND, || server.scrape()["gatehouse_commit_failures_total"] > before);
}

#[test]
fn messages_are_counted_by_outcome() {
    let smtp = SmtpServer::start();
    let url = smtp.url();
    let server = Monitored::start(&[
        ("GATEHOUSE_MAIL_URL", &url),
        ("GATEHOUSE_MAIL_FROM", "no-reply@accounts.example"),
        ("GATEHOUSE_PUBLIC_URL", "https://accounts.example"),
    ]);
    server.register("ada@example.com");
    assert!(server.dir.run(&["user", "verify", "ada@example.com"], &[]).status.success());
    server.login("ada@example.com");
    for (behaviour, outcome) in [
        (Behaviour::Accept, "sent"),
        (Behaviour::Answer("RCPT", "450 4.2.1 greylisted"), "retried"),
        (Behaviour::Answer("RCPT", "550 5.1.1 no such user"), "failed"),
    ] {
        smtp.set(behaviour);
        let series = format!("gatehouse_mail_messages_total{{outcome=\"{outcome}\"}}");
        let before = server.scrape()[&series];
        // An alert of a new device.
        server.login("ada@example.com");
        within(10 * SECOND, || server.scrape()[&series] > before);
    }
    smtp.set(Behaviour::Down);
    server.login("ada@example.com");
    within(15 * SECOND, || server.scrape()["gatehouse_mail_messages_waiting"] > 0.0);
    for task in ["mail", "mail_count"] {
        within(10 * SECOND, || server.last_success(task) > 1_700_000_000.0);
    }
}

#[test]
fn background_tasks_report_their_last_success() {
    let server = Monitored::start(&[]);
    for task in
        ["poll_changes", "poll_keys", "acknowledgements", "cleanup", "orphan_sweep", "deletions"]
    {
        within(10 * SECOND, || server.last_success(task) > 1_700_000_000.0);
    }
    let first = server.last_success("poll_changes");
    within(10 * SECOND, || server.last_success("poll_changes") > first);
}

#[test]
fn process_and_database_are_described() {
    let server = Monitored::start(&[]);
    // The address is announced a moment before it is served.
    assert_eq!(status(&server.running.address, "/livez"), "200");
    // A connection is returned to its pool some time after its query.
    let idle = "gatehouse_database_connections{pool=\"read\",state=\"idle\"}";
    within(5 * SECOND, || server.scrape()[idle] > 0.0);
    let scrape = server.scrape();
    let version = env!("CARGO_PKG_VERSION");
    assert!((scrape[&format!("gatehouse_build_info{{version=\"{version}\"}}")] - 1.0).abs() < 1e-9);
    for (series, min, max) in [
        ("process_start_time_seconds", 1_700_000_000.0, 1e11),
        ("process_resident_memory_bytes", 1e6, 1e10),
        ("process_open_fds", 5.0, 1000.0),
        ("process_max_fds", 100.0, 1e19),
        ("process_cpu_seconds_total", 0.0, 1000.0),
        ("gatehouse_connections_max", 10.0, 4096.0),
        ("gatehouse_database_connections_max{pool=\"read\"}", 1.0, 100.0),
    ] {
        assert!((min..=max).contains(&scrape[series]), "{series}: {}", scrape[series]);
    }
}

#[test]
fn metrics_and_health_checks_are_served_while_the_main_address_is_overloaded() {
    let server = Monitored::start(&[("GATEHOUSE_MAX_CONNECTIONS", "3")]);
    let held: Vec<_> =
        (0..3).map(|_| TcpStream::connect(&server.running.address).unwrap()).collect();
    let refused = [("gatehouse_connections_refused_total{limit=\"total\"}", 1.0)];
    server.adds(&refused, || assert_eq!(status(&server.running.address, "/login"), "503"));
    let connections = || server.scrape()["gatehouse_connections"];
    assert!((connections() - 3.0).abs() < 1e-9, "{}", connections());
    assert_eq!(status(&server.metrics, "/readyz"), "200");
    drop(held);
    within(5 * SECOND, || connections() < 1.0);
}

#[test]
fn health_checks_at_the_metrics_address_follow_start_and_shutdown() {
    let dir = TestDir::new();
    fs::create_dir(dir.path().join("data")).unwrap();
    let lock = File::create(dir.path().join("data/gatehouse.sqlite-lock")).unwrap();
    // As another process that migrates the database.
    lock.lock().unwrap();
    let child = dir.launch(dir.command(&[], &[METRICS]));
    let metrics = metrics_address(&dir);
    assert_eq!(
        (status(&metrics, "/livez"), status(&metrics, "/readyz")),
        ("200".into(), "503".into())
    );
    assert_eq!(status(&metrics, "/metrics"), "200");
    drop(lock);
    let running = dir.await_address(child);
    within(10 * SECOND, || status(&metrics, "/readyz") == "200");
    let (_download, _) = running_download(&running);
    running.signal("TERM");
    within(2 * SECOND, || status(&metrics, "/readyz") == "503");
    assert_eq!(status(&metrics, "/livez"), "200");
}

#[test]
fn invariant_52_metrics_are_not_served_by_default_nor_with_the_api_and_name_no_user() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    assert_eq!(status(&running.address, "/metrics"), "404");
    assert!(!dir.log().contains("metrics are served"));

    let server = Monitored::start(&[]);
    assert_eq!(status(&server.running.address, "/metrics"), "404");
    for path in ["/", "/api/me", "/login", "/metrics/x"] {
        assert_eq!(status(&server.metrics, path), "404", "{path}");
    }
    let answer = ask(&server.metrics, "POST", "/metrics").unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let visit = |name: &str| {
        let address = &server.running.address;
        for path in ["/api/x", "/avatars/x", "/pkg/x", "/login?x=", "/x/"] {
            ask(address, "GET", &path.replace('x', name)).unwrap();
        }
        ask(address, name, "/login").unwrap();
        server.try_login(name, PASSWORD);
    };
    visit("ALICE");
    let before: Vec<_> = server.scrape().into_keys().collect();
    for name in ["BOB", "CAROL"] {
        visit(name);
    }
    let after: Vec<_> = server.scrape().into_keys().collect();
    assert_eq!(before, after, "requests add no time series");
    let text = server.text().to_lowercase();
    for secret in ["alice", "bob", "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn starting_with_a_metrics_address_that_cannot_be_used_fails_and_names_the_setting() {
    let dir = TestDir::new();
    for (addr, part) in [
        ("nowhere", "no address with a port"),
        ("192.0.2.1:9100", "cannot listen on 192.0.2.1:9100"),
    ] {
        let error = dir.startup_error(&[("GATEHOUSE_METRICS_ADDR", addr)]);
        assert!(error.contains("GATEHOUSE_METRICS_ADDR") && error.contains(part), "{error}");
    }
    for other in ["127.0.0.1:4000", "0.0.0.0:4000"] {
        let settings = [("GATEHOUSE_ADDR", "127.0.0.1:4000"), ("GATEHOUSE_METRICS_ADDR", other)];
        let error = dir.startup_error(&settings);
        assert!(
            error.contains("GATEHOUSE_METRICS_ADDR") && error.contains("port of their own"),
            "{error}"
        );
    }
    assert!(!dir.path().join("data").exists(), "nothing was changed");
}

#[test]
fn starting_with_a_metrics_address_in_use_fails_and_names_the_setting() {
    let dir = TestDir::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let error = dir.startup_error(&[("GATEHOUSE_METRICS_ADDR", &addr)]);
    assert!(error.contains(&addr) && error.contains("in use"), "{error}");
    assert!(error.contains("GATEHOUSE_METRICS_ADDR"), "{error}");
}

/// Returns a file below `docs/`.
fn documentation(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// Returns the metrics of the exposition: name, type and labels.
fn exposed(server: &Monitored) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = server.text();
    let mut metrics = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            name.clone_into(&mut last);
            metrics.insert(last.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((_, labels)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let labels = labels.rsplit_once('}').unwrap().0;
            let (_, of_metric) = metrics.get_mut(&last).unwrap();
            // Values with commas would split wrongly, and have no `=`.
            let names =
                labels.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
            of_metric.extend(names.filter(|label| label != "le"));
        }
    }
    metrics
}

#[test]
fn documentation_lists_every_metric_with_type_and_labels() {
    let server = Monitored::start(&[]);
    assert_eq!(status(&server.running.address, "/login"), "200");
    let page = documentation("metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let listed: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let labels = cells[3].split(',').map(|label| label.trim().trim_matches('`').to_owned());
            let labels = labels.filter(|label| !label.is_empty()).collect::<BTreeSet<_>>();
            (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
        })
        .collect();
    assert_eq!(listed, exposed(&server));
}

/// Returns the names of metrics in a text, without the suffixes of a histogram's time series.
fn names_in(text: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = text.split(|character| !is_name(character));
    words
        .filter(|word| word.starts_with("gatehouse_") || word.starts_with("process_"))
        .map(|word| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
            base.filter(|base| known.contains(*base)).unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn dashboard_and_alerts_use_existing_metrics_only() {
    let server = Monitored::start(&[]);
    assert_eq!(status(&server.running.address, "/login"), "200");
    let known: BTreeSet<_> = exposed(&server).into_keys().collect();
    let dashboard: Value = serde_json::from_str(&documentation("grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 15, "{queries:?}");
    for text in queries.iter().copied().chain([&*documentation("prometheus-alerts.yaml")]) {
        let used = names_in(text, &known);
        assert!(!used.is_empty(), "{text}");
        assert!(used.is_subset(&known), "{:?}", used.difference(&known));
    }
    // The dashboard leaves out what has no rate or state worth a panel.
    let shown = names_in(&queries.join(" "), &known);
    let hidden: Vec<_> = known.difference(&shown).map(String::as_str).collect();
    assert_eq!(hidden, ["process_max_fds", "process_open_fds"]);
}
