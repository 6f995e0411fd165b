//! The bounds that a configuration sets, for those who keep them.

use crate::config::setting::Setting;
use crate::config::trouble::Trouble;
use engine::Limits;
use journal::Options;
use model::Code;
use std::time::Duration;

/// What goes into one entry of the journal has to fit there, with room for a last row.
pub(super) fn check(limits: &Setting, troubles: &mut Vec<Trouble>) {
    let whole = |name: &str| limits.get(name).and_then(Setting::whole);
    let Some(record) = whole("record_bytes_max") else { return };
    for name in ["part_bytes_max", "inline_bytes_max"] {
        let (Some(setting), Some(bytes)) = (limits.get(name), whole(name)) else { continue };
        if bytes > record / 2 {
            let what =
                format!("`{name}` is {bytes}, more than half of `record_bytes_max`, {record}");
            let why = "what it bounds is written as one entry of the journal, which would not fit";
            let fix =
                format!("set `{name}` to {} or less, or raise `record_bytes_max`", record / 2);
            troubles.push(Trouble::new(Code::ConfigType, setting.span, what, why, fix));
        }
    }
}

/// The bounds of a pipeline, of the journal, and of one part of a transaction.
pub(super) fn bounds(limits: &Setting) -> Option<(Limits, Options, usize)> {
    let whole = |name: &str| limits.get(name).and_then(Setting::whole);
    let size = |name: &str| usize::try_from(whole(name)?).ok();
    let small = |name: &str| u32::try_from(whole(name)?).ok();
    let time = |name: &str| -> Option<Duration> { limits.get(name)?.duration() };
    let engine = Limits {
        open_bytes_max: size("open_bytes_max")?,
        inline_bytes_max: size("inline_bytes_max")?,
        append_bytes_max: size("append_bytes_max")?,
        append_steps_max: size("append_steps_max")?,
        read_bytes_max: size("read_bytes_max")?,
        batch_changes_max: size("batch_changes_max")?,
        batch_bytes_max: size("batch_bytes_max")?,
        held_keys_max: size("held_keys_max")?,
        ask_rows_max: size("ask_rows_max")?,
        ask_bytes_max: size("ask_bytes_max")?,
        asks_max: size("asks_max")?,
        stretches_ahead_max: size("stretches_ahead_max")?,
        touched_max: size("touched_max")?,
        reread_max: small("reread_max")?,
        hold_retry_max: time("hold_retry_seconds")?,
        bridge_deletes_max: whole("bridge_deletes_max")?,
        retry_pause_max: time("retry_pause_seconds")?,
        retry_budget_max: small("retry_budget_max")?,
        answer: time("answer_seconds")?,
        lease: time("lease_seconds")?,
        flush: time("flush_seconds")?,
        full_grace: time("full_grace_seconds")?,
        groups_max: size("groups_max")?,
        ..Limits::default()
    };
    let journal = Options {
        segment_bytes_max: whole("segment_bytes_max")?,
        journal_bytes_max: whole("journal_bytes_max")?,
        record_bytes_max: size("record_bytes_max")?,
    };
    Some((engine, journal, size("part_bytes_max")?))
}
