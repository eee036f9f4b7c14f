//! SVG icons in the colour of the surrounding text, hidden from screen readers: adjacent text
//! labels them.
//!
//! They never change, so they are inserted as inert markup.

use leptos::tachys::html::InertElement;

/// Logo: an arch, open.
#[must_use]
pub fn mark() -> InertElement {
    InertElement::new(
        r#"<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M5 28V15a11 11 0 0 1 22 0v13M2.5 28h27"/><path class="mark-door" d="M12 28V14.5l8.5-3.2V28"/></svg>"#,
    )
}

/// Logo variant: the arch, closed.
#[must_use]
pub fn closed_mark() -> InertElement {
    InertElement::new(
        r#"<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M5 28V15a11 11 0 0 1 22 0v13M2.5 28h27M10 28V15.5a6 6 0 0 1 12 0V28M18.6 20.5v1.5"/></svg>"#,
    )
}

/// Warning: exclamation mark in a circle.
#[must_use]
pub fn warning() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM10 6v4.8M10 13.6v.2"/></svg>"#,
    )
}

/// Success: check mark in a circle.
#[must_use]
pub fn tick() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM6.8 10.2l2.2 2.2 4.3-4.6"/></svg>"#,
    )
}

/// Close: a cross.
#[must_use]
pub fn cross() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M5 5l10 10M15 5L5 15"/></svg>"#,
    )
}

/// Menu: three bars.
#[must_use]
pub fn bars() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 5.5h14M3 10h14M3 14.5h14"/></svg>"#,
    )
}

/// Renewal: two circular arrows.
#[must_use]
pub fn renew() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M16.5 10a6.5 6.5 0 0 1-11.8 3.8M3.5 10a6.5 6.5 0 0 1 11.8-3.8M15.6 2.8v3.6H12M4.4 17.2v-3.6H8"/></svg>"#,
    )
}

/// Security: a shield.
#[must_use]
pub fn shield() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 2.5l6 2.2v4.6c0 4-2.6 6.8-6 8.2-3.4-1.4-6-4.2-6-8.2V4.7ZM7.4 10l1.9 1.9 3.4-3.7"/></svg>"#,
    )
}

/// Devices: a monitor and a phone.
#[must_use]
pub fn screens() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M9.5 13.5h-7V4h14v3M5.5 16.5h4M13 9.5h4.5V17H13Z"/></svg>"#,
    )
}

/// Data: a box.
#[must_use]
pub fn archive() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 3.5h14v4H3ZM4.2 7.5v9h11.6v-9M8 11h4"/></svg>"#,
    )
}

/// A phone.
#[must_use]
pub fn phone() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M6 2.5h8v15H6ZM9.2 15h1.6"/></svg>"#,
    )
}

/// A desktop computer.
#[must_use]
pub fn desktop() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M2.5 3.5h15v10h-15ZM6.5 17h7M10 13.5V17"/></svg>"#,
    )
}

/// A tablet.
#[must_use]
pub fn tablet() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M4 2.5h12v15H4ZM9 15h2"/></svg>"#,
    )
}

/// A device of unknown kind: a question mark.
#[must_use]
pub fn unknown_device() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM7.8 8.2a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.7M10 14v.1"/></svg>"#,
    )
}

/// Forward: chevron to the right.
#[must_use]
pub fn forward() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M8 4.5L13.5 10 8 15.5"/></svg>"#,
    )
}

/// Visibility: an eye. The style sheet strikes it out while the text is masked.
#[must_use]
pub fn eye() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M1.8 10S4.8 4.6 10 4.6 18.2 10 18.2 10 15.2 15.4 10 15.4 1.8 10 1.8 10ZM10 7.6a2.4 2.4 0 1 1 0 4.8 2.4 2.4 0 0 1 0-4.8Z"/><path class="strike" d="M3.5 16.5l13-13"/></svg>"#,
    )
}

/// Back: chevron to the left.
#[must_use]
pub fn back() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M12 4.5L6.5 10l5.5 5.5"/></svg>"#,
    )
}

/// More actions: three dots.
#[must_use]
pub fn dots() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M4.5 10h.01M10 10h.01M15.5 10h.01" stroke-width="2.6"/></svg>"#,
    )
}

/// Expand: chevron downwards.
#[must_use]
pub fn down() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M5.5 8l4.5 4.5L14.5 8"/></svg>"#,
    )
}

/// Delete: a bin.
#[must_use]
pub fn bin() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3.5 5.5h13M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.4 8.5v5M11.6 8.5v5"/></svg>"#,
    )
}

/// Profile: head and shoulders.
#[must_use]
pub fn person() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 3a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM3.5 17a6.5 6.5 0 0 1 13 0"/></svg>"#,
    )
}

/// Files: a picture.
#[must_use]
pub fn pictures() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 4h14v12H3ZM3 13l4-4 5 5 2-2 3 3M13 7.5h.01"/></svg>"#,
    )
}

/// Settings: two sliders.
#[must_use]
pub fn sliders() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 6.5h7M14 6.5h3M3 13.5h3M10 13.5h7M12 4.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4ZM8 11.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z"/></svg>"#,
    )
}

/// Users: two persons.
#[must_use]
pub fn people() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M7.5 4a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2 16.5a5.5 5.5 0 0 1 11 0M13 4.3a3 3 0 0 1 0 5.4M15.2 12a5.5 5.5 0 0 1 2.8 4.5"/></svg>"#,
    )
}

/// Audit log: a list.
#[must_use]
pub fn list() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M7.5 5H17M7.5 10H17M7.5 15H17M3.5 5h.01M3.5 10h.01M3.5 15h.01"/></svg>"#,
    )
}

/// Another account: two arrows.
#[must_use]
pub fn switch() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M4 7h12l-3-3M16 13H4l3 3"/></svg>"#,
    )
}

/// Log out: an arrow to the right.
#[must_use]
pub fn leave() -> InertElement {
    InertElement::new(
        r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M8 3.5H4v13h4M8 10h9M14 7l3 3-3 3"/></svg>"#,
    )
}
