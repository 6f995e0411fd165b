//! Shapes: what a configuration may hold. The reader, the schema for editors and the reference page
//! are all made from them, so that they can not differ.

/// What a value has to look like.
#[derive(Debug)]
pub enum Shape {
    /// Text.
    Text(Form),
    /// A whole number.
    Whole {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// Seconds, with up to three decimals.
    Seconds {
        /// The fewest, in milliseconds.
        millis_min: u64,
        /// The most, in milliseconds.
        millis_max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// One of a few words.
    Word {
        /// Those that there are.
        now: &'static [&'static str],
        /// Those of later versions.
        later: &'static [&'static str],
    },
    /// The number of the format, which is 1.
    Version,
    /// Text that is never shown, or a file that holds it.
    Secret(Purpose),
    /// The URL of a PostgreSQL database, whose password is never shown.
    PostgresUrl,
    /// A list without anything twice.
    List(&'static Shape),
    /// A list, or a single value for a list of one.
    OneOrMore(&'static Shape),
    /// Keys that are known.
    Record(&'static [Key]),
    /// Exactly one of the known kinds.
    Choice(&'static [Kind]),
    /// Names that the user gives, each with a value.
    Named(&'static Shape),
    /// Columns, each with another one.
    Columns,
}

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A name that the user gives to something.
    Name,
    /// A file or folder, relative to the configuration's.
    Path,
    /// An IP address with a port.
    Address,
    /// A table.
    Table,
    /// A column.
    Column,
    /// `SOURCE/TABLE` or `SERVICE/TABLE`.
    Reference,
    /// The condition of a count.
    Condition,
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It travels in the header of a request.
    Header,
    /// It lets us into a database.
    Login,
}

/// One of several things that something may be.
#[derive(Debug)]
pub struct Kind {
    /// The key that says so.
    pub key: Key,
    /// What may stand beside it.
    pub beside: &'static [Key],
}

/// A known key.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it has to be there.
    pub presence: Presence,
    /// What it is for, in a sentence.
    pub about: &'static str,
}

/// Whether a key has to be there, and what holds without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has to be there.
    Required,
    /// Without it there is nothing of the kind.
    Optional,
    /// Without it this holds, as it would be written.
    Default(&'static str),
    /// Without it there are no entries, or those of its keys that have defaults.
    Empty,
    /// A later version reads it.
    Later,
}

/// The most entries of a list or of a map of names.
pub const ENTRIES_MAX: usize = 1_000;

/// The longest text.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// The longest name, and the longest name of a table or column.
pub const NAME_CHARS_MAX: usize = 63;
/// The longest name of a table or column.
pub const COLUMN_CHARS_MAX: usize = 128;

impl Key {
    /// Whether this version reads it.
    pub fn is_read(&self) -> bool {
        self.presence != Presence::Later
    }
}

impl Shape {
    /// What is wanted, for people.
    pub fn wanted(&self) -> String {
        match self {
            Shape::Text(form) => form.wanted().to_owned(),
            Shape::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Shape::Seconds { millis_min, millis_max } => {
                format!("seconds from {} to {}", seconds(*millis_min), seconds(*millis_max))
            }
            Shape::Flag => "true or false".to_owned(),
            Shape::Word { now, .. } => now.join(" or "),
            Shape::Version => "1".to_owned(),
            Shape::Secret(_) => "text, or { file: PATH }".to_owned(),
            Shape::PostgresUrl => "a URL such as postgres://USER@SERVER:5432/DATABASE".to_owned(),
            Shape::List(of) => format!("a list, each {}", of.wanted()),
            Shape::OneOrMore(of) => format!("{}, or a list of them", of.wanted()),
            Shape::Record(_) => "a map of keys".to_owned(),
            Shape::Choice(kinds) => {
                let keys: Vec<String> = kinds
                    .iter()
                    .map(|kind| &kind.key)
                    .filter(|key| key.is_read())
                    .map(|key| format!("{{ {}: {} }}", key.name, key.shape.wanted()))
                    .collect();
                keys.join(" or ")
            }
            Shape::Named(_) => "a map of names".to_owned(),
            Shape::Columns => "a map from a column of the target to one of the source".to_owned(),
        }
    }
}

impl Form {
    /// What is wanted, for people.
    pub fn wanted(self) -> &'static str {
        match self {
            Form::Name => "a name",
            Form::Path => "a path",
            Form::Address => "an address such as 127.0.0.1:7171",
            Form::Table => "a table",
            Form::Column => "a column",
            Form::Reference => "NAME/TABLE",
            Form::Condition => "a condition",
        }
    }
}

/// Milliseconds as seconds, without zeros that say nothing.
pub fn seconds(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
