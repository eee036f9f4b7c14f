//! Replacements of the browser's objects for the duration of a test, and sample sessions.

use app::{
    protocol::{Role, User},
    session::ports::PersistedSession,
};
use js_sys::{Function, Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

/// Another value for a member of an object, until this is dropped.
pub(crate) struct Replaced {
    object: Object,
    name: JsValue,
    before: Object,
}

impl Replaced {
    /// Replaces a member with a value.
    pub(crate) fn by(object: &JsValue, name: &str, value: &JsValue) -> Self {
        Self::with(object, name, "value", value)
    }

    /// Makes every read of a member throw.
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

/// The prototype of one of the browser's classes.
pub(crate) fn prototype(class: &str) -> JsValue {
    let class = Reflect::get(&window(), &class.into()).unwrap();
    Reflect::get(&class, &"prototype".into()).unwrap()
}

/// `localStorage`.
pub(crate) fn local() -> web_sys::Storage {
    window().local_storage().unwrap().unwrap()
}

/// A sample session.
pub(crate) fn persisted(session: &str, generation: i64) -> PersistedSession {
    let user = User {
        id: uuid::Uuid::nil(),
        username: "ada".to_owned(),
        nickname: None,
        avatar_url: None,
        role: Role::User,
    };
    PersistedSession {
        access_token: token(session, generation, "access"),
        refresh_token: token(session, generation, "refresh"),
        user,
    }
}

/// A token with an invalid signature, which the browser cannot check.
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
