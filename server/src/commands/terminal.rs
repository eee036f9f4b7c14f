//! Escapes text for terminals, so that user-controlled text cannot send control sequences or forge
//! lines.

use std::fmt::Write as _;

use app::validation::is_invisible;
use serde::Serialize;

/// Escapes control and invisible characters.
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

/// Serializes an object as JSON on one line.
pub(super) fn json(object: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(object)?;
    // JSON allows control characters beyond U+001F that terminals interpret (RFC 8259 §7). They
    // occur only within strings.
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
