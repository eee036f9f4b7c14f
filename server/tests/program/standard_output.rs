//! Commands whose standard output is closed complete and exit with success.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::Output,
};

use serde_json::json;

use crate::process::TestDir;

const PASSWORD: &str = "correct horse battery";

/// Returns the subcommands listed by a command's help.
fn commands(dir: &TestDir, of: &[&str]) -> BTreeSet<String> {
    let output = dir.run(&[of, &["--help"]].concat(), &[]);
    let help = String::from_utf8(output.stdout).unwrap();
    let list = help.split_once("Commands:\n").map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    let names = lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names.map(|name| [of, &[name]].concat().join(" ")).collect()
}

fn assert_quiet(output: &Output, command: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*said), (Some(0), ""), "{command}");
}

#[test]
fn command_with_closed_standard_output_completes_with_success() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    // `health` asks the server at the configured address.
    let settings = [
        ("GATEHOUSE_ADDR", &*running.address),
        ("GATEHOUSE_MAIL_URL", "folder:mail"),
        ("GATEHOUSE_MAIL_FROM", "no-reply@accounts.example"),
    ];
    let credentials = json!({ "username": "alice", "password": PASSWORD });
    assert_eq!(running.call("POST", "/api/auth/register", None, &credentials).unwrap().0, 201);
    let kid = || {
        let list = String::from_utf8(dir.run(&["keys", "list"], &[]).stdout).unwrap();
        let old = list.lines().find(|line| line.contains("verify only")).map(str::to_owned);
        old.and_then(|line| Some(line.split_whitespace().next()?.to_owned()))
    };
    let mut tried = BTreeSet::new();
    for (command, input) in [
        ("config", ""),
        ("health", ""),
        ("keys list", ""),
        ("keys rotate", ""),
        ("keys retire KID", ""),
        ("audit", ""),
        ("audit --json", ""),
        ("audit --last 1", ""),
        ("audit --follow", ""),
        ("user create bertha", PASSWORD),
        ("user passwd bertha", "another horse battery"),
        ("user create bertha@example.com", PASSWORD),
        ("user verify bertha@example.com", ""),
        ("user invite", ""),
        ("user disable bertha", ""),
        ("user enable bertha", ""),
        ("user role bertha admin", ""),
        ("user list", ""),
        ("user list --json", ""),
        ("mail test ada@example.com", ""),
        ("mail help", ""),
        ("seed --users 3", ""),
        ("backup one.zip", ""),
        ("help", ""),
        ("keys help", ""),
        ("user help", ""),
    ] {
        let old = kid().unwrap_or_default();
        let arguments: Vec<_> =
            command.split(' ').map(|word| if word == "KID" { &*old } else { word }).collect();
        assert_quiet(&dir.run_unread(&arguments, &settings, input), command);
        let depth = if ["keys", "mail", "user"].contains(&arguments[0]) { 2 } else { 1 };
        tried.insert(arguments[..depth].join(" "));
    }
    // The commands took effect.
    assert_eq!(kid(), None, "a key was made, and the one before is retired");
    let accounts = String::from_utf8(dir.run(&["user", "list"], &[]).stdout).unwrap();
    assert_eq!(accounts.lines().count(), 6, "{accounts}");
    assert!(
        accounts.lines().any(|line| line.contains("admin") && line.contains("bertha")),
        "{accounts}"
    );
    let credentials = json!({ "username": "bertha", "password": "another horse battery" });
    assert_eq!(running.call("POST", "/api/auth/login", None, &credentials).unwrap().0, 200);
    assert_eq!(running.stop(), Some(0));
    assert_quiet(&dir.run_unread(&["restore", "one.zip"], &[], ""), "restore");
    tried.insert("restore".to_owned());

    let mut all = commands(&dir, &[]);
    for group in ["keys", "mail", "user"] {
        assert!(all.remove(group));
        all.extend(commands(&dir, &[group]));
    }
    // Tested where its output is the log.
    assert!(all.remove("serve"));
    assert_eq!(tried, all, "every command is tried");
}

#[test]
fn command_with_full_standard_output_fails() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    for arguments in [&["config"][..], &["keys", "list"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = dir.run_writing_to(arguments, full);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn user_list_stops_reading_once_its_reader_has_gone() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    assert!(dir.run(&["seed", "--users", "2000"], &[]).status.success());
    let mut listing = dir.start(&["user", "list"]);
    let mut line = String::new();
    BufReader::with_capacity(64, listing.take_output()).read_line(&mut line).unwrap();
    assert!(line.contains("sessions=0"), "{line}");
    assert_eq!(listing.wait(), Some(0));
}
