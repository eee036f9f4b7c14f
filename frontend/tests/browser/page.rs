//! Test helpers that replace parts of the page's globals, and restore them.

use app::{
    protocol::{Role, User},
    session::ports::Saved,
};
use js_sys::{Function, Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

/// Replaces a property of an object until dropped.
pub(crate) struct Replaced {
    object: Object,
    name: JsValue,
    before: Object,
}

impl Replaced {
    /// Sets another value.
    pub(crate) fn by(object: &JsValue, name: &str, value: &JsValue) -> Self {
        Self::with(object, name, "value", value)
    }

    /// Makes every read throw.
    pub(crate) fn by_throwing(object: &JsValue, name: &str) -> Self {
        Self::with(
            object,
            name,
            "get",
            &Function::new_no_args("throw new DOMException('forbidden', 'SecurityError')"),
        )
    }

    fn with(object: &JsValue, name: &str, how: &str, value: &JsValue) -> Self {
        let (object, name) = (object.clone().unchecked_into::<Object>(), JsValue::from_str(name));
        let before = Object::get_own_property_descriptor(&object, &name).unchecked_into::<Object>();
        assert!(!before.is_undefined(), "{name:?} is not an own property");
        let descriptor = Object::new();
        Reflect::set(&descriptor, &"configurable".into(), &JsValue::TRUE).unwrap();
        Reflect::set(&descriptor, &how.into(), value).unwrap();
        Object::define_property(&object, &name, &descriptor);
        Self { object, name, before }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        Object::define_property(&self.object, &self.name, &self.before);
    }
}

/// Returns the prototype of a class.
pub(crate) fn prototype(class: &str) -> JsValue {
    let class = Reflect::get(&window(), &class.into()).unwrap();
    Reflect::get(&class, &"prototype".into()).unwrap()
}

/// Returns `localStorage`.
pub(crate) fn local() -> web_sys::Storage {
    window().local_storage().unwrap().unwrap()
}

/// A persisted session.
pub(crate) fn saved(session: &str, generation: i64) -> Saved {
    let user = User {
        id: uuid::Uuid::nil(),
        username: "ada".to_owned(),
        nickname: None,
        avatar_url: None,
        role: Role::User,
    };
    Saved {
        access: token(session, generation, "access"),
        refresh: token(session, generation, "refresh"),
        user,
    }
}

/// A token with readable claims; clients cannot check the signature.
pub(crate) fn token(session: &str, generation: i64, kind: &str) -> String {
    let encode = |text: String| {
        let encoded = window().btoa(&text).unwrap();
        encoded.replace('+', "-").replace('/', "_").replace('=', "")
    };
    let header = encode(r#"{"alg":"HS256"}"#.to_owned());
    let claims = format!(
        r#"{{"sid":"{session}","gen":{generation},"iat":{},"exp":4000000000,"type":"{kind}"}}"#,
        1_800_000_000 + generation
    );
    format!("{header}.{}.AAAA", encode(claims))
}
