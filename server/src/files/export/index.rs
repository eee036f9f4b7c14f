//! The page of an export, for people: account, pictures, sessions and the latest events.

use std::{collections::VecDeque, fmt::Write as _};

use app::i18n::{Lang, export::ExportStrings, html::escape};

use super::document::{Account, ExportedEvent, ExportedSession};
use crate::{clock::utc, store::StoredFile};

/// Events on the page; the document has all.
const MAX_EVENTS: usize = 200;
const STYLE: &str = "\
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
table{border-collapse:collapse;width:100%;font-size:.875rem}\
td,th{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8886;overflow-wrap:anywhere}\
ul{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem}\
img{width:100%;aspect-ratio:1;object-fit:cover;border-radius:.5rem}";

/// The page in progress. Its size is bounded by the limits of files and sessions.
pub(super) struct Index {
    strings: &'static ExportStrings,
    html: String,
    sessions: Vec<ExportedSession>,
    events: VecDeque<ExportedEvent>,
    files: String,
}

impl Index {
    /// Creates the page of an account.
    pub(super) fn begin(lang: Lang, now: i64, account: &Account) -> Self {
        let strings = ExportStrings::of(lang);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n\
             <style>{STYLE}</style>\n<h1>{}</h1>\n<p>{}: {}. {}</p>\n<h2>{}</h2>\n<table>\n",
            lang.tag(),
            strings.title,
            strings.title,
            strings.exported_at,
            utc(now),
            strings.complete,
            strings.account,
        );
        let given = |value: &Option<String>| {
            value.as_deref().map_or_else(|| strings.not_provided.to_owned(), escape)
        };
        for (label, value) in [
            (strings.username, escape(&account.username)),
            (strings.nickname, given(&account.nickname)),
            (strings.email, given(&account.email)),
            (strings.mobile, given(&account.mobile)),
            (strings.member_since, account.created_at.clone()),
        ] {
            write(&mut html, format_args!("<tr><th scope=\"row\">{label}<td>{value}\n"));
        }
        html.push_str("</table>\n");
        if let Some(picture) = account.picture {
            let style = "width:8rem";
            write(
                &mut html,
                format_args!("<p><img src=\"{picture}\" alt=\"\" style=\"{style}\">\n"),
            );
        }
        Self { strings, html, sessions: Vec::new(), events: VecDeque::new(), files: String::new() }
    }

    /// Adds a session.
    pub(super) fn add_session(&mut self, session: ExportedSession) {
        self.sessions.push(session);
    }

    /// Adds an event; the oldest gives way.
    pub(super) fn add_event(&mut self, event: ExportedEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Adds a file.
    pub(super) fn add_file(&mut self, path: &str, file: &StoredFile) {
        let (href, name) = (escape(&encode(path)), escape(&file.name));
        write(
            &mut self.files,
            format_args!(
                "<li><a href=\"{href}\"><img loading=\"lazy\" src=\"{href}\" alt=\"\"><br>{name}</a><br>{}\n",
                utc(file.created_at),
            ),
        );
    }

    /// Returns the complete page.
    pub(super) fn page(self) -> String {
        let Self { strings, mut html, sessions, events, files } = self;
        if !files.is_empty() {
            write(&mut html, format_args!("<h2>{}</h2>\n<ul>\n{files}</ul>\n", strings.pictures));
        }
        let heads = [
            strings.started,
            strings.last_active,
            strings.address,
            strings.user_agent,
            strings.ended,
        ];
        begin_table(&mut html, strings.sessions, &heads);
        for session in sessions {
            let ended = session.ended.unwrap_or(strings.active);
            row(
                &mut html,
                [
                    &session.created_at,
                    &session.refreshed_at,
                    session.address.as_deref().unwrap_or_default(),
                    session.user_agent.as_deref().unwrap_or_default(),
                    ended,
                ],
            );
        }
        html.push_str("</table>\n");
        let heads = [strings.time, strings.event, strings.outcome, strings.address];
        begin_table(&mut html, strings.activity, &heads);
        for event in events.into_iter().rev() {
            let address = event.address.as_deref().unwrap_or_default();
            row(&mut html, [&event.at, &event.event, &event.outcome, address]);
        }
        html.push_str("</table>\n</html>\n");
        html
    }
}

fn begin_table(html: &mut String, title: &str, heads: &[&str]) {
    write(html, format_args!("<h2>{title}</h2>\n<table>\n<tr>"));
    for head in heads {
        write(html, format_args!("<th>{head}"));
    }
    html.push('\n');
}

fn row<'a>(html: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    html.push_str("<tr>");
    for cell in cells {
        write(html, format_args!("<td>{}", escape(cell)));
    }
    html.push('\n');
}

fn write(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string does not fail.
    let _ = html.write_fmt(text);
}

/// Percent-encodes the characters of a path that a URL gives another meaning.
fn encode(path: &str) -> String {
    path.chars().fold(String::new(), |mut encoded, character| {
        match character {
            '%' | '#' | '?' => write(&mut encoded, format_args!("%{:02X}", u32::from(character))),
            other => encoded.push(other),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_leaves_no_markup() {
        assert_eq!(escape("<b title=\"x\">&"), "&lt;b title=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn encode_keeps_the_path_of_a_file_in_one_piece() {
        assert_eq!(encode("files/100% #1?.png"), "files/100%25 %231%3F.png");
    }
}
