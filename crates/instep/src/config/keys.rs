//! Every key of the configuration, with its shape, its default and what it is for.

mod limits;

use super::shape::Form::{Address, Column, Condition, Name, Path, Reference, Table};
use super::shape::Presence::{self, Default, Empty, Later, Optional, Required};
use super::shape::Shape::{
    self, Choice, Columns, Flag, List, Named, OneOrMore, PostgresUrl, Record, Secret, Text,
    Version, Word,
};
use super::shape::{Key, Kind, Purpose};

/// The whole configuration.
pub static ROOT: Shape = Record(&[
    key("version", Version, Required, "The version of this format."),
    key(
        "data_dir",
        Text(Path),
        Default("./instep-data"),
        "Where Instep keeps its journal and state.",
    ),
    key(
        "listen",
        Text(Address),
        Default("127.0.0.1:7171"),
        "The address of the API; port 0 takes any free one. An address that other \
         machines can reach needs a token under `auth`.",
    ),
    key("tls", Record(&TLS), Optional, "A certificate, so that the API speaks HTTPS."),
    key("auth", Record(&AUTH), Empty, "Who may use the API."),
    key(
        "services",
        Named(&Choice(&SERVICE)),
        Empty,
        "The address book: every database by its name.",
    ),
    key("sources", Named(&Record(&SOURCE)), Empty, "Where the truth of tables lives."),
    key(
        "copies",
        Named(&Record(&COPY)),
        Empty,
        "Tables that are kept equal to a table of a source.",
    ),
    key("counts", Named(&Record(&COUNT)), Empty, "Numbers that are kept equal to a count of rows."),
    key(
        "log",
        Word { now: &["embedded"], later: &["nats", "kafka"] },
        Default("embedded"),
        "The message queue between sources and targets; the built-in one is the journal.",
    ),
    key(
        "confirm",
        Word { now: &["durable"], later: &["applied"] },
        Default("durable"),
        "When a source may forget a change: once it is durable in the log.",
    ),
    key(
        "when_full",
        Word { now: &["detach", "wait"], later: &[] },
        Default("detach"),
        "What happens when the journal is full: the target that holds it up is let go and compared \
         with its source later, or capture waits for it.",
    ),
    key("limits", Record(&limits::LIMITS), Empty, "Every bound, each with its unit."),
    key("proof", Record(&[]), Later, "The standing comparison of targets with their sources."),
    key("probes", Record(&[]), Later, "Endpoints whose numbers are compared with the truth."),
]);

static TLS: [Key; 2] = [
    key("cert", Text(Path), Required, "The certificate and its chain, in PEM."),
    key("key", Text(Path), Required, "Its private key, in PEM."),
];

static AUTH: [Key; 1] =
    [key("tokens", List(&Record(&TOKEN)), Empty, "Bearer tokens, each for one person or program.")];

static TOKEN: [Key; 3] = [
    key("name", Text(Name), Required, "Whose token it is, for the records."),
    key(
        "role",
        Word { now: &["viewer", "operator"], later: &[] },
        Required,
        "What it allows: viewers read, operators also change.",
    ),
    key(
        "token",
        Secret(Purpose::Header),
        Required,
        "The token itself, or the file that holds it; never shown.",
    ),
];

static SERVICE: [Kind; 7] = [
    alone(key("sqlite", Text(Path), Optional, "A SQLite database file.")),
    Kind { key: key("postgres", PostgresUrl, Optional, POSTGRES), beside: &POSTGRES_TOO },
    alone(key("mongodb", Text(Path), Later, "A MongoDB server.")),
    alone(key("redis", Text(Path), Later, "A Redis server.")),
    alone(key("http", Text(Path), Later, "An HTTP endpoint.")),
    alone(key("nats", Text(Path), Later, "A NATS server.")),
    alone(key("kafka", Text(Path), Later, "A Kafka cluster.")),
];

const POSTGRES: &str = "A PostgreSQL database. Its URL is the one that other programs take, \
     with `sslmode`, `target_session_attrs` and several servers; files in it are relative to the \
     configuration's folder. It may hold the password, which is never shown.";

static POSTGRES_TOO: [Key; 1] = [key(
    "password",
    Secret(Purpose::Login),
    Optional,
    "The password, or the file that holds it, where the URL has none; never shown.",
)];

static SOURCE: [Key; 5] = [
    key("from", OneOrMore(&Text(Name)), Required, "Its service; several are its shards."),
    key(
        "tables",
        List(&Text(Table)),
        Required,
        "The tables that are followed; in PostgreSQL with their schema, as `public.questions`.",
    ),
    key(
        "outbox",
        Record(&OUTBOX),
        Optional,
        "A table of a PostgreSQL that services insert their own named changes into. Its rows are changes \
         of the kinds that they name, and Instep takes them out once they are durable.",
    ),
    key(
        "shard_in_key",
        Flag,
        Default("false"),
        "Whether two shards may have rows with one key, which are then different rows.",
    ),
    key(
        "capture",
        Word { now: &["log", "triggers"], later: &[] },
        Default("log"),
        "How the changes of a PostgreSQL are found: in its write-ahead log, or by triggers where it \
         gives no right to replicate.",
    ),
];

static OUTBOX: [Key; 2] = [
    key("table", Text(Table), Default("public.outbox"), "The outbox, with its schema."),
    key(
        "kinds",
        List(&Text(Table)),
        Required,
        "The kinds that are followed, each as a table of the source; a kind has no dot in its name.",
    ),
];

static COPY: [Key; 5] = [
    key("of", Text(Reference), Required, "What it is a copy of: SOURCE/TABLE."),
    key("to", Text(Reference), Required, "Where it is kept: SERVICE/TABLE."),
    key(
        "fields",
        Columns,
        Empty,
        "Columns that have another name in the copy: the target's column to the source's. The rest \
         keep their names.",
    ),
    key("create", Flag, Default("false"), "Whether a missing target table is made."),
    key(
        "shard_column",
        Text(Column),
        Optional,
        "The column of the target that says which shard owns a row; needed where the source has \
         several services.",
    ),
];

static COUNT: [Key; 4] = [
    key("of", Text(Reference), Required, "What is counted: SOURCE/TABLE."),
    key("by", List(&Text(Column)), Empty, "Columns to group by; one number without them."),
    key("where", Text(Condition), Optional, "Which rows count; all of them without it."),
    key("to", List(&Text(Reference)), Empty, "Where the numbers are pushed to: SERVICE/TABLE."),
];

const fn alone(key: Key) -> Kind {
    Kind { key, beside: &[] }
}

const fn key(name: &'static str, shape: Shape, presence: Presence, about: &'static str) -> Key {
    Key { name, shape, presence, about }
}
