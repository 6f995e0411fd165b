//! Problem: the answer when there is none, as RFC 9457 has it.

use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use model::Code;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Why a request was not done, and what to do.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// Why a request was not done, and what to do.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemView {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// What happened; the same for every problem of this code.
    title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time.
    detail: String,
    /// The code, which stays the same over versions.
    #[schema(pattern = "^E-[A-Z0-9-]+$")]
    code: String,
    /// What to do.
    fix: String,
}

impl Problem {
    /// A problem of this kind, with the facts at hand.
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), header: None }
    }

    /// A request that can not be understood.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::RequestMalformed, detail)
    }

    /// What can not be done now, but may be soon.
    pub(crate) fn not_now(code: Code, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(Duration::ZERO)
    }

    /// The same, with a header beside it.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The same, to be tried again after so long: whole seconds, and at least one.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        let seconds = HeaderValue::from_str(&seconds.to_string());
        self.with(RETRY_AFTER, seconds.expect("BUG: digits are a header's value"))
    }

    /// The bytes that are sent.
    pub(crate) fn body(&self) -> Vec<u8> {
        let view = ProblemView {
            kind: format!("urn:instep:{}", self.code),
            title: self.code.title().to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_string(),
            fix: self.code.fix().to_owned(),
        };
        serde_json::to_vec(&view).expect("BUG: it has only texts and a number")
    }
}

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let mut response = (self.status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
