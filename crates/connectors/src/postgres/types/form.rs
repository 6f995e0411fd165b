//! PURE: what a type becomes.

use model::Kind;

/// What a type becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// True or false.
    Bool,
    /// Whole numbers that fit into 64 bits with a sign.
    Int,
    /// Floats of 32 bits, widened.
    Float4,
    /// Floats of 64 bits.
    Float8,
    /// Exact decimals.
    Decimal,
    /// As the server writes it.
    Text,
    /// Bytes.
    Bytes,
    /// Days.
    Date,
    /// Times of day.
    Time,
    /// Times of day with an offset.
    TimeTz,
    /// Dates with times.
    Timestamp,
    /// Instants.
    TimestampTz,
    /// Months, days and microseconds.
    Interval,
    /// Universally unique identifiers.
    Uuid,
    /// JSON as it is written.
    Json,
    /// Arrays of a form, with what stands between their elements.
    Array(Box<Form>, char),
}

impl Form {
    /// The kind of column that holds it.
    pub fn kind(&self) -> Kind {
        match self {
            Form::Bool => Kind::Bool,
            Form::Int => Kind::Int,
            Form::Float4 | Form::Float8 => Kind::Float,
            Form::Decimal => Kind::Decimal,
            Form::Text => Kind::Text,
            Form::Bytes => Kind::Bytes,
            Form::Date => Kind::Date,
            Form::Time => Kind::Time,
            Form::TimeTz => Kind::TimeTz,
            Form::Timestamp => Kind::Timestamp,
            Form::TimestampTz => Kind::TimestampTz,
            Form::Interval => Kind::Interval,
            Form::Uuid => Kind::Uuid,
            Form::Json => Kind::Json,
            Form::Array(..) => Kind::Array,
        }
    }
}

/// Types of the system that are more than text to us, with what else is to be said about each.
pub(super) const TYPED: [(&str, Form, &str); 23] = [
    ("bool", Form::Bool, ""),
    ("int2", Form::Int, ""),
    ("int4", Form::Int, ""),
    ("int8", Form::Int, ""),
    ("oid", Form::Int, ""),
    ("xid", Form::Int, ""),
    ("cid", Form::Int, ""),
    ("xid8", Form::Decimal, "its 64 bits have no sign"),
    ("float4", Form::Float4, "widened exactly, with NaN and the infinities"),
    ("float8", Form::Float8, "with NaN and the infinities"),
    ("numeric", Form::Decimal, "every digit and the scale as written, with NaN and the infinities"),
    ("bytea", Form::Bytes, ""),
    ("date", Form::Date, "with both infinities, and years before Christ"),
    ("time", Form::Time, "24:00:00 is kept"),
    ("timetz", Form::TimeTz, "with its offset, in seconds"),
    ("timestamp", Form::Timestamp, "as a date; after the year 294246 as text"),
    ("timestamptz", Form::TimestampTz, "an instant, as a timestamp in UTC"),
    ("interval", Form::Interval, "months, days and microseconds, which do not convert"),
    ("uuid", Form::Uuid, ""),
    ("json", Form::Json, "as written: spaces, order and repeated keys stay"),
    ("jsonb", Form::Json, "as the server writes it, with its order of keys"),
    ("int2vector", Form::Text, "numbers between spaces"),
    ("oidvector", Form::Text, "numbers between spaces"),
];

/// Types of the system that are text to us, with what else is to be said about each.
pub(super) const TEXTS: [(&str, &str); 47] = [
    ("text", ""),
    ("varchar", ""),
    ("bpchar", "`char(n)`, with the spaces that fill it"),
    ("name", ""),
    ("char", "the type `\"char\"`: one byte"),
    ("xml", ""),
    ("bit", "zeros and ones"),
    ("varbit", "zeros and ones"),
    ("money", "in the database's own `lc_monetary`"),
    ("inet", "an address alone where the mask is its whole length"),
    ("cidr", ""),
    ("macaddr", ""),
    ("macaddr8", ""),
    ("point", ""),
    ("line", ""),
    ("lseg", ""),
    ("box", ""),
    ("path", ""),
    ("polygon", ""),
    ("circle", ""),
    ("tsvector", ""),
    ("tsquery", ""),
    ("gtsvector", ""),
    ("jsonpath", ""),
    ("pg_lsn", ""),
    ("pg_snapshot", ""),
    ("txid_snapshot", ""),
    ("tid", ""),
    ("refcursor", ""),
    ("aclitem", ""),
    ("regclass", "with its schema, unless it is the system's"),
    ("regcollation", "with its schema, unless it is the system's"),
    ("regconfig", "with its schema, unless it is the system's"),
    ("regdictionary", "with its schema, unless it is the system's"),
    ("regnamespace", ""),
    ("regoper", "with its schema, unless it is the system's"),
    ("regoperator", "with its schema, unless it is the system's"),
    ("regproc", "with its schema, unless it is the system's"),
    ("regprocedure", "with its schema, unless it is the system's"),
    ("regrole", ""),
    ("regtype", "with its schema, unless it is the system's"),
    ("pg_node_tree", ""),
    ("pg_ndistinct", ""),
    ("pg_dependencies", ""),
    ("pg_mcv_list", ""),
    ("pg_brin_bloom_summary", ""),
    ("pg_brin_minmax_multi_summary", ""),
];

/// Kinds of types of which a database may have any number, and what each becomes.
pub(super) const FAMILIES: [(&str, &str, &str); 8] = [
    ("an array", "array", "dimensions, their first indices and NULLs are kept"),
    ("an enumeration", "text", "its label"),
    ("a domain", "what its base type becomes", ""),
    ("a range", "text", "`[1,5)`, in the form that the server gives it"),
    ("a multirange", "text", "`{[1,5),[7,9)}`"),
    ("a composite", "text", "`(1,\"a b\",)`"),
    ("a type of an extension", "text", "as its own output writes it"),
    ("a pseudo-type", "no column has one", ""),
];

/// Whether a type, by the name that the server shows, is text to us and the same in every database.
pub(in crate::postgres) fn is_plain_text(shown: &str) -> bool {
    let names = ["character varying", "character", "bit varying"];
    // Sums of money and the names of its own things are written as the database has it.
    let is_local = ["money", "reg", "pg_", "aclitem"].iter().any(|begin| shown.starts_with(begin));
    names.contains(&shown) || !is_local && TEXTS.iter().any(|(name, _)| *name == shown)
}
