//! Commands with a PostgreSQL database that is not there.

use crate::process::TestDir;

/// A URL that is not connected to: the commands refuse before.
const SETTINGS: [(&str, &str); 1] =
    [("GATEHOUSE_DATABASE_URL", "postgres://gate:geheim@127.0.0.1:1/gatehouse")];

#[test]
fn backup_of_postgres_is_refused_and_names_pg_dump() {
    let dir = TestDir::new();
    let backup = dir.run(&["backup", "backup.zip"], &SETTINGS);
    let text = String::from_utf8(backup.stderr).unwrap();
    assert_eq!(backup.status.code(), Some(1), "{text}");
    assert!(text.contains("pg_dump") && text.contains("postgres://gate@127.0.0.1:1"), "{text}");
    assert!(!text.contains("geheim") && !dir.path().join("backup.zip").exists(), "{text}");
}

#[test]
fn start_with_unreachable_postgres_fails_with_the_remedy_and_without_the_password() {
    let dir = TestDir::new();
    let text = dir.startup_error(&SETTINGS);
    assert!(
        text.contains("cannot be reached") && text.contains("GATEHOUSE_DATABASE_URL"),
        "{text}"
    );
    assert!(!text.contains("geheim") && !dir.log().contains("geheim"), "{text}");
    for command in [&["user", "list"][..], &["audit"], &["seed", "--users", "1"]] {
        let output = dir.run(command, &SETTINGS);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("cannot be reached") && !text.contains("geheim"), "{text}");
    }
}
