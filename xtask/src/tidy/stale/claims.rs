//! What a page claims to exist: its code spans, its relative links, its commands.

/// Something that a page names as if it were there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The text between two backticks.
    Code(String),
    /// The target of a link into the repository.
    Link(String),
    /// The word after `cargo xtask`, in code spans and fences alike.
    Command(String),
}

/// Endings that only files of a repository have.
pub(super) const SOURCE_ENDINGS: [&str; 4] = [".rs", ".md", ".toml", ".lock"];

/// Every claim of a page with its line; fences claim nothing but commands.
pub(super) fn of(text: &str) -> Vec<(usize, Claim)> {
    let mut claims = Vec::new();
    let mut fenced = false;
    let mut block = Block::default();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let is_fence = line.trim_start().starts_with("```");
        if is_fence || fenced || begins_block(line) {
            std::mem::take(&mut block).claims(&mut claims);
        }
        if is_fence {
            fenced = !fenced;
        } else if fenced {
            claims.extend(commands(line).map(|claim| (number, claim)));
        } else {
            block.add(number, line);
            claims.extend(links(line).map(|claim| (number, claim)));
        }
    }
    block.claims(&mut claims);
    claims.sort_by_key(|(line, _)| *line);
    claims
}

/// Lines that flow into each other, so that a code span may go from one to the next.
#[derive(Default)]
struct Block {
    text: String,
    first: usize,
}

impl Block {
    fn add(&mut self, number: usize, line: &str) {
        if self.text.is_empty() {
            self.first = number;
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn claims(self, claims: &mut Vec<(usize, Claim)>) {
        for (at, span) in spans(&self.text) {
            let line = self.first + self.text[..at].matches('\n').count();
            let span = span.split_whitespace().collect::<Vec<_>>().join(" ");
            claims.extend(commands(&span).map(|claim| (line, claim)));
            claims.push((line, Claim::Code(span)));
        }
    }
}

/// Whether a line goes on with nothing before it: an empty one, a heading, an item, a row.
fn begins_block(line: &str) -> bool {
    let line = line.trim_start();
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.is_empty()
        || line.starts_with(['#', '|', '>'])
        || ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark))
        || numbered.len() < line.len() && numbered.starts_with(". ")
}

/// A pattern with braces as the patterns that it stands for.
pub(super) fn spelled_out(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else {
        return vec![text.to_owned()];
    };
    let Some((inside, after)) = rest.split_once('}') else {
        return vec![text.to_owned()];
    };
    let choices = inside.split(',').map(|choice| format!("{before}{choice}{after}"));
    choices.flat_map(|choice| spelled_out(&choice)).collect()
}

/// Whether the path's last parts are the pattern's, where a part's `*` stands for anything and a
/// Rust file may go without its ending.
pub(super) fn ends_with(path: &str, pattern: &str) -> bool {
    let mut parts = path.rsplit('/');
    let mut last = true;
    pattern.rsplit('/').all(|wanted| {
        let is_last = std::mem::take(&mut last);
        parts.next().is_some_and(|part| {
            matches(part, wanted) || is_last && part.strip_suffix(".rs") == Some(wanted)
        })
    })
}

fn matches(part: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        Some((before, after)) => {
            part.len() >= before.len() + after.len()
                && part.starts_with(before)
                && part.ends_with(after)
        }
        None => part == wanted,
    }
}

/// The code spans and where they begin. As many backticks end a span as began it; where none do,
/// they are plain characters and hide nothing.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find('`').map(|next| at + next) {
        let marks = run(&text[begin..]);
        let inside = begin + marks;
        at = inside;
        if let Some(end) = closing(text, inside, marks) {
            found.push((begin, &text[inside..end]));
            at = end + marks;
        }
    }
    found
}

fn closing(text: &str, from: usize, marks: usize) -> Option<usize> {
    let mut at = from;
    while let Some(next) = text[at..].find('`').map(|next| at + next) {
        let found = run(&text[next..]);
        if found == marks {
            return Some(next);
        }
        at = next + found;
    }
    None
}

fn run(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

fn commands(text: &str) -> impl Iterator<Item = Claim> {
    text.match_indices(COMMAND).filter_map(|(at, _)| {
        let word = text[at + COMMAND.len()..].split_whitespace().next()?;
        let word = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_word = word.starts_with(|c: char| c.is_ascii_lowercase());
        is_word.then(|| Claim::Command(word.to_owned()))
    })
}

const COMMAND: &str = "cargo xtask ";

fn links(line: &str) -> impl Iterator<Item = Claim> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let path = target.split('#').next().unwrap_or_default();
        let inside = !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:");
        inside.then(|| Claim::Link(path.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_claims_its_spans_links_and_commands() {
        let page = "See `a/b.rs` and [this](docs/c.md#d) or [that](https://host/e).\n```sh\n\
                    cargo xtask test   # `not/claimed.rs`\n```\nRun `cargo xtask tidy words`.";
        let claims = of(page);
        assert_eq!(
            claims,
            [
                (1, Claim::Link("docs/c.md".to_owned())),
                (1, Claim::Code("a/b.rs".to_owned())),
                (3, Claim::Command("test".to_owned())),
                (5, Claim::Command("tidy".to_owned())),
                (5, Claim::Code("cargo xtask tidy words".to_owned())),
            ]
        );
    }

    #[test]
    fn a_pattern_is_spelled_out_and_matched_by_its_last_parts() {
        assert_eq!(spelled_out("a/{b,c}.rs"), ["a/b.rs", "a/c.rs"]);
        assert!(ends_with("crates/engine/src/apply/plan.rs", "apply/plan.rs"));
        assert!(ends_with("crates/engine/src/apply/plan.rs", "apply/plan"));
        assert!(ends_with("docs/decisions/0001-one.md", "docs/decisions/*.md"));
        assert!(!ends_with("crates/engine/src/reapply/plan.rs", "apply/plan.rs"));
        assert!(!ends_with("plan.rs", "apply/plan.rs"));
    }

    #[test]
    fn a_span_over_two_lines_hides_nothing_after_it() {
        let code = |line, text: &str| (line, Claim::Code(text.to_owned()));
        let claims = of("One `a\n  b` and `c`\nand `d`.\n\n- A stray ` mark\n- `e` ``f ` g`` `h");
        assert_eq!(
            claims,
            [code(1, "a b"), code(2, "c"), code(3, "d"), code(6, "e"), code(6, "f ` g")]
        );
    }
}
