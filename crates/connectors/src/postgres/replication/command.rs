//! PURE: how a stream is asked for, in words that the server's version knows.

use crate::postgres::lsn::Lsn;
use crate::postgres::quote;

/// What is followed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The slot.
    pub slot: String,
    /// Nothing at or before this comes.
    pub after: Lsn,
    /// The publications whose tables are followed.
    pub publications: Vec<String>,
    /// Whether large transactions come while they are still open.
    pub streaming: bool,
    /// Whether prepared transactions come when they are prepared; from version 15 on.
    pub two_phase: bool,
    /// Whether what somebody replicated into the server is left out. Servers before version 16
    /// cannot: there such transactions come, with a message that says from where.
    pub local_only: bool,
}

/// The first version that can leave out what was replicated.
const FILTERS: u32 = 160_000;

/// The command that starts the stream.
pub(super) fn start(follow: &Follow, version: u32) -> String {
    let protocol = match (follow.two_phase, follow.streaming) {
        (true, _) => 3,
        (false, true) => 2,
        (false, false) => 1,
    };
    let names: Vec<String> = follow.publications.iter().map(|name| quote::name(name)).collect();
    let mut options = vec![
        format!("proto_version '{protocol}'"),
        format!("publication_names {}", quote::option(&names.join(","))),
        "messages 'true'".to_owned(),
    ];
    let more = [
        (follow.streaming, "streaming 'on'"),
        (follow.two_phase, "two_phase 'on'"),
        (follow.local_only && version >= FILTERS, "origin 'none'"),
    ];
    options.extend(more.iter().filter(|(wanted, _)| *wanted).map(|(_, option)| (*option).into()));
    let (slot, after) = (quote::name(&follow.slot), follow.after);
    format!("START_REPLICATION SLOT {slot} LOGICAL {after} ({})", options.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Follow, start};
    use crate::postgres::lsn::Lsn;

    #[test]
    fn each_wish_has_its_words() {
        let mut follow = Follow {
            slot: "instep".into(),
            after: Lsn(0x016b_3748),
            publications: vec!["a".into(), "it's \"b\"".into()],
            streaming: false,
            two_phase: false,
            local_only: true,
        };
        assert_eq!(
            start(&follow, 150_020),
            "START_REPLICATION SLOT \"instep\" LOGICAL 0/16B3748 (proto_version '1', \
             publication_names '\"a\",\"it''s \"\"b\"\"\"', messages 'true')"
        );
        assert!(start(&follow, 160_002).ends_with(", origin 'none')"));
        follow.streaming = true;
        assert!(start(&follow, 150_020).contains("proto_version '2'"));
        follow.two_phase = true;
        let command = start(&follow, 150_020);
        assert!(command.contains("proto_version '3'") && command.contains("two_phase 'on'"));
    }
}
