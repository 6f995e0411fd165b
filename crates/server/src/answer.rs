//! Answers: JSON, and what lets a client ask again without being sent the same once more.

use aws_lc_rs::digest::{Context, SHA256};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An answer in JSON.
pub(crate) struct Answer<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let body = serde_json::to_vec(&self.0).expect("BUG: a view is JSON");
        ([(CONTENT_TYPE, JSON)], body).into_response()
    }
}

/// The answer under a tag made of these parts; without its body where the client has it already.
pub(crate) fn tagged(request: &HeaderMap, parts: &[&str], answer: impl IntoResponse) -> Response {
    let tag = tag(parts);
    let known = request.get_all(IF_NONE_MATCH).iter();
    let is_known = known.filter_map(|value| value.to_str().ok()).any(|value| names(value, &tag));
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer.into_response(),
    };
    let tag = HeaderValue::from_str(&tag).expect("BUG: a tag is hexadecimal");
    response.headers_mut().insert(ETAG, tag);
    // May be kept, but asked about each time.
    let cache = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(CACHE_CONTROL, cache);
    response
}

/// A strong tag: other parts, another tag.
fn tag(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    let hex: String = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether a list of tags, or a star, names this one.
fn names(list: &str, tag: &str) -> bool {
    let mut tags = list.split(',').map(str::trim);
    tags.any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_depends_on_every_part_and_on_where_each_ends() {
        let one = tag(&["a", "bc"]);
        assert_eq!(one, tag(&["a", "bc"]));
        assert_ne!(one, tag(&["ab", "c"]));
        assert_ne!(one, tag(&["a", "bd"]));
        assert!(one.len() == 34 && one.starts_with('"') && one.ends_with('"'));
    }

    #[test]
    fn a_tag_is_found_in_a_list() {
        for list in ["\"x\"", "\"y\", \"x\"", "W/\"x\"", "*"] {
            assert!(names(list, "\"x\""), "{list}");
        }
        for list in ["", "x", "\"xx\"", "\"y\",\"z\""] {
            assert!(!names(list, "\"x\""), "{list}");
        }
    }
}
