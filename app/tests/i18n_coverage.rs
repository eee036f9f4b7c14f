//! Checks that every user-visible text comes from the tables of `i18n`. The sources of pages and
//! components are parsed as tokens; a literal in a view, or in an attribute that screen readers
//! read, counts as untranslated.

#![expect(clippy::unwrap_used, reason = "sources that cannot be read are a failure of the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Sources that render pages, below `app/src`.
const SOURCES: [&str; 4] = ["components", "pages", "document", "lib.rs"];
/// Attributes that only browsers and style sheets read. Any other attribute must not have a literal
/// with letters.
const MACHINE_READABLE: [&str; 41] = [
    "aria-atomic",
    "aria-controls",
    "aria-current",
    "aria-describedby",
    "aria-expanded",
    "aria-hidden",
    "aria-labelledby",
    "aria-live",
    "as",
    "autocapitalize",
    "autocomplete",
    "cancel_id",
    "charset",
    "class",
    "content",
    "crossorigin",
    "enterkeyhint",
    "fetchpriority",
    "for",
    "href",
    "id",
    "initial_focus",
    "inputmode",
    "lang",
    "media",
    "method",
    "name",
    "nonce",
    "popover",
    "popovertarget",
    "popovertargetaction",
    "rel",
    "role",
    "scope",
    "sizes",
    "spellcheck",
    "tabindex",
    "translate",
    "title_id",
    "type",
    "value",
];

#[test]
fn scan_of_pages_and_components_finds_no_text_outside_i18n() {
    let mut outside = Vec::new();
    for file in SOURCES
        .iter()
        .flat_map(|name| files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)))
    {
        let source = fs::read_to_string(&file).unwrap();
        outside.extend(
            untranslated_texts(&source)
                .into_iter()
                .map(|word| format!("{}: {word}", file.display())),
        );
    }
    assert!(outside.is_empty(), "texts outside app/src/i18n:\n{}", outside.join("\n"));
}

#[test]
fn text_outside_i18n_in_source_is_reported() {
    for (source, found) in [
        (r#"fn f() { view! { <p>"Hello"</p> } }"#, vec!["Hello"]),
        ("fn f() { view! { <p>Hello you</p> } }", vec!["Hello", "you"]),
        (r#"fn f() { view! { <p>{move || view! { "Hello" }}</p> } }"#, vec!["Hello"]),
        (r#"fn f() { view! { <input placeholder="Name" /> } }"#, vec!["Name"]),
        (
            r#"fn f() { view! { <a class="btn" aria-label="Close" title=move || "Shut">"·"</a> } }"#,
            vec!["Close", "Shut"],
        ),
        (
            r#"fn f() { view! { <p>{if open { "Open" } else { "shut" }}</p> } }"#,
            vec!["Open", "shut"],
        ),
        (r#"fn f() -> &'static str { "You are offline." }"#, vec!["You are offline."]),
        (r#"fn f() { notices.status(|_| "Saved") }"#, vec!["Saved"]),
        (r#"fn f() -> String { format!("{name} 你好") }"#, vec!["{name} 你好"]),
        // Allowed: machine-readable attributes, punctuation, texts of the tables, lint reasons,
        // tests.
        (
            r#"fn f() { view! { <p class="a b" role="alert" on:click=move |_| go("/login")>{t(|s| s.home)}": "</p> } }"#,
            vec![],
        ),
        (r#"fn f() { set("dateStyle", "medium"); find("button[data-deferred]") }"#, vec![]),
        (r#"#[expect(clippy::x, reason = "It is so.")] fn f() {}"#, vec![]),
        (r#"#[cfg(test)] mod tests { fn f() { "A user's text"; } }"#, vec![]),
    ] {
        assert_eq!(untranslated_texts(source), found, "{source}");
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    // Unit tests render no pages.
    let entries = entries.filter(|path| !path.ends_with("tests"));
    entries
        .flat_map(|path| files(&path))
        .filter(|file| file.extension().is_some_and(|end| end == "rs"))
        .collect()
}

fn untranslated_texts(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    code(TokenStream::from_str(source).unwrap(), false, &mut found);
    found
}

/// Walks Rust code; `shown` marks code whose literals are user-visible, whatever they look like.
fn code(tokens: TokenStream, shown: bool, found: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match (token, tokens.get(at)) {
            // An attribute; with `cfg(test)`, what it stands before is skipped too.
            (TokenTree::Punct(hash), Some(TokenTree::Group(attribute)))
                if hash.as_char() == '#' && attribute.delimiter() == Delimiter::Bracket =>
            {
                at += 1;
                if attribute.stream().to_string().replace(' ', "") == "cfg(test)" {
                    while tokens.get(at).is_some_and(|token| !is_block(token)) {
                        at += 1;
                    }
                    at += 1;
                }
            }
            (TokenTree::Ident(name), Some(TokenTree::Punct(mark)))
                if name == "view" && mark.as_char() == '!' =>
            {
                if let Some(TokenTree::Group(view)) = tokens.get(at + 1) {
                    nodes(view, found);
                }
                at += 2;
            }
            (TokenTree::Literal(literal), next) => {
                // A literal in a match arm or comparison is not displayed.
                let is_compared =
                    matches!(next, Some(TokenTree::Punct(mark)) if "=|".contains(mark.as_char()));
                let is_compared = is_compared
                    || is_punct(&tokens, at.wrapping_sub(2), '=')
                        && is_punct(&tokens, at.wrapping_sub(3), '=');
                if let Some(text) = text(&literal.to_string())
                    && !is_compared
                    && (shown && text.chars().any(char::is_alphabetic) || is_sentence(&text))
                {
                    found.push(text);
                }
            }
            (TokenTree::Group(group), _) => {
                // Arguments are what the function makes of them; a branch is what is around it.
                let shown = shown && group.delimiter() == Delimiter::Brace;
                code(group.stream(), shown, found);
            }
            _ => {}
        }
    }
}

/// Goes through the nodes of a view: tags with attributes, texts, and blocks of code.
fn nodes(view: &Group, found: &mut Vec<String>) {
    let tokens: Vec<_> = view.stream().into_iter().collect();
    let mut tag = false;
    let mut attribute = String::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '<' => {
                (tag, attribute) = (true, String::new());
            }
            // An arrow ends no tag.
            TokenTree::Punct(mark) if mark.as_char() == '>' => {
                tag = tag
                    && ['-', '='].iter().any(|arrow| is_joint(&tokens, at.wrapping_sub(1), *arrow));
            }
            TokenTree::Punct(_) => {}
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                code(group.stream(), !tag || !is_machine_readable(&attribute), found);
            }
            TokenTree::Group(group) => code(group.stream(), false, found),
            TokenTree::Ident(name) if tag => {
                // `aria-label` is three tokens, and a value follows its name.
                if is_punct(&tokens, at + 1, '=')
                    || is_punct(&tokens, at + 1, '-')
                    || is_punct(&tokens, at.wrapping_sub(1), '-')
                {
                    let goes_on = is_punct(&tokens, at.wrapping_sub(1), '-');
                    let name = name.to_string();
                    attribute = if goes_on { format!("{attribute}-{name}") } else { name };
                }
            }
            TokenTree::Ident(word) => found.push(word.to_string()),
            TokenTree::Literal(literal) => {
                if let Some(text) = text(&literal.to_string())
                    && text.chars().any(char::is_alphabetic)
                    && !(tag && is_machine_readable(&attribute))
                {
                    found.push(text);
                }
            }
        }
    }
}

fn is_machine_readable(attribute: &str) -> bool {
    let attribute = attribute.trim_start_matches("r#");
    MACHINE_READABLE.contains(&attribute) || attribute.starts_with("data-")
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn is_punct(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn is_joint(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct))
        if punct.as_char() == mark && punct.spacing() == proc_macro2::Spacing::Joint)
}

/// The text of a string literal.
fn text(literal: &str) -> Option<String> {
    let text = literal.trim_start_matches('r').trim_matches('#');
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// Returns whether a text looks user-visible wherever it stands: it has letters beyond ASCII, or
/// begins like a sentence.
fn is_sentence(text: &str) -> bool {
    let mut letters = text.chars().filter(|letter| letter.is_alphabetic());
    let is_markup = text.starts_with('<');
    let begins = text.starts_with(|first: char| first.is_uppercase())
        && text.chars().skip(1).any(char::is_lowercase);
    !is_markup && (letters.any(|letter| !letter.is_ascii()) || begins)
}
