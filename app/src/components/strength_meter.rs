//! Strength estimate of a new password while it is typed. It is advice: weak passwords are not
//! rejected.

use leptos::prelude::*;

use super::field::FieldState;
use crate::{
    i18n::strings::Language,
    validation::{
        password,
        strength::{self, Strength},
    },
};

/// Bar and label. Their space is reserved from the start, so nothing shifts.
#[component]
pub fn StrengthMeter(
    /// State of the password field.
    of: FieldState,
) -> impl IntoView {
    let language = Language::of_page();
    let strength = RwSignal::new(None);
    // Effects run after hydration: the server renders an empty meter, and hydration needs the same,
    // even if text has been typed already.
    Effect::new(move |_| {
        of.track();
        // Longer passwords are rejected anyway and would be slow to estimate.
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
    let label = move || {
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
            <span class="meter-label">{label}</span>
        </p>
    }
}
