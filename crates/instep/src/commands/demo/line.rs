//! PURE: a line of the screen: pieces of text in tones, which become colours where there are any.

/// What a piece of text is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As any text.
    Plain,
    /// A heading.
    Strong,
    /// What explains.
    Faint,
    /// What equals the source.
    Good,
    /// What differs from the source.
    Bad,
    /// What is on its way.
    Late,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(Tone, String)>);

impl Line {
    /// A line of one tone.
    pub(super) fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self::default().and(tone, text)
    }

    /// The line with more text behind it.
    pub(super) fn and(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    /// The line with more text from this column on.
    pub(super) fn at(self, column: usize, tone: Tone, text: impl Into<String>) -> Self {
        let gap = column.saturating_sub(self.width());
        self.and(Tone::Plain, " ".repeat(gap)).and(tone, text)
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The line as it is written, not wider than this.
    pub(super) fn written(&self, width: usize, has_colour: bool) -> String {
        let (mut written, mut left) = (String::new(), width);
        for (tone, text) in &self.0 {
            let cut: String = text.chars().take(left).collect();
            left -= cut.chars().count();
            match style(*tone).filter(|_| has_colour && !cut.trim().is_empty()) {
                Some(style) => written.push_str(&format!("\u{1b}[{style}m{cut}\u{1b}[0m")),
                None => written.push_str(&cut),
            }
        }
        written.trim_end().to_owned()
    }
}

fn style(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain => None,
        Tone::Strong => Some("1"),
        Tone::Faint => Some("2"),
        Tone::Good => Some("32"),
        Tone::Bad => Some("31;1"),
        Tone::Late => Some("33"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_its_width_with_and_without_colour() {
        let line = Line::of(Tone::Good, "right").at(8, Tone::Bad, "wrong");
        assert_eq!(line.written(80, false), "right   wrong");
        assert_eq!(line.written(10, false), "right   wr");
        assert_eq!(line.written(4, true), "\u{1b}[32mrigh\u{1b}[0m");
        assert_eq!(line.written(7, true), "\u{1b}[32mright\u{1b}[0m");
    }
}
