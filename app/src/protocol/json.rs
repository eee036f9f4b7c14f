//! Decoding of JSON in the browser.
//!
//! serde-json-core decodes a type by its fields only: types of the protocol have no `flatten`, no
//! untagged or internally tagged enums, and a map has [`string_map`] in its field's attribute.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize,
    de::{DeserializeOwned, Error, MapAccess, Visitor},
};
use serde_json_core::de::Deserializer;

/// The text is not JSON, or not of the expected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON")]
pub struct InvalidJson;

/// Largest nesting of arrays and objects. The decoder recurses into members that it skips.
const MAX_DEPTH: usize = 128;

/// Decodes JSON (RFC 8259), but for characters that are escaped as surrogate pairs: the server
/// escapes control characters only. Unlike `serde_json`, it does not tell where and why a text is
/// invalid, which no page shows and which would take a tenth of the first load: the messages print
/// values of any type, also floating-point numbers.
///
/// # Errors
///
/// [`InvalidJson`] if the text cannot be decoded.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, InvalidJson> {
    if depth(json) > MAX_DEPTH {
        return Err(InvalidJson);
    }
    // No string of the text is longer than the text.
    let mut unescaped = vec![0; json.len()];
    let mut deserializer = Deserializer::new(json, Some(&mut unescaped));
    let value = T::deserialize(&mut deserializer).map_err(|_| InvalidJson)?;
    deserializer.end().map_err(|_| InvalidJson)?;
    Ok(value)
}

/// Returns how deeply arrays and objects are nested.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            b'[' | b'{' if !is_string => depth += 1,
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Decodes a map with strings as keys, for `#[serde(deserialize_with)]`: serde-json-core 0.7 panics
/// if a key is decoded as a [`String`].
///
/// # Errors
///
/// Those of the decoder.
pub fn string_map<'de, D: serde::Deserializer<'de>>(
    decoder: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct MapVisitor;

    impl<'de> Visitor<'de> for MapVisitor {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a map")
        }

        // Collected from an iterator, the map would be sorted, by code of more than 2 kB.
        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((Key(key), value)) = members.next_entry()? {
                map.insert(key, value);
            }
            Ok(map)
        }
    }

    decoder.deserialize_map(MapVisitor)
}

/// Key of a map, decoded as a `&str`.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(decoder: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
                Ok(Key(text.to_owned()))
            }
        }

        decoder.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{
        Role,
        error::{ApiError, Code, Reason},
    };

    fn errors() -> impl Strategy<Value = ApiError> {
        let text = || any::<String>();
        let fields = proptest::collection::btree_map(text(), text(), 0..4);
        let reason = proptest::option::of(Just(Reason::Reused));
        (text(), fields, reason, text()).prop_map(|(message, fields, reason, request_id)| {
            ApiError {
                message,
                fields,
                reason,
                request_id,
                ..ApiError::local(Code::ValidationFailed)
            }
        })
    }

    proptest! {
        #[test]
        fn decoding_what_the_server_writes_returns_it(error in errors()) {
            prop_assert_eq!(from_slice(&serde_json::to_vec(&error).unwrap()), Ok(error));
        }

        #[test]
        fn decoding_a_truncated_text_fails(error in errors(), cut in any::<prop::sample::Index>()) {
            let body = serde_json::to_vec(&error).unwrap();
            let end = cut.index(body.len());
            prop_assert_eq!(from_slice::<ApiError>(&body[..end]), Err(InvalidJson));
        }

        /// JSON or not: `Err` or `Ok`, never a panic.
        #[test]
        fn decoding_any_text_returns(text in "[\\[\\]{}\",:\\\\untrealsf0-9. code-]{0,40}") {
            let _ = from_slice::<ApiError>(text.as_bytes());
            let _ = from_slice::<Vec<String>>(text.as_bytes());
            let _ = from_slice::<Option<i64>>(text.as_bytes());
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        name: String,
        #[serde(default)]
        count: Option<u32>,
    }

    fn item(json: &str) -> Result<Item, InvalidJson> {
        from_slice(json.as_bytes())
    }

    #[test]
    fn unknown_members_of_any_type_are_skipped() {
        let json = r#" { "a": 1.5e3, "b": [null, {"c": "\n\"}"}, []], "name" : "x", "d": {} } "#;
        assert_eq!(item(json), Ok(Item { name: "x".into(), count: None }));
    }

    #[test]
    fn deeply_nested_members_are_refused() {
        let nested = |depth: usize| {
            format!(r#"{{"name":"[{{\"[","a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
        };
        assert!(item(&nested(127)).is_ok());
        assert_eq!(item(&nested(128)), Err(InvalidJson));
        assert_eq!(item(&nested(1_000_000)), Err(InvalidJson));
    }

    #[test]
    fn escapes_are_decoded() {
        let json = r#"{"name":"\"\\\/\b\f\n\r\t\u00e9\u4e2d"}"#;
        let name = "\"\\/\u{8}\u{c}\n\r\té中".into();
        assert_eq!(item(json), Ok(Item { name, count: None }));
    }

    #[test]
    fn map_is_decoded_with_any_text_as_its_key() {
        let json = br#"{"code":"validation_failed","message":"","fields":{"":"","a\"b":"c"}}"#;
        let fields = from_slice::<ApiError>(json).map(|error| error.fields);
        let text = str::to_owned;
        assert_eq!(fields, Ok([(text(""), text("")), (text("a\"b"), text("c"))].into()));
    }

    #[test]
    fn missing_and_null_members_are_told_from_wrong_ones() {
        assert_eq!(item(r#"{"name":"x","count":null}"#).map(|item| item.count), Ok(None));
        assert_eq!(item(r#"{"name":"x","count":7}"#).map(|item| item.count), Ok(Some(7)));
        for wrong in [
            r#"{"count":7}"#,
            r#"{"name":null}"#,
            r#"{"name":7}"#,
            r#"{"name":"x","count":-1}"#,
            r#"{"name":"x","count":4294967296}"#,
            r#"{"name":"x","count":"7"}"#,
            r#"{"name":"x","name":"x"}"#,
            r#"{"name":"x",}"#,
            r#"{"name":"x"}}"#,
            r#"{"name":"x"} x"#,
            r#"{"name":"\ud83d"}"#,
            r#"["x"]"#,
            "<html>",
            "",
        ] {
            assert_eq!(item(wrong), Err(InvalidJson), "{wrong}");
        }
    }

    #[test]
    fn unknown_code_is_decoded_and_an_unknown_role_is_not() {
        assert_eq!(from_slice(b"\"teapot\""), Ok(Code::Unknown));
        assert_eq!(from_slice::<Role>(b"\"teapot\""), Err(InvalidJson));
    }
}
