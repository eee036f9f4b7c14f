//! Fingerprint of the DOM structure that hydration relies on: the names of all nodes of the app, in
//! order. The server appends it to the app; before hydration `start.js` compares it with the actual
//! DOM, since hydration locates nodes by order alone. Browser extensions that insert elements next
//! to a field, and proxies that strip comments and white space, would make it take one element for
//! another.

use std::borrow::Cow;

/// Attribute of the first element after the app, with its value still empty.
const ATTRIBUTE: &str = "data-shape=\"\"";

/// Marker that Leptos puts between views: a comment to browsers, but no valid HTML.
const MARKER: &str = "<!>";

/// End of the document.
const END: &str = "</body></html>";

/// Completes a rendered page: inserts the fingerprint of the app, and makes the markup valid without
/// changing the DOM. The markers of the app become proper comments, those around it, which hydration
/// does not need, are removed, and scripts behind the end of the document move into the body, where
/// parsers put them anyway.
#[must_use]
pub fn served(html: &str) -> Cow<'_, str> {
    let Some((head, app, rest)) = parts(html) else { return Cow::Borrowed(html) };
    let app = app.replace(MARKER, "<!---->");
    let attribute = ATTRIBUTE.replace("\"\"", &format!("\"{}\"", shape(&app)));
    let rest = rest.replace(MARKER, "").replacen(ATTRIBUTE, &attribute, 1);
    let (body, scripts) = rest.split_once(END).unwrap_or((&rest, ""));
    Cow::Owned([&head.replace(MARKER, ""), &app, body, scripts, END].concat())
}

/// Splits a page into the part before the app, the app, and the part that begins with the element
/// that takes the fingerprint.
fn parts(html: &str) -> Option<(&str, &str, &str)> {
    let body = html.find("<body")?;
    let start = body + html[body..].find('>')? + 1;
    let attribute = start + html[start..].find(ATTRIBUTE)?;
    let end = html[..attribute].rfind('<')?;
    Some((&html[..start], &html[start..end], &html[end..]))
}

/// Returns a hash of the names of all nodes, computed as in `start.js`. It expects our own
/// well-formed HTML, without elements whose content is raw text.
fn shape(mut html: &str) -> u32 {
    let mut hash = 0_u32;
    let mut add = |name: &str| {
        hash =
            name.bytes().fold(hash, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    };
    while !html.is_empty() {
        let (text, markup) = html.split_at(html.find('<').unwrap_or(html.len()));
        if !text.is_empty() {
            add("#text");
        }
        html = if let Some(comment) = markup.strip_prefix("<!--") {
            add("#comment");
            comment.split_once("-->").map_or("", |(_, rest)| rest)
        } else if let Some(comment) = markup.strip_prefix("<!") {
            // Leptos' short marker, `<!>`.
            add("#comment");
            comment.split_once('>').map_or("", |(_, rest)| rest)
        } else {
            let tag = markup.strip_prefix('<').unwrap_or_default();
            if !tag.is_empty() && !tag.starts_with('/') {
                add(tag
                    .split(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')
                    .next()
                    .unwrap_or_default());
            }
            after_tag(tag)
        };
    }
    hash
}

/// Returns the rest after a tag; quoted attribute values may contain `>`.
fn after_tag(tag: &str) -> &str {
    let mut is_quoted = false;
    let end = tag.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b'>' && !is_quoted
    });
    end.and_then(|end| tag.get(end + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{served, shape};

    fn of(names: &[&str]) -> u32 {
        names
            .concat()
            .bytes()
            .fold(0, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
    }

    #[test]
    fn shape_hashes_every_node_in_order() {
        for (html, names) in [
            ("", &[][..]),
            ("<p>a</p>", &["p", "#text"]),
            ("<p>a<!>b</p> <br/>", &["p", "#text", "#comment", "#text", "#text", "br"]),
            (
                "<input value=\"a > b\" required><!-- x --><!---->",
                &["input", "#comment", "#comment"],
            ),
            ("<svg><path d=\"M0 0\"/></svg>", &["svg", "path"]),
        ] {
            assert_eq!(shape(html), of(names), "{html}");
        }
    }

    #[test]
    fn shape_depends_on_structure_and_not_on_attributes() {
        const HTML: &str =
            "<header></header><main><label>Name<!>x</label> <input name=\"a\"><!></main>";
        let known = shape(HTML);
        for changed in [
            format!("<div></div>{HTML}"),
            HTML.replace("<input", "<img><input"),
            HTML.replace("<!></main>", "<!><img></main>"),
            HTML.replace("<input name=\"a\">", "<div><input name=\"a\"></div>"),
            HTML.replace("Name", "<font>Name</font>"),
            HTML.replace("<!>", ""),
            HTML.replace("</label> ", "</label>"),
        ] {
            assert_ne!(shape(&changed), known, "{changed}");
        }
        assert_eq!(
            shape(&HTML.replace("<input", "<input data-x=\"1\"").replace("Name", "Nom")),
            known
        );
    }

    #[test]
    fn served_page_has_the_hash_of_the_app_and_no_markers() {
        let page = "<!DOCTYPE html><html><head><!><title>a</title><!></head><body class=\"a\">\
                    <p>a<!>b</p><div class=\"b\" data-shape=\"\"><!>c</div></body></html><script>x</script>";
        let hash = of(&["p", "#text", "#comment", "#text"]);
        assert_eq!(
            served(page),
            format!(
                "<!DOCTYPE html><html><head><title>a</title></head><body class=\"a\"><p>a<!---->b</p>\
                 <div class=\"b\" data-shape=\"{hash}\">c</div><script>x</script></body></html>"
            )
        );
        for page in ["", "<body>", "<p data-shape=\"\"></p>", "<body><p></p></body>"] {
            assert_eq!(served(page), page);
        }
    }
}
