//! Avatar settings: a picture is chosen, dropped, pasted or taken, and cropped to a square.

mod canvas;
mod crop;
mod editor;

use leptos::{html, prelude::*, task::tick};
use web_sys::{DragEvent, KeyboardEvent, PointerEvent};

use crop::Crop;
use editor::{Editor, PictureError};

use crate::{
    components::{avatar::Avatar, error_panel::ErrorAlert, icons},
    dom,
    i18n::strings::{Language, Strings},
    pages::files,
    session::browser::SessionContext,
};

/// Side of the preview canvas, in pixels; the style sheet scales it to the space available.
const PREVIEW: u32 = 576;
/// Distance that an arrow key moves the picture, as a fraction of the square.
const STEP: f64 = 0.05;
const UPLOAD_CLASS: &str = "btn btn-outline upload";
const CAMERA_CLASS: &str = "btn btn-outline upload for-touch";
/// Zoom step of a key.
const ZOOM_STEP: f64 = 0.1;

/// The card.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let auth = SessionContext::of_page().auth;
    let editor = Editor::new();
    editor.accept_pasted();
    let is_dragged_over = RwSignal::new(false);
    let drag = move |event: DragEvent| {
        event.prevent_default();
        is_dragged_over.set(true);
    };
    let drop = move |event: DragEvent| {
        event.prevent_default();
        is_dragged_over.set(false);
        editor.open_first(event.data_transfer().and_then(|carried| carried.files()).as_ref());
    };
    // The editor is gone after Save and Cancel: the focus returns to the button that opened it.
    Effect::new(move |was_open: Option<bool>| {
        let is_open = editor.is_open();
        if was_open == Some(true) && !is_open {
            dom::spawn(async {
                tick().await;
                dom::focus_first(".picture-now input");
            });
        }
        is_open
    });
    let has_picture =
        move || auth.with(|auth| auth.user().is_some_and(|user| user.avatar_url.is_some()));
    view! {
        <section
            class="card card-picture"
            data-over=dom::yes(is_dragged_over)
            on:dragover=drag
            on:dragleave=move |_| is_dragged_over.set(false)
            on:drop=drop
        >
            <h2>{language.t(|s| s.picture)}</h2>
            {move || editor.error.get().map(|error| error_alert(error, language.strings()))}
            {move || if editor.is_open() { cropper(editor).into_any() } else {
                view! {
                    <div class="picture-now">
                        <Avatar class="avatar" />
                        <div>
                            <div class="actions">
                                {file_button(editor, false, UPLOAD_CLASS, |s| s.picture_choose)}
                                {file_button(editor, true, CAMERA_CLASS, |s| s.picture_take_photo)}
                                {move || has_picture().then(|| remove_button(editor))}
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

fn error_alert(error: PictureError, strings: &'static Strings) -> AnyView {
    let message = match error {
        PictureError::Unreadable => strings.picture_unreadable,
        PictureError::UnknownKind => strings.picture_kinds,
        PictureError::TooLarge => strings.file_too_large,
        PictureError::Failed(error) => {
            return view! { <ErrorAlert error /> }.into_any();
        }
    };
    view! {
        <div class="alert">
            {icons::warning()}
            <p role="alert">{message}</p>
        </div>
    }
    .into_any()
}

/// Button that opens the file picker or, with `from_camera`, the camera.
fn file_button(
    editor: Editor,
    from_camera: bool,
    class: &'static str,
    label: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(input) = input.get_untracked() else { return };
        editor.open_first(input.files().as_ref());
        // Reset, so that choosing the same file again fires `change`.
        input.set_value("");
    };
    view! {
        <label class=class>
            <input
                type="file"
                class="sr-only"
                accept=files::ACCEPT
                capture=from_camera.then_some("user")
                node_ref=input
                on:change=chosen
            />
            <span>{language.t(label)}</span>
        </label>
    }
}

fn remove_button(editor: Editor) -> impl IntoView {
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

/// Crop area: dragged, or moved and zoomed by keys, where the browser lets us crop.
fn cropper(editor: Editor) -> impl IntoView {
    let language = Language::of_page();
    let canvas = NodeRef::<html::Canvas>::new();
    let last_position = StoredValue::new(None::<(i32, i32)>);
    Effect::new(move |has_focus: Option<bool>| {
        let (Some(canvas), Some(crop)) = (canvas.get(), editor.crop.get()) else { return false };
        editor.draw(&canvas, crop, PREVIEW);
        if has_focus != Some(true) {
            dom::focus(&canvas);
        }
        true
    });
    let press = move |event: PointerEvent| {
        last_position.set_value(Some((event.client_x(), event.client_y())));
        if let Some(canvas) = canvas.get_untracked() {
            // `setPointerCapture` throws for a pointer that is gone.
            let _ = canvas.set_pointer_capture(event.pointer_id());
        }
    };
    let drag = move |event: PointerEvent| {
        let (Some((x, y)), Some(canvas)) = (last_position.get_value(), canvas.get_untracked())
        else {
            return;
        };
        let side = f64::from(canvas.client_width().max(1));
        let (right, down) =
            (f64::from(event.client_x() - x) / side, f64::from(event.client_y() - y) / side);
        editor.update_crop(|crop| crop.dragged(right, down));
        last_position.set_value(Some((event.client_x(), event.client_y())));
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
        editor.update_crop(changed);
    };
    let hint = move || {
        let strings = language.strings();
        if editor.can_crop.get() { strings.picture_crop } else { strings.picture_no_crop }
    };
    let zoom = move || editor.crop.with(|crop| crop.map_or(1.0, Crop::zoom));
    let slide = move |event| {
        let zoom = event_target_value(&event).parse().unwrap_or(f64::NAN);
        editor.update_crop(|crop| crop.zoomed(zoom));
    };
    view! {
        <div class="cropper">
            <canvas
                width=PREVIEW.to_string()
                height=PREVIEW.to_string()
                tabindex="0"
                role=move || if editor.can_crop.get() { "application" } else { "img" }
                aria-label=hint
                node_ref=canvas
                on:pointerdown=press
                on:pointermove=drag
                on:pointerup=move |_| last_position.set_value(None)
                on:pointercancel=move |_| last_position.set_value(None)
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
