//! What the tests do to the page that they run in, and take back.

use app::{
    protocol::{Role, User},
    session::ports::Saved,
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
    /// Puts a value in the place of a member.
    pub(crate) fn by(object: &JsValue, name: &str, value: &JsValue) -> Self {
        Self::with(object, name, "value", value)
    }

    /// Lets every look at a member throw.
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
        assert!(!before.is_undefined(), "{name:?} is no member of its own");
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

/// The storage that all tabs share.
pub(crate) fn local() -> web_sys::Storage {
    window().local_storage().unwrap().unwrap()
}

/// A session that is kept.
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

/// A token as the browser looks at it: it cannot check the signature.
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
