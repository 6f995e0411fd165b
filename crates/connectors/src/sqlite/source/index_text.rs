//! PURE: takes the text of a `create index` apart into what it indexes and where, and that of a
//! `create table` into its columns.
//!
//! SQLite keeps the text as it was written and says by no pragma what an expression or a condition
//! is. Only as much is understood as it takes to find where they begin and end.

use std::collections::{BTreeMap, BTreeSet};

/// What a `create index` says between its parentheses and behind them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IndexText {
    /// What is indexed, without the direction.
    pub(super) terms: Vec<String>,
    /// Which rows are, if not all.
    pub(super) condition: Option<String>,
}

/// Takes the text apart; nothing if it is no `create index` of SQLite.
pub(super) fn read(sql: &str) -> Option<IndexText> {
    let tokens = tokens(sql)?;
    let (items, mut rest) = list(&tokens)?;
    let terms = items.into_iter().map(|item| joined(without_direction(item))).collect();
    while let [before @ .., Token { text: ";", .. }] = rest {
        rest = before;
    }
    let condition = match rest {
        [] => None,
        [word, condition @ ..] if word.is("where") => Some(joined(condition)),
        _ => return None,
    };
    Some(IndexText { terms, condition })
}

/// The words that stand behind the name of each column of a `create table`, all in small letters.
pub(super) fn columns(sql: &str) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let tokens = tokens(sql)?;
    let (items, _) = list(&tokens)?;
    let column = |item: &[Token<'_>]| {
        let (name, rest) = item.split_first()?;
        Some((name.word()?, rest.iter().flat_map(Token::words).collect()))
    };
    Some(items.into_iter().filter_map(column).collect())
}

/// The words of an expression, all in small letters: every column that it names is among them.
pub(super) fn words(expression: &str) -> BTreeSet<String> {
    let tokens = tokens(expression).unwrap_or_default();
    tokens.iter().flat_map(Token::words).collect()
}

/// What stands between the first parentheses, divided at the commas; and what comes behind.
fn list<'a, 'b>(tokens: &'b [Token<'a>]) -> Option<(Vec<&'b [Token<'a>]>, &'b [Token<'a>])> {
    let open = tokens.iter().position(|token| token.text == "(")?;
    let (mut items, mut depth, mut begun) = (Vec::new(), 0_usize, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 || (depth == 1 && token.text == ",") {
            items.push(&tokens[begun..at]);
            begun = at + 1;
        }
        if depth == 0 {
            return Some((items, &tokens[begun..]));
        }
    }
    None
}

/// The smallest piece of SQL that means something.
struct Token<'a> {
    text: &'a str,
    /// Whether anything blank stands before it.
    apart: bool,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// The name that it is, without its quotes.
    fn word(&self) -> Option<String> {
        let first = self.text.chars().next()?;
        let word = match first {
            '\'' | '"' | '`' => {
                let inner = self.text.get(1..self.text.len() - 1)?;
                inner.replace(&first.to_string().repeat(2), &first.to_string())
            }
            '[' => self.text.get(1..self.text.len() - 1)?.to_owned(),
            _ if is_of_word(first) => self.text.to_owned(),
            _ => return None,
        };
        Some(word.to_lowercase())
    }

    /// The names that it may be: a word may be a column with its table.
    fn words(&self) -> Vec<String> {
        let Some(word) = self.word() else { return Vec::new() };
        word.split('.').map(str::to_owned).chain([word.clone()]).collect()
    }
}

fn tokens(sql: &str) -> Option<Vec<Token<'_>>> {
    let (mut tokens, mut rest, mut apart) = (Vec::new(), sql, false);
    while let Some(first) = rest.chars().next() {
        if let Some(length) = blank(rest) {
            (rest, apart) = (&rest[length..], true);
            continue;
        }
        let length = match first {
            '\'' | '"' | '`' => quoted(rest, first)?,
            '[' => rest.find(']')? + 1,
            _ if is_of_word(first) => rest.find(|it| !is_of_word(it)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        tokens.push(Token { text: &rest[..length], apart });
        (rest, apart) = (&rest[length..], false);
    }
    Some(tokens)
}

/// How much at the beginning is blank: space, or a comment.
fn blank(rest: &str) -> Option<usize> {
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    rest.chars().next().filter(|first| first.is_ascii_whitespace()).map(char::len_utf8)
}

/// How long the quoted text at the beginning is; a doubled quote is one of its characters.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += rest[at..].find(quote)? + 1;
        if !rest[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

fn is_of_word(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '_' | '$' | '.') || !it.is_ascii()
}

fn without_direction<'a, 'b>(tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    match tokens {
        [before @ .., last] if last.is("asc") || last.is("desc") => before,
        _ => tokens,
    }
}

fn joined(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        if token.apart && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{IndexText, columns, read};

    #[test]
    fn terms_and_condition_are_found_whatever_stands_in_quotes_and_comments() {
        let found = |terms: &[&str], condition: Option<&str>| {
            let terms = terms.iter().map(|&term| term.to_owned()).collect();
            Some(IndexText { terms, condition: condition.map(str::to_owned) })
        };
        let plain = "CREATE UNIQUE INDEX i ON t(a, b DESC)";
        assert_eq!(read(plain), found(&["a", "b"], None));
        let odd = "CREATE UNIQUE INDEX \"i(\" ON [t)] (lower(\"a,)\") COLLATE nocase asc, b<=')' -- )\n\
                   , substr(c, 1,\t2)) /* where */ WHERE a >= 1.5 AND b <> 'where;' ;";
        let terms = ["lower(\"a,)\") COLLATE nocase", "b<=')'", "substr(c, 1, 2)"];
        assert_eq!(read(odd), found(&terms, Some("a >= 1.5 AND b <> 'where;'")));
    }

    #[test]
    fn columns_are_found_with_the_words_behind_their_names() {
        let sql =
            "CREATE TABLE t(id INTEGER PRIMARY KEY, \"a\"\"b\" text, [c d] as (t.ID + `x`, ')'))";
        let columns = columns(sql).unwrap();
        assert_eq!(columns.keys().collect::<Vec<_>>(), ["a\"b", "c d", "id"]);
        let made_of = &columns["c d"];
        assert!(["id", "x", "t"].iter().all(|word| made_of.contains(*word)), "{made_of:?}");
        assert!(!made_of.contains("text"));
    }

    #[test]
    fn what_is_no_index_is_not_taken_apart() {
        for sql in ["", "create table t", "create index i on t(a", "create index i on t(a) b", "('"]
        {
            assert_eq!(read(sql), None, "{sql}");
        }
    }
}
