//! Whether something said is what a page says that it is: `…` stands for what varies.

/// In a line it stands for any text, alone on a line for any lines. Spaces in a row are one, since
/// columns are as wide as what stands in them.
pub(super) fn matches(expected: &str, said: &str) -> bool {
    let (expected, said) = (plain(expected), plain(said));
    lines(&refs(&expected), &refs(&said))
}

fn lines(expected: &[&str], said: &[&str]) -> bool {
    match expected.split_first() {
        None => said.is_empty(),
        Some((&"…", rest)) => (0..=said.len()).any(|skipped| lines(rest, &said[skipped..])),
        Some((line, rest)) => said
            .split_first()
            .is_some_and(|(first, others)| fits(line, first) && lines(rest, others)),
    }
}

fn fits(expected: &str, said: &str) -> bool {
    let Some((before, after)) = expected.split_once('…') else { return expected == said };
    let Some(rest) = said.strip_prefix(before) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.into_iter().any(|at| fits(after, &rest[at..]))
}

fn plain(text: &str) -> Vec<String> {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<_> = text.lines().map(line).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

#[test]
fn dots_stand_for_what_varies_and_nothing_else_does() {
    assert!(matches("a …, b\n…\nend", "a  1, 2, b\nx\ny\nend\n"));
    assert!(matches("…", ""));
    assert!(matches("a…", "a"));
    for (expected, said) in
        [("a", "b"), ("a\nb", "a"), ("a", "a\nb"), ("a…b", "a"), ("a\n…\nb", "a")]
    {
        assert!(!matches(expected, said), "{expected:?} {said:?}");
    }
}
