//! Router: every route, and what stands in front of all of them.
//!
//! Routes and the document at `/openapi.json` are made of the same list.

use crate::app::App;
use crate::guard::guard;
use crate::observe::observe;
use crate::problem::Problem;
use crate::routes::{copies, count, counts, failures, metrics, openapi, standing, status};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use model::Code;
use std::sync::Arc;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The whole interface.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, document) = api().split_for_parts();
    router
        .fallback(unknown)
        .method_not_allowed_fallback(refused)
        .layer(Extension(openapi::Document::new(&described(document))))
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// The document that describes the interface, as `/openapi.json` has it.
pub fn document() -> String {
    let document = described(api().into_openapi());
    document.to_pretty_json().expect("BUG: a document is JSON")
}

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(standing::livez))
        .routes(routes!(standing::readyz))
        .routes(routes!(status::status))
        .routes(routes!(copies::copies))
        .routes(routes!(counts::counts))
        .routes(routes!(count::count))
        .routes(routes!(failures::failures))
        .routes(routes!(failures::retry))
        .routes(routes!(failures::discard))
        .routes(routes!(metrics::metrics))
        .routes(routes!(openapi::openapi))
}

/// What the list of routes does not say.
fn described(mut document: OpenApi) -> OpenApi {
    document.info = Info::new("Instep", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(
        "What an Instep instance keeps in step: its copies and counts, each with the position at \
         which it is told. Fields are added over time, never changed."
            .to_owned(),
    );
    let components = document.components.get_or_insert_with(Components::new);
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", token);
    document
}

async fn unknown(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}", uri.path());
    Problem::new(StatusCode::NOT_FOUND, Code::RouteUnknown, detail)
}

async fn refused(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodRefused, detail)
}
