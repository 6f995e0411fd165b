//! What goes wrong in a service, and the answer that its caller gets.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::fmt;

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// A store did not do what it was asked for.
    Store(String),
    /// Another service could not be called, or refused.
    Call(String),
    /// The file of addresses can not be used.
    Addresses(String),
    /// Nothing has been counted yet.
    Uncounted,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(why) => write!(f, "the store: {why}"),
            Self::Call(why) => write!(f, "the call: {why}"),
            Self::Addresses(why) => write!(f, "the addresses: {why}"),
            Self::Uncounted => write!(f, "no count has come yet"),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.to_string() }));
        (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
    }
}
