//! PURE: arrays as PostgreSQL writes them: braces, what stands between, and quotes where needed.

use super::scan::Scan;
use model::{Array, Dimension, Value};

/// PostgreSQL has no more dimensions.
const DIMENSIONS_MAX: usize = 6;

/// Reads an array, each element by `read`. Every row has to be as long as its neighbours.
pub(super) fn parse(
    text: &str,
    delimiter: char,
    read: impl Fn(&str) -> Option<Value>,
) -> Option<Array> {
    let scan = &mut Scan::new(text);
    let bounds = bounds(scan)?;
    let mut walk = Walk { scan, delimiter, read, lengths: Vec::new(), elements: Vec::new() };
    walk.level(0)?;
    let Walk { scan, lengths, elements, .. } = walk;
    scan.is_over().then_some(())?;
    if elements.is_empty() {
        return (bounds.is_empty() && lengths == [0]).then(Array::default);
    }
    let shape = lengths.iter().enumerate().map(|(at, &length)| {
        let lower = if bounds.is_empty() { 1 } else { bounds.get(at)?.0 };
        Some(Dimension { length, lower })
    });
    let shape = shape.collect::<Option<Vec<_>>>()?;
    let fits = |(dimension, bound): (&Dimension, &(i32, u32))| dimension.length == bound.1;
    let is_as_said =
        bounds.is_empty() || bounds.len() == shape.len() && shape.iter().zip(&bounds).all(fits);
    is_as_said.then_some(Array { shape, elements })
}

/// Writes an array of this shape, whose elements are these; none for NULL.
pub(super) fn text(shape: &[Dimension], delimiter: char, elements: &[Option<String>]) -> String {
    let mut out = String::new();
    if shape.iter().any(|dimension| dimension.lower != 1) {
        for Dimension { length, lower } in shape {
            let upper = i64::from(*lower) + i64::from(*length) - 1;
            out.push_str(&format!("[{lower}:{upper}]"));
        }
        out.push('=');
    }
    if elements.is_empty() {
        return "{}".to_owned();
    }
    let lengths: Vec<usize> =
        shape.iter().map(|dimension| usize::try_from(dimension.length).unwrap_or(1)).collect();
    for (at, element) in elements.iter().enumerate() {
        // So many dimensions begin, or end, with this element.
        let begins = rows(&lengths, at);
        out.extend((at > 0).then_some(delimiter));
        out.extend(std::iter::repeat_n('{', begins));
        match element {
            None => out.push_str("NULL"),
            Some(text) => quote(text, &mut out),
        }
        out.extend(std::iter::repeat_n('}', rows(&lengths, at + 1)));
    }
    out
}

/// How many dimensions have a border before the element of this number.
fn rows(lengths: &[usize], at: usize) -> usize {
    let mut size = 1;
    let inner = lengths.iter().rev();
    let borders = inner.take_while(|&&length| {
        size *= length.max(1);
        at.is_multiple_of(size)
    });
    borders.count()
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// `[2:3][-1:0]=`: the first index of each dimension, and how many there are.
fn bounds(scan: &mut Scan<'_>) -> Option<Vec<(i32, u32)>> {
    let mut bounds = Vec::new();
    while scan.takes("[") {
        let lower = scan.number()?;
        scan.must(":")?;
        let length = scan.number()?.checked_sub(lower)?.checked_add(1)?;
        scan.must("]")?;
        bounds.push((lower.try_into().ok()?, length.try_into().ok()?));
    }
    if !bounds.is_empty() {
        scan.must("=")?;
    }
    Some(bounds)
}

struct Walk<'s, 'a, R> {
    scan: &'s mut Scan<'a>,
    delimiter: char,
    read: R,
    /// Of each dimension, from the outermost in, once its first row has ended.
    lengths: Vec<u32>,
    elements: Vec<Value>,
}

/// No dimension is as long; stands for one whose first row has not ended.
const OPEN: u32 = u32::MAX;

impl<R: Fn(&str) -> Option<Value>> Walk<'_, '_, R> {
    fn level(&mut self, depth: usize) -> Option<()> {
        self.scan.must("{")?;
        if depth == self.lengths.len() {
            (depth < DIMENSIONS_MAX).then_some(())?;
            // Where elements stood already, no row can go deeper.
            self.elements.is_empty().then_some(())?;
            self.lengths.push(OPEN);
        }
        let mut length = 0;
        if depth == 0 && self.scan.takes("}") {
            self.lengths[0] = 0;
            return Some(());
        }
        loop {
            match self.scan.peek()? {
                '{' => self.level(depth + 1)?,
                // Elements stand in the innermost dimension alone.
                _ if depth + 1 == self.lengths.len() => self.element()?,
                _ => return None,
            }
            length += 1;
            match self.scan.next()? {
                '}' => break,
                next if next == self.delimiter => {}
                _ => return None,
            }
        }
        match self.lengths[depth] {
            OPEN => self.lengths[depth] = length,
            other if other != length => return None,
            _ => {}
        }
        Some(())
    }

    fn element(&mut self) -> Option<()> {
        let is_quoted = self.scan.takes("\"");
        let mut text = String::new();
        loop {
            match self.scan.peek()? {
                '"' if is_quoted => break,
                c if !is_quoted && (c == self.delimiter || c == '}') => break,
                '"' | '{' if !is_quoted => return None,
                '\\' => {
                    self.scan.next()?;
                    text.push(self.scan.next()?);
                }
                c => {
                    self.scan.next()?;
                    text.push(c);
                }
            }
        }
        if is_quoted {
            self.scan.must("\"")?;
        }
        let value = match is_quoted {
            false if text.is_empty() => return None,
            false if text == "NULL" => Value::Null,
            _ => (self.read)(&text)?,
        };
        self.elements.push(value);
        Some(())
    }
}
