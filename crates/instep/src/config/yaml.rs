//! Reads the text of a configuration as YAML into nodes. The only file that knows the parser.
//!
//! Invariant: any text at all becomes a node or trouble, within [`BYTES_MAX`], [`DEPTH_MAX`] and
//! [`NODES_MAX`], aliases counted each time that they are used.

use super::node::{Content, Node, Pair, Scalar};
use super::span::{Mark, Span};
use super::trouble::Trouble;
use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};
use model::Code;
use std::collections::BTreeMap;

/// The largest configuration.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// How deep lists and maps may stand in each other.
pub(super) const DEPTH_MAX: usize = 32;

/// The most values, lists and maps of a configuration.
pub(super) const NODES_MAX: usize = 50_000;

/// Reads a text that holds one document.
pub(super) fn read(text: &str) -> Result<Node, Trouble> {
    let options = granit_parser::options! {
        disallow_directives: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    Reader { text, parser, anchors: BTreeMap::new(), nodes: 0 }.document()
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// What stands under each anchor, and how many nodes that is.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    /// The one document; an empty text is a document with nothing in it.
    fn document(mut self) -> Result<Node, Trouble> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(syntax(span, "a second document begins", ONE_DOCUMENT));
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ => root = Some(self.node(event, span, 0)?),
            }
        }
        let empty = || Node { span: Span::empty(FIRST), content: Content::Map(Vec::new()) };
        let root = root.filter(|root: &Node| root.span.start < root.span.end);
        Ok(root.unwrap_or_else(empty))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Trouble> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                Ok((event, Span { start: mark(span.start), end: mark(span.end) }))
            }
            Some(Err(error)) => Err(self.refused(&error)),
            None => Ok((Event::StreamEnd, Span::empty(Mark::at(self.text, self.text.len())))),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Trouble> {
        self.take(1, span)?;
        if depth > DEPTH_MAX {
            let what = format!("lists and maps stand more than {DEPTH_MAX} deep in each other");
            return Err(syntax(span, what, "write it flatter"));
        }
        if event.tag().is_some() {
            return Err(syntax(span, "a value has a tag", "leave the tag with its `!` out"));
        }
        let (anchor, before) = (event.anchor_id().filter(|id| *id > 0), self.nodes);
        let node = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, span),
            Event::SequenceStart(..) => self.list(span, depth)?,
            Event::MappingStart(..) => self.map(span, depth)?,
            Event::Alias(id) => return self.alias(id, span),
            _ => return Err(syntax(span, "something stands where a value belongs", CHECK)),
        };
        if let Some(id) = anchor {
            self.anchors.insert(id, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Node {
        let written = self.text.get(span.start.byte..span.end.byte).unwrap_or_default();
        let quote = match style {
            ScalarStyle::SingleQuoted => "'",
            ScalarStyle::DoubleQuoted => "\"",
            _ => "",
        };
        let inner = written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        let verbatim = inner.filter(|inner| *inner == text && !text.contains(['\n', '\r']));
        // The parser writes `~` for what is not there.
        let absent = written.is_empty() && style == ScalarStyle::Plain;
        let scalar = Scalar {
            text: if absent { String::new() } else { text.to_owned() },
            plain: style == ScalarStyle::Plain,
            verbatim: verbatim.map(|_| span.start.after(quote)),
        };
        Node { span, content: Content::Scalar(scalar) }
    }

    fn list(&mut self, span: Span, depth: usize) -> Result<Node, Trouble> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    let span = Span { start: span.start, end: end.end };
                    return Ok(Node { span, content: Content::List(items) });
                }
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, span: Span, depth: usize) -> Result<Node, Trouble> {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut lines = BTreeMap::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                let span = Span { start: span.start, end: at.end };
                return Ok(Node { span, content: Content::Map(pairs) });
            }
            let Node { span: at, content: Content::Scalar(key) } = self.node(event, at, depth)?
            else {
                return Err(syntax(at, "a key is a list or a map", "keys are plain words"));
            };
            if let Some(first) = lines.insert(key.text.clone(), at.start.line) {
                let what = format!("the key `{}` stands here twice", key.text);
                let fix = format!("keep one of them; the first is in line {first}");
                return Err(syntax(at, what, fix));
            }
            let (event, value) = self.next()?;
            let value = self.node(event, value, depth + 1)?;
            pairs.push(Pair { key: key.text, at, value });
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Trouble> {
        let Some((node, nodes)) = self.anchors.get(&id).cloned() else {
            return Err(syntax(span, "an alias stands inside what it names", "write it out"));
        };
        self.take(nodes, span)?;
        Ok(node)
    }

    /// Counts nodes, so that aliases of aliases can not fill the memory.
    fn take(&mut self, nodes: usize, span: Span) -> Result<(), Trouble> {
        self.nodes += nodes;
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let what = format!("the configuration has more than {NODES_MAX} values");
        Err(syntax(span, what, "use fewer of them, or fewer aliases"))
    }

    fn refused(&self, error: &ScanError) -> Trouble {
        let at = mark(*error.marker());
        let line = self.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
        let fix = if line.contains("${") && line.contains(['{', '[']) {
            "inside { } and [ ] put a value with ${NAME} in quotes: \"${NAME}\""
        } else if line.contains('\t') {
            "indent with spaces instead of tabs"
        } else {
            CHECK
        };
        syntax(Span::empty(at), error.info(), fix)
    }
}

const FIRST: Mark = Mark { line: 1, column: 1, byte: 0 };
const ONE_DOCUMENT: &str = "keep one document; remove the `---` and what follows it";
const CHECK: &str = "check quotes, brackets, indentation and the space after each colon, here and \
                     just before";

/// A byte offset is always known, because the parser reads from a text.
fn mark(marker: Marker) -> Mark {
    let byte = marker.byte_offset().unwrap_or_default();
    Mark { line: marker.line().max(1), column: marker.col() + 1, byte }
}

fn syntax(span: Span, what: impl Into<Box<str>>, fix: impl Into<Box<str>>) -> Trouble {
    Trouble::new(Code::ConfigSyntax, span, what, "the file is not the YAML that Instep reads", fix)
}
