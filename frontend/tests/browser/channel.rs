//! `TabChannel` over `BroadcastChannel`. Two channels in one page behave as those of two tabs.

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
    // Channels live as long as the page: those of earlier tests still receive messages, which are
    // dropped.
    let channel = TabChannel::open(move |message| drop(sender.unbounded_send(message)));
    (channel, heard)
}

#[wasm_bindgen_test]
async fn send_with_three_channels_reaches_the_others_in_order() {
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
    // The first message received is the answer, so a channel does not receive its own messages.
    let answer = Message::Asked { session: "t".to_owned() };
    there.tell(&answer);
    assert!(own.next().await == Some(answer));
}

#[wasm_bindgen_test]
async fn receive_with_foreign_messages_ignores_them() {
    let (_here, mut heard) = open();
    let foreign = BroadcastChannel::new("session").unwrap();
    for invalid in [
        JsValue::NULL,
        42.into(),
        "".into(),
        "news\n\n\n".into(),
        "renewed\na.b.c\nundefined\n{}".into(),
    ] {
        foreign.post_message(&invalid).unwrap();
    }
    let message = Message::Asked { session: "s".to_owned() };
    foreign.post_message(&message.encode().into()).unwrap();
    assert!(heard.next().await == Some(message));
}

#[wasm_bindgen_test]
fn send_without_broadcast_channel_does_nothing() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let _none = Replaced::by_throwing(&leptos::prelude::window(), "BroadcastChannel");
    let hearing = Rc::clone(&heard);
    let channel = TabChannel::open(move |message| hearing.borrow_mut().push(message));
    channel.tell(&Message::Asked { session: "s".to_owned() });
    assert!(heard.borrow().is_empty());
}
