//! PURE: a page in Prometheus' text format, a family at a time.

use super::families::Family;
use std::fmt::Write;

/// One line of the page.
#[derive(Clone, Debug)]
pub struct Sample {
    suffix: &'static str,
    labels: String,
    number: String,
}

impl Sample {
    /// The number under these labels.
    pub fn new(labels: &[(&str, &str)], number: String) -> Self {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        Self { suffix: "", labels, number }
    }

    /// The same under the family's name with this behind it, as histograms have it.
    pub(super) fn behind(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A page of families.
#[derive(Clone, Debug, Default)]
pub struct Page(String);

impl Page {
    /// Appends a family, if it has samples.
    pub fn family(&mut self, family: &Family, samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        let Family { name, kind, help, .. } = family;
        let mut put = |line: std::fmt::Arguments<'_>| {
            writeln!(self.0, "{line}").expect("BUG: a string takes everything");
        };
        put(format_args!("# HELP {name} {help}"));
        put(format_args!("# TYPE {name} {kind}"));
        for Sample { suffix, labels, number } in samples {
            put(format_args!("{name}{suffix}{labels} {number}"));
        }
    }

    /// The text of it.
    pub fn text(self) -> String {
        self.0
    }
}
