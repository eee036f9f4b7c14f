//! File names that every common operating system can save and unpack.

use std::collections::HashMap;

use app::validation::is_invisible;
use unicode_normalization::UnicodeNormalization as _;

use crate::{domain::fold, pictures::Kind};

/// Maximum length with extension, in characters.
const MAX: usize = 120;
/// Maximum length without extension, in bytes: Linux allows 255 for the whole name, and a number
/// may be appended.
const STEM_BYTES_MAX: usize = 200;
/// Device names: Windows creates no file whose name is one of these up to its first dot (Microsoft,
/// "Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];
/// Device names that are followed by a digit, which may be superscript.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// Returns a name that any system can save: the last segment of a path, without invisible and
/// reserved characters, not a device name, with an extension of its format.
pub(super) fn clean(typed: &str, kind: Kind) -> String {
    let last = typed.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .nfc()
        .filter(|character| !is_invisible(*character) && !is_noncharacter(*character))
        .map(|character| if "<>:\"/\\|?*".contains(character) { '_' } else { character })
        .collect();
    let plain = plain.trim().trim_matches('.').trim();
    let (stem, ending) = plain.rsplit_once('.').unwrap_or((plain, ""));
    let is_ours = kind.endings().iter().any(|ours| ending.eq_ignore_ascii_case(ours));
    let (stem, ending) = if is_ours { (stem, ending) } else { (plain, kind.endings()[0]) };
    let mut end = 0;
    for character in stem.chars().take(MAX - ending.len() - 1) {
        if end + character.len_utf8() > STEM_BYTES_MAX {
            break;
        }
        end += character.len_utf8();
    }
    // Windows removes dots and spaces at the end of a name.
    let stem = stem[..end]
        .trim_end_matches(|character: char| character == '.' || character.is_whitespace());
    let stem = if stem.is_empty() { "picture" } else { stem };
    if is_device(stem) { format!("_{stem}.{ending}") } else { format!("{stem}.{ending}") }
}

/// Returns whether a code point is a noncharacter (Unicode Standard §23.7).
const fn is_noncharacter(character: char) -> bool {
    matches!(character, '\u{fdd0}'..='\u{fdef}') || character as u32 & 0xfffe == 0xfffe
}

fn is_device(stem: &str) -> bool {
    let base = fold(stem.split('.').next().unwrap_or_default());
    let base = base.trim_end();
    let is_numbered = |device: &&str| {
        let number = base.strip_prefix(*device);
        number.is_some_and(|number| {
            number.len() == 1 && number.bytes().all(|digit| digit.is_ascii_digit())
        })
    };
    DEVICES.contains(&base) || NUMBERED_DEVICES.iter().any(is_numbered)
}

/// Unique names of a folder, also on systems that ignore case or normal forms.
#[derive(Debug, Default)]
pub(super) struct UniqueNames {
    /// Next number to try for a name that is taken.
    next: HashMap<String, u32>,
}

impl UniqueNames {
    /// Returns the name, with a number appended to its stem if it is taken. Amortized constant
    /// time, also for many equal names.
    pub(super) fn take(&mut self, name: &str) -> String {
        let key = Self::key(name);
        let Some(mut number) = self.next.get(&key).copied() else {
            self.next.insert(key, 2);
            return name.to_owned();
        };
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "bin"));
        loop {
            let numbered = format!("{stem} ({number}).{ending}");
            number = number.saturating_add(1);
            let numbered_key = Self::key(&numbered);
            if !self.next.contains_key(&numbered_key) {
                self.next.insert(numbered_key, 2);
                self.next.insert(key, number);
                return numbered;
            }
        }
    }

    /// Returns the comparison key: equal for names that are the same on some system.
    fn key(name: &str) -> String {
        fold(&name.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn clean_keeps_name_and_removes_what_systems_refuse() {
        for (typed, kind, expected) in [
            ("Sommer 2026.JPG", Kind::Jpeg, "Sommer 2026.JPG"),
            ("夏天.jpeg", Kind::Jpeg, "夏天.jpeg"),
            ("../../x.png", Kind::Png, "x.png"),
            ("C:\\Users\\me\\x.png", Kind::Png, "x.png"),
            ("page.html", Kind::Png, "page.html.png"),
            ("x.png\r\nSet-Cookie: a=b", Kind::Png, "x.pngSet-Cookie_ a=b.png"),
            ("gpj.\u{202e}exe", Kind::Jpeg, "gpj.exe.jpg"),
            ("", Kind::Webp, "picture.webp"),
            ("...", Kind::Webp, "picture.webp"),
            (".png", Kind::Png, "png.png"),
            ("a<b>:c|d?.png", Kind::Png, "a_b__c_d_.png"),
            ("a*\"b\0\u{7f}\u{ffff}\u{fdd0}.png", Kind::Png, "a__b.png"),
            ("trailing. . .png", Kind::Png, "trailing.png"),
            ("Zoe\u{308}.png", Kind::Png, "Zo\u{eb}.png"),
        ] {
            assert_eq!(clean(typed, kind), expected, "{typed:?}");
        }
        assert_eq!(clean(&"x".repeat(500), Kind::Png).chars().count(), MAX);
        assert_eq!(clean(&"长".repeat(500), Kind::Png).len(), 198 + ".png".len());
    }

    #[test]
    fn clean_of_device_name_puts_underscore_before_it() {
        for device in [
            "CON",
            "con",
            "PRN",
            "Aux",
            "NUL",
            "COM1",
            "com9",
            "LPT1",
            "lpt0",
            "COM\u{b9}",
            "lpt\u{b3}",
            "CONIN$",
            "ＣＯＮ",
            "con.tar",
            "nul .x",
        ] {
            assert_eq!(clean(&format!("{device}.png"), Kind::Png), format!("_{device}.png"));
        }
        for other in ["console", "com", "com10", "lpt", "auxiliary", "my con", "_con"] {
            assert_eq!(clean(&format!("{other}.png"), Kind::Png), format!("{other}.png"));
        }
    }

    #[test]
    fn take_of_names_that_are_one_on_some_system_adds_numbers() {
        let mut names = UniqueNames::default();
        let taken = [
            "x.png",
            "X.PNG",
            "x.png",
            "x (2).png",
            "y.jpg",
            "É.png",
            "e\u{301}.png",
            "ß.png",
            "SS.png",
        ]
        .map(|name| names.take(name));
        let expected = [
            "x.png",
            "X (2).PNG",
            "x (3).png",
            "x (2) (2).png",
            "y.jpg",
            "É.png",
            "e\u{301} (2).png",
            "ß.png",
            "SS (2).png",
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn take_of_many_equal_names_is_linear() {
        let mut names = UniqueNames::default();
        // Existing numbered names are skipped once each, not once per name.
        let numbered = (2..10_000).map(|number| format!("x ({number}).png"));
        let taken: HashSet<_> = numbered
            .chain((0..20_000).map(|_| "x.png".to_owned()))
            .map(|name| names.take(&name))
            .collect();
        assert_eq!(taken.len(), 29_998);
        assert_eq!(names.next[&UniqueNames::key("x.png")], 29_999);
    }
}
