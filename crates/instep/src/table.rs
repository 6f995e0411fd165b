//! PURE: a table for people: columns as wide as what stands in them.

use serde_json::Value;
use std::fmt;

/// Rows of texts under their names.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these names over its columns.
    pub(crate) fn new<const WIDTH: usize>(names: [&str; WIDTH]) -> Self {
        Self { rows: vec![names.map(str::to_uppercase).to_vec()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    /// Nothing at all where there is no row under the names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.len() < 2 {
            return Ok(());
        }
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                line.push_str(&format!("{cell:<width$}  ", width = width(column)));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A value as it stands in a table; what is not known is a dash.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let mut table = Table::new(["a", "name"]);
        assert_eq!(table.to_string(), "");
        table.row(["1".to_owned(), "é".to_owned()]);
        table.row(["100".to_owned(), "-".to_owned()]);
        assert_eq!(table.to_string(), "A    NAME\n1    é\n100  -\n");
    }
}
