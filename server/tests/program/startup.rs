use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::process::TestDir;

#[test]
fn start_without_configuration_serves() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let (status, body) = running.call("GET", "/api/me", None, &Value::Null).unwrap();
    assert_eq!((status, body["code"].as_str()), (401, Some("token_missing")));
    assert_eq!(running.stop(), Some(0), "{}", dir.log());
    let data = dir.path().join("data");
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let mode = if name == "objects" { 0o700 } else { 0o600 };
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, mode, "{name}");
        if name.ends_with("-wal") {
            assert_eq!(
                file.metadata().unwrap().len(),
                0,
                "closed cleanly: nothing is left in the journal"
            );
        } else if !name.ends_with("-shm") {
            names.push(name);
        }
    }
    names.sort();
    assert_eq!(names, ["gatehouse.sqlite", "gatehouse.sqlite-lock", "keys.json", "objects"]);
}

#[test]
fn start_on_a_used_port_fails_and_changes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = TestDir::new();
    let text = dir.startup_error(&[("GATEHOUSE_ADDR", &address)]);
    assert!(
        text.contains(&address) && text.contains("in use") && text.contains("GATEHOUSE_ADDR"),
        "{text}"
    );
    assert!(!dir.path().join("data").exists());
}

#[test]
fn start_with_unwritable_data_folder_fails_with_the_reason() {
    let dir = TestDir::new();
    fs::write(dir.path().join("data"), "a file in its place").unwrap();
    let text = dir.startup_error(&[]);
    assert!(text.contains("data folder") && text.contains("GATEHOUSE_DATA_DIR"), "{text}");
    assert_eq!(fs::read_to_string(dir.path().join("data")).unwrap(), "a file in its place");
}

#[test]
fn start_with_damaged_database_fails_and_leaves_it_unchanged() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    let file = dir.path().join("data/gatehouse.sqlite");
    let mut content = fs::read(&file).unwrap();
    content[..100].fill(b'x');
    fs::write(&file, &content).unwrap();
    let text = dir.startup_error(&[]);
    assert!(text.contains("damaged") && text.contains("backup"), "{text}");
    assert_eq!(fs::read(&file).unwrap(), content);
}

#[test]
fn start_with_settings_file_reads_it_and_reports_all_mistakes() {
    let dir = TestDir::new();
    fs::write(
        dir.path().join(".env"),
        "GATEHOUSE_PASSWORD_MIN_LENGHT=9\nGATEHOUSE_LOG_FORMAT=xml\n",
    )
    .unwrap();
    let text = dir.startup_error(&[]);
    assert!(text.contains("GATEHOUSE_PASSWORD_MIN_LENGTH?") && text.contains("(.env)"), "{text}");
    assert!(text.contains("GATEHOUSE_LOG_FORMAT"), "{text}");
    fs::write(dir.path().join(".env"), "this is = not ' a setting\n").unwrap();
    assert!(dir.startup_error(&[]).contains(".env cannot be read"));
}

#[test]
fn serve_beside_a_kubernetes_service_of_the_same_name_starts() {
    let dir = TestDir::new();
    let running = dir.serve(&[
        ("GATEHOUSE_SERVICE_HOST", "10.96.14.7"),
        ("GATEHOUSE_SERVICE_PORT", "80"),
        ("GATEHOUSE_SERVICE_PORT_HTTP", "80"),
        ("GATEHOUSE_PORT", "tcp://10.96.14.7:80"),
        ("GATEHOUSE_PORT_80_TCP", "tcp://10.96.14.7:80"),
        ("GATEHOUSE_PORT_80_TCP_PROTO", "tcp"),
        ("GATEHOUSE_PORT_80_TCP_PORT", "80"),
        ("GATEHOUSE_PORT_80_TCP_ADDR", "10.96.14.7"),
        ("GATEHOUSE_DB_SERVICE_HOST", "fd00::7"),
        ("GATEHOUSE_DB_PORT", "tcp://[fd00::7]:5432"),
        ("GATEHOUSE_DB_PORT_5432_TCP_ADDR", "fd00::7"),
    ]);
    assert_eq!(running.stop(), Some(0), "{}", dir.log());
    let text =
        dir.startup_error(&[("GATEHOUSE_SERVICE_HOST", "10.96.14.7"), ("GATEHOUSE_PORT", "3000")]);
    assert!(text.contains("GATEHOUSE_PORT ") && !text.contains("GATEHOUSE_SERVICE_HOST"), "{text}");
    // Kubernetes sets environment variables; in a file the same line is a mistake.
    fs::write(dir.path().join(".env"), "GATEHOUSE_SERVICE_PORT=80\n").unwrap();
    assert!(dir.startup_error(&[]).contains("GATEHOUSE_SERVICE_PORT (.env)"));
}

#[test]
fn serve_with_a_byte_order_mark_in_the_settings_file_reads_it() {
    let dir = TestDir::new();
    fs::write(dir.path().join(".env"), "\u{feff}GATEHOUSE_LOG=warn\n").unwrap();
    let text = String::from_utf8(dir.run(&["config"], &[]).stdout).unwrap();
    assert!(text.contains("GATEHOUSE_LOG = warn\n    from: .env"), "{text}");
    let wide: Vec<u8> =
        "\u{feff}GATEHOUSE_LOG=warn\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(dir.path().join(".env"), wide).unwrap();
    let text = dir.startup_error(&[]);
    assert!(text.contains("UTF-16") && text.contains("save it as UTF-8"), "{text}");
}

#[test]
fn invariant_07_start_with_weak_or_known_secret_fails() {
    for secret in [
        "secret",
        "change-me",
        "0123456789abcdefghijklmnopqrstu",
        "default-super-secret-key-for-dev",
        "a-string-secret-at-least-256-bits-long",
        &"x".repeat(64),
    ] {
        let dir = TestDir::new();
        let text = dir.startup_error(&[("GATEHOUSE_JWT_SECRET", secret)]);
        assert!(text.contains("GATEHOUSE_JWT_SECRET") && text.contains("openssl rand"), "{text}");
        // One of the secrets is part of the advice.
        assert!(secret == "secret" || !text.contains(secret), "{text}");
        assert!(!dir.path().join("data").exists());
    }
}

#[test]
fn invariant_07_start_without_secret_generates_and_keeps_one() {
    let secret = || {
        let dir = TestDir::new();
        let read = || {
            dir.serve(&[("GATEHOUSE_JWT_SECRET", "")]).stop();
            let file = dir.path().join("data/keys.json");
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            let keys: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            keys["keys"][0]["secret"].as_str().unwrap().to_owned()
        };
        let made = read();
        assert_eq!(read(), made, "the same at the next start");
        made
    };
    let (one, other) = (secret(), secret());
    assert!(one.len() >= 43, "256 bits in base64url");
    assert_ne!(one, other);
}

#[test]
fn config_command_prints_settings_with_source_and_no_secrets() {
    let secret = "not to be shown to anybody at all, ever";
    let dir = TestDir::new();
    fs::write(dir.path().join(".env"), "GATEHOUSE_LOG=warn\n").unwrap();
    let output = dir.run(&["config"], &[("GATEHOUSE_JWT_SECRET", secret)]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("GATEHOUSE_LOG = warn\n    from: .env"), "{text}");
    assert!(text.contains("GATEHOUSE_JWT_SECRET = (set)"), "{text}");
    assert!(!text.contains(secret));
    assert!(!dir.path().join("data").exists(), "it only tells");
}

#[test]
fn invariant_42_log_has_events_and_no_secrets() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_LOG", "trace"), ("GATEHOUSE_LOG_FORMAT", "json")]);
    let credentials = json!({ "username": "alice\r\nforged", "password": "Geheimnis der Königin" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &credentials).unwrap().0, 400);
    let credentials = json!({ "username": "alice", "password": "Geheimnis der Königin" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &credentials).unwrap().0, 201);
    let (_, session) = running.call("POST", "/api/auth/login", None, &credentials).unwrap();
    let token = |name: &str| session[name].as_str().unwrap().to_owned();
    let (_, pair) = running
        .call("POST", "/api/auth/refresh", Some(&token("refresh_token")), &Value::Null)
        .unwrap();
    running.call("DELETE", "/api/auth/logout", Some(&token("access_token")), &Value::Null).unwrap();
    assert_eq!(running.stop(), Some(0));
    let log = dir.log();
    for line in log.lines() {
        let _: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not a line of JSON: {line}"));
    }
    for event in ["registered", "logged in", "logged out"] {
        assert_eq!(log.matches(&format!("\"message\":\"{event}\"")).count(), 1, "{event}");
    }
    let secrets = [
        "Geheimnis".to_owned(),
        token("access_token"),
        token("refresh_token"),
        pair["refresh_token"].as_str().unwrap().to_owned(),
        "$argon2".to_owned(),
    ];
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
}
