//! PURE: the line that trouble is in, as it may be shown.
//!
//! Invariant: nothing hidden, no password of an address and no control character is shown.

use super::secret::MASK;
use super::span::Span;
use crate::problem::Excerpt;
use crate::quote::visible;

/// Cuts out the line in which a span begins.
pub(super) fn excerpt(text: &str, span: Span, hidden: &[Span]) -> Excerpt {
    let byte = span.start.byte.min(text.len());
    let start = text.get(..byte).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let mut masked: Vec<(usize, usize)> = hidden
        .iter()
        .map(|span| (span.start.byte.max(start), span.end.byte.min(start + line.len())))
        .filter(|(from, to)| from < to)
        .map(|(from, to)| (from - start, to - start))
        .chain(passwords(line))
        .collect();
    masked.sort_unstable();
    let (from, to) = (byte - start, span.end.byte.saturating_sub(start).min(line.len()));
    let mut shown = Shown { before: 0, width: 0, text: String::new() };
    let mut next = masked.into_iter().peekable();
    let mut skip = 0;
    for (at, c) in line.char_indices() {
        while let Some((_, end)) = next.next_if(|(start, _)| *start <= at) {
            if end > skip.max(at) && skip <= at {
                shown.push_all(MASK, at, (from, to));
            }
            skip = skip.max(end);
        }
        if at >= skip {
            shown.push(visible(c), at, (from, to));
        }
    }
    shown.cut()
}

struct Shown {
    before: usize,
    width: usize,
    text: String,
}

impl Shown {
    fn push(&mut self, c: char, at: usize, (from, to): (usize, usize)) {
        self.text.push(c);
        if at < from {
            self.before += 1;
        } else if at < to {
            self.width += 1;
        }
    }

    fn push_all(&mut self, text: &str, at: usize, meant: (usize, usize)) {
        for c in text.chars() {
            self.push(c, at, meant);
        }
    }

    /// Only what stands near what is meant, so that no line fills a screen.
    fn cut(self) -> Excerpt {
        let skipped = self.before.saturating_sub(BEFORE_MAX);
        let mut text: String = self.text.chars().skip(skipped).take(CHARS_MAX).collect();
        if skipped > 0 {
            text.replace_range(..text.chars().next().map_or(0, char::len_utf8), "…");
        }
        let before = self.before - skipped;
        let width = self.width.clamp(1, CHARS_MAX.saturating_sub(before).max(1));
        Excerpt { text: text.trim_end().to_owned(), before, width }
    }
}

const CHARS_MAX: usize = 120;
const BEFORE_MAX: usize = 80;

/// Where an address such as `postgres://app:password@db` says its password.
fn passwords(line: &str) -> impl Iterator<Item = (usize, usize)> {
    line.match_indices("://").filter_map(|(at, found)| {
        let from = at + found.len();
        let rest = &line[from..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(rest.len());
        let name_end = rest[..end].rfind('@')?;
        let colon = rest[..name_end].find(':')?;
        Some((from + colon + 1, from + name_end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::span::Mark;
    use proptest::prelude::*;

    fn span(text: &str, part: &str) -> Span {
        let at = text.find(part).unwrap();
        Span { start: Mark::at(text, at), end: Mark::at(text, at + part.len()) }
    }

    #[test]
    fn the_line_is_shown_with_what_is_meant() {
        let text = "one: 1\ntwo:\t2\nthree: 3\n";
        let shown = excerpt(text, span(text, "2"), &[]);
        assert_eq!(shown, Excerpt { text: "two: 2".into(), before: 5, width: 1 });
    }

    #[test]
    fn what_is_hidden_stays_so_and_moves_nothing_else() {
        let text = "{ token: s3cret, role: x }";
        let shown = excerpt(text, span(text, "x"), &[span(text, "s3cret")]);
        assert_eq!(shown.text, "{ token: ***, role: x }");
        assert_eq!(&shown.text[shown.before..], "x }");
        let on_it = excerpt(text, span(text, "s3cret"), &[span(text, "s3cret")]);
        assert_eq!((on_it.before, on_it.width), (9, 3));
    }

    #[test]
    fn the_password_of_an_address_is_hidden() {
        let text = "a: \"postgres://app:p4ss@db:5432/x\"";
        let shown = excerpt(text, span(text, "a"), &[]);
        assert_eq!(shown.text, "a: \"postgres://app:***@db:5432/x\"");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_meant() {
        let text = format!("{}here{}", "x".repeat(1_000), "y".repeat(1_000));
        let shown = excerpt(&text, span(&text, "here"), &[]);
        assert!(shown.text.starts_with('…') && shown.text.chars().count() <= CHARS_MAX);
        assert_eq!(shown.text.chars().skip(shown.before).take(4).collect::<String>(), "here");
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_is_shown_without_what_is_hidden(
            (text, cuts) in ("[a-z\\n\\té€:/@]{0,60}", prop::array::uniform4(0usize..80)),
        ) {
            let mark = |at: usize| {
                let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
                Mark::at(&text, at.unwrap_or_default())
            };
            let [a, b, c, d] = cuts.map(mark);
            let hidden = Span { start: c.min(d), end: c.max(d) };
            let shown = excerpt(&text, Span { start: a.min(b), end: a.max(b) }, &[hidden]);
            prop_assert!(!shown.text.contains(char::is_control));
            prop_assert!(shown.width >= 1);
            let start = text[..a.min(b).byte].rfind('\n').map_or(0, |end| end + 1);
            let line = text[start..].lines().next().unwrap_or_default();
            let all = hidden.start.byte <= start && hidden.end.byte >= start + line.len();
            if all && !line.is_empty() {
                prop_assert!(shown.text.starts_with(MASK));
            }
        }
    }
}
