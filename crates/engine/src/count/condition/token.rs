//! Tokens: the words and symbols of a condition, each with the byte at which it begins.
//!
//! Must not know: what may follow what.

use super::fault::ConditionFault;
use super::tree::Comparison;
use std::fmt;

/// One word or symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word of the grammar.
    Keyword(Keyword),
    /// A column, bare or quoted.
    Column(String),
    /// A text, without its quotes.
    Text(String),
    /// An integer or decimal without sign.
    Number(String),
    /// A comparison.
    Comparison(Comparison),
    Plus,
    Minus,
    Comma,
    Open,
    Close,
    /// The end of the text.
    End,
}

/// The words of the grammar; a column with such a name has to be quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Between,
    False,
    In,
    Is,
    Not,
    Null,
    Or,
    True,
}

impl Keyword {
    const ALL: [Keyword; 9] = [
        Keyword::And,
        Keyword::Between,
        Keyword::False,
        Keyword::In,
        Keyword::Is,
        Keyword::Not,
        Keyword::Null,
        Keyword::Or,
        Keyword::True,
    ];

    /// The word, in any case.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|keyword| keyword.word().eq_ignore_ascii_case(word))
    }

    fn word(self) -> &'static str {
        match self {
            Keyword::And => "and",
            Keyword::Between => "between",
            Keyword::False => "false",
            Keyword::In => "in",
            Keyword::Is => "is",
            Keyword::Not => "not",
            Keyword::Null => "null",
            Keyword::Or => "or",
            Keyword::True => "true",
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Keyword(keyword) => write!(f, "`{}`", keyword.word()),
            Token::Column(name) => write!(f, "`{name}`"),
            Token::Text(_) => f.write_str("a text"),
            Token::Number(number) => write!(f, "`{number}`"),
            Token::Comparison(comparison) => write!(f, "`{}`", comparison.symbol()),
            Token::Plus => f.write_str("`+`"),
            Token::Minus => f.write_str("`-`"),
            Token::Comma => f.write_str("`,`"),
            Token::Open => f.write_str("`(`"),
            Token::Close => f.write_str("`)`"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// All tokens of a text, the end last.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ConditionFault> {
    let mut scan = Scan { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        scan.take_while(char::is_whitespace);
        let at = scan.at;
        let token = scan.token()?;
        let ended = token == Token::End;
        tokens.push((at, token));
        if ended {
            return Ok(tokens);
        }
    }
}

/// Whether a bare column may begin with this character.
pub(super) fn begins_column(char: char) -> bool {
    char.is_ascii_alphabetic() || char == '_'
}

/// Whether a bare column may go on with this character.
pub(super) fn continues_column(char: char) -> bool {
    begins_column(char) || char.is_ascii_digit() || char == '$'
}

/// How far a text has been read.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Takes the next character if it is this one.
    fn skip(&mut self, char: char) -> bool {
        let found = self.peek() == Some(char);
        if found {
            self.at += char.len_utf8();
        }
        found
    }

    fn take_while(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let taken = &rest[..rest.find(|char| !matches(char)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn token(&mut self) -> Result<Token, ConditionFault> {
        let Some(char) = self.peek() else {
            return Ok(Token::End);
        };
        if begins_column(char) {
            let word = self.take_while(continues_column);
            return Ok(
                Keyword::of(word).map_or_else(|| Token::Column(word.to_owned()), Token::Keyword)
            );
        }
        if char.is_ascii_digit() || char == '.' {
            return self.number();
        }
        let at = self.at;
        self.at += char.len_utf8();
        Ok(match char {
            '\'' => Token::Text(self.quoted('\'', at)?),
            '"' => match self.quoted('"', at)? {
                name if name.is_empty() => {
                    return Err(ConditionFault::new(
                        at,
                        "a column has no name",
                        "write the name between the quotes",
                    ));
                }
                name => Token::Column(name),
            },
            '=' if self.peek() != Some('=') => Token::Comparison(Comparison::Equal),
            '<' if self.skip('=') => Token::Comparison(Comparison::AtMost),
            '<' if self.skip('>') => Token::Comparison(Comparison::Unequal),
            '<' => Token::Comparison(Comparison::Less),
            '>' if self.skip('=') => Token::Comparison(Comparison::AtLeast),
            '>' => Token::Comparison(Comparison::Greater),
            '+' => Token::Plus,
            '-' => Token::Minus,
            ',' => Token::Comma,
            '(' => Token::Open,
            ')' => Token::Close,
            other => return Err(unknown(other, at)),
        })
    }

    /// An integer or decimal. What is stuck to it, such as an exponent, makes it neither.
    fn number(&mut self) -> Result<Token, ConditionFault> {
        let at = self.at;
        let whole = self.take_while(|char| char.is_ascii_digit());
        let fraction = self.skip('.').then(|| self.take_while(|char| char.is_ascii_digit()));
        match self.peek() {
            _ if whole.is_empty() && fraction == Some("") => Err(unknown('.', at)),
            Some(next) if next == '.' || continues_column(next) => Err(ConditionFault::new(
                self.at,
                "a number ends in what is no digit",
                "write it out as in 1200 or 0.05, without an exponent or a unit",
            )),
            _ if fraction == Some("") => Err(ConditionFault::new(
                at,
                "a number has no digit after its point",
                "leave out the point, or write the digits",
            )),
            _ => Ok(Token::Number(self.text[at..self.at].to_owned())),
        }
    }

    /// What stands up to the closing quote; a doubled quote stands for one.
    fn quoted(&mut self, quote: char, at: usize) -> Result<String, ConditionFault> {
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|char| char != quote));
            if !self.skip(quote) {
                let what = if quote == '"' { "a quoted column" } else { "a text" };
                return Err(ConditionFault::new(
                    at,
                    format!("{what} does not end"),
                    format!("close it with {quote}; write {quote}{quote} for a quote inside"),
                ));
            }
            if !self.skip(quote) {
                return Ok(text);
            }
            text.push(quote);
        }
    }
}

fn unknown(char: char, at: usize) -> ConditionFault {
    let fix = match char {
        '=' => "write a single = for equal",
        '!' => "write <> for unequal, and `not` before a condition",
        '&' | '|' => "join conditions with `and` and `or`",
        '*' | '/' | '%' | '^' => "compare columns as they are, without arithmetic",
        '.' => "write the column alone, without its table",
        '`' | '[' | ']' => "write \"…\" around a column that needs quotes",
        ':' => "compare columns as they are, without casts",
        _ => "write columns, literals, comparisons, and, or, not; quote a column as \"…\"",
    };
    ConditionFault::new(at, format!("{char:?} has no meaning here"), fix)
}
