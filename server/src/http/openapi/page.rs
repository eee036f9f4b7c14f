//! API documentation page: HTML rendered once, without scripts, from the OpenAPI document.

use std::fmt::Write as _;

use app::{
    i18n::{Lang, document::DocumentStrings, html::escape},
    page_settings::SiteInfo,
};
use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::http::plain_page::{self, PlainPage};

const STYLE: &str = include_str!("page.css");

fn style() -> String {
    [plain_page::STYLE, STYLE].concat()
}

/// CSP of the page: nothing is loaded, the style is allowed by its hash.
pub(super) fn csp() -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(style()));
    let policy = plain_page::policy(&format!("'sha256-{hash}'"));
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Renders the page. The descriptions of operations and schemas are English in either language.
pub(super) fn html(document: &Value, site: &SiteInfo, lang: Lang) -> String {
    let strings = DocumentStrings::of(lang);
    let mut content = format!(
        "<h1>{title}</h1>\n{about}\
         <p>{machine} <a href=\"{json}\">{json}</a> (OpenAPI {openapi}, {version})</p>\n",
        title = strings.api_title,
        version = text(&document["info"]["version"]),
        about = paragraphs(strings.api_about),
        machine = strings.api_machine,
        json = super::JSON,
        openapi = text(&document["openapi"]),
    );
    // Writing into a string does not fail.
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            let _ = write!(
                content,
                "<section>\n<h2 id=\"{}\"><code>{} {}</code> <span lang=\"en\">{}</span></h2>\n{}{}",
                text(&operation["operationId"]),
                escape(&method.to_uppercase()),
                escape(path),
                text(&operation["summary"]),
                english(&operation["description"]),
                security(operation, strings),
            );
            content.push_str(&parameters(operation, strings));
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if body.is_object() {
                let heading = strings.api_request;
                let _ = write!(content, "<h3>{heading}</h3>\n{}", table(document, body));
            }
            for (status, response) in members(&operation["responses"]) {
                let heading = strings.api_response;
                let _ = writeln!(content, "<h3>{heading} {}</h3>", escape(status));
                if status.starts_with('2') {
                    content.push_str(&table(
                        document,
                        &response["content"]["application/json"]["schema"],
                    ));
                } else {
                    content.push_str(&english(&response["description"]));
                }
            }
            content.push_str("</section>\n");
        }
    }
    let failure = Value::from("#/components/schemas/ApiError");
    let _ = write!(
        content,
        "<section>\n<h2 id=\"ApiError\">{}</h2>\n{}</section>\n",
        strings.api_error,
        table(document, &serde_json::json!({ "$ref": failure })),
    );
    let style = format!("<style>{}</style>", style());
    PlainPage { lang, site, title: strings.api_title, style: &style, content: &content }.html()
}

/// Renders the accepted tokens.
fn security(operation: &Value, strings: &DocumentStrings) -> String {
    let schemes = operation["security"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(members)
        .map(|(scheme, _)| scheme);
    let schemes: Vec<_> =
        schemes.map(|scheme| format!("<code>{}</code>", escape(scheme))).collect();
    if schemes.is_empty() {
        return format!("<p>{}</p>\n", strings.api_public);
    }
    format!(
        "<p><code>Authorization: Bearer</code> {}</p>\n",
        schemes.join(&format!(" {} ", strings.api_or))
    )
}

/// Renders the query parameters.
fn parameters(operation: &Value, strings: &DocumentStrings) -> String {
    let rows = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        format!(
            "<tr><td><code>{}{}</code></td><td>{}</td><td lang=\"en\">{}</td></tr>\n",
            text(&parameter["name"]),
            if parameter["required"] == true { "" } else { "?" },
            text(&parameter["schema"]["type"]),
            inline(parameter["description"].as_str().unwrap_or_default()),
        )
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    format!("<h3>{}</h3>\n<table>\n<tbody>\n{rows}</tbody>\n</table>\n", strings.api_query)
}

/// Renders the members of an object.
fn table(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rows = members(&schema["properties"]).map(|(name, member)| {
        let told = &member["description"];
        let meaning =
            if told.is_string() { told } else { &resolve(document, member)["description"] };
        format!(
            "<tr><td><code>{}{}</code></td><td>{}</td><td lang=\"en\">{}</td></tr>\n",
            escape(name),
            if required.contains(&name.as_str()) { "" } else { "?" },
            kind(document, member),
            inline(meaning.as_str().unwrap_or_default()),
        )
    });
    let rows: String = rows.collect();
    if rows.is_empty() { rows } else { format!("<table>\n<tbody>\n{rows}</tbody>\n</table>\n") }
}

/// Renders the type of a value.
fn kind(document: &Value, schema: &Value) -> String {
    let alternatives = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    if let Some(alternatives) = alternatives {
        return alternatives
            .iter()
            .map(|schema| kind(document, schema))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next()) {
        let named = resolve(document, schema);
        if named["type"] == "object" {
            return members(&named["properties"])
                .map(|(member, _)| format!("<code>{}</code>", escape(member)))
                .collect::<Vec<_>>()
                .join(", ");
        }
        return if named["enum"].is_array() { kind(document, named) } else { escape(name) };
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .map(|value| format!("<code>{}</code>", text(value)))
            .collect::<Vec<_>>()
            .join(", ");
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let place = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(schema)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

/// Renders a description of the document.
fn english(value: &Value) -> String {
    let lines = paragraphs(value.as_str().unwrap_or_default());
    if lines.is_empty() { lines } else { format!("<div lang=\"en\">\n{lines}</div>\n") }
}

/// Renders each line of a text as a paragraph.
fn paragraphs(text: &str) -> String {
    let lines = text.lines().map(|line| line.strip_prefix("- ").unwrap_or(line));
    lines.flat_map(|line| ["<p>".to_owned(), inline(line), "</p>\n".to_owned()]).collect()
}

/// Renders text between backticks as code.
fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(
            |(at, part)| {
                if at % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_of_document_texts_is_escaped() {
        assert_eq!(inline("a `<b>` & \"c\""), "a <code>&lt;b&gt;</code> &amp; &quot;c&quot;");
        let told = serde_json::json!({ "info": { "version": "<script>x</script>" }, "paths": {} });
        let site = SiteInfo { name: "<script>x</script>".to_owned(), ..SiteInfo::default() };
        assert!(!html(&told, &site, Lang::En).contains("<script"));
    }
}
