//! PURE: how a piece of the configuration is repeated in a message.

/// A text in quotes, without what would disturb a terminal and not longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(CHARS_MAX).map(visible).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The character, or a dot for one that would move the cursor or be invisible.
pub(crate) fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        // Marks of direction would show a line in another order than it is read in.
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => '·',
        c if c.is_control() => '·',
        c => c,
    }
}

const CHARS_MAX: usize = 60;
