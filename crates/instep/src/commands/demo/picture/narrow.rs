//! PURE: a line for each service, where there is no room for topics.

use super::super::line::{Line, Tone};
use super::super::moment::{ASKED, Moment};
use super::super::numbers::ENDPOINTS;

/// Where the columns of a side begin.
const TODAY: usize = 20;
const FOLLOWED: usize = 33;

/// The sums of each service, and what is told of each side below them.
pub(super) fn lines(moment: &Moment) -> Vec<Line> {
    let (own, today) = moment.today.of_all();
    let (truth, followed) = moment.followed.of_all();
    let mut lines = vec![
        Line::default().at(TODAY, Tone::Strong, "TODAY").at(FOLLOWED, Tone::Strong, "WITH INSTEP"),
        Line::of(Tone::Strong, " truth").at(TODAY, Tone::Strong, own.to_string()).at(
            FOLLOWED,
            Tone::Strong,
            truth.to_string(),
        ),
    ];
    for ((name, left), right) in ENDPOINTS.into_iter().zip(today).zip(followed) {
        let line = Line::of(Tone::Plain, format!(" {name}"));
        let line = told(line, TODAY, left, own, Tone::Bad);
        lines.push(told(line, FOLLOWED, right, truth, Tone::Late));
    }
    let (left, right) = (&moment.today, &moment.followed);
    let tone = |wrong: usize, unequal| if wrong == 0 { Tone::Good } else { unequal };
    for (name, wrong, of) in [
        ("answers", [left.wrong(), right.wrong()], [ASKED; 2]),
        (
            "rows",
            [left.rows.wrong(), right.rows.wrong()],
            [left.rows.compared, right.rows.compared],
        ),
    ] {
        lines.push(
            Line::of(Tone::Plain, format!(" differing {name}"))
                .at(TODAY, tone(wrong[0], Tone::Bad), format!("{} of {}", wrong[0], of[0]))
                .at(FOLLOWED, tone(wrong[1], Tone::Late), format!("{} of {}", wrong[1], of[1])),
        );
    }
    lines
}

fn told(line: Line, at: usize, told: Option<i64>, truth: i64, unequal: Tone) -> Line {
    match told {
        None => line.at(at, Tone::Faint, "-"),
        Some(told) if told == truth => line.at(at, Tone::Good, told.to_string()),
        Some(told) => line.at(at, unequal, format!("{told} {:+}", told - truth)),
    }
}
