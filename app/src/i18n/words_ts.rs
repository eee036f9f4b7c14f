//! Generator of `end2end/support/words.ts`, so that journeys look for the texts of the tables by
//! key. `UPDATE_WORDS=1 cargo test -p app --features ssr words_ts` rewrites the file.

use std::{collections::BTreeMap, env, fs, path::Path};

use super::{
    Lang, authenticated, authenticated::AuthenticatedStrings, document::DocumentStrings, messages,
    messages::Messages, strings, strings::Strings,
};
use crate::validation::{Problem, ServerProblem, password};

const HEADER: &str = "\
// Generated from app/src/i18n: UPDATE_WORDS=1 cargo test -p app --features ssr words_ts

/** Texts of one language. */
export type Strings = typeof EN;
";

const FOOTER: &str = "
/** Languages of the journeys: the browser's locale and its texts. */
export const LANGUAGES: readonly [locale: string, words: Strings][] = [
  ['en-GB', EN],
  ['zh-CN', ZH],
];
";

/// Validation problems that journeys provoke.
const PROBLEMS: [(&str, Problem); 12] = [
    ("username_missing", Problem::UsernameMissing),
    ("username_too_short", Problem::UsernameTooShort),
    ("email_invalid", Problem::EmailInvalid),
    ("mobile_invalid", Problem::MobileInvalid),
    ("password_missing", Problem::PasswordMissing),
    ("new_password_missing", Problem::NewPasswordMissing),
    ("password_too_short", Problem::PasswordTooShort { min: password::MIN_DEFAULT }),
    ("password_too_long", Problem::PasswordTooLong),
    ("password_common", Problem::Server(ServerProblem::PasswordCommon)),
    ("image_format", Problem::Server(ServerProblem::ImageFormat)),
    ("username_mismatch", Problem::UsernameMismatch),
    ("password_mismatch", Problem::PasswordMismatch),
];

/// The file's text.
fn words_ts() -> String {
    let english = format!("\nexport const EN = {{\n{}}};\n", members(Lang::En));
    let chinese = format!("\nexport const ZH: Strings = {{\n{}}};\n", members(Lang::Zh));
    format!("{HEADER}{english}{chinese}{FOOTER}")
}

fn members(lang: Lang) -> String {
    // The type of `EN` is that of all languages.
    let tag = match lang {
        Lang::En => "'en' as 'en' | 'zh'",
        Lang::Zh => "'zh'",
    };
    let mut lines = vec![
        format!("  lang: {tag},"),
        format!("  languageName: {},", quoted(lang.name())),
        format!("  otherLanguage: {},", quoted(lang.other().name())),
    ];
    lines.extend(strings(Strings::of(lang).all(), "  "));
    lines.extend(strings(AuthenticatedStrings::of(lang).all(), "  "));
    lines.extend(strings(DocumentStrings::of(lang).all(), "  "));
    for (name, parameters, text) in [
        ("welcome", "name", strings::welcome(lang, "${name}")),
        ("log_in_for", "page", strings::log_in_for(lang, "${page}")),
        ("domain_question", "address", strings::domain_question(lang, "${address}")),
        ("username_taken", "name", messages::username_taken(lang, "${name}")),
        (
            "device_name",
            "browser, system",
            authenticated::device_name(lang, Some("${browser}"), Some("${system}")),
        ),
    ] {
        let parameters: Vec<_> =
            parameters.split(", ").map(|name| format!("{name}: string")).collect();
        lines.push(format!("  {}: ({}) => `{text}`,", camel_case(name), parameters.join(", ")));
    }
    lines.push("  /** Messages of API responses. */\n  messages: {".to_owned());
    lines.extend(strings(Messages::of(lang).all(), "    "));
    lines.push("  },\n  /** Validation problems. */\n  problems: {".to_owned());
    lines.extend(PROBLEMS.map(|(key, problem)| member(key, &problem.text(lang), "    ")));
    lines.push("  },".to_owned());
    lines.join("\n") + "\n"
}

fn strings(all: Vec<(&'static str, &'static str)>, indent: &str) -> Vec<String> {
    all.into_iter().map(|(key, text)| member(key, text, indent)).collect()
}

fn member(key: &str, text: &str, indent: &str) -> String {
    format!("{indent}{}: {},", camel_case(key), quoted(text))
}

/// A TypeScript string literal.
fn quoted(text: &str) -> String {
    assert!(!text.contains(['\\', '\n', '"']), "{text:?} would need an escape");
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}

fn camel_case(key: &str) -> String {
    let mut parts = key.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (initial, rest) = part.split_at(part.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

#[test]
fn words_ts_of_end2end_equals_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/support/words.ts");
    let generated = words_ts();
    if env::var_os("UPDATE_WORDS").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == generated,
        "run UPDATE_WORDS=1 cargo test -p app --features ssr words_ts"
    );
}

#[test]
fn keys_of_page_tables_are_distinct() {
    let lang = Lang::En;
    let all = [
        Strings::of(lang).all(),
        AuthenticatedStrings::of(lang).all(),
        DocumentStrings::of(lang).all(),
    ]
    .concat();
    let distinct: BTreeMap<_, _> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len());
}
