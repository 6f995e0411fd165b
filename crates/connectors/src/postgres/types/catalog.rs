//! PURE: which type of a database becomes what, from the database's own list of types.

use super::form::{Form, TYPED};
use std::collections::BTreeMap;

/// A type of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name, with its schema unless it is the system's.
    pub name: String,
    /// What it becomes.
    pub form: Form,
}

/// Every type of a database, by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    known: BTreeMap<u32, Known>,
}

/// Domains of domains go no deeper than anybody could want.
const DEPTH_MAX: usize = 32;

impl Types {
    /// The query whose rows are to be read. A domain of arrays is written as an array, too.
    pub const QUERY: &str = "select t.oid, format_type(t.oid, null), t.typtype,
        case when t.typnamespace = 'pg_catalog'::regnamespace then t.typname end,
        case when t.typtype <> 'd' and t.typoutput = 'array_out'::regproc
            then t.typelem else t.typbasetype end,
        coalesce(e.typdelim, ',')
        from pg_type t left join pg_type e on e.oid = t.typelem";

    /// Reads the rows of [`Self::QUERY`]; none if they are those of something else.
    pub fn read(rows: &[Vec<Option<String>>]) -> Option<Self> {
        let facts = rows.iter().map(|row| Facts::read(row)).collect::<Option<Vec<_>>>()?;
        let by_oid: BTreeMap<u32, Facts<'_>> = facts.into_iter().map(|it| (it.oid, it)).collect();
        let known = by_oid.values().map(|it| {
            let form = it.form(&by_oid, DEPTH_MAX);
            (it.oid, Known { name: it.shown.to_owned(), form })
        });
        Some(Self { known: known.collect() })
    }

    /// The type of this number. A type that is not there was made since the list was read.
    pub fn get(&self, oid: u32) -> Option<&Known> {
        self.known.get(&oid)
    }

    /// Every type there is.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Known)> {
        self.known.iter().map(|(oid, known)| (*oid, known))
    }
}

struct Facts<'a> {
    oid: u32,
    shown: &'a str,
    kind: char,
    /// The name, if it is a type of the system.
    system: Option<&'a str>,
    /// Of an array, what its elements are; of a domain, what it stands on; else zero.
    below: u32,
    delimiter: char,
}

impl<'a> Facts<'a> {
    fn read(row: &'a [Option<String>]) -> Option<Self> {
        let [oid, shown, kind, system, below, delimiter] = row else { return None };
        Some(Self {
            oid: oid.as_deref()?.parse().ok()?,
            shown: shown.as_deref()?,
            kind: kind.as_deref()?.chars().next()?,
            system: system.as_deref(),
            below: below.as_deref()?.parse().ok()?,
            delimiter: delimiter.as_deref()?.chars().next()?,
        })
    }

    fn form(&self, all: &BTreeMap<u32, Facts<'_>>, depth: usize) -> Form {
        let typed = TYPED.iter().find(|(name, ..)| self.system == Some(*name));
        if let Some((_, form, _)) = typed {
            return form.clone();
        }
        let below = all.get(&self.below).filter(|_| depth > 0);
        match (self.kind, below) {
            ('d', Some(base)) => base.form(all, depth - 1),
            ('b', Some(element)) => {
                Form::Array(Box::new(element.form(all, depth - 1)), self.delimiter)
            }
            _ => Form::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Types};

    fn row(cells: [&str; 6]) -> Vec<Option<String>> {
        cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect()
    }

    #[test]
    fn what_stands_on_another_type_becomes_what_that_becomes() {
        let types = Types::read(&[
            row(["20", "bigint", "b", "int8", "0", ","]),
            row(["603", "box", "b", "box", "0", ","]),
            row(["1020", "box[]", "b", "_box", "603", ";"]),
            row(["9000", "public.id", "d", "", "20", ","]),
            row(["9001", "public.id[]", "b", "", "9000", ","]),
            row(["9002", "public.ids", "d", "", "9001", ","]),
            row(["9003", "public.mood", "e", "", "0", ","]),
            row(["9004", "public.int8", "e", "", "0", ","]),
            row(["9005", "public.around", "d", "", "9005", ","]),
        ]);
        let types = types.unwrap();
        let form = |oid| types.get(oid).unwrap().form.clone();
        let ids = Form::Array(Box::new(Form::Int), ',');
        assert_eq!(
            [form(20), form(9000), form(9003), form(9004)],
            [Form::Int, Form::Int, Form::Text, Form::Text]
        );
        assert_eq!((form(9001), form(9002)), (ids.clone(), ids));
        assert_eq!(form(1020), Form::Array(Box::new(Form::Text), ';'));
        assert_eq!(form(9005), Form::Text);
        assert_eq!(types.get(9006), None);
        assert_eq!(Types::read(&[row(["x", "a", "b", "c", "0", ","])]), None);
    }
}
