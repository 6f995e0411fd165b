//! PURE: arrays from JSON.
//!
//! A list is an array of one dimension. Another shape is `{"shape":[[length,lower],…],"elements":[…]}`.
//! What JSON lacks stands under the name of its kind, as in `{"date":"2026-11-21"}`. A fraction among
//! the elements is nothing that can be read, since JSON does not say whether it is exact.

use crate::written;
use model::codec::ARRAY_DEPTH_MAX;
use model::{Array, Dimension, Kind, Value};
use std::iter::Peekable;
use std::str::Chars;

/// The array of a text.
pub(super) fn read(text: &str) -> Option<Array> {
    let mut json = Json { rest: text.chars().peekable() };
    let array = match json.element(0)? {
        Value::Array(array) => *array,
        _ => return None,
    };
    json.peek().is_none().then_some(array)
}

const KINDS: [(&str, Kind); 11] = [
    ("bytes", Kind::Bytes),
    ("date", Kind::Date),
    ("decimal", Kind::Decimal),
    ("float", Kind::Float),
    ("interval", Kind::Interval),
    ("json", Kind::Json),
    ("time", Kind::Time),
    ("timestamp", Kind::Timestamp),
    ("timestamptz", Kind::TimestampTz),
    ("timetz", Kind::TimeTz),
    ("uuid", Kind::Uuid),
];

struct Json<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Json<'_> {
    /// What comes next behind spaces.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')).is_some() {}
        self.rest.peek().copied()
    }

    /// Takes this, if it comes next.
    fn take(&mut self, wanted: char) -> Option<()> {
        self.peek().filter(|next| *next == wanted)?;
        self.rest.next().map(|_| ())
    }

    /// The elements of a list, whose bracket comes next.
    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.take('[')?;
        let mut items = Vec::new();
        while self.take(']').is_none() {
            if !items.is_empty() {
                self.take(',')?;
            }
            items.push(read(self)?);
        }
        Some(items)
    }

    fn element(&mut self, depth: usize) -> Option<Value> {
        match self.peek()? {
            '"' => self.string().map(|text| Value::Text(text.into())),
            '-' | '0'..='9' => self.number().map(Value::Int),
            '{' => self.named(depth),
            '[' => {
                let elements = self.elements(depth)?;
                let length = u32::try_from(elements.len()).ok()?;
                let shape = (length > 0).then_some(Dimension { length, lower: 1 });
                let shape = shape.into_iter().collect();
                Some(Value::Array(Box::new(Array { shape, elements })))
            }
            _ => self.word(),
        }
    }

    fn elements(&mut self, depth: usize) -> Option<Vec<Value>> {
        if depth >= ARRAY_DEPTH_MAX {
            return None;
        }
        self.list(|json| json.element(depth + 1))
    }

    /// A value under a name: an array with its shape, or a value of the kind that is named.
    fn named(&mut self, depth: usize) -> Option<Value> {
        self.take('{')?;
        let name = self.string()?;
        self.take(':')?;
        let value = if name == "shape" {
            let shape = self.list(Self::dimension)?;
            self.take(',')?;
            (self.string()? == "elements").then_some(())?;
            self.take(':')?;
            let elements = self.elements(depth)?;
            Value::Array(Box::new(Array { shape, elements }))
        } else {
            let (_, kind) = KINDS.iter().find(|(known, _)| *known == name)?;
            let text = self.string()?;
            match kind {
                Kind::Bytes => Value::Bytes(written::hex(&text)?.into()),
                kind => written::read(*kind, &text)?,
            }
        };
        self.take('}')?;
        Some(value)
    }

    fn dimension(&mut self) -> Option<Dimension> {
        let ends = self.list(Self::number)?;
        let &[length, lower] = ends.as_slice() else { return None };
        Some(Dimension { length: length.try_into().ok()?, lower: lower.try_into().ok()? })
    }

    fn word(&mut self) -> Option<Value> {
        let mut word = String::new();
        while let Some(letter) = self.rest.next_if(char::is_ascii_lowercase) {
            word.push(letter);
        }
        match word.as_str() {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<i64> {
        self.peek()?;
        let mut number = String::new();
        let is_part = |c: &char| matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9');
        while let Some(part) = self.rest.next_if(is_part) {
            number.push(part);
        }
        number.parse().ok()
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match self.unit()? {
                high @ 0xd800..0xdc00 => {
                    (self.rest.next()? == '\\' && self.rest.next()? == 'u').then_some(())?;
                    let low = self.unit().filter(|unit| (0xdc00..0xe000).contains(unit))?;
                    char::from_u32(0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00))?
                }
                unit => char::from_u32(unit)?,
            },
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + self.rest.next()?.to_digit(16)?;
        }
        Some(unit)
    }
}
