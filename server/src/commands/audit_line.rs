//! Audit entries as single lines. Escaped, so that user-controlled text cannot forge an entry.

use serde::Serialize;
use uuid::Uuid;

use super::terminal::{escaped, json};
use crate::{clock::utc, store::StoredEntry};

/// An entry with the username of its account, if the account exists.
pub(super) struct Line<'a> {
    pub(super) entry: &'a StoredEntry,
    pub(super) username: Option<&'a str>,
}

/// JSON form.
#[derive(Serialize)]
struct Json<'a> {
    time: String,
    at: i64,
    event: &'a str,
    outcome: &'a str,
    user: Option<Uuid>,
    username: Option<&'a str>,
    session: Option<Uuid>,
    address: Option<&'a str>,
    user_agent: Option<&'a str>,
    detail: Option<&'a str>,
}

impl Line<'_> {
    /// Formats the entry as text; missing values are omitted.
    pub(super) fn text(&self) -> String {
        let StoredEntry { at, event, outcome, user, session, address, user_agent, detail, .. } =
            self.entry;
        let id = user.map(|user| user.to_string());
        let user = self.username.or(id.as_deref());
        let parts = [
            Some(utc(*at)),
            Some(escaped(event)),
            Some(escaped(outcome)),
            user.map(|user| format!("user={}", escaped(user))),
            session.map(|session| format!("session={session}")),
            address.as_ref().map(|address| format!("address={}", escaped(address))),
            user_agent.as_ref().map(|agent| format!("agent=\"{}\"", escaped(agent))),
            detail.as_ref().map(|detail| format!("detail=\"{}\"", escaped(detail))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Formats the entry as JSON.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let StoredEntry { at, event, outcome, user, session, address, user_agent, detail, .. } =
            self.entry;
        json(&Json {
            time: utc(*at),
            at: *at,
            event,
            outcome,
            user: *user,
            username: self.username,
            session: *session,
            address: address.as_deref(),
            user_agent: user_agent.as_deref(),
            detail: detail.as_deref(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::validation::is_invisible;
    use proptest::prelude::*;

    fn entry(user_agent: &str) -> StoredEntry {
        StoredEntry {
            id: 7,
            at: 1_800_000_000,
            event: "logged_in".to_owned(),
            outcome: "wrong_password".to_owned(),
            user: Some(Uuid::nil()),
            session: None,
            address: Some("2001:db8::1".to_owned()),
            user_agent: Some(user_agent.to_owned()),
            detail: None,
        }
    }

    #[test]
    fn text_and_json_of_entry_are_one_line() {
        let entry = entry("Browser/1.0 (测试)");
        assert_eq!(
            Line { entry: &entry, username: Some("ada@example.com") }.text(),
            "2027-01-15T08:00:00Z logged_in wrong_password user=ada@example.com address=2001:db8::1 agent=\"Browser/1.0 (测试)\""
        );
        assert!(
            Line { entry: &entry, username: None }
                .text()
                .contains(" user=00000000-0000-0000-0000-000000000000 ")
        );
        let json: serde_json::Value =
            serde_json::from_str(&Line { entry: &entry, username: None }.json().unwrap()).unwrap();
        assert_eq!(json["time"], "2027-01-15T08:00:00Z");
        assert_eq!(json["username"], serde_json::Value::Null);
    }

    #[test]
    fn text_of_entry_with_control_characters_escapes_them() {
        let entry =
            entry("x\"\r\n2027-01-15T08:00:00Z logged_in success\u{2028}\u{1b}[2J\u{202e}\\");
        let line = Line { entry: &entry, username: Some("a\nb") }.text();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(
            line.contains(r"user=a\nb ")
                && line.ends_with(r#"success\u{2028}\u{1b}[2J\u{202e}\\""#),
            "{line}"
        );
    }

    proptest! {
        #[test]
        fn text_and_json_of_any_entry_have_no_invisible_characters(agent: String, name: String) {
            let entry = entry(&agent);
            let line = Line { entry: &entry, username: Some(&name) };
            for text in [line.text(), line.json().unwrap()] {
                prop_assert!(!text.chars().any(is_invisible), "{text}");
            }
            let json: serde_json::Value = serde_json::from_str(&line.json().unwrap()).unwrap();
            prop_assert_eq!(json["user_agent"].as_str(), Some(agent.as_str()));
        }
    }
}
