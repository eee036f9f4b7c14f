//! What a file is called: as its person calls it, without what a name could do to whoever saves it.

use app::rules::is_invisible;

use crate::pictures::Kind;

/// Characters of the longest name, with its ending.
const MAX: usize = 120;

/// A name that any system can save: of a path only its last part, without what cannot be seen or means something elsewhere, and
/// ending as its kind does, whatever it was called.
pub(super) fn clean(typed: &str, kind: Kind) -> String {
    let last = typed.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|character| !is_invisible(*character))
        .map(|character| if "<>:\"|?*".contains(character) { '_' } else { character })
        .collect();
    let plain = plain.trim().trim_matches('.').trim();
    let (stem, ending) = plain.rsplit_once('.').unwrap_or((plain, ""));
    let is_ours = kind.endings().iter().any(|ours| ending.eq_ignore_ascii_case(ours));
    let (stem, ending) = if is_ours { (stem, ending) } else { (plain, kind.endings()[0]) };
    let stem: String = stem.chars().take(MAX - ending.len() - 1).collect();
    let stem = stem.trim_end();
    let stem = if stem.is_empty() { "picture" } else { stem };
    format!("{stem}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
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
        ] {
            assert_eq!(clean(typed, kind), expected, "{typed:?}");
        }
        assert_eq!(clean(&"长".repeat(500), Kind::Png).chars().count(), MAX);
    }
}
