//! Who may ask, and how often.

use crate::client::{Reply, get, send};
use crate::rig::{Rig, Setup};
use instep_server::{Bounds, Rate, Role, Token};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const VIEWER: &str = "Bearer viewer-secret";
const OPERATOR: &str = "bearer operator-secret";

#[tokio::test]
async fn every_route_but_two_wants_a_token_and_a_decision_an_operator() {
    let rig = Rig::with(with_tokens(Bounds::default())).await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(rig.at, path).await.status, 200, "{path}");
    }
    for path in ["/v1/status", "/v1/counts/all", "/metrics", "/openapi.json", "/nothing"] {
        let reply = get(rig.at, path).await;
        assert_eq!((reply.status, reply.problem().as_str()), (401, "E-AUTH-TOKEN"), "{path}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"instep\""));
    }
    for token in ["Bearer wrong", "Bearer", "Basic dmlld2VyLXNlY3JldA==", "viewer-secret"] {
        assert_eq!(ask(&rig, "GET", "/v1/copies", token).await.status, 401, "{token}");
    }
    for token in [VIEWER, OPERATOR] {
        assert_eq!(ask(&rig, "GET", "/v1/copies", token).await.status, 200, "{token}");
        assert_eq!(ask(&rig, "GET", "/nothing", token).await.status, 404);
    }
    for path in ["/v1/failures/1/retry", "/v1/failures/1/discard"] {
        let reply = ask(&rig, "POST", path, VIEWER).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "E-AUTH-ROLE"));
        assert_eq!(ask(&rig, "POST", path, OPERATOR).await.status, 404);
    }
    let twice = [("authorization", VIEWER), ("authorization", OPERATOR)];
    assert_eq!(send(rig.at, "GET", "/v1/copies", &twice).await.status, 401);
}

#[tokio::test]
async fn no_answer_repeats_a_secret() {
    let rig = Rig::with(with_tokens(Bounds::default())).await;
    for token in [VIEWER, "Bearer canary"] {
        for path in ["/v1/status", "/metrics", "/openapi.json", "/nothing"] {
            let reply = ask(&rig, "POST", path, token).await;
            let all = format!("{:?} {}", reply.headers, reply.text());
            assert!(!all.contains("secret") && !all.contains("canary"), "{all}");
        }
    }
}

#[tokio::test]
async fn who_tries_wrong_tokens_has_to_wait_soon() {
    let refusals = Rate { burst: 3, each: HOUR };
    let rig = Rig::with(with_tokens(Bounds { refusals, ..Bounds::default() })).await;
    for _ in 0..3 {
        assert_eq!(ask(&rig, "GET", "/v1/copies", "Bearer wrong").await.status, 401);
    }
    let reply = ask(&rig, "GET", "/v1/copies", "Bearer wrong").await;
    assert_eq!((reply.status, reply.problem().as_str()), (429, "E-TOO-MANY-REQUESTS"));
    let seconds = reply.header("retry-after").and_then(|it| it.parse().ok());
    assert!(seconds.is_some_and(|it: u64| (3_500..=3_600).contains(&it)), "{seconds:?}");
    assert_eq!(ask(&rig, "GET", "/v1/copies", VIEWER).await.status, 429, "nothing is tried");
    assert_eq!(get(rig.at, "/livez").await.status, 200);
}

#[tokio::test]
async fn each_token_has_its_own_allowance() {
    let requests = Rate { burst: 5, each: HOUR };
    let rig = Rig::with(with_tokens(Bounds { requests, ..Bounds::default() })).await;
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(ask(&rig, "GET", "/v1/copies", VIEWER).await.status == 429);
    }
    assert_eq!(refused, 15);
    assert_eq!(ask(&rig, "GET", "/v1/copies", OPERATOR).await.status, 200);
    assert_eq!(get(rig.at, "/readyz").await.status, 200);
}

#[tokio::test]
async fn without_tokens_an_address_has_an_allowance() {
    let requests = Rate { burst: 5, each: HOUR };
    let bounds = Bounds { requests, ..Bounds::default() };
    let rig = Rig::with(Setup { runs: false, bounds, ..Setup::default() }).await;
    let mut replies = Vec::new();
    for _ in 0..10 {
        replies.push(rig.get("/v1/copies").await.status);
    }
    assert_eq!(replies, [[200; 5], [429; 5]].concat());
}

async fn ask(rig: &Rig, method: &str, path: &str, token: &str) -> Reply {
    send(rig.at, method, path, &[("authorization", token)]).await
}

fn with_tokens(bounds: Bounds) -> Setup {
    let tokens = vec![
        Token::new("looks", Role::Viewer, "viewer-secret"),
        Token::new("ops", Role::Operator, "operator-secret"),
    ];
    Setup { runs: false, tokens, bounds, ..Setup::default() }
}
