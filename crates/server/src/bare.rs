//! Bare: a request without parameters, for routes that take none. One that nobody reads would be left
//! out in silence, and mean something to whoever wrote it.

use crate::problem::Problem;
use crate::query::pairs;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// A request without parameters.
pub(crate) struct Bare;

impl<S: Sync> FromRequestParts<S> for Bare {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = pairs(parts.uri.query()).map_err(Problem::malformed)?;
        match pairs.first() {
            None => Ok(Self),
            Some((name, _)) => {
                let detail = format!("{name:?} is no parameter; this route takes none");
                Err(Problem::malformed(detail))
            }
        }
    }
}
