//! Reads a condition from text, by SQL's precedence: `or`, `and`, `not`, `is`, then comparisons.
//!
//! Invariant: any text at all is read or refused, in a stack that [`DEPTH_MAX`] bounds.
//!
//! Must not know: tables, kinds of columns.

use super::fault::ConditionFault;
use super::token::{Keyword, Token, tokens};
use super::tree::{Operand, State, Tree};
use model::{Decimal, Value};

/// The longest condition.
pub const BYTES_MAX: usize = 4096;

/// How deep parentheses and `not` may stand in each other.
pub const DEPTH_MAX: usize = 64;

/// Reads a condition, which must take all of the text.
pub(super) fn parse(text: &str) -> Result<Tree, ConditionFault> {
    check_length(text)?;
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let tree = parser.any_of()?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => Err(parser.after_condition()),
    }
}

/// Refuses a text that is too long for a condition.
pub(super) fn check_length(text: &str) -> Result<(), ConditionFault> {
    if text.len() <= BYTES_MAX {
        return Ok(());
    }
    Err(ConditionFault::new(
        BYTES_MAX,
        format!("the condition has more than {BYTES_MAX} bytes"),
        "keep the decision in a column of its own, and compare that",
    ))
}

struct Parser {
    /// All of them; the last is the end.
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// How many parentheses and `not` are open.
    depth: usize,
}

impl Parser {
    /// `a or b or c`.
    fn any_of(&mut self) -> Result<Tree, ConditionFault> {
        self.chain(Keyword::Or, Self::all_of, Tree::Or)
    }

    /// `a and b and c`.
    fn all_of(&mut self) -> Result<Tree, ConditionFault> {
        self.chain(Keyword::And, Self::negation, Tree::And)
    }

    fn chain(
        &mut self,
        keyword: Keyword,
        part: impl Fn(&mut Self) -> Result<Tree, ConditionFault>,
        join: impl Fn(Vec<Tree>) -> Tree,
    ) -> Result<Tree, ConditionFault> {
        let first = part(self)?;
        if *self.peek() != Token::Keyword(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip(&Token::Keyword(keyword)) {
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }

    /// `not a`.
    fn negation(&mut self) -> Result<Tree, ConditionFault> {
        if !self.skip(&Token::Keyword(Keyword::Not)) {
            return self.state();
        }
        self.enter()?;
        let tree = self.negation()?;
        self.depth -= 1;
        Ok(Tree::Not(Box::new(tree)))
    }

    /// `a is [not] null`.
    fn state(&mut self) -> Result<Tree, ConditionFault> {
        let tree = self.comparison()?;
        if !self.skip(&Token::Keyword(Keyword::Is)) {
            return Ok(tree);
        }
        let negated = self.skip(&Token::Keyword(Keyword::Not));
        let state = match self.peek() {
            Token::Keyword(Keyword::Null) => State::Null,
            Token::Keyword(Keyword::True) => State::True,
            Token::Keyword(Keyword::False) => State::False,
            _ => return Err(self.unexpected("write null, true or false after `is`")),
        };
        self.next += 1;
        Ok(Tree::Is { tree: Box::new(tree), negated, state })
    }

    /// `a < b`, `a [not] in (b, c)`, `a [not] between b and c`, or what can be compared so.
    fn comparison(&mut self) -> Result<Tree, ConditionFault> {
        let at = self.at();
        let tree = self.primary()?;
        if let Token::Comparison(comparison) = *self.peek() {
            let left = operand(tree, at)?;
            self.next += 1;
            return Ok(Tree::Compare(left, comparison, self.operand()?));
        }
        let negated = self.skip(&Token::Keyword(Keyword::Not));
        if self.skip(&Token::Keyword(Keyword::In)) {
            let (operand, list) = (operand(tree, at)?, self.list()?);
            return Ok(Tree::In { operand, negated, list });
        }
        if self.skip(&Token::Keyword(Keyword::Between)) {
            let operand = operand(tree, at)?;
            let low = self.operand()?;
            self.expect(&Token::Keyword(Keyword::And), "write `between LOW and HIGH`")?;
            let high = self.operand()?;
            return Ok(Tree::Between { operand, negated, low, high });
        }
        if negated {
            return Err(self.unexpected("write `in` or `between` after this `not`"));
        }
        Ok(tree)
    }

    fn list(&mut self) -> Result<Vec<Operand>, ConditionFault> {
        self.expect(&Token::Open, "write the values of `in` as (1, 2, 3)")?;
        let mut list = vec![self.operand()?];
        while self.skip(&Token::Comma) {
            list.push(self.operand()?);
        }
        self.expect(&Token::Close, "write a comma between values, and ) after the last")?;
        Ok(list)
    }

    fn operand(&mut self) -> Result<Operand, ConditionFault> {
        let at = self.at();
        let tree = self.primary()?;
        operand(tree, at)
    }

    /// A column, a literal, or anything in parentheses.
    fn primary(&mut self) -> Result<Tree, ConditionFault> {
        if self.skip(&Token::Open) {
            self.enter()?;
            let tree = self.any_of()?;
            self.expect(&Token::Close, "close the parenthesis with )")?;
            self.depth -= 1;
            return Ok(tree);
        }
        let literal = match self.peek() {
            Token::Column(name) => {
                let column = Operand::Column(name.as_str().into());
                self.next += 1;
                return match self.peek() {
                    Token::Open => Err(self.call()),
                    _ => Ok(Tree::Truth(column)),
                };
            }
            Token::Text(text) => Value::Text(text.as_str().into()),
            Token::Keyword(Keyword::Null) => Value::Null,
            Token::Keyword(Keyword::True) => Value::Bool(true),
            Token::Keyword(Keyword::False) => Value::Bool(false),
            Token::Number(digits) => number("", digits),
            Token::Plus | Token::Minus => self.signed()?,
            _ => return Err(self.unexpected("write a column or a literal here")),
        };
        self.next += 1;
        Ok(Tree::Truth(Operand::Literal(literal)))
    }

    /// A sign and its number; leaves the number as what is to be taken next.
    fn signed(&mut self) -> Result<Value, ConditionFault> {
        let sign = if *self.peek() == Token::Minus { "-" } else { "" };
        self.next += 1;
        match self.peek() {
            Token::Number(digits) => Ok(number(sign, digits)),
            _ => Err(self.unexpected("write a number after its sign; there is no arithmetic")),
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn at(&self) -> usize {
        self.tokens[self.next].0
    }

    /// Takes the next token if it is this one, which is never the end.
    fn skip(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token, fix: &str) -> Result<(), ConditionFault> {
        if self.skip(token) { Ok(()) } else { Err(self.unexpected(fix)) }
    }

    fn enter(&mut self) -> Result<(), ConditionFault> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        let what = format!("parentheses and `not` stand more than {DEPTH_MAX} deep in each other");
        Err(ConditionFault::new(self.at(), what, "take out those that change nothing"))
    }

    fn unexpected(&self, fix: &str) -> ConditionFault {
        match self.peek() {
            Token::End => ConditionFault::new(self.at(), "the condition ends too early", fix),
            token => ConditionFault::new(self.at(), format!("{token} cannot stand here"), fix),
        }
    }

    /// What to say of a parenthesis right after a name.
    fn call(&self) -> ConditionFault {
        let (at, name) = &self.tokens[self.next - 1];
        ConditionFault::new(
            *at,
            format!("{name} is called like a function, and a condition has none"),
            "compare columns as they are, or keep the result in a column of its own",
        )
    }

    /// What to say of something behind a whole condition.
    fn after_condition(&self) -> ConditionFault {
        self.unexpected(match self.peek() {
            Token::Close => "take out this ), or open a ( before",
            Token::Comparison(_) | Token::Keyword(_) => {
                "compare two at a time, and join with `and` or `or`"
            }
            Token::Plus | Token::Minus | Token::Number(_) => {
                "compare columns as they are, without arithmetic"
            }
            Token::Comma => "join conditions with `and` or `or`",
            _ => "join conditions with `and` or `or`; comparisons are = <> < <= > >=, in, between, is",
        })
    }
}

/// What is compared is a column or a literal, in parentheses or without.
fn operand(tree: Tree, at: usize) -> Result<Operand, ConditionFault> {
    match tree {
        Tree::Truth(operand) => Ok(operand),
        _ => Err(ConditionFault::new(
            at,
            "a condition cannot be compared",
            "compare columns and literals; ask for a condition with `is true` or `is false`",
        )),
    }
}

/// A whole number of 64 bits is an integer, everything else a decimal.
fn number(sign: &str, digits: &str) -> Value {
    let text = format!("{sign}{digits}");
    match text.parse() {
        Ok(int) => Value::Int(int),
        Err(_) => {
            let decimal = text.parse::<Decimal>();
            Value::Decimal(decimal.expect("BUG: digits within the limits are a decimal"))
        }
    }
}
