//! Words of names, by which accounts are found: the folded runs of letters and digits of nickname,
//! username and email address. A search matches the beginning of each word.

use std::collections::BTreeSet;

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use super::{email_address, fold};

/// Largest number of words of an account; the rest is not found.
const WORDS_MAX: usize = 64;
/// Largest number of words of a search; the rest is ignored.
const TERMS_MAX: usize = 8;

/// Returns the words of an account. A word that is the beginning of another one is omitted: a search
/// that matches it matches the other one too.
#[must_use]
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let forms = texts.into_iter().flat_map(|text| {
        let others = parts(text).into_iter().filter(|(part, readable)| part != readable);
        [text.to_owned()].into_iter().chain(others.map(|(_, readable)| readable))
    });
    let runs = forms.flat_map(|text| runs(&text));
    without_beginnings(runs.flat_map(|run| beginnings(&run)).take(WORDS_MAX))
}

/// Returns the words of a search, each of which has to begin a word of an account; none for a text
/// without letters and digits.
#[must_use]
pub fn terms(typed: &str) -> Vec<String> {
    let forms = parts(typed).into_iter().map(|(_, readable)| readable);
    let mut terms = without_beginnings(forms.flat_map(|form| runs(&form)));
    // Longer ones exclude more.
    terms.sort_by_key(|term| std::cmp::Reverse(term.len()));
    terms.truncate(TERMS_MAX);
    terms
}

/// Returns the parts of a text between spaces, folded; each also with the domain in Unicode if it is
/// an address. Accounts have the words of both forms, so that a search needs only the second.
fn parts(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| (part.to_owned(), email_address::readable(part));
    fold(text).split_whitespace().map(pair).collect()
}

/// Sorts words, and omits those that are the beginning of another one.
fn without_beginnings(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let sorted: BTreeSet<String> = words.into_iter().collect();
    let mut kept: Vec<String> = Vec::new();
    for word in sorted {
        // A word sorts directly before those that begin with it.
        if kept.last().is_some_and(|last| word.starts_with(last.as_str())) {
            kept.pop();
        }
        kept.push(word);
    }
    kept
}

/// Returns the folded runs of letters, marks and digits of a text.
fn runs(text: &str) -> Vec<String> {
    let is_separator = |character: char| !character.is_alphanumeric() && !is_mark(character);
    fold(text).split(is_separator).filter(|run| !run.is_empty()).map(str::to_owned).collect()
}

fn is_mark(character: char) -> bool {
    matches!(
        get_general_category(character),
        Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark
    )
}

/// Returns a run and, where it has ideographs, kana or hangul, also its ends from each of them and
/// behind them: names in these scripts are written without spaces.
fn beginnings(run: &str) -> Vec<String> {
    let mut before = None;
    let mut found = Vec::new();
    for (index, character) in run.char_indices() {
        let begins = before.is_none_or(|before| {
            !is_mark(character) && (is_spaceless(before) || is_spaceless(character))
        });
        if begins {
            found.push(run[index..].to_owned());
        }
        before = Some(character);
    }
    found
}

/// Returns whether a character belongs to a script that is written without spaces in names.
fn is_spaceless(character: char) -> bool {
    matches!(character,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_of_names_are_folded_runs_without_beginnings_of_others() {
        for (texts, expected) in [
            (
                &["Brionna Monahan", "brionna.monahan42@example.com"][..],
                &["brionna", "com", "example", "monahan42"][..],
            ),
            (&["Seán O'Connor-Smith"], &["connor", "o", "seán", "smith"]),
            (&["ＡＤＭＩＮ", "admin_1"], &["1", "admin"]),
            (&["STRASSE", "straße"], &["strasse"]),
            (&["王小明"], &["小明", "明", "王小明"]),
            (&["김철수"], &["김철수", "수", "철수"]),
            (&["नमस्ते जी"], &["जी", "नमस्ते"]),
            (&["Zoe\u{308}"], &["zoë"]),
            (&["a@xn--mnchen-3ya.example"], &["3ya", "a", "example", "mnchen", "münchen", "xn"]),
            (&["--- ___ %"], &[]),
        ] {
            assert_eq!(words(texts.iter().copied()), expected, "{texts:?}");
        }
    }

    #[test]
    fn terms_of_a_search_are_its_words_longest_first() {
        for (typed, expected) in [
            ("  monahan bri ", &["monahan", "bri"][..]),
            ("ada@Example.com", &["example", "com", "ada"]),
            ("al ALB al", &["alb"]),
            ("小明", &["小明"]),
            ("bo ＡＤＡ＠XN--mnchen-3ya.example", &["münchen", "example", "ada", "bo"]),
            ("%", &[]),
            ("", &[]),
        ] {
            let mut found = terms(typed);
            let mut expected: Vec<_> = expected.iter().map(|term| (*term).to_owned()).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{typed:?}");
        }
        assert_eq!(terms("monahan bri")[0], "monahan");
        assert_eq!(terms("b1 b2 b3 b4 b5 b6 b7 b8 b9").len(), TERMS_MAX);
    }

    /// Returns whether a search finds an account with these names.
    fn is_found(names: &[&str], typed: &str) -> bool {
        let words = words(names.iter().copied());
        let terms = terms(typed);
        !terms.is_empty()
            && terms.iter().all(|term| words.iter().any(|word| word.starts_with(term)))
    }

    proptest! {
        #[test]
        fn search_for_any_name_finds_its_account(name in "\\PC{1,40}", other in "\\PC{0,20}") {
            prop_assert!(terms(&name).is_empty() || is_found(&[&name, &other], &name));
        }

        #[test]
        fn search_for_the_beginning_of_any_word_finds_its_account(
            one in "[a-zäöüß0-9]{1,12}", two in "[A-Zа-я]{1,12}", length in 1_usize..12
        ) {
            let name = format!("{one} {two}");
            for word in [one, two] {
                let beginning: String = word.chars().take(length).collect();
                prop_assert!(is_found(&[&name], &beginning), "{beginning}");
            }
        }

        #[test]
        fn words_of_any_text_are_bounded(text in "\\PC{0,300}") {
            prop_assert!(words([text.as_str()]).len() <= WORDS_MAX);
        }
    }
}
