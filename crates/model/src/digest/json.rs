//! JSON as RFC 8259 has it, read for comparing and for nothing else.
//!
//! Invariant: two texts give equal trees exactly if they mean the same: members sorted by name,
//! the last of equal names, strings without escapes. What is not strictly JSON gives no tree.
//!
//! Must not know: how numbers are compared, what a digest is.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// How deep arrays and objects may stand in each other.
const DEPTH_MAX: usize = 128;

/// A JSON text as a tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(BTreeMap<Cow<'a, str>, Json<'a>>),
}

/// Reads a text that is JSON and nothing else.
pub(super) fn parse(text: &str) -> Option<Json<'_>> {
    let mut reader = Reader { text, at: 0 };
    let json = reader.value(0)?;
    reader.skip_space();
    (reader.at == text.len()).then_some(json)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        self.skip_space();
        match self.peek()? {
            b'n' => self.word("null").then_some(Json::Null),
            b'f' => self.word("false").then_some(Json::Bool(false)),
            b't' => self.word("true").then_some(Json::Bool(true)),
            b'"' => self.string().map(Json::String),
            b'[' if depth < DEPTH_MAX => self.array(depth).map(Json::Array),
            b'{' if depth < DEPTH_MAX => self.object(depth).map(Json::Object),
            _ => self.number().map(Json::Number),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Json<'a>>> {
        let mut elements = Vec::new();
        self.sequence(b'[', b']', |reader| {
            elements.push(reader.value(depth + 1)?);
            Some(())
        })?;
        Some(elements)
    }

    fn object(&mut self, depth: usize) -> Option<BTreeMap<Cow<'a, str>, Json<'a>>> {
        let mut members = BTreeMap::new();
        self.sequence(b'{', b'}', |reader| {
            reader.skip_space();
            let name = reader.string()?;
            reader.skip_space();
            reader.take(b':')?;
            members.insert(name, reader.value(depth + 1)?);
            Some(())
        })?;
        Some(members)
    }

    /// What stands between brackets, with commas between.
    fn sequence(
        &mut self,
        open: u8,
        close: u8,
        mut element: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(open)?;
        self.skip_space();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            self.skip_space();
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let plain = self.plain();
        if self.take(b'"').is_some() {
            return Some(Cow::Borrowed(plain));
        }
        let mut string = plain.to_owned();
        while self.take(b'"').is_none() {
            self.take(b'\\')?;
            string.push(self.escaped()?);
            string.push_str(self.plain());
        }
        Some(Cow::Owned(string))
    }

    /// What comes before the next quote, backslash or control character.
    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
        let plain = &rest[..end.unwrap_or(rest.len())];
        self.at += plain.len();
        plain
    }

    fn escaped(&mut self) -> Option<char> {
        let escape = self.peek()?;
        self.at += 1;
        Some(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return None,
        })
    }

    /// Half of a surrogate pair has no character, so a text with one gives no tree.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.take(b'\\')?;
        self.take(b'u')?;
        let second = self.hex4()?.checked_sub(0xdc00).filter(|second| *second < 0x400)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
    }

    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(&self.text[start..self.at])
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, parse};

    #[test]
    fn what_is_not_strictly_json_gives_no_tree() {
        for text in [
            "",
            " ",
            "nul",
            "nullx",
            "True",
            "NaN",
            "+1",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "0x1",
            "1 2",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "]",
            "{",
            "{}}",
            "{a:1}",
            "{'a':1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:1}",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\é\"",
            "\"\\u12\"",
            "\"\\u12é\"",
            "\"\\u+123\"",
            "\"a\nb\"",
            "\"\t\"",
            "\"\u{1f}\"",
            "\u{feff}1",
            "\u{a0}1",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_gives_no_tree() {
        for half in [
            "\\ud83d",
            "\\ude00",
            "\\ud83d\\ud83d",
            "\\ud83dx",
            "\\ud83d\\n",
            "\\ud83d\\u00",
            "\\ud83d\\ue000",
            "\\udbffx",
        ] {
            assert_eq!(parse(&format!("\"{half}\"")), None, "{half}");
        }
        for whole in ["\\ud800\\udc00", "\\udbff\\udfff", "\\ud7ff\\ue000"] {
            assert!(parse(&format!("\"{whole}\"")).is_some(), "{whole}");
        }
    }

    #[test]
    fn arrays_and_objects_stand_in_each_other_up_to_the_limit() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(&nested(DEPTH_MAX)).is_some());
            assert!(parse(&nested(DEPTH_MAX + 1)).is_none());
        }
        assert!(parse(&"[".repeat(1_000_000)).is_none());
        assert!(parse(&"{\"a\":".repeat(1_000_000)).is_none());
    }
}
