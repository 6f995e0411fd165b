//! PURE: guesses what a misspelt word was meant to be.

use strsim::damerau_levenshtein;

/// The known word that is nearest to this one, if one is near.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    if word.chars().count() > LETTERS_MAX {
        return None;
    }
    let near = known.into_iter().filter_map(|known| {
        let distance = damerau_levenshtein(&word, &known.to_lowercase());
        let longer = word.chars().count().max(known.chars().count());
        (distance <= (longer / 3).max(1)).then_some((distance, known))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// What to do about a name that is not known: the nearest one, and all of them if they are few.
pub(crate) fn fix<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let meant =
        nearest(word, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
    let all = match known.len() {
        0 => Some("there is none to choose from".to_owned()),
        1..=LISTED_MAX => Some(format!("known here: {}", known.join(", "))),
        _ => None,
    };
    let said: Vec<String> = meant.into_iter().chain(all).collect();
    if said.is_empty() { "check the spelling".to_owned() } else { said.join(" ") }
}

/// The longest word that is worth a guess.
const LETTERS_MAX: usize = 128;

/// The most names that are listed in full.
const LISTED_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::{fix, nearest};

    #[test]
    fn the_nearest_word_wins_and_a_far_one_is_not_guessed() {
        let known = ["sources", "services", "copies", "counts"];
        assert_eq!(nearest("souces", known), Some("sources"));
        assert_eq!(nearest("Servcies", known), Some("services"));
        assert_eq!(nearest("teapot", known), None);
        assert_eq!(nearest(&"x".repeat(1000), known), None);
    }

    #[test]
    fn a_fix_names_the_guess_and_the_choice() {
        assert_eq!(fix("fo", ["of", "to"]), "did you mean `of`? known here: of, to");
        assert_eq!(fix("x", []), "there is none to choose from");
        let many: Vec<String> = (0..40).map(|n| format!("name-{n}")).collect();
        assert_eq!(fix("teapot", many.iter().map(String::as_str)), "check the spelling");
    }
}
