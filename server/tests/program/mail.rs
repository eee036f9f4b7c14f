//! Mail of the running program: the command, the start, the background task.

use std::{fs, time::Duration};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use serde_json::{Value, json};

use crate::{
    process::{RunningServer, TestDir, within},
    shutdown::wait_until_stopping,
    smtp::{Behaviour, Encryption, Received, SmtpServer},
};

const FROM: (&str, &str) = ("GATEHOUSE_MAIL_FROM", "Gatehouse <no-reply@accounts.example>");

/// The settings of a server that sends mail.
fn sending_to(url: &str) -> [(&str, &str); 3] {
    [("GATEHOUSE_MAIL_URL", url), FROM, ("GATEHOUSE_PUBLIC_URL", "https://accounts.example")]
}

fn credentials() -> Value {
    json!({ "username": "ada@example.com", "password": "correct horse battery" })
}

/// Registers an account and verifies its address.
fn register_verified(dir: &TestDir, running: &RunningServer) {
    let answer = running.call("POST", "/api/auth/register", None, &credentials());
    assert_eq!(answer.unwrap().0, 201);
    assert!(dir.run(&["user", "verify", "ada@example.com"], &[]).status.success());
}

#[test]
fn mail_test_sends_a_message_in_the_chosen_language() {
    let smtp = SmtpServer::start();
    let dir = TestDir::new();
    let url = smtp.url();
    let settings = [("GATEHOUSE_MAIL_URL", &*url), FROM];
    for (arguments, language) in [
        (&["mail", "test", "ada@example.com"][..], "en"),
        (&["mail", "test", "ada@example.com", "--language", "zh"], "zh"),
    ] {
        let output = dir.run(arguments, &settings);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{output:?}");
        assert!(text.contains("has taken a message to ada@example.com"), "{text}");
        let last = smtp.received().pop().unwrap();
        assert_eq!(last.header("Content-Language").as_deref(), Some(language));
        assert_eq!(last.recipients, ["ada@example.com"]);
    }
    assert_eq!(smtp.attempts(), 2);
}

#[test]
fn mail_test_that_is_refused_or_without_settings_fails_with_the_reason() {
    let smtp = SmtpServer::start();
    let dir = TestDir::new();
    let url = smtp.url().replace("smtp://", "smtp://user:hunter2@");
    smtp.set(Behaviour::Answer("RCPT", "550 5.1.1 no such user"));
    let plain = smtp.url();
    for (settings, reason) in [
        (&[][..], "mail is not set up"),
        (&[("GATEHOUSE_MAIL_URL", &*plain)], "GATEHOUSE_MAIL_FROM: it is needed"),
        (&[("GATEHOUSE_MAIL_URL", &*plain), FROM], "550"),
        // The mail server offers no login.
        (&[("GATEHOUSE_MAIL_URL", &*url), FROM], "the message was not sent"),
        (&[("GATEHOUSE_MAIL_URL", "smtp://mail.example?tls=off"), FROM], "GATEHOUSE_MAIL_URL: "),
    ] {
        let output = dir.run(&["mail", "test", "ada@example.com"], settings);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(reason) && !text.contains("hunter2"), "{text}");
    }
    assert_eq!(smtp.received(), []);
}

#[test]
fn mail_over_tls_goes_only_to_a_server_with_a_trusted_certificate_of_its_host() {
    for encryption in [Encryption::StartTls, Encryption::Implicit] {
        let (smtp, certificate) = SmtpServer::start_encrypted(encryption, "127.0.0.1");
        let (other, of_other) = SmtpServer::start_encrypted(encryption, "mail.example");
        let plain = SmtpServer::start();
        let dir = TestDir::new();
        let trusted = dir.path().join("trusted.pem");
        fs::write(&trusted, certificate + &of_other).unwrap();
        let send = |url: &str, settings: &[(&str, &str)]| {
            let mail = [("GATEHOUSE_MAIL_URL", url), FROM];
            dir.run(&["mail", "test", "ada@example.com"], &[&mail, settings].concat())
        };
        let trust = [("SSL_CERT_FILE", trusted.to_str().unwrap())];
        let url = smtp.encrypted_url(encryption);
        let output = send(&url, &trust);
        assert!(output.status.success(), "{output:?}");
        let [received] = &smtp.received()[..] else { panic!("one message") };
        assert!(received.is_encrypted);
        // Of an unknown issuer, of another host, and without TLS.
        for (url, settings) in [
            (url, &[][..]),
            (other.encrypted_url(encryption), &trust),
            (plain.encrypted_url(encryption), &trust),
        ] {
            let output = send(&url, settings);
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{url}: {text}");
            assert!(text.contains("the message was not sent"), "{url}: {text}");
        }
        assert_eq!((smtp.attempts(), other.attempts(), plain.attempts()), (1, 0, 0));
    }
}

#[test]
fn start_says_whether_mail_is_on_and_shows_no_password() {
    let dir = TestDir::new();
    assert_eq!(dir.serve(&[]).stop(), Some(0));
    assert!(dir.log().contains("mail is off"), "{}", dir.log());
    let dir = TestDir::new();
    let url = ("GATEHOUSE_MAIL_URL", "smtps://user:hunter2@mail.example");
    let public = ("GATEHOUSE_PUBLIC_URL", "https://accounts.example");
    assert_eq!(dir.serve(&[url, FROM, public]).stop(), Some(0));
    let log = dir.log();
    assert!(log.contains("mail is on") && log.contains("mail.example:465 with TLS"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn start_with_a_mail_folder_that_cannot_be_made_fails_with_the_reason() {
    let dir = TestDir::new();
    fs::write(dir.path().join("mail"), "a file").unwrap();
    let text = dir.startup_error(&[("GATEHOUSE_MAIL_URL", "folder:mail"), FROM]);
    assert!(text.contains("GATEHOUSE_MAIL_URL: the folder mail cannot be used"), "{text}");
}

#[test]
fn message_of_a_killed_server_is_sent_once_after_its_restart() {
    let smtp = SmtpServer::start();
    let dir = TestDir::new();
    let url = smtp.url();
    let settings = sending_to(&url);
    let credentials = credentials();
    let running = dir.serve(&settings);
    register_verified(&dir, &running);
    let call = |path: &str| running.call("POST", path, None, &credentials).unwrap().0;
    assert_eq!(call("/api/auth/login"), 200);
    smtp.set(Behaviour::Answer("RCPT", "450 4.2.1 greylisted"));
    assert_eq!(call("/api/auth/login"), 200);
    // The answer has arrived: a crash before would delay the message for three minutes.
    within(Duration::from_secs(10), || dir.log().contains("kind=\"new_device\""));
    drop(running);
    let is_alert = |received: &Received| {
        received.header("Subject").is_some_and(|subject| subject.ends_with("new device"))
    };
    let alerts = || smtp.received().iter().filter(|received| is_alert(received)).count();
    assert_eq!(alerts(), 0);
    smtp.set(Behaviour::Accept);
    let running = dir.serve(&settings);
    within(Duration::from_secs(20), || alerts() == 1);
    assert_eq!(running.stop(), Some(0));
    assert_eq!(alerts(), 1);
}

#[test]
fn reset_requested_before_the_shutdown_is_sent() {
    let smtp = SmtpServer::start();
    let dir = TestDir::new();
    let url = smtp.url();
    let settings = sending_to(&url);
    let running = dir.serve(&settings);
    register_verified(&dir, &running);
    let (database, lock) = if dir.is_on_postgres() {
        (dir.postgres_url(), "BEGIN; LOCK TABLE one_time_codes IN SHARE MODE")
    } else {
        let file = dir.path().join("data/gatehouse.sqlite");
        (format!("sqlite://{}", file.display()), "BEGIN IMMEDIATE")
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The code of the reset waits for this transaction.
    let other = runtime.block_on(async {
        let mut options = ConnectOptions::new(database);
        options.max_connections(1);
        let other = Database::connect(options).await.unwrap();
        other.execute_unprepared(lock).await.unwrap();
        other
    });
    let body = json!({ "username": "ada@example.com" });
    assert_eq!(running.call("POST", "/api/auth/forgot", None, &body).unwrap().0, 202);
    running.signal("TERM");
    wait_until_stopping(&running);
    runtime.block_on(async {
        other.execute_unprepared("COMMIT").await.unwrap();
        other.close().await.unwrap();
    });
    assert_eq!(running.ended_within(Duration::from_secs(8)), Some(0), "{}", dir.log());
    let resets = || {
        let received = smtp.received();
        let subjects = received.iter().filter_map(|received| received.header("Subject"));
        subjects.filter(|subject| subject.contains("password")).count()
    };
    let running = dir.serve(&settings);
    within(Duration::from_secs(20), || resets() == 1);
    assert_eq!(running.stop(), Some(0));
}
