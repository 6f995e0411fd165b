//! `GET /v1/counts` and `GET /v1/counts/NAME`: which fields, which values, of which type.

use super::http::fields;
use super::world::{ITEMS, world};
use serde_json::{Value, json};

#[test]
fn the_list_names_every_count_with_its_columns() {
    let counts = world().api.json("/v1/counts");
    assert_eq!(fields(&counts), ["counts"]);
    let counts = counts["counts"].as_array().unwrap();
    let names: Vec<_> = counts.iter().map(|count| count["name"].as_str().unwrap()).collect();
    let all = ["all", "topics", "places", "photos", "live", "strange", "rows", "row_total"];
    assert_eq!(names, all, "in the order of the configuration");
    for count in counts {
        assert_eq!(fields(count), ["by", "name", "position", "state"]);
        assert_eq!(count["state"], "unverified", "nothing has been proven yet");
    }
    assert_eq!(counts[0]["by"], json!([]));
    assert_eq!(counts[2]["by"], json!(["topic", "place"]));
    assert_eq!(counts[1]["position"], "1", "nothing was written since the first look");
    assert_eq!(counts[6]["position"], "left:1,right:1");
}

#[test]
fn with_every_column_given_the_answer_is_one_number() {
    let world = world();
    let all = world.api.json("/v1/counts/all");
    let names = ["as_of", "group", "name", "position", "state", "value", "verified_through"];
    assert_eq!(fields(&all), names);
    assert_eq!(
        (&all["name"], &all["group"], &all["value"]),
        (&json!("all"), &json!({}), &json!(ITEMS))
    );
    assert_eq!((&all["verified_through"], &all["state"]), (&Value::Null, &json!("unverified")));
    let as_of = all["as_of"].as_str().unwrap();
    assert!(as_of.starts_with("20") && as_of.ends_with('Z'), "the source's clock: {all}");
    assert!(all["position"].as_str().unwrap().parse::<u64>().is_ok(), "{all}");
    let topic = world.api.json("/v1/counts/topics?topic=7");
    assert_eq!(fields(&topic), names);
    assert_eq!((&topic["group"], &topic["value"]), (&json!({"topic": 7}), &json!(2)));
}

#[test]
fn a_value_is_of_the_type_that_json_has_for_it() {
    let api = &world().api;
    for (query, group, value) in [
        ("topics?topic=7", json!({"topic": 7}), 2),
        ("topics?topic=-1", json!({"topic": -1}), 1),
        ("topics?topic=9007199254740993", json!({"topic": 9_007_199_254_740_993_i64}), 1),
        ("topics?topic.is=null", json!({"topic": null}), 2),
        ("places?topic=7&place=east", json!({"topic": 7, "place": "east"}), 1),
        ("places?place=west&topic=7", json!({"topic": 7, "place": "west"}), 1),
        ("places?topic.is=null&place=east", json!({"topic": null, "place": "east"}), 1),
        ("places?topic.is=null&place.is=null", json!({"topic": null, "place": null}), 1),
        ("places?topic=-1&place=", json!({"topic": -1, "place": ""}), 1),
        (
            "places?topic=9007199254740993&place=a%26b%3Dc+%C3%A9%2B%25",
            json!({"topic": 9_007_199_254_740_993_i64, "place": "a&b=c é+%"}),
            1,
        ),
        ("photos?photo=AP8Q", json!({"photo": "AP8Q"}), 2),
        ("photos?photo=", json!({"photo": ""}), 1),
        ("photos?photo.is=null", json!({"photo": null}), 4),
        ("live?topic.is=null", json!({"topic": null}), 1),
        ("live?topic=7", json!({"topic": 7}), 2),
        ("strange?the%20kind=7", json!({"the kind": "7"}), 2),
        ("strange?the+kind=null", json!({"the kind": "null"}), 1),
        ("strange?the+kind.is=null", json!({"the kind": null}), 0),
        ("strange?the+kind=true", json!({"the kind": "true"}), 1),
    ] {
        let told = api.json(&format!("/v1/counts/{query}"));
        assert_eq!((&told["group"], &told["value"]), (&group, &json!(value)), "{query}");
    }
}

#[test]
fn a_group_that_no_row_is_in_is_zero_and_looks_like_the_others() {
    let api = &world().api;
    for (query, group) in [
        ("topics?topic=99", json!({"topic": 99})),
        ("live?topic=-1", json!({"topic": -1})),
        ("places?topic=8&place=west", json!({"topic": 8, "place": "west"})),
        ("places?topic=12&place=34", json!({"topic": 12, "place": "34"})),
        ("strange?the+kind=9", json!({"the kind": "9"})),
        ("photos?photo=AAAA", json!({"photo": "AAAA"})),
        ("topics?topic=east", json!({"topic": "east"})),
    ] {
        let told = api.json(&format!("/v1/counts/{query}"));
        assert_eq!((&told["group"], &told["value"]), (&group, &json!(0)), "{query}");
    }
}

#[test]
fn with_fewer_columns_the_answer_is_a_list() {
    let api = &world().api;
    let told = api.json("/v1/counts/topics");
    let names = ["as_of", "name", "next", "position", "state", "values", "verified_through"];
    assert_eq!(fields(&told), names);
    assert_eq!(told["next"], Value::Null);
    let expected = [
        (json!(null), 2),
        (json!(-1), 1),
        (json!(7), 2),
        (json!(8), 1),
        (json!(9_007_199_254_740_993_i64), 1),
    ];
    let expected =
        expected.iter().map(|(topic, value)| json!({"group": {"topic": topic}, "value": value}));
    assert_eq!(told["values"], json!(expected.collect::<Vec<_>>()));
    let some = api.json("/v1/counts/places?place=east");
    let group = |topic: Value| json!({"group": {"topic": topic, "place": "east"}, "value": 1});
    assert_eq!(some["values"], json!([group(json!(null)), group(json!(7)), group(json!(8))]));
    assert_eq!(api.json("/v1/counts/places?place=nowhere")["values"], json!([]));
    let none = api.json("/v1/counts/places?place.is=null")["values"].clone();
    assert_eq!(none, json!([{"group": {"topic": null, "place": null}, "value": 1}]));
}

#[test]
fn pages_follow_each_other_without_a_gap_or_a_double() {
    let api = &world().api;
    let whole = api.json("/v1/counts/places")["values"].clone();
    for limit in [1, 2, 4, 7] {
        let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = api.json(&format!("/v1/counts/places?limit={limit}{after}"));
            let values = page["values"].as_array().unwrap();
            assert!(values.len() <= limit, "{page}");
            found.extend(values.iter().cloned());
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!((json!(found), pages), (whole.clone(), 7_usize.div_ceil(limit)), "{limit}");
    }
}

#[test]
fn one_number_has_a_tag_and_is_not_sent_twice() {
    let api = &world().api;
    let first = api.get("/v1/counts/topics?topic=7");
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let ask = |path: &str, known: &str| api.ask("GET", path, &[("if-none-match", known)], b"");
    for known in [tag.as_str(), &format!("\"other\", {tag}"), &format!("W/{tag}"), "*"] {
        let again = ask("/v1/counts/topics?topic=7", known);
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
    assert_eq!(ask("/v1/counts/topics?topic=7", "\"other\"").status, 200);
    let other = ask("/v1/counts/topics?topic=8", &tag);
    assert_eq!(other.status, 200, "another group");
    assert_ne!(other.header("etag"), Some(tag.as_str()));
}

#[test]
fn a_question_that_can_not_be_understood_is_a_problem() {
    let api = &world().api;
    let problem = api.problem("/v1/counts/topic", 404, "E-COUNT-UNKNOWN");
    assert!(problem["detail"].as_str().unwrap().contains("topics"), "{problem}");
    for wrong in [
        "topics?topik=7",
        "topics?topic=7&topic=8",
        "topics?topic=7&topic.is=null",
        "topics?topic.is=7",
        "topics?topic=%ff",
        "topics?topic=%2",
        "all?topic=7",
        "topics?limit=0",
        "topics?limit=-1",
        "topics?limit=1001",
        "topics?limit=many",
        "topics?limit=1&limit=1",
        "topics?after=nothing",
        "topics?after=",
        "topics?wait=1",
        "topics?wait=31s",
        "topics?wait=-1s",
        "topics?wait=1s&wait=1s",
        "topics?at_least=0&at_least=0",
    ] {
        api.problem(&format!("/v1/counts/{wrong}"), 400, "E-REQUEST-MALFORMED");
    }
    let next = api.json("/v1/counts/topics?limit=1")["next"].as_str().unwrap().to_owned();
    let strange = format!("/v1/counts/places?after={next}");
    api.problem(&strange, 400, "E-REQUEST-MALFORMED");
}
