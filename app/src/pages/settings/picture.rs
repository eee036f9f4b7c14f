//! The picture of a person: chosen, dropped, pasted or taken, cut to a square, and sent.

use bytes::Bytes;
use futures::channel::oneshot;
use http::Method;
use leptos::{ev, html, prelude::*};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, CanvasRenderingContext2d, DragEvent, FileList, HtmlCanvasElement, ImageBitmap, KeyboardEvent, PointerEvent,
};

use super::crop::Crop;
use crate::{
    api::{
        error::{ApiError, Code},
        files::{UserChanged, remove_avatar},
    },
    components::{
        avatar::Avatar,
        notices::Notices,
        trouble::{self, Trouble},
    },
    dom,
    i18n::words::{Language, Words},
    session::{
        browser::{self, Signals},
        wire::Call,
    },
};

/// Pixels of the preview's sides, of which the style sheet shows as many as there is room for.
const PREVIEW: u32 = 576;
/// Pixels of what is sent.
const SENT: u32 = 1024;
/// How far a key moves the picture, in parts of the square.
const STEP: f64 = 0.05;
/// How much a key zooms.
const ZOOM_STEP: f64 = 0.1;

/// What went wrong.
#[derive(Clone)]
enum Wrong {
    Unreadable,
    Failed(Trouble),
}

#[derive(Clone, Copy)]
struct Editor {
    bitmap: StoredValue<Option<ImageBitmap>, LocalStorage>,
    /// Which square of the picture is shown; nothing while there is no picture.
    crop: RwSignal<Option<Crop>>,
    wrong: RwSignal<Option<Wrong>>,
    busy: RwSignal<bool>,
    notices: Notices,
}

/// The card.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let editor = Editor {
        bitmap: StoredValue::new_local(None),
        crop: RwSignal::new(None),
        wrong: RwSignal::new(None),
        busy: RwSignal::new(false),
        notices: Notices::of_page(),
    };
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
    let has_picture = move || auth.with(|auth| auth.user().is_some_and(|user| user.avatar_url.is_some()));
    view! {
        <section
            class="card card-picture"
            data-over=dom::yes(over)
            on:dragover=drag
            on:dragleave=move |_| over.set(false)
            on:drop=drop
        >
            <h2>{language.say(|w| w.picture)}</h2>
            {move || editor.wrong.with(|wrong| wrong.as_ref().map(|wrong| failure(wrong, language.words())))}
            {move || if editor.is_open() { cutter(editor).into_any() } else {
                view! {
                    <div class="picture-now">
                        <Avatar class="avatar" />
                        <div>
                            <div class="actions">
                                {chooser(editor, false, "btn btn-outline upload", |w| w.picture_choose)}
                                {chooser(editor, true, "btn btn-outline upload for-touch", |w| w.picture_take)}
                                {move || has_picture().then(|| remover(editor))}
                            </div>
                            <p class="note">{language.say(|w| w.picture_hint)}</p>
                        </div>
                    </div>
                }.into_any()
            }}
        </section>
    }
    .into_any()
}

fn failure(wrong: &Wrong, words: &'static Words) -> AnyView {
    match wrong {
        Wrong::Unreadable => {
            view! { <div class="alert" role="alert"><p>{words.picture_unreadable}</p></div> }.into_any()
        }
        Wrong::Failed(why) => {
            view! { <div class="alert" role="alert"><div>{trouble::told(why, words)}</div></div> }.into_any()
        }
    }
}

/// Asks for a picture that there is, or for one to be taken.
fn chooser(
    editor: Editor,
    takes: bool,
    class: &'static str,
    label: fn(&'static Words) -> &'static str,
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
                accept=crate::pages::files::ACCEPT
                capture=takes.then_some("user")
                node_ref=input
                on:change=chosen
            />
            <span>{language.say(label)}</span>
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
            <span>{language.say(|w| w.picture_remove)}</span>
        </button>
    }
}

/// The picture with the square that is shown of it: dragged, or moved and zoomed by keys.
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
        let (Some((x, y)), Some(canvas)) = (held.get_value(), canvas.get_untracked()) else { return };
        let side = f64::from(canvas.client_width().max(1));
        let (right, down) = (f64::from(event.client_x() - x) / side, f64::from(event.client_y() - y) / side);
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
    let zoom = move || editor.crop.with(|crop| crop.map_or(1.0, Crop::zoom)).to_string();
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
                role="application"
                aria-label=language.say(|w| w.picture_crop)
                node_ref=canvas
                on:pointerdown=press
                on:pointermove=drag
                on:pointerup=move |_| held.set_value(None)
                on:pointercancel=move |_| held.set_value(None)
                on:keydown=key
            ></canvas>
            <p class="note">{language.say(|w| w.picture_crop)}</p>
            <label class="zoom">
                <span>{language.say(|w| w.picture_zoom)}</span>
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
                    <span>{language.say(|w| w.picture_save)}</span>
                </button>
                <button type="button" class="btn btn-outline" on:click=move |_| editor.close()>
                    {language.say(|w| w.cancel)}
                </button>
            </div>
        </div>
    }
}

impl Editor {
    fn is_open(self) -> bool {
        // Not each time it is moved.
        Memo::new(move |_| self.crop.with(Option::is_some)).get()
    }

    fn change(self, change: impl FnOnce(Crop) -> Crop) {
        self.crop.update(|crop| *crop = crop.map(change));
    }

    fn close(self) {
        self.crop.set(None);
        if let Some(bitmap) = self.bitmap.try_update_value(Option::take).flatten() {
            bitmap.close();
        }
        self.wrong.set(None);
    }

    /// Pictures that are pasted anywhere on the page.
    fn accept_pasted(self) {
        Effect::new(move |_| {
            let listener = window_event_listener(ev::paste, move |event| {
                let pasted = event.clipboard_data();
                self.take(pasted.and_then(|pasted| pasted.files()).as_ref());
            });
            on_cleanup(move || listener.remove());
        });
    }

    /// Opens the first of some files.
    fn take(self, list: Option<&FileList>) {
        let Some(file) = list.and_then(|list| list.item(0)) else { return };
        dom::spawn(async move {
            match open(&file).await {
                Some(bitmap) => {
                    let (width, height) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
                    self.bitmap.try_set_value(Some(bitmap));
                    self.wrong.try_set(None);
                    self.crop.try_set(Some(Crop::new(width, height)));
                }
                None => {
                    self.wrong.try_set(Some(Wrong::Unreadable));
                }
            }
        });
    }

    fn draw(self, canvas: &HtmlCanvasElement, crop: Crop, side: u32) {
        let context = canvas.get_context("2d").ok().flatten();
        let Some(context) = context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok()) else {
            return;
        };
        let (left, top, from) = crop.square();
        let side = f64::from(side);
        // What can be seen through is seen on white, as the server does it.
        context.set_fill_style_str("#fff");
        context.fill_rect(0.0, 0.0, side, side);
        self.bitmap.with_value(|bitmap| {
            if let Some(bitmap) = bitmap {
                let _ = context.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                    bitmap, left, top, from, from, 0.0, 0.0, side, side,
                );
            }
        });
    }

    /// Sends what is in the square.
    fn save(self) {
        let Some(crop) = self.crop.get_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        self.busy.set(true);
        let (_, _, from) = crop.square();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the picture's pixels")]
        let side = (from.ceil() as u32).clamp(1, SENT);
        let canvas =
            document().create_element("canvas").ok().and_then(|made| made.dyn_into::<HtmlCanvasElement>().ok());
        let drawn = canvas.inspect(|canvas| {
            canvas.set_width(side);
            canvas.set_height(side);
            self.draw(canvas, crop, side);
        });
        dom::spawn(async move {
            let outcome = match drawn {
                Some(canvas) => match jpeg(&canvas).await {
                    Some(bytes) => send(bytes).await,
                    None => Err(ApiError::local(Code::Unknown)),
                },
                None => Err(ApiError::local(Code::Unknown)),
            };
            self.done(outcome, |words| words.picture_changed);
        });
    }

    fn remove(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        dom::spawn(async move {
            let outcome = remove_avatar().await;
            self.done(outcome, |words| words.picture_removed);
        });
    }

    fn done(self, outcome: Result<UserChanged, ApiError>, told: fn(&'static Words) -> &'static str) {
        self.busy.try_set(false);
        match outcome {
            Ok(changed) => {
                browser::know(changed.user);
                self.notices.status(told);
                if self.crop.try_get_untracked().is_some() {
                    self.close();
                }
            }
            Err(error) => {
                self.wrong.try_set(Some(Wrong::Failed(Trouble::new(error))));
            }
        }
    }
}

/// A picture, unpacked by the browser, the right side up.
async fn open(file: &Blob) -> Option<ImageBitmap> {
    let opening = window().create_image_bitmap_with_blob(file).ok()?;
    JsFuture::from(opening).await.ok()?.dyn_into().ok()
}

/// What is on a canvas, as a JPEG.
async fn jpeg(canvas: &HtmlCanvasElement) -> Option<Bytes> {
    let (tell, told) = oneshot::channel();
    let made = Closure::once(move |blob: JsValue| {
        // Nobody waits any more where the page has gone.
        let _ = tell.send(blob.dyn_into::<Blob>().ok());
    });
    let quality = JsValue::from_f64(0.92);
    canvas.to_blob_with_type_and_encoder_options(made.as_ref().unchecked_ref(), "image/jpeg", &quality).ok()?;
    let blob = told.await.ok().flatten()?;
    let buffer = JsFuture::from(blob.array_buffer()).await.ok()?;
    Some(Bytes::from(js_sys::Uint8Array::new(&buffer).to_vec()))
}

async fn send(picture: Bytes) -> Result<UserChanged, ApiError> {
    let call = Call {
        method: Method::PUT,
        url: "/api/me/avatar".to_owned(),
        content_type: "image/jpeg".to_owned(),
        accept: "application/json".to_owned(),
        body: Some(picture),
    };
    let answer = browser::send(call).await.map_err(|_| ApiError::local(Code::Network))?;
    let unknown = || ApiError::local(Code::Unknown);
    if answer.status == 200 {
        serde_json::from_slice(&answer.body).map_err(|_| unknown())
    } else {
        Err(serde_json::from_slice(&answer.body).unwrap_or_else(|_| unknown()))
    }
}
