//! PURE: a place in every shard of a source, as people write it.
//!
//! Must not know: how a source writes its own positions.

/// Each shard's service with its position, in the order of the configuration: the position alone
/// where there is one shard, else each behind the name of its service. None if there is no shard.
pub(crate) fn together(shards: &[(&str, String)]) -> Option<String> {
    match shards {
        [] => None,
        [(_, position)] => Some(position.clone()),
        several => {
            let named = several.iter().map(|(service, position)| format!("{service}:{position}"));
            Some(named.collect::<Vec<_>>().join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn one_position_stands_alone_and_several_are_named() {
        let at = |service, position: &str| (service, position.to_owned());
        assert_eq!(together(&[]), None);
        assert_eq!(together(&[at("a", "7")]).as_deref(), Some("7"));
        assert_eq!(together(&[at("b", "7"), at("a", "9")]).as_deref(), Some("b:7,a:9"));
    }
}
