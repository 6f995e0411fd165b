//! Why a table cannot be followed.

use model::{Code, Fault, TableName};

/// A table that cannot be followed as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The name that was asked for.
    pub table: TableName,
    /// Why not.
    pub why: Why,
}

/// Why a table cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is none of this name.
    Missing,
    /// It is no table whose changes are in the write-ahead log, or its key has no order of ours;
    /// with what to do.
    Unsuitable(String),
    /// Its rows cannot be told apart in the stream; with what to do.
    NoKey(String),
    /// A column has a type that is newer than the list of types, which is to be read again.
    NewType,
}

impl From<Unfit> for Fault {
    /// A person may mend each while we wait.
    fn from(Unfit { table, why }: Unfit) -> Self {
        match why {
            Why::Missing => {
                let name = if table.as_str().contains('.') {
                    String::new()
                } else {
                    format!("; names have their schema, as in public.{table}")
                };
                Fault::retry(Code::TableMissing, format!("there is no table {table}{name}"))
            }
            Why::Unsuitable(why) => {
                let what = format!("the table {table} can not be followed: {why}");
                Fault::retry(Code::TableUnsuitable, what)
            }
            Why::NoKey(why) => Fault::retry(Code::TableNoKey, format!("the table {table} {why}")),
            Why::NewType => {
                let what = format!("the table {table} has a column of a type made just now");
                Fault::retry(Code::SourceUnavailable, what)
            }
        }
    }
}
