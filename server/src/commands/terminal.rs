//! What a terminal is shown: nothing that others have had a say in can make it do anything, or
//! forge a line.

use std::fmt::Write as _;

use app::validation::is_invisible;
use serde::Serialize;

/// A text in which whatever a terminal would obey, or nobody would see, is written out.
pub(super) fn escaped(text: &str) -> String {
    let is_told = |character: char| is_invisible(character) || matches!(character, '"' | '\\');
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_told(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// An object of JSON on one line, for programs.
pub(super) fn json(object: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(object)?;
    // JSON lets characters stand that terminals obey (RFC 8259 §7). Outside of strings there are
    // none of them.
    Ok(json.chars().fold(String::with_capacity(json.len()), |mut line, character| {
        if is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing into a text never fails.
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
        line
    }))
}
