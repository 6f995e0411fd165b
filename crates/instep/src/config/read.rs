//! Reads nodes by their shapes into settings, and gathers everything that is wrong.
//!
//! Invariant: trouble at one place hides none at another, and a value that could not be read is
//! [`Value::Bad`], so that nothing is said of it twice.

mod scalar;

use super::node::{Content, Node, Pair, Scalar};
use super::setting::{Entry, Setting, Value};
use super::shape::{ENTRIES_MAX, Form, Key, Kind, Presence, Purpose, Shape};
use super::span::Span;
use super::surroundings::Surroundings;
use super::trouble::Trouble;
use super::url::Url;
use super::{forms, secret};
use crate::quote::quoted;
use crate::suggest;
use connectors::postgres::Access;
use model::Code;
use scalar::Single;
use std::collections::BTreeSet;

/// What was read, and what could not be.
#[derive(Debug)]
pub(super) struct Reading {
    /// The settings, as far as they could be read.
    pub root: Setting,
    /// Everything that is wrong.
    pub troubles: Vec<Trouble>,
    /// What must never be shown: secrets, and whatever nobody reads.
    pub hidden: Vec<Span>,
}

/// Reads a configuration by its shape.
pub(super) fn read(root: &Node, shape: &Shape, around: &Surroundings) -> Reading {
    let mut reader = Reader { around, troubles: Vec::new(), hidden: Vec::new() };
    let start = Span::empty(super::span::Mark::at("", 0));
    let root = reader.value(root, shape, &Place { path: String::new(), home: start });
    Reading { root, troubles: reader.troubles, hidden: reader.hidden }
}

/// Where a value is looked for.
struct Place {
    /// The keys that lead there, with dots between them.
    path: String,
    /// Where the key stands, for what is missing below it.
    home: Span,
}

impl Place {
    fn below(&self, name: &str, home: Span) -> Place {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Place { path, home }
    }

    /// The path, for people.
    fn shown(&self) -> String {
        match self.path.as_str() {
            "" => "the configuration".to_owned(),
            path => format!("`{path}`"),
        }
    }
}

struct Reader<'a> {
    around: &'a Surroundings,
    troubles: Vec<Trouble>,
    hidden: Vec<Span>,
}

impl Reader<'_> {
    fn value(&mut self, node: &Node, shape: &Shape, place: &Place) -> Setting {
        if let Content::Scalar(Scalar { text, plain: true, .. }) = &node.content
            && text.is_empty()
        {
            // Nothing stands nowhere; the key is what can be found.
            self.troubles.push(scalar::wrong_kind(node.kind(), place.home, shape, &place.shown()));
            return Setting { span: place.home, value: Value::Bad };
        }
        let read = match shape {
            Shape::Text(form) => self.text(node, shape, *form, place),
            Shape::Whole { .. } | Shape::Seconds { .. } | Shape::Flag | Shape::Version => {
                self.single(node, shape, place).and_then(|single| {
                    let read = single.number(shape, &place.shown());
                    self.kept(read)
                })
            }
            Shape::Word { now, later } => self.word(node, shape, (now, later), place),
            Shape::Secret(purpose) => self.secret(node, shape, *purpose, place),
            Shape::PostgresUrl => self.postgres_url(node, shape, place),
            Shape::List(of) => self.list(node, shape, of, place),
            Shape::OneOrMore(of) => match &node.content {
                Content::List(_) => self.list(node, shape, of, place),
                _ => Some(Value::List(vec![self.value(node, of, place)])),
            },
            Shape::Record(keys) => self.record(node, shape, keys, place),
            Shape::Choice(kinds) => self.choice(node, shape, kinds, place),
            Shape::Named(of) => self.named(node, shape, of, place),
            Shape::Columns => self.columns(node, shape, place),
        };
        Setting { span: node.span, value: read.unwrap_or(Value::Bad) }
    }

    fn text(&mut self, node: &Node, shape: &Shape, form: Form, place: &Place) -> Option<Value> {
        let single = self.single(node, shape, place)?;
        let text = self.kept(single.text(shape, &place.shown()))?;
        if let Err(misfit) = forms::check(form, &text) {
            let what = format!("{} is {}, which {}", place.shown(), single.shown(), misfit.what);
            let why = format!("it takes {}", shape.wanted());
            self.trouble(misfit.code, node.span, what, why, misfit.fix);
            return None;
        }
        Some(match form {
            Form::Path => Value::Path(text),
            _ => Value::Text(text, single.start),
        })
    }

    fn word(
        &mut self,
        node: &Node,
        shape: &Shape,
        (now, later): (&[&'static str], &[&'static str]),
        place: &Place,
    ) -> Option<Value> {
        // What a later version configures stands in a map under its word.
        if let Content::Map(pairs) = &node.content
            && let Some(pair) = pairs.iter().find(|pair| later.contains(&pair.key.as_str()))
        {
            self.hidden.push(pair.value.span);
            self.not_yet(pair.at, &format!("`{}` under {}", pair.key, place.shown()));
            return None;
        }
        let single = self.single(node, shape, place)?;
        let text = self.kept(single.text(shape, &place.shown()))?;
        if now.contains(&text.as_str()) {
            return Some(Value::Text(text, single.start));
        }
        if later.contains(&text.as_str()) {
            self.not_yet(node.span, &format!("{} for {}", single.shown(), place.shown()));
            return None;
        }
        let what = format!("{} is {}", place.shown(), single.shown());
        let why = format!("it takes {}", shape.wanted());
        self.trouble(Code::ConfigType, node.span, what, why, suggest::fix(&text, now.to_vec()));
        None
    }

    fn list(&mut self, node: &Node, shape: &Shape, of: &Shape, place: &Place) -> Option<Value> {
        let Content::List(items) = &node.content else {
            return self.wrong_kind(node, shape, place);
        };
        self.check_entries(items.len(), node.span, place)?;
        let mut seen = BTreeSet::new();
        let mut read = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = Place { path: format!("{}[{index}]", place.path), home: item.span };
            let setting = self.value(item, of, &at);
            if let Some(text) = setting.text()
                && !seen.insert(text.to_owned())
            {
                let what = format!("{} stands twice in {}", quoted(text), place.shown());
                let why = "a list has nothing twice";
                self.trouble(Code::ConfigDuplicate, item.span, what, why, "keep one of them");
            }
            read.push(setting);
        }
        Some(Value::List(read))
    }

    fn record(&mut self, node: &Node, shape: &Shape, keys: &[Key], place: &Place) -> Option<Value> {
        let Content::Map(pairs) = &node.content else {
            return self.wrong_kind(node, shape, place);
        };
        self.refuse_others(pairs, &keys.iter().collect::<Vec<_>>(), place);
        let mut entries = Vec::new();
        for key in keys.iter().filter(|key| key.is_read()) {
            let pair = pairs.iter().find(|pair| pair.key == key.name);
            let (at, setting) = match pair {
                Some(pair) => {
                    let below = place.below(key.name, pair.at);
                    (pair.at, self.value(&pair.value, &key.shape, &below))
                }
                None => match self.without(key, place) {
                    Some(setting) => (place.home, setting),
                    None => continue,
                },
            };
            entries.push(Entry { name: key.name.to_owned(), at, setting });
        }
        Some(Value::Map(entries))
    }

    /// What holds without a key.
    fn without(&mut self, key: &Key, place: &Place) -> Option<Setting> {
        let content = match (key.presence, &key.shape) {
            (Presence::Required, _) => {
                let what = format!("{} has no `{}`", place.shown(), key.name);
                let why = "no default could be right";
                let fix = format!("add `{}:` with {}", key.name, key.shape.wanted());
                self.trouble(Code::ConfigMissingKey, place.home, what, why, fix);
                return Some(Setting { span: place.home, value: Value::Bad });
            }
            (Presence::Optional | Presence::Later, _) => return None,
            (Presence::Default(text), _) => {
                Content::Scalar(Scalar { text: text.to_owned(), plain: true, verbatim: None })
            }
            (Presence::Empty, Shape::List(_)) => Content::List(Vec::new()),
            (Presence::Empty, _) => Content::Map(Vec::new()),
        };
        let node = Node { span: place.home, content };
        Some(self.value(&node, &key.shape, &place.below(key.name, place.home)))
    }

    fn choice(
        &mut self,
        node: &Node,
        shape: &Shape,
        kinds: &[Kind],
        place: &Place,
    ) -> Option<Value> {
        let Content::Map(pairs) = &node.content else {
            return self.wrong_kind(node, shape, place);
        };
        let named =
            |pair: &Pair| kinds.iter().find(|kind| kind.key.is_read() && kind.key.name == pair.key);
        let mut given = pairs.iter().filter_map(|pair| Some((pair, named(pair)?)));
        let first = given.next();
        let beside = first.map_or(&[][..], |(_, kind)| kind.beside);
        let known: Vec<&Key> = kinds.iter().map(|kind| &kind.key).chain(beside).collect();
        let refused = self.refuse_others(pairs, &known, place);
        let Some((pair, kind)) = first else {
            if !refused {
                let what = format!("{} says nothing", place.shown());
                let why = format!("it takes {}", shape.wanted());
                let fix = format!("write {}", shape.wanted());
                self.trouble(Code::ConfigMissingKey, place.home, what, why, fix);
            }
            return None;
        };
        if let Some((second, _)) = given.next() {
            let what = format!("{} has both `{}` and `{}`", place.shown(), pair.key, second.key);
            let why = "it is one thing at one place";
            self.trouble(Code::ConfigType, second.at, what, why, "keep one of them");
        }
        let keys = std::iter::once(&kind.key).chain(kind.beside);
        let read = keys.filter_map(|key| {
            let pair = pairs.iter().find(|pair| pair.key == key.name)?;
            let setting = self.value(&pair.value, &key.shape, &place.below(key.name, pair.at));
            Some(Entry { name: pair.key.clone(), at: pair.at, setting })
        });
        Some(Value::Map(read.collect()))
    }

    fn named(&mut self, node: &Node, shape: &Shape, of: &Shape, place: &Place) -> Option<Value> {
        let Content::Map(pairs) = &node.content else {
            return self.wrong_kind(node, shape, place);
        };
        self.check_entries(pairs.len(), node.span, place)?;
        let mut entries = Vec::new();
        for pair in pairs {
            self.key_fits(pair, Form::Name, place);
            let setting = self.value(&pair.value, of, &place.below(&pair.key, pair.at));
            entries.push(Entry { name: pair.key.clone(), at: pair.at, setting });
        }
        Some(Value::Map(entries))
    }

    fn columns(&mut self, node: &Node, shape: &Shape, place: &Place) -> Option<Value> {
        let Content::Map(pairs) = &node.content else {
            return self.wrong_kind(node, shape, place);
        };
        self.check_entries(pairs.len(), node.span, place)?;
        let mut entries = Vec::new();
        for pair in pairs {
            self.key_fits(pair, Form::Column, place);
            let below = place.below(&pair.key, pair.at);
            let setting = self.value(&pair.value, &Shape::Text(Form::Column), &below);
            entries.push(Entry { name: pair.key.clone(), at: pair.at, setting });
        }
        Some(Value::Map(entries))
    }

    fn secret(
        &mut self,
        node: &Node,
        shape: &Shape,
        purpose: Purpose,
        place: &Place,
    ) -> Option<Value> {
        if let Content::Map(_) = node.content {
            let file = self.value(node, &SECRET_FILE, place);
            let file = file.get("file")?;
            return self.secret_in(file.text()?, file.span, purpose, place);
        }
        self.hidden.push(node.span);
        let single = self.single(node, shape, place)?;
        let text = self.kept(single.text(shape, &place.shown()))?;
        self.usable(&text, node.span, purpose, place)
    }

    fn secret_in(
        &mut self,
        written: &str,
        span: Span,
        purpose: Purpose,
        place: &Place,
    ) -> Option<Value> {
        let path = self.around.path(written);
        let text = match secret::read(&path) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("{} names the file {written}: {error}", place.shown());
                let why = format!("the secret is read from {}", path.display());
                self.trouble(Code::ConfigFile, span, what, why, "name a file that can be read");
                return None;
            }
        };
        if secret::is_readable_by_all(&path) {
            let what = format!("every user of this machine may read {written}");
            let why = format!("it holds the secret of {}", place.shown());
            let fix = format!("chmod 600 {written}");
            self.trouble(Code::SecretReadable, span, what, why, fix);
        }
        self.usable(&text, span, purpose, place)
    }

    fn usable(&mut self, text: &str, span: Span, purpose: Purpose, place: &Place) -> Option<Value> {
        let usable = secret::usable(text, purpose).map_err(|flaw| {
            let what = format!("the secret of {} {}", place.shown(), flaw.what);
            Trouble::new(Code::ConfigType, span, what, flaw.why, flaw.fix)
        });
        self.kept(usable).map(Value::Secret)
    }

    /// A URL is told by its faults, and shown only where it is known to hold no password.
    fn postgres_url(&mut self, node: &Node, shape: &Shape, place: &Place) -> Option<Value> {
        let hidden = self.hidden.len();
        self.hidden.push(node.span);
        let single = self.single(node, shape, place)?;
        let text = self.kept(single.text(shape, &place.shown()))?;
        let read = Access::parse(&text).map_err(|fault| {
            let what = format!("{}: {}", place.shown(), fault.what);
            let fix = "write postgres://USER@SERVER:PORT/DATABASE, and %40 for @, %3A for :, %2F \
                       for / in names and passwords";
            Trouble::new(fault.code, node.span, what, fault.code.why(), fix)
        });
        self.kept(read)?;
        let url = Url::new(text);
        if url.is_masked() {
            let what = format!("the password of {} is a mask", place.shown());
            let why = "`config show` writes that where a secret was";
            let fix = "write the password itself, ${NAME}, or `password: { file: PATH }` beside it";
            self.trouble(Code::ConfigType, node.span, what, why, fix);
            return None;
        }
        if !url.has_password() {
            self.hidden.truncate(hidden);
        }
        Some(Value::Url(url))
    }

    /// Refuses every key that this version does not read; says whether there was one.
    fn refuse_others(&mut self, pairs: &[Pair], keys: &[&Key], place: &Place) -> bool {
        let mut refused = false;
        for pair in pairs {
            let key = keys.iter().find(|key| key.name == pair.key);
            if key.is_some_and(|key| key.is_read()) {
                continue;
            }
            refused = true;
            // Nobody knows what it is; it may well be a secret.
            self.hidden.push(pair.value.span);
            if key.is_some() {
                self.not_yet(pair.at, &format!("`{}` in {}", pair.key, place.shown()));
                continue;
            }
            let what = format!("{} has no key {}", place.shown(), quoted(&pair.key));
            let why = "a key that nobody reads would be left out in silence";
            let known = keys.iter().filter(|key| key.is_read()).map(|key| key.name);
            let fix = suggest::fix(&pair.key, known);
            self.trouble(Code::ConfigUnknownKey, pair.at, what, why, fix);
        }
        refused
    }

    fn key_fits(&mut self, pair: &Pair, form: Form, place: &Place) {
        if let Err(misfit) = forms::check(form, &pair.key) {
            let what = format!("{} in {} {}", quoted(&pair.key), place.shown(), misfit.what);
            let why = if pair.key.contains("${") {
                "variables stand in values, never in keys".to_owned()
            } else {
                format!("this key is {}", form.wanted())
            };
            self.trouble(misfit.code, pair.at, what, why, misfit.fix);
        }
    }

    fn check_entries(&mut self, entries: usize, span: Span, place: &Place) -> Option<()> {
        if entries <= ENTRIES_MAX {
            return Some(());
        }
        let what = format!("{} has {entries} entries", place.shown());
        let why = format!("more than {ENTRIES_MAX} are not read");
        self.trouble(Code::ConfigType, span, what, why, "use several instances of Instep");
        None
    }

    /// A single value with its variables in place.
    fn single<'n>(&mut self, node: &'n Node, shape: &Shape, place: &Place) -> Option<Single<'n>> {
        let Content::Scalar(scalar) = &node.content else {
            return self.wrong_kind(node, shape, place);
        };
        self.kept(Single::read(scalar, node.span, &self.around.variables, &place.shown()))
    }

    /// What was read; its trouble is kept.
    fn kept<T>(&mut self, read: Result<T, Trouble>) -> Option<T> {
        read.map_err(|trouble| self.troubles.push(trouble)).ok()
    }

    fn wrong_kind<T>(&mut self, node: &Node, shape: &Shape, place: &Place) -> Option<T> {
        self.troubles.push(scalar::wrong_kind(node.kind(), node.span, shape, &place.shown()));
        None
    }

    fn not_yet(&mut self, span: Span, what: &str) {
        let what = format!("{what} is not in this version");
        let why = "a later version of Instep has it";
        let fix = "remove it, or run the version that has it";
        self.trouble(Code::ConfigNotYet, span, what, why, fix);
    }

    fn trouble(
        &mut self,
        code: Code,
        span: Span,
        what: impl Into<Box<str>>,
        why: impl Into<Box<str>>,
        fix: impl Into<Box<str>>,
    ) {
        self.troubles.push(Trouble::new(code, span, what, why, fix));
    }
}

static SECRET_FILE: Shape = Shape::Record(&[Key {
    name: "file",
    shape: Shape::Text(Form::Path),
    presence: Presence::Required,
    about: "The file that holds the secret.",
}]);
