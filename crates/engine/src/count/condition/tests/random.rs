//! Random conditions and rows: nothing that is written stops the parser, and two evaluators agree.

use super::super::tree::{Comparison, Operand, State, Tree};
use super::super::{Condition, print};
use super::{COLUMNS, naive, slot};
use model::{Cell, Decimal, Kind, Moment, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fmt;

proptest! {
    #[test]
    fn no_text_does_harm(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn no_heap_of_words_does_harm(words in vec(word(), 0..60), joint in select(vec![" ", ""])) {
        check(&words.join(joint))?;
    }

    #[test]
    fn no_depth_does_harm(open in select(vec!["(", "not ", "a in (", "a is "]), depth in 0..3000_usize) {
        check(&open.repeat(depth))?;
        check(&format!("{}a{}", open.repeat(depth), ")".repeat(depth)))?;
    }

    #[test]
    fn a_printed_condition_is_read_as_the_same(tree in tree(free())) {
        let text = Shown(&tree).to_string();
        prop_assume!(text.len() <= super::BYTES_MAX);
        prop_assert_eq!(Condition::parse(&text), Ok(Condition(tree)), "{}", text);
    }

    #[test]
    fn a_condition_that_is_cut_or_changed_does_no_harm(
        tree in tree(free()), cut in any::<Index>(), char in any::<char>(),
    ) {
        let chars: Vec<_> = Shown(&tree).to_string().chars().collect();
        let cut = cut.index(chars.len());
        check(&chars[..cut].iter().collect::<String>())?;
        let changed = chars.iter().enumerate();
        let changed = changed.map(|(place, other)| if place == cut { char } else { *other });
        check(&changed.collect::<String>())?;
    }

    #[test]
    fn two_evaluators_agree(tree in tree(typed()), rows in vec(row(), 1..8)) {
        let check = Condition(tree.clone()).resolve(&slot);
        let check = check.map_err(|misfit| TestCaseError::fail(format!("{misfit:?}")))?;
        for cells in rows {
            let expected = naive::decide(&tree, &cells) == 2;
            prop_assert_eq!(check.is_true(&cells), expected, "{} of {:?}", Shown(&tree), cells);
        }
    }
}

/// Whatever is read can be printed and read again, and what is not read says why.
fn check(text: &str) -> Result<(), TestCaseError> {
    match Condition::parse(text) {
        Ok(read) => prop_assert_eq!(Condition::parse(&read.to_string()), Ok(read)),
        Err(fault) => {
            prop_assert!(fault.at <= text.len() && text.is_char_boundary(fault.at), "{}", fault);
            prop_assert!(!fault.what.is_empty() && !fault.fix.is_empty());
        }
    }
    Ok(())
}

struct Shown<'a>(&'a Tree);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::print(self.0, f)
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a", "\"b c\"", "and", "or", "not", "NOT", "is", "null", "true", "false", "in", "between",
        "(", ")", ",", "=", "<>", "<", "<=", ">", ">=", "-", "+", "1", "2.5", ".5", "'x'", "''",
        "'", "\"", "!=", "e", "f(", "1e5", "é", "\u{0}", ".",
    ])
}

/// A condition over comparisons; `leaf` makes one from its operands' strategy.
fn tree(leaf: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    leaf.prop_recursive(4, 24, 4, |tree| {
        prop_oneof![
            tree.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            vec(tree.clone(), 2..5).prop_map(Tree::And),
            vec(tree.clone(), 2..5).prop_map(Tree::Or),
            (tree, any::<bool>(), state()).prop_map(|(tree, negated, state)| Tree::Is {
                tree: Box::new(tree),
                negated,
                state
            }),
        ]
    })
}

fn state() -> impl Strategy<Value = State> {
    select(vec![State::Null, State::True, State::False])
}

/// Every form of a comparison between operands of one family.
fn comparisons(operand: BoxedStrategy<Operand>) -> BoxedStrategy<Tree> {
    let comparison = select(vec![
        Comparison::Equal,
        Comparison::Unequal,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ]);
    let is_null = |(operand, negated)| Tree::Is {
        tree: Box::new(Tree::Truth(operand)),
        negated,
        state: State::Null,
    };
    prop_oneof![
        3 => (operand.clone(), comparison, operand.clone())
            .prop_map(|(left, comparison, right)| Tree::Compare(left, comparison, right)),
        1 => (operand.clone(), any::<bool>(), vec(operand.clone(), 1..4))
            .prop_map(|(operand, negated, list)| Tree::In { operand, negated, list }),
        1 => (operand.clone(), any::<bool>(), operand.clone(), operand.clone())
            .prop_map(|(operand, negated, low, high)| Tree::Between { operand, negated, low, high }),
        1 => (operand, any::<bool>()).prop_map(is_null),
    ]
    .boxed()
}

/// Any columns and literals, whether they compare or not.
fn free() -> BoxedStrategy<Tree> {
    let column = prop_oneof!["[a-zA-Z_][a-zA-Z0-9_$]{0,5}", "and|Or|NULL|in", ".{1,8}"];
    let decimal = prop_oneof!["-?[0-9]{1,6}\\.[0-9]{1,6}", "-?[1-9][0-9]{19,40}"];
    let operand = prop_oneof![
        column.prop_map(|name| Operand::Column(name.into())),
        any::<i64>().prop_map(|int| Operand::Literal(Value::Int(int))),
        decimal.prop_map(|text| Operand::Literal(Value::Decimal(text.parse().unwrap()))),
        any::<String>().prop_map(|text| Operand::Literal(Value::Text(text.into()))),
        any::<bool>().prop_map(|bool| Operand::Literal(Value::Bool(bool))),
        Just(Operand::Literal(Value::Null)),
    ]
    .boxed();
    prop_oneof![operand.clone().prop_map(Tree::Truth), comparisons(operand)].boxed()
}

/// Only what can be compared.
fn typed() -> BoxedStrategy<Tree> {
    let family = |columns: &[&'static str], literals: Vec<Value>| {
        let columns = select(columns.to_vec()).prop_map(|name| Operand::Column(name.into()));
        let literals = select([literals, vec![Value::Null]].concat()).prop_map(Operand::Literal);
        prop_oneof![columns, literals].boxed()
    };
    let bools = family(&["b"], vec![Value::Bool(true), Value::Bool(false)]);
    let numbers: Vec<_> = pool(Kind::Int)
        .into_iter()
        .chain(pool(Kind::Decimal))
        .filter(|value| match value {
            // Two literals of many digits are not compared.
            Value::Decimal(Decimal::Finite(finite)) => finite.digits().len() <= 15,
            Value::Decimal(_) => false,
            _ => true,
        })
        .collect();
    let dates = DATES.map(|(text, _)| Value::from(text)).to_vec();
    prop_oneof![
        3 => comparisons(family(&["i", "d", "f", "x"], numbers)),
        2 => comparisons(family(&["t", "x"], pool(Kind::Text))),
        1 => comparisons(bools.clone()),
        1 => bools.prop_map(Tree::Truth),
        1 => comparisons(family(&["day"], dates)),
    ]
    .boxed()
}

/// Texts that sort as the days that they stand for.
const DATES: [(&str, i64); 4] =
    [("1969-12-31", -1), ("1970-01-01", 0), ("2000-02-29", 11_016), ("2024-02-29", 19_782)];

/// The day that a text stands for.
pub(super) fn date(text: &str) -> Value {
    let (_, day) = DATES.into_iter().find(|(written, _)| *written == text).unwrap();
    Value::Date(Moment::At(day))
}

fn row() -> impl Strategy<Value = Vec<Cell>> {
    COLUMNS
        .iter()
        .map(|(_, kind)| {
            let values = match kind {
                Kind::Any => [Kind::Int, Kind::Float, Kind::Text, Kind::Bool, Kind::Bytes]
                    .into_iter()
                    .flat_map(pool)
                    .collect(),
                kind => pool(*kind),
            };
            prop_oneof![
                6 => select([values, vec![Value::Null]].concat()).prop_map(Cell::Value),
                1 => Just(Cell::Missing),
            ]
        })
        .collect::<Vec<_>>()
}

/// A few values of a kind, near to each other and to those of other kinds.
fn pool(kind: Kind) -> Vec<Value> {
    let decimals =
        |texts: &[&str]| texts.iter().map(|text| Value::Decimal(text.parse().unwrap())).collect();
    match kind {
        Kind::Int => [0, 1, -1, 2, i64::MAX, i64::MIN, (1 << 53) + 1].map(Value::Int).to_vec(),
        Kind::Decimal => decimals(&[
            "0.0",
            "1.0",
            "1.00",
            "-1.0",
            "0.1",
            "1.5",
            "9223372036854775808",
            "9007199254740992.5",
            "NaN",
            "Infinity",
            "-Infinity",
        ]),
        Kind::Float => [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            1.5,
            9_007_199_254_740_992.0,
            9_223_372_036_854_775_808.0,
            f64::MIN_POSITIVE,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]
        .map(Value::from)
        .to_vec(),
        Kind::Text => ["", "a", "A", "a ", "b", "é", "1"].map(Value::from).to_vec(),
        Kind::Bool => [true, false].map(Value::from).to_vec(),
        Kind::Bytes => vec![Value::Bytes([].into()), Value::Bytes([b'a'].into())],
        Kind::Date => DATES.map(|(_, day)| Value::Date(Moment::At(day))).to_vec(),
        _ => Vec::new(),
    }
}
