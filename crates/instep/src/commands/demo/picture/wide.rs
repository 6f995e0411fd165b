//! PURE: both platforms beside each other, with a line for each topic.

use super::super::line::{Line, Tone};
use super::super::moment::{ASKED, Doing, Moment, Seen};
use super::super::numbers::ENDPOINTS;
use super::super::plan::TOPICS;

/// Where the columns begin, and how wide those of a service are.
const TRUTH: usize = 10;
const TODAY: usize = 17;
const FOLLOWED: usize = 49;
const CELL: usize = 10;

/// The table, and what is told of each side below it.
pub(super) fn lines(moment: &Moment) -> Vec<Line> {
    let mut lines = headings();
    for topic in TOPICS {
        lines.push(row(moment, topic, |seen| seen.of(topic)));
    }
    lines.push(row(moment, "all", Seen::of_all));
    lines.push(Line::default());
    lines.extend(facts(moment));
    lines
}

fn headings() -> Vec<Line> {
    let names = |line: Line, from: usize| {
        ENDPOINTS.iter().enumerate().fold(line, |line, (place, name)| {
            line.at(from + place * CELL, Tone::Faint, format!(" {name}"))
        })
    };
    let services = Line::of(Tone::Faint, " topic").at(TRUTH, Tone::Faint, " truth");
    vec![
        Line::default().at(TODAY + 1, Tone::Strong, "TODAY: second writes,").at(
            FOLLOWED + 1,
            Tone::Strong,
            "WITH INSTEP: it follows",
        ),
        Line::default().at(TODAY + 1, Tone::Strong, "\"+ 1\", cached totals").at(
            FOLLOWED + 1,
            Tone::Strong,
            "what the shards commit",
        ),
        names(names(services, TODAY), FOLLOWED),
    ]
}

/// A topic: the truth, and what each service says on either side.
fn row(moment: &Moment, name: &str, of: impl Fn(&Seen) -> (i64, [Option<i64>; 3])) -> Line {
    let (truth, followed) = of(&moment.followed);
    let (own, today) = of(&moment.today);
    let mut line =
        Line::of(Tone::Plain, format!(" {name}")).at(TRUTH, Tone::Strong, format!("{truth:>6}"));
    for (place, told) in today.into_iter().enumerate() {
        line = cell(line, TODAY + place * CELL, told, own, Tone::Bad);
    }
    line = line.at(FOLLOWED - 1, Tone::Faint, "|");
    for (place, told) in followed.into_iter().enumerate() {
        line = cell(line, FOLLOWED + place * CELL, told, truth, Tone::Late);
    }
    line
}

/// A number with what it is too many or too few.
fn cell(line: Line, at: usize, told: Option<i64>, truth: i64, unequal: Tone) -> Line {
    match told {
        None => line.at(at, Tone::Faint, format!("{:>5}", "-")),
        Some(told) if told == truth => line.at(at, Tone::Good, format!("{told:>5}")),
        Some(told) => line.at(at, unequal, format!("{told:>5} {:+}", told - truth)),
    }
}

/// What is told below the table, a line for each thing that both sides have.
fn facts(moment: &Moment) -> Vec<Line> {
    let (today, followed) = (&moment.today, &moment.followed);
    let fact = |name: &str, [left, right]: [(Tone, String); 2]| {
        Line::of(Tone::Plain, format!(" {name}"))
            .at(TODAY + 2, left.0, left.1)
            .at(FOLLOWED - 1, Tone::Faint, "|")
            .at(FOLLOWED + 2, right.0, right.1)
    };
    let tone = |wrong: usize, unequal| if wrong == 0 { Tone::Good } else { unequal };
    let of = |wrong: usize, all: usize| match moment.changes {
        0 => "-".to_owned(),
        _ => format!("{wrong} of {all}"),
    };
    let answers = [(today.wrong(), Tone::Bad), (followed.wrong(), Tone::Late)];
    let rows = [(today.rows, Tone::Bad), (followed.rows, Tone::Late)];
    let answers = answers.map(|(number, unequal)| (tone(number, unequal), of(number, ASKED)));
    let rows =
        rows.map(|(rows, unequal)| (tone(rows.wrong(), unequal), of(rows.wrong(), rows.compared)));
    let failed = (Tone::Plain, format!("{} second writes failed", moment.failed));
    vec![
        fact("differing answers", answers),
        fact("differing rows", rows),
        fact("", [failed, doing(moment)]),
    ]
}

/// How Instep is doing.
fn doing(moment: &Moment) -> (Tone, String) {
    match moment.instep {
        Doing::Starting => (Tone::Late, "Instep is starting".to_owned()),
        Doing::Equal => (Tone::Good, "every answer is right".to_owned()),
        Doing::CatchingUp if moment.store_stopped => {
            (Tone::Late, "a store takes no writes".to_owned())
        }
        Doing::CatchingUp => (Tone::Late, "catching up".to_owned()),
        Doing::Killed(ago) => (Tone::Late, format!("Instep down for {:.1} s", ago.as_secs_f64())),
    }
}
