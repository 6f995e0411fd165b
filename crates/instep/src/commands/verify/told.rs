//! PURE: what came of a comparison, as a report.

use super::asked::Asked;
use super::whole::Whole;
use super::{csv, document, human, sql};
use crate::cli::Output;
use crate::config::ServiceKind;
use crate::problem::Problem;
use crate::report::{Exit, Report};
use compare::Outcome;

/// The report of a comparison with a copy of this kind.
pub(super) fn report(whole: &Whole, asked: &Asked, copy: ServiceKind) -> Report {
    let sentence = human::sentence(whole, asked.terms.patience);
    let text = match asked.output {
        Output::Human => human::differences(whole, asked.shows_values),
        Output::Json => String::new(),
        Output::Csv => csv::csv(whole, asked.shows_values),
        Output::Sql => sql::sql(whole, sql::Dialect::of(copy)),
    };
    let data = document::data(whole, asked.shows_values);
    let report = Report::ended(exit(whole.outcome()), sentence);
    let unread = whole.parts.iter().flat_map(|part| &part.verdict.unread);
    let problems = unread.map(|unread| {
        Problem::of(
            unread.why.code,
            format!("{} was not compared: {}", unread.what, unread.why.what),
        )
    });
    next(report.with(text, data).warned(problems.collect()), whole, asked)
}

/// What a verdict exits with.
pub(super) fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Equal => Exit::Done,
        Outcome::Differences => Exit::Differences,
        Outcome::Unverified => Exit::Unverified,
    }
}

fn next(mut report: Report, whole: &Whole, asked: &Asked) -> Report {
    let (sums, command) = (whole.sums(), &asked.command);
    let is_of_rows = asked.terms.counts.is_none();
    if whole.outcome() == Outcome::Differences {
        if !asked.shows_values {
            report = report.next("what each side has", format!("{command} --show-values"));
        }
        if is_of_rows && asked.output != Output::Sql {
            let text = "statements that would mend the copy, to be read first";
            report = report.next(text, format!("{command} --output sql"));
        }
    }
    if sums.unsettled > 0 && !whole.is_cut_off() {
        let seconds = (asked.terms.patience * 4).as_secs().max(1);
        let text = "wait longer for rows that keep changing";
        report = report.next(text, format!("{command} --patience {seconds}s"));
    }
    report
}
