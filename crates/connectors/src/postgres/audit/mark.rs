//! PURE: the mark of a row, as SQL.
//!
//! A row's text is made of its cells, so that no other row has the same. What can have no comma in its
//! text stands before one, and NULL is nothing at all; texts stand behind their length, of which NULL
//! has none; types that may write anything come last, as the server writes a row of them. The server
//! takes half the time for that as for the text of a whole row, where it looks at every letter of
//! each cell.

use super::question::Question;
use super::relation::Held;
use crate::postgres::types::Form;

/// The name of this way to make marks: every store that makes the same may use it, and no other.
pub(super) const NAME: &str = "postgresql text 1";

/// A function takes no more than a hundred arguments.
const ARGUMENTS_MAX: usize = 90;

/// Both halves of the mark of what `text` is the name of.
pub(super) fn halves(question: &Question<'_>, text: &str) -> [String; 2] {
    question.seeds.map(|seed| format!("hashtextextended({text}, '{seed}'::int8)"))
}

/// The text that a row's mark is made of. The server would make it once for each half of a mark if
/// nothing stood between, so it belongs into a query of its own with `offset 0`.
pub(super) fn text(question: &Question<'_>) -> String {
    let (mut parts, mut others) = (Vec::new(), Vec::new());
    for asked in question.key.iter().chain(&question.columns) {
        let held = asked.held;
        match (written(held), held.is_any_text()) {
            (_, true) => {
                let text = format!("{}::text", held.sql);
                parts.push(format!("octet_length({text}), ':', {text}, ','"));
            }
            (Some(written), false) => parts.push(format!("{written}, ','")),
            (None, false) => others.push(held.sql.clone()),
        }
    }
    // Each part is four arguments, or two.
    let parts = parts.chunks(ARGUMENTS_MAX / 4).map(|it| format!("concat({})", it.join(", ")));
    let others = (!others.is_empty()).then(|| format!("row({})::text", others.join(", ")));
    let all: Vec<_> = parts.chain(others).collect();
    let all = if all.is_empty() { "''".to_owned() } else { all.join(" || ") };
    format!("({all}) collate \"C\"")
}

/// What is written of a column, if there is no comma in it: numbers by what they are worth, so that
/// those of any width and scale, and either zero, are written alike.
fn written(held: &Held) -> Option<String> {
    let sql = &held.sql;
    Some(match &held.form {
        Form::Decimal if held.base.system == "numeric" => format!("trim_scale({sql})"),
        Form::Float8 => format!("{sql} + '0'::float8"),
        Form::Float4 => format!("{sql} + '0'::float4"),
        Form::Json | Form::Text | Form::Array(..) => return None,
        _ => sql.clone(),
    })
}
