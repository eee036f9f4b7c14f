use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::process::Place;

#[test]
fn nothing_has_to_be_configured() {
    let place = Place::new();
    let running = place.serve(&[]);
    let (status, body) = running.call("GET", "/api/me", None, &Value::Null).unwrap();
    assert_eq!((status, body["code"].as_str()), (401, Some("token_missing")));
    assert_eq!(running.stop(), Some(0), "{}", place.log());
    let data = place.path().join("data");
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
fn a_port_in_use_is_told_and_nothing_is_touched() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let text = place.complaint(&[("GATEHOUSE_ADDR", &address)]);
    assert!(
        text.contains(&address) && text.contains("in use") && text.contains("GATEHOUSE_ADDR"),
        "{text}"
    );
    assert!(!place.path().join("data").exists());
}

#[test]
fn a_data_folder_that_cannot_be_written_to_is_told() {
    let place = Place::new();
    fs::write(place.path().join("data"), "a file in its place").unwrap();
    let text = place.complaint(&[]);
    assert!(text.contains("data folder") && text.contains("GATEHOUSE_DATA_DIR"), "{text}");
    assert_eq!(fs::read_to_string(place.path().join("data")).unwrap(), "a file in its place");
}

#[test]
fn a_damaged_database_is_told_and_left_alone() {
    let place = Place::new();
    place.serve(&[]).stop();
    let file = place.path().join("data/gatehouse.sqlite");
    let mut content = fs::read(&file).unwrap();
    content[..100].fill(b'x');
    fs::write(&file, &content).unwrap();
    let text = place.complaint(&[]);
    assert!(text.contains("damaged") && text.contains("backup"), "{text}");
    assert_eq!(fs::read(&file).unwrap(), content);
}

#[test]
fn settings_come_from_a_file_too_and_mistakes_are_told_together() {
    let place = Place::new();
    fs::write(
        place.path().join(".env"),
        "GATEHOUSE_PASSWORD_MIN_LENGHT=9\nGATEHOUSE_LOG_FORMAT=xml\n",
    )
    .unwrap();
    let text = place.complaint(&[]);
    assert!(text.contains("GATEHOUSE_PASSWORD_MIN_LENGTH?") && text.contains("(.env)"), "{text}");
    assert!(text.contains("GATEHOUSE_LOG_FORMAT"), "{text}");
    fs::write(place.path().join(".env"), "this is = not ' a setting\n").unwrap();
    assert!(place.complaint(&[]).contains(".env cannot be read"));
}

#[test]
fn serve_beside_a_kubernetes_service_of_the_same_name_starts() {
    let place = Place::new();
    let running = place.serve(&[
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
    assert_eq!(running.stop(), Some(0), "{}", place.log());
    let text =
        place.complaint(&[("GATEHOUSE_SERVICE_HOST", "10.96.14.7"), ("GATEHOUSE_PORT", "3000")]);
    assert!(text.contains("GATEHOUSE_PORT ") && !text.contains("GATEHOUSE_SERVICE_HOST"), "{text}");
    // Kubernetes sets variables; in a file it is a mistake.
    fs::write(place.path().join(".env"), "GATEHOUSE_SERVICE_PORT=80\n").unwrap();
    assert!(place.complaint(&[]).contains("GATEHOUSE_SERVICE_PORT (.env)"));
}

#[test]
fn serve_with_a_byte_order_mark_in_the_settings_file_reads_it() {
    let place = Place::new();
    fs::write(place.path().join(".env"), "\u{feff}GATEHOUSE_LOG=warn\n").unwrap();
    let text = String::from_utf8(place.run(&["config"], &[]).stdout).unwrap();
    assert!(text.contains("GATEHOUSE_LOG = warn\n    from: .env"), "{text}");
    let wide: Vec<u8> =
        "\u{feff}GATEHOUSE_LOG=warn\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(place.path().join(".env"), wide).unwrap();
    let text = place.complaint(&[]);
    assert!(text.contains("UTF-16") && text.contains("save it as UTF-8"), "{text}");
}

#[test]
fn invariant_07_weak_and_known_secrets_stop_the_start() {
    for secret in [
        "secret",
        "change-me",
        "0123456789abcdefghijklmnopqrstu",
        "default-super-secret-key-for-dev",
        "a-string-secret-at-least-256-bits-long",
        &"x".repeat(64),
    ] {
        let place = Place::new();
        let text = place.complaint(&[("GATEHOUSE_JWT_SECRET", secret)]);
        assert!(text.contains("GATEHOUSE_JWT_SECRET") && text.contains("openssl rand"), "{text}");
        // One of them is a word of the advice.
        assert!(secret == "secret" || !text.contains(secret), "{text}");
        assert!(!place.path().join("data").exists());
    }
}

#[test]
fn invariant_07_without_a_secret_a_random_one_is_made_and_kept() {
    let secret = || {
        let place = Place::new();
        let read = || {
            place.serve(&[("GATEHOUSE_JWT_SECRET", "")]).stop();
            let file = place.path().join("data/keys.json");
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
fn config_prints_every_setting_with_its_source_and_no_secret() {
    let secret = "not to be shown to anybody at all, ever";
    let place = Place::new();
    fs::write(place.path().join(".env"), "GATEHOUSE_LOG=warn\n").unwrap();
    let output = place.run(&["config"], &[("GATEHOUSE_JWT_SECRET", secret)]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("GATEHOUSE_LOG = warn\n    from: .env"), "{text}");
    assert!(text.contains("GATEHOUSE_JWT_SECRET = (set)"), "{text}");
    assert!(!text.contains(secret));
    assert!(!place.path().join("data").exists(), "it only tells");
}

#[test]
fn invariant_42_the_log_has_what_happened_and_no_secret() {
    let place = Place::new();
    let running = place.serve(&[("GATEHOUSE_LOG", "trace"), ("GATEHOUSE_LOG_FORMAT", "json")]);
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
    let log = place.log();
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
