//! The document and what is served are the same.

use crate::client::{Reply, send};
use crate::rig::{Rig, Setup};
use model::Op;
use serde_json::{Value as Json, json};
use testkit::conformance::rows::row;

/// Every path of the document, with addresses under which it has something to say.
const ADDRESSES: [(&str, &[&str]); 11] = [
    ("/livez", &["/livez"]),
    ("/readyz", &["/readyz"]),
    ("/v1/status", &["/v1/status"]),
    ("/v1/copies", &["/v1/copies"]),
    ("/v1/counts", &["/v1/counts"]),
    (
        "/v1/counts/{name}",
        &[
            "/v1/counts/all",
            "/v1/counts/by_topic?topic=7",
            "/v1/counts/by_topic?limit=1",
            "/v1/counts/none",
            "/v1/counts/all?at_least=99999999",
            "/v1/counts/all?wait=x",
        ],
    ),
    ("/v1/failures", &["/v1/failures", "/v1/failures?limit=1", "/v1/failures?limit=x"]),
    ("/v1/failures/{id}/retry", &["/v1/failures/{id}/retry", "/v1/failures/1/retry"]),
    ("/v1/failures/{id}/discard", &["/v1/failures/1/discard", "/v1/failures/{id}/discard"]),
    ("/metrics", &["/metrics"]),
    ("/openapi.json", &["/openapi.json"]),
];

#[tokio::test]
async fn every_path_of_the_document_answers_as_it_says() {
    let rig = Rig::new().await;
    let topics = (0..5).map(|id| Op::Insert(row(id, id, if id < 2 { "bad" } else { "good" })));
    let end = rig.change(topics);
    rig.counted(end).await;
    let list = rig.until("/v1/failures", |it| it["failures"][1]["id"].is_string()).await;
    let id = list["failures"][0]["id"].as_str().expect("an id");
    let document = rig.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), ADDRESSES.len());
    for (path, addresses) in ADDRESSES {
        for (method, operation) in paths[path].as_object().expect("operations") {
            for address in addresses {
                let address = address.replace("{id}", id);
                let reply = send(rig.at, &method.to_uppercase(), &address, &[]).await;
                check(&document, operation, &address, &reply);
            }
        }
    }
}

#[tokio::test]
async fn what_can_not_be_told_answers_as_the_document_says() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    rig.ready.set(false);
    let document = rig.get("/openapi.json").await.json();
    for (path, address) in [
        ("/readyz", "/readyz"),
        ("/v1/status", "/v1/status"),
        ("/v1/copies", "/v1/copies"),
        ("/v1/counts", "/v1/counts"),
        ("/v1/counts/{name}", "/v1/counts/all"),
    ] {
        let reply = rig.get(address).await;
        check(&document, &document["paths"][path]["get"], address, &reply);
    }
    let foreign = send(rig.at, "GET", "/v1/status", &[("host", "evil.example")]).await;
    check(&document, &document["paths"]["/v1/status"]["get"], "/v1/status", &foreign);
}

#[test]
fn the_document_is_one_of_openapi_and_every_part_says_what_it_is() {
    let document: Json = serde_json::from_str(&instep_server::document()).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Instep");
    assert_eq!(
        document["components"]["securitySchemes"]["token"],
        json!({"type": "http", "scheme": "bearer"})
    );
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for operation in operations.as_object().expect("operations").values() {
            assert!(operation["summary"].is_string(), "{path}");
            let is_open = ["/livez", "/readyz"].contains(&path.as_str());
            let security = operation["security"].to_string();
            assert_eq!(security.contains("token"), !is_open, "{path}: {security}");
        }
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property.to_string().contains("\"description\""), "{name}.{field}: {property}");
        }
    }
}

/// The reply has a status, a media type and a body that the operation lists.
fn check(document: &Json, operation: &Json, address: &str, reply: &Reply) {
    let responses = operation["responses"].as_object().expect("responses");
    let class = format!("{}XX", reply.status / 100);
    let exact = responses.get(&reply.status.to_string());
    let response = exact.or(responses.get(&class));
    let response = response.unwrap_or_else(|| panic!("{address}: {} is not listed", reply.status));
    let kind = reply.header("content-type").expect("a media type");
    let kind = kind.split(';').next().unwrap_or_default();
    let Some(schema) = response["content"].get(kind) else {
        panic!("{address}: {kind} is not listed: {response}");
    };
    if !kind.ends_with("json") {
        return;
    }
    let mut schema = schema["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let body = reply.json();
    let wrong: Vec<_> = validator.iter_errors(&body).map(|wrong| wrong.to_string()).collect();
    assert!(wrong.is_empty(), "{address}: {wrong:?}\n{body}\n{schema}");
    // Nothing is sent that the document does not know.
    let named = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
    if let Some(name) = named {
        let known = &document["components"]["schemas"][name]["properties"];
        for field in body.as_object().expect("an object").keys().filter(|_| known.is_object()) {
            assert!(known[field].is_object(), "{address}: {field} is not listed");
        }
    }
}
