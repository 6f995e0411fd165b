//! `GET /openapi.json`: what there is, made of the same list as the routes.

use crate::problem::ProblemView;
use axum::Extension;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// The document in writing.
#[derive(Clone)]
pub(crate) struct Document(Arc<str>);

impl Document {
    pub(crate) fn new(document: &OpenApi) -> Self {
        Self(document.to_json().expect("BUG: a document is JSON").into())
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", security(("token" = [])), responses(
    (status = 200, body = Object, description = "It follows OpenAPI 3.1."),
    (status = "4XX", body = ProblemView, content_type = "application/problem+json",
     description = "It was refused."),
))]
pub(crate) async fn openapi(
    Extension(Document(document)): Extension<Document>,
) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "application/json")], document.to_string())
}
