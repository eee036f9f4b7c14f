//! How hard a new password is to guess, while it is typed. It advises and refuses nothing.

use leptos::prelude::*;

use super::field::FieldState;
use crate::{
    i18n::strings::Language,
    validation::{
        password,
        strength::{self, Strength},
    },
};

/// The meter: a bar and a word. Its room is there from the start, so that nothing jumps.
#[component]
pub fn Meter(
    /// The password's field.
    of: FieldState,
) -> impl IntoView {
    let language = Language::of_page();
    let strength = RwSignal::new(None);
    // An effect runs once the page is awake: until then it is as the server has rendered it,
    // whatever has been typed meanwhile.
    Effect::new(move |_| {
        of.track();
        // What is longer is refused anyway, and would be looked at for long.
        let typed: String = of.value().chars().take(password::MAX).collect();
        strength.set((!typed.is_empty()).then(|| strength::estimate(&typed)));
    });
    let step = move || {
        strength.get().map(|strength| match strength {
            Strength::Weak => "1",
            Strength::Fair => "2",
            Strength::Good => "3",
            Strength::Strong => "4",
        })
    };
    let word = move || {
        let strings = language.strings();
        strength.get().map(|strength| match strength {
            Strength::Weak => strings.strength_weak,
            Strength::Fair => strings.strength_fair,
            Strength::Good => strings.strength_good,
            Strength::Strong => strings.strength_strong,
        })
    };
    view! {
        <p class="meter" data-step=step aria-live="polite" aria-atomic="true">
            <span class="meter-bar" aria-hidden="true"></span>
            <span class="sr-only">{language.t(|s| s.password_strength)}": "</span>
            <span class="meter-word">{word}</span>
        </p>
    }
}
