//! What one tab tells comes to the others: two channels in one page are to each other what those of
//! two tabs are.

use std::{cell::RefCell, rc::Rc};

use app::session::{channel::TabChannel, message::Message, ports::Channel as _, state::Ending};
use futures::StreamExt as _;
use futures::channel::mpsc;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::BroadcastChannel;

use crate::page::{Replaced, saved};

fn open() -> (TabChannel, mpsc::UnboundedReceiver<Message>) {
    let (sender, heard) = mpsc::unbounded();
    // Channels live as long as the page: those of earlier tests hear everything, and nobody listens
    // to them any more.
    let channel = TabChannel::open(move |message| drop(sender.unbounded_send(message)));
    (channel, heard)
}

#[wasm_bindgen_test]
async fn what_is_told_is_heard_by_all_others_in_its_order_and_not_by_who_told() {
    let ((here, mut own), (there, mut told), (_elsewhere, mut also)) = (open(), open(), open());
    let ended = Message::Ended { session: "s".to_owned(), why: Ending::Expired };
    let said = [Message::Began(saved("s", 1)), Message::Renewed(saved("s", 2)), ended];
    for message in &said {
        here.tell(message);
    }
    for message in &said {
        assert!(told.next().await.as_ref() == Some(message));
        assert!(also.next().await.as_ref() == Some(message));
    }
    // What it hears first is the answer, so it has not heard itself.
    let answer = Message::Asked { session: "t".to_owned() };
    there.tell(&answer);
    assert!(own.next().await == Some(answer));
}

#[wasm_bindgen_test]
async fn what_is_no_message_is_not_heard() {
    let (_here, mut heard) = open();
    let stranger = BroadcastChannel::new("session").unwrap();
    for rubbish in [
        JsValue::NULL,
        42.into(),
        "".into(),
        "news\n\n\n".into(),
        "renewed\na.b.c\nundefined\n{}".into(),
    ] {
        stranger.post_message(&rubbish).unwrap();
    }
    let message = Message::Asked { session: "s".to_owned() };
    stranger.post_message(&message.encode().into()).unwrap();
    assert!(heard.next().await == Some(message));
}

#[wasm_bindgen_test]
fn without_channels_nobody_is_told_and_nothing_breaks() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let _none = Replaced::by_throwing(&leptos::prelude::window(), "BroadcastChannel");
    let hearing = Rc::clone(&heard);
    let channel = TabChannel::open(move |message| hearing.borrow_mut().push(message));
    channel.tell(&Message::Asked { session: "s".to_owned() });
    assert!(heard.borrow().is_empty());
}
