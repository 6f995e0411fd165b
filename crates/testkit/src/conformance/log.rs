//! The suite of the log port.

mod bounds;
mod reading;
mod staging;
mod subject;
mod writing;

pub use subject::{Claims, Subject};

/// Runs everything that the subject's claims imply, each on a fresh subject.
pub async fn suite(make: impl AsyncFn() -> Subject) {
    writing::an_unknown_lane_is_empty(&make().await).await;
    writing::what_was_appended_is_read_in_order(&make().await).await;
    writing::lanes_are_apart(&make().await).await;
    writing::an_offset_that_does_not_rise_is_refused(&make().await).await;
    writing::an_older_epoch_is_refused(&make().await).await;
    writing::a_refused_append_leaves_nothing(&make().await).await;
    writing::appends_of_many_tasks_all_arrive(&make().await).await;
    writing::a_dropped_append_is_there_or_can_be_made_again(&make().await).await;
    staging::staged_changes_are_seen_only_with_their_commit(&make().await).await;
    staging::staged_transactions_may_interleave(&make().await).await;
    staging::a_dropped_sub_transaction_is_left_out(&make().await).await;
    staging::a_dropped_transaction_is_forgotten(&make().await).await;
    staging::a_commit_must_say_truly_where_its_changes_are(&make().await).await;
    reading::a_transaction_without_changes_is_read(&make().await).await;
    reading::a_large_transaction_is_read_in_parts(&make().await).await;
    reading::a_reader_may_go_on_after_any_change(&make().await).await;
    reading::a_reader_waits_for_what_is_to_come(&make().await).await;
    reading::a_dropped_read_loses_nothing(&make().await).await;
    bounds::trimming_drops_nothing_above_its_offset(&make().await).await;
    bounds::what_is_gone_is_said_to_be_gone(&make().await).await;
    bounds::the_last_transaction_is_known_after_it_was_trimmed(make().await).await;
    let subject = make().await;
    if subject.claims.survives_reopen {
        bounds::what_was_appended_survives_reopening(subject).await;
        bounds::what_was_staged_is_forgotten_at_reopening(make().await).await;
    }
    let subject = make().await;
    if subject.claims.bounded {
        bounds::a_full_log_refuses_input_and_recovers_by_trimming(&subject).await;
    }
}
