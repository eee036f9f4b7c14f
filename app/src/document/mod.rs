//! The document around the app: what the server renders and the browser wakes up.

#[cfg(feature = "ssr")]
mod shape;

use std::sync::Arc;

use leptos::{hydration::AutoReload, nonce::use_nonce, prelude::*};

use crate::{
    App,
    i18n::{Lang, strings::Strings},
    pages::Page,
};

#[cfg(feature = "ssr")]
pub use shape::with_shape;

/// Where the program and its style are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// Path of the glue.
    pub js: String,
    /// Path of the program.
    pub wasm: String,
    /// Path of the style sheet.
    pub css: String,
    /// Paths of what a page behind the gate needs besides.
    pub rooms: Vec<String>,
}

/// What the server knows of the page that it renders: given through context.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// The language to render in.
    pub lang: Lang,
    /// Code points that a new password needs.
    pub password_min: usize,
    /// Where the program and its style are.
    pub assets: Arc<Assets>,
    /// Whether the page reloads itself when its sources change: never but in development.
    pub reload: bool,
}

/// Code points that a new password needs: from the server's settings while it renders, from the
/// page in a browser.
#[must_use]
pub fn password_min() -> usize {
    use_context::<PageSettings>().map_or_else(
        || {
            crate::dom::root_number("data-password-min")
                .unwrap_or(crate::validation::password::MIN_DEFAULT)
        },
        |settings| settings.password_min,
    )
}

/// The language that the page is shown in, on either side.
#[must_use]
pub fn lang() -> Lang {
    use_context::<PageSettings>().map_or_else(crate::dom::lang, |settings| settings.lang)
}

/// The whole document.
///
/// - `head.js` runs before the first paint: it marks whether a token is stored, so that the style
///   sheet can hide what is not for
///   this person, and holds forms that are sent before the program is awake.
/// - `build.js` loads a page as a whole where the server has another build than the page at hand,
///   whose files are gone: it compares the
///   names of the program in both documents, so that an answer of anything in between counts for nothing. At most once for each build,
///   unless the user asks for it.
/// - `translated.js` keeps a page that is translated all the same from showing what is no longer
///   true. Translators put `<font>` elements in
///   the place of text nodes; the program still has the nodes, and what it writes into them would not be visible. So as soon as it
///   touches one of them, the node goes back to its place. The document asks not to be translated, since it is there in two languages.
/// - `wake.js` starts the program. Where the nodes are no longer those that the server has rendered
///   (`with_shape`), it has the program
///   render the page anew instead of hydrating it (`anew.js`), and carries over what was typed. Where the program panics before it is
///   awake, a second instance renders the page anew; where that one fails too, or where the browser has no WebAssembly, it shows a banner.
///   The second one is loaded below another path, as an ES module has one instance for each address. Leptos' own component for all this
///   writes the nonce into an attribute that can be read, which keeps Firefox from using the preload.
pub fn shell(settings: &PageSettings, path: &str) -> impl IntoView + use<> {
    let strings = Strings::of(settings.lang);
    let assets = Arc::clone(&settings.assets);
    // As one string: the markers that Leptos puts between views are text inside of a title.
    let title = escaped(&title(Page::at(path), strings));
    let wake = format!("{}({:?},{:?})", WAKE_SCRIPT.trim_end(), assets.js, assets.wasm);
    let rooms = if Page::at(path).is_room() { assets.rooms.clone() } else { Vec::new() };
    let reload = settings.reload.then(|| {
        let options = leptos::config::get_configuration(None).map(|file| file.leptos_options);
        options.ok().map(|options| view! { <AutoReload options /> })
    });
    view! {
        <!DOCTYPE html>
        <html lang=settings.lang.tag() translate="no" class="notranslate" data-password-min=settings.password_min.to_string()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="google" content="notranslate" />
                <title inner_html=title></title>
                <meta name="description" content=strings.tagline />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f9f8f5" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#13161b" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/site.webmanifest" />
                <script nonce=use_nonce()>{HEAD_SCRIPT.trim_end()}</script>
                <link rel="stylesheet" href=assets.css.clone() />
                <link rel="modulepreload" href=assets.js.clone() />
                <link rel="preload" href=assets.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                {rooms
                    .into_iter()
                    .map(|path| view! { <link rel="preload" href=path r#as="fetch" r#type="application/wasm" crossorigin="anonymous" /> })
                    .collect_view()}
                <script type="module" nonce=use_nonce()>{wake}</script>
                {reload}
            </head>
            <body>
                <App />
                <div class="banner banner-offline" role="status" data-shape="">{said(|strings| view! { {strings.offline} }.into_any())}</div>
                <div class="banner banner-broken" role="alert">
                    {said(|strings| view! { {strings.page_incomplete}" "<a href="">{strings.reload}</a> }.into_any())}
                </div>
                <div class="banner banner-missing" role="alert">{said(|strings| view! { {strings.javascript_required} }.into_any())}</div>
                <noscript>
                    <div class="banner"><p>{strings.javascript_required}</p></div>
                </noscript>
            </body>
        </html>
    }
}

/// What runs before the first paint, and what the program and the page call later.
const HEAD_SCRIPT: &str =
    concat!(include_str!("head.js"), include_str!("build.js"), include_str!("translated.js"));

/// What starts the program. It takes the page over as it is, or renders it anew where anything has
/// changed it.
const WAKE_SCRIPT: &str = concat!(include_str!("anew.js"), include_str!("wake.js"));

/// What is around the app does not follow its switch of language: it is there in each, and the
/// style sheet shows one.
fn said(text: fn(&'static Strings) -> AnyView) -> impl IntoView {
    [Lang::Zh, Lang::En].map(|lang| view! { <p lang=lang.tag()>{text(Strings::of(lang))}</p> })
}

/// A text as it stands in an element that holds text only (RCDATA, HTML §13.1.2.6).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The title of a page's window.
#[must_use]
pub fn title(page: Page, strings: &'static Strings) -> String {
    match page {
        Page::Home => strings.product.to_owned(),
        _ => format!("{} · {}", page.heading(strings), strings.product),
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escaping_a_title_keeps_it_inside_its_element() {
        assert_eq!(
            escaped("Files · Tom & Ann</title><b>"),
            "Files · Tom &amp; Ann&lt;/title>&lt;b>"
        );
    }
}
