//! Body: what a request that decides something may bring along: nothing, or an empty object of JSON.

use crate::app::App;
use crate::problem::Problem;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use model::Code;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A request with nothing in its body that anybody would have to read.
pub(crate) struct NoBody;

impl FromRequest<Arc<App>> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let bytes_max = app.bounds.body_bytes_max;
        let (head, body) = request.into_parts();
        if announced(&head.headers).is_some_and(|bytes| bytes > bytes_max) {
            return Err(too_large(bytes_max));
        }
        let body = to_bytes(body, bytes_max).await.map_err(|_| too_large(bytes_max))?;
        if !body.is_empty() {
            check(&head.headers, &body)?;
        }
        Ok(Self)
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn check(headers: &HeaderMap, body: &Bytes) -> Result<(), Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("the body is {kind:?}, not application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BodyType, detail));
    }
    match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(map) if map.is_empty() => Ok(()),
        Ok(_) => Err(Problem::malformed("the body has keys; this route takes none")),
        Err(_) => Err(Problem::malformed("the body is no object of JSON")),
    }
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!("the body did not arrive, or has more than {bytes_max} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, detail)
}
