//! The picture of a person: chosen, dropped, pasted or taken, and cut to a square.

mod canvas;
mod crop;
mod editor;

use leptos::{html, prelude::*};
use web_sys::{DragEvent, KeyboardEvent, PointerEvent};

use crop::Crop;
use editor::{Editor, Wrong};

use crate::{
    components::{avatar::Avatar, trouble},
    dom,
    i18n::strings::{Language, Strings},
    pages::files,
    session::browser::Signals,
};

/// Pixels of the preview's sides, of which the style sheet shows as many as there is room for.
const PREVIEW: u32 = 576;
/// How far a key moves the picture, in parts of the square.
const STEP: f64 = 0.05;
/// How much a key zooms.
const ZOOM_STEP: f64 = 0.1;

/// The card.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let editor = Editor::new();
    editor.accept_pasted();
    let over = RwSignal::new(false);
    let drag = move |event: DragEvent| {
        event.prevent_default();
        over.set(true);
    };
    let drop = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        editor.take(event.data_transfer().and_then(|carried| carried.files()).as_ref());
    };
    let has_picture =
        move || auth.with(|auth| auth.user().is_some_and(|user| user.avatar_url.is_some()));
    view! {
        <section
            class="card card-picture"
            data-over=dom::yes(over)
            on:dragover=drag
            on:dragleave=move |_| over.set(false)
            on:drop=drop
        >
            <h2>{language.t(|s| s.picture)}</h2>
            {move || editor.wrong.with(|wrong| wrong.as_ref().map(|wrong| failure(wrong, language.strings())))}
            {move || if editor.is_open() { cutter(editor).into_any() } else {
                view! {
                    <div class="picture-now">
                        <Avatar class="avatar" />
                        <div>
                            <div class="actions">
                                {chooser(editor, false, "btn btn-outline upload", |s| s.picture_choose)}
                                {chooser(editor, true, "btn btn-outline upload for-touch", |s| s.picture_take_photo)}
                                {move || has_picture().then(|| remover(editor))}
                            </div>
                            <p class="note">{language.t(|s| s.picture_hint)}</p>
                        </div>
                    </div>
                }.into_any()
            }}
        </section>
    }
    .into_any()
}

fn failure(wrong: &Wrong, strings: &'static Strings) -> AnyView {
    match wrong {
        Wrong::Unreadable => {
            view! { <div class="alert" role="alert"><p>{strings.picture_unreadable}</p></div> }
                .into_any()
        }
        Wrong::TooLarge => {
            view! { <div class="alert" role="alert"><p>{strings.file_too_large}</p></div> }
                .into_any()
        }
        Wrong::Failed(why) => {
            view! { <div class="alert" role="alert"><div>{trouble::told(why, strings)}</div></div> }
                .into_any()
        }
    }
}

/// Asks for a picture that there is, or for one to be taken.
fn chooser(
    editor: Editor,
    takes: bool,
    class: &'static str,
    label: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(input) = input.get_untracked() else { return };
        editor.take(input.files().as_ref());
        // The same file may be chosen again.
        input.set_value("");
    };
    view! {
        <label class=class>
            <input
                type="file"
                class="sr-only"
                accept=files::ACCEPT
                capture=takes.then_some("user")
                node_ref=input
                on:change=chosen
            />
            <span>{language.t(label)}</span>
        </label>
    }
}

fn remover(editor: Editor) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <button
            type="button"
            class="btn btn-ghost"
            aria-busy=dom::yes(editor.busy)
            aria-disabled=dom::yes(editor.busy)
            on:click=move |_| editor.remove()
        >
            <span class="spinner" aria-hidden="true"></span>
            <span>{language.t(|s| s.picture_remove)}</span>
        </button>
    }
}

/// The picture with the square that is shown of it: dragged, or moved and zoomed by keys, where the
/// browser lets us crop it.
fn cutter(editor: Editor) -> impl IntoView {
    let language = Language::of_page();
    let canvas = NodeRef::<html::Canvas>::new();
    let held = StoredValue::new(None::<(i32, i32)>);
    Effect::new(move |has_focus: Option<bool>| {
        let (Some(canvas), Some(crop)) = (canvas.get(), editor.crop.get()) else { return false };
        editor.draw(&canvas, crop, PREVIEW);
        if has_focus != Some(true) {
            dom::focus(&canvas);
        }
        true
    });
    let press = move |event: PointerEvent| {
        held.set_value(Some((event.client_x(), event.client_y())));
        if let Some(canvas) = canvas.get_untracked() {
            // A pointer that has gone cannot be held.
            let _ = canvas.set_pointer_capture(event.pointer_id());
        }
    };
    let drag = move |event: PointerEvent| {
        let (Some((x, y)), Some(canvas)) = (held.get_value(), canvas.get_untracked()) else {
            return;
        };
        let side = f64::from(canvas.client_width().max(1));
        let (right, down) =
            (f64::from(event.client_x() - x) / side, f64::from(event.client_y() - y) / side);
        editor.change(|crop| crop.dragged(right, down));
        held.set_value(Some((event.client_x(), event.client_y())));
    };
    let key = move |event: KeyboardEvent| {
        let changed: fn(Crop) -> Crop = match event.key().as_str() {
            "ArrowLeft" => |crop| crop.dragged(-STEP, 0.0),
            "ArrowRight" => |crop| crop.dragged(STEP, 0.0),
            "ArrowUp" => |crop| crop.dragged(0.0, -STEP),
            "ArrowDown" => |crop| crop.dragged(0.0, STEP),
            "+" | "=" => |crop| crop.zoomed(crop.zoom() + ZOOM_STEP),
            "-" => |crop| crop.zoomed(crop.zoom() - ZOOM_STEP),
            _ => return,
        };
        event.prevent_default();
        editor.change(changed);
    };
    let hint = move || {
        let strings = language.strings();
        if editor.can_crop.get() { strings.picture_crop } else { strings.picture_no_crop }
    };
    let zoom = move || editor.crop.with(|crop| crop.map_or(1.0, Crop::zoom));
    let slide = move |event| {
        let wished = event_target_value(&event).parse().unwrap_or(f64::NAN);
        editor.change(|crop| crop.zoomed(wished));
    };
    view! {
        <div class="cutter">
            <canvas
                width=PREVIEW.to_string()
                height=PREVIEW.to_string()
                tabindex="0"
                role=move || if editor.can_crop.get() { "application" } else { "img" }
                aria-label=hint
                node_ref=canvas
                on:pointerdown=press
                on:pointermove=drag
                on:pointerup=move |_| held.set_value(None)
                on:pointercancel=move |_| held.set_value(None)
                on:keydown=key
            ></canvas>
            <p class="note">{hint}</p>
            <label class="zoom" hidden=move || !editor.can_crop.get()>
                <span>{language.t(|s| s.picture_zoom)}</span>
                <input type="range" min="1" max="4" step="0.01" prop:value=zoom on:input=slide />
            </label>
            <div class="actions">
                <button
                    type="button"
                    class="btn btn-primary"
                    aria-busy=dom::yes(editor.busy)
                    aria-disabled=dom::yes(editor.busy)
                    on:click=move |_| editor.save()
                >
                    <span class="spinner" aria-hidden="true"></span>
                    <span>{language.t(|s| s.picture_save)}</span>
                </button>
                <button type="button" class="btn btn-outline" on:click=move |_| editor.close()>
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </div>
    }
}
