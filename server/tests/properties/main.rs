//! Property tests of all parsers of untrusted input, with random inputs and with the corpus of
//! `make fuzz`.

#![expect(unreachable_pub, reason = "a test is no library: its modules share what they need")]
#![expect(clippy::expect_used, reason = "a test ends where something is not as it should be")]

mod invariants;

use std::{fs, path::Path};

use proptest::prelude::*;

/// Arbitrary bytes, and bytes similar to the expected claims.
fn claims() -> impl Strategy<Value = Vec<u8>> {
    let member = ("iss|aud|sub|sid|jti|iat|nbf|exp|type|fresh|gen|x", value())
        .prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let object = prop::collection::vec(member, 0..12)
        .prop_map(|members| format!("{{{}}}", members.join(",")).into_bytes());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[ -~]{0,200}".prop_map(String::into_bytes),
        object
    ]
}

/// A JSON value, mostly a plausible one.
fn value() -> impl Strategy<Value = String> {
    let text = any::<String>().prop_map(|text| serde_json::Value::from(text).to_string());
    let own = prop::sample::select(vec![
        "\"gatehouse\"",
        "1800000000",
        "1800000900",
        "3",
        "true",
        "false",
        "null",
        "\"access\"",
        "\"refresh\"",
        "\"00000000-0000-0000-0000-000000000001\"",
        "1e400",
        "-0",
        "9223372036854775808",
    ]);
    let deep = (1_usize..300, any::<bool>()).prop_map(|(depth, is_closed)| {
        let end = if is_closed { "]".repeat(depth) } else { String::new() };
        format!("{}{end}", "[".repeat(depth))
    });
    prop_oneof![3 => own.prop_map(str::to_owned), 2 => text, 1 => deep]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let member = ("username|password|nickname|remember|x", value())
        .prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let object = prop::collection::vec(member, 0..6)
        .prop_map(|members| format!("{{{}}}", members.join(",")).into_bytes());
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..300), 3 => object]
}

/// Texts, including letters that fold, combine, are right-to-left or invisible.
fn texts() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(vec![
        "a", "A", "ａ", "\u{430}", "ß", "ﬁ", "e\u{301}", "é", "\u{200b}", "\u{202e}", "İ", "ı",
        "\u{fdfa}", "한", "漢", "1", "l", "@", ".", "-", "_", " ", "\u{3000}", "\u{0}", "x", "🔑",
        "mallory7",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(letters, 0..150).prop_map(|letters| letters.concat())
    ]
}

fn redirects() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "/",
        "//",
        "\\",
        "%2f",
        "%5c",
        "..",
        ".",
        "login",
        "register",
        "api",
        "profile",
        "http:",
        "javascript:",
        "evil.example",
        "@",
        "?",
        "#",
        "\t",
        "\r\n",
        "\u{0}",
        "个",
        ":",
        "x",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    ]
}

proptest! {
    #[test]
    fn tokens(bytes in claims()) {
        invariants::token(&bytes);
    }

    #[test]
    fn names(text in texts()) {
        invariants::name(&text);
    }

    #[test]
    fn passwords(text in texts()) {
        invariants::password(&text);
    }

    #[test]
    fn redirect_targets_stay_on_the_origin(text in redirects()) {
        invariants::redirect(&text);
    }

    #[test]
    fn request_bodies(bytes in bodies()) {
        invariants::body(&bytes);
    }
}

#[test]
fn fuzz_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut count = 0;
    for (target, holds) in [
        ("tokens", invariants::token as fn(&[u8])),
        ("names", |bytes| invariants::name(&String::from_utf8_lossy(bytes))),
        ("passwords", |bytes| invariants::password(&String::from_utf8_lossy(bytes))),
        ("redirects", |bytes| invariants::redirect(&String::from_utf8_lossy(bytes))),
        ("bodies", invariants::body),
    ] {
        for file in fs::read_dir(corpus.join(target)).expect(target) {
            holds(&fs::read(file.expect("a file").path()).expect("bytes"));
            count += 1;
        }
    }
    assert!(count >= 20, "{count}");
}
