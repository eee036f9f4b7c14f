//! The switches in the bar: which language, and which colours.

use leptos::prelude::*;

use super::icons;
use crate::i18n::strings::Language;

/// The switches. What the colours' one does is in `head.js`: the choice is painted before the
/// program is there.
#[component]
pub fn Switches() -> impl IntoView {
    let language = Language::of_page();
    let other = move || language.get().other();
    view! {
        <div class="switches">
            <button type="button" class="switch" on:click=move |_| language.choose(language.0.get_untracked().other())>
                // Who cannot read the page can read the name of their own language.
                <span class="sr-only">{language.t(|s| s.language)}": "</span>
                <span lang=move || other().tag()>{move || other().name()}</span>
            </button>
            <label class="switch">
                {icons::contrast()}
                <span class="sr-only">{language.t(|s| s.theme)}</span>
                <select id="theme" autocomplete="off">
                    <option value="">{language.t(|s| s.theme_system)}</option>
                    <option value="light">{language.t(|s| s.theme_light)}</option>
                    <option value="dark">{language.t(|s| s.theme_dark)}</option>
                </select>
            </label>
        </div>
    }
}
