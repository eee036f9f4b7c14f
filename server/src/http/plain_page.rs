//! Pages without scripts and without the app, in its look: error pages and the documentation of the
//! API. They depend on no rendering and no files.

use app::{
    i18n::{Lang, document::DocumentStrings, html::escape},
    page_settings::SiteInfo,
};

/// Style of all such pages.
pub(super) const STYLE: &str = include_str!("plain_page.css");

/// Texts of a page.
pub(super) struct PlainPage<'a> {
    pub(super) lang: Lang,
    pub(super) site: &'a SiteInfo,
    /// Plain text.
    pub(super) title: &'a str,
    /// The `style` element.
    pub(super) style: &'a str,
    /// Content of `main`, as HTML.
    pub(super) content: &'a str,
}

impl PlainPage<'_> {
    /// Renders the document.
    pub(super) fn html(&self) -> String {
        let site = escape(&self.site.name);
        format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
             <title>{title} · {site}</title>\n<link rel=\"icon\" href=\"/favicon.ico\" sizes=\"32x32\">\n\
             <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n{style}\n</head>\n<body>\n\
             <header><a class=\"brand\" href=\"/\"><svg viewBox=\"0 0 32 32\" aria-hidden=\"true\">\
             <path d=\"M5 28V15a11 11 0 0 1 22 0v13M2.5 28h27M12 28V14.5l8.5-3.2V28\"/></svg>{site}</a></header>\n\
             <main>\n{content}</main>\n<footer>\n<span>{site}</span>\n{links}</footer>\n</body>\n</html>\n",
            lang = self.lang.tag(),
            title = escape(self.title),
            style = self.style,
            content = self.content,
            links = self.links(),
        )
    }

    fn links(&self) -> String {
        let strings = DocumentStrings::of(self.lang);
        let links = [
            (&self.site.privacy_url, strings.privacy),
            (&self.site.terms_url, strings.terms),
            (&self.site.support_url, strings.support),
        ];
        let links = links.into_iter().filter_map(|(url, text)| Some((url.as_ref()?, text)));
        let links = links.map(|(url, text)| format!("<a href=\"{}\">{text}</a>\n", escape(url)));
        links.collect::<Vec<_>>().concat()
    }
}

/// Returns the CSP of such a page: nothing is loaded but icons, and the style is allowed by a source
/// expression.
pub(super) fn policy(style: &str) -> String {
    format!(
        "default-src 'none'; style-src {style}; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_escapes_the_texts_of_the_site() {
        let site = SiteInfo {
            name: "<b>Tom & Ann</b>".to_owned(),
            support_url: Some("https://example.com/?a&b".to_owned()),
            ..SiteInfo::default()
        };
        let page = PlainPage { lang: Lang::Zh, site: &site, title: "<", style: "", content: "" };
        let html = page.html();
        assert!(html.contains("<title>&lt; · &lt;b&gt;Tom &amp; Ann&lt;/b&gt;</title>"), "{html}");
        assert!(html.contains("<a href=\"https://example.com/?a&amp;b\">帮助与支持</a>"), "{html}");
        assert!(!html.contains("<b>") && !html.contains("隐私"), "{html}");
    }
}
