/// What stands where a secret stood.
const MASK: &str = "***";

/// Names whose value is a secret when they are the last word of an option or a variable: `--api-key`, `HF_TOKEN`.
const SECRET_WORDS: [&str; 12] = [
    "key",
    "apikey",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "credential",
    "credentials",
    "auth",
    "authorization",
];

/// Beginnings of well-known tokens, and how many letters and digits follow at least.
const SHAPES: [(&str, usize); 10] = [
    ("hf_", 6),
    ("sk-", 12),
    ("ghp_", 12),
    ("gho_", 12),
    ("github_pat_", 12),
    ("glpat-", 12),
    ("xoxb-", 12),
    ("xoxp-", 12),
    ("AKIA", 16),
    ("AIza", 20),
];

/// A command line as it may be stored: what looks like a secret is `***`. Too much is masked rather than too little.
pub fn mask(command: &[String]) -> Vec<String> {
    let mut masked = Vec::with_capacity(command.len());
    let mut next_is_secret = false;
    for argument in command {
        if argument.is_empty() {
            // Two blanks in a row, or an empty argument: what comes next is still announced.
            masked.push(String::new());
            continue;
        }
        if std::mem::take(&mut next_is_secret) {
            // `Authorization: token X`: the kind of a secret may come before it.
            next_is_secret = announces_secret(argument);
            masked.push(MASK.to_owned());
            continue;
        }
        next_is_secret = announces_secret(argument);
        masked.push(mask_argument(argument));
    }
    masked
}

fn mask_argument(argument: &str) -> String {
    if argument.contains(char::is_whitespace) {
        // A command within the command (`sh -c "curl --token X"`), a header, a document.
        return mask_words(argument);
    }
    mask_url(&mask_shapes(&mask_assignments(argument)))
}

/// Masks the words of a text and keeps the blanks between them as they are.
fn mask_words(text: &str) -> String {
    let blanks = |c: char| c.is_whitespace();
    let words: Vec<String> = text.split(blanks).map(str::to_owned).collect();
    let mut masked = mask(&words).into_iter();
    let mut joined = masked.next().unwrap_or_default();
    for (blank, word) in text.matches(blanks).zip(masked) {
        joined.push_str(blank);
        joined.push_str(&word);
    }
    joined
}

/// `name=value` and `"name":"value"`, also one within the other (`--env=API_KEY=x`): the value of a secret name.
fn mask_assignments(argument: &str) -> String {
    let mut from = 0;
    while let Some(at) = argument.get(from..).and_then(|rest| rest.find(['=', ':'])).map(|at| from + at) {
        let (name, value) =
            (argument.get(from..at).unwrap_or_default(), argument.get(at + 1..).unwrap_or_default());
        let opening = value.len() - value.trim_start_matches(QUOTES).len();
        if is_secret_name(name.trim_matches(QUOTES)) && value.len() > opening {
            let secret = value.get(opening..).unwrap_or_default();
            let length = if opening > 0 { secret.find(QUOTES).unwrap_or(secret.len()) } else { secret.len() };
            let before = argument.get(..=at + opening).unwrap_or_default();
            return format!("{before}{MASK}{}", mask_assignments(secret.get(length..).unwrap_or_default()));
        }
        from = at + 1;
    }
    argument.to_owned()
}

const QUOTES: [char; 2] = ['"', '\''];

/// `--api-key`, `Bearer`, `"token":`, `Authorization:`: the next word is the secret, or the kind of one.
fn announces_secret(argument: &str) -> bool {
    let word = argument.trim_matches(|c: char| QUOTES.contains(&c) || matches!(c, '{' | ','));
    let is_option = argument.starts_with('-') && !argument.contains('=');
    let is_header = word.ends_with(':');
    ((is_option || is_header) && is_secret_name(word.trim_end_matches(':').trim_matches(QUOTES)))
        || ["Bearer", "Basic", "token", "Token"].contains(&word)
}

/// Whether the last word of a name is one of a secret: `api-key`, `HF_TOKEN`, `authToken`.
fn is_secret_name(name: &str) -> bool {
    let last = name.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or(name);
    let hump = last.rfind(|c: char| c.is_ascii_uppercase()).and_then(|at| last.get(at..)).unwrap_or(last);
    [last, hump].iter().any(|word| SECRET_WORDS.contains(&word.to_ascii_lowercase().as_str()))
}

/// Replaces tokens that are known by their shape, wherever they stand.
fn mask_shapes(text: &str) -> String {
    let mut rest = text;
    let mut masked = String::with_capacity(text.len());
    let mut in_word = false;
    while let Some(letter) = rest.chars().next() {
        let token = if in_word { None } else { token_at(rest) };
        match token {
            Some(length) => {
                masked.push_str(MASK);
                rest = rest.get(length..).unwrap_or("");
                in_word = true;
            }
            None => {
                masked.push(letter);
                in_word = letter.is_ascii_alphanumeric();
                rest = rest.get(letter.len_utf8()..).unwrap_or("");
            }
        }
    }
    masked
}

fn token_at(text: &str) -> Option<usize> {
    SHAPES.iter().find_map(|(beginning, least)| {
        let tail = text.strip_prefix(beginning)?;
        let length =
            tail.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(tail.len());
        (length >= *least).then_some(beginning.len() + length)
    })
}

/// `https://user:password@host` keeps the user and the host.
fn mask_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    let (before, after) = rest.split_at(authority);
    match before.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{MASK}@{host}{after}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(line: &[&str]) -> String {
        mask(&line.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        assert_eq!(masked(&["x", "--api-key", "abc", "in.csv"]), "x --api-key *** in.csv");
        assert_eq!(masked(&["x", "--api-key=abc"]), "x --api-key=***");
        assert_eq!(masked(&["env", "HF_TOKEN=abc", "x"]), "env HF_TOKEN=*** x");
        assert_eq!(masked(&["x", "token=abc"]), "x token=***");
        assert_eq!(masked(&["x", "hf_AbCdEf123"]), "x ***");
        assert_eq!(masked(&["x", "https://me:pw@host/p"]), "x https://me:***@host/p");
        assert_eq!(
            masked(&["sh", "-c", "curl --password pw -H 'Bearer abc' u"]),
            "sh -c curl --password *** -H 'Bearer *** u"
        );
    }

    #[test]
    fn scripts_of_several_lines_keep_their_lines() {
        let script = "import os\n\tprint( 1 )\n\n--token abc\r\n";
        assert_eq!(
            masked(&["python3", "-c", script]),
            format!("python3 -c {}", script.replace("abc", "***"))
        );
    }

    proptest! {
        /// Whatever the arguments, masking ends, and without a secret's name or shape nothing is changed.
        #[test]
        fn masking_ends_and_changes_nothing_without_a_name(
            words in prop::collection::vec("[ \\t\\n=:{}\"'&?/a-e-]{0,12}", 0..8),
        ) {
            prop_assert_eq!(mask(&words), words);
        }

        /// Whatever the arguments, masking ends.
        #[test]
        fn masking_ends(words in prop::collection::vec(".{0,20}", 0..6)) {
            prop_assert_eq!(mask(&words).len(), words.len());
        }
    }

    #[test]
    fn what_does_not_is_kept() {
        for line in [
            &["python", "train.py", "--tokenizer", "bert", "--max-tokens", "512", "--pad-token-id", "0"][..],
            &["x", "--lr=1e-4", "--key-size", "8", "sk-net", "https://host/a:b@c"],
        ] {
            assert_eq!(masked(line), line.join(" "));
        }
    }
}
