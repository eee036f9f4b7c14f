//! Modal dialog.

use leptos::{html, prelude::*};

use crate::dom;

/// Modal dialog, which the browser keeps on top and keeps the focus in.
#[component]
pub fn Dialog(
    /// Opens and closes the dialog.
    #[prop(into)]
    is_open: Signal<bool>,
    /// Called after closing, also by Escape: must make `is_open` false.
    #[prop(into)]
    on_close: Callback<()>,
    /// Id of the element inside that names the dialog.
    title_id: &'static str,
    /// CSS class.
    #[prop(default = "dialog")]
    class: &'static str,
    /// Selector of the element that is focused on opening; by default the first that can be.
    #[prop(optional)]
    initial_focus: Option<&'static str>,
    /// Content.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if !is_open.get() {
            dialog.close();
            return;
        }
        // `showModal` throws where the dialog is open already.
        let _ = dialog.show_modal();
        if let Some(selector) = initial_focus {
            // Content that depends on `is_open` is rendered one frame later.
            request_animation_frame(move || {
                dom::focus_first(selector);
            });
        }
    });
    view! {
        <dialog
            class=class
            node_ref=dialog
            aria-labelledby=title_id
            on:close=move |_| on_close.run(())
        >
            {children()}
        </dialog>
    }
    .into_any()
}
