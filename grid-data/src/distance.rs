//! How far apart two words are.

use std::mem;

/// How many single letters must be put in, left out, changed or swapped with their neighbour to make one word of the
/// other (Damerau-Levenshtein; no letter is touched twice).
pub fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();

    // Three rows of the usual matrix: a swap looks back two.
    let mut two_above = vec![0; to.len() + 1];
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut row = vec![0; to.len() + 1];
    for (i, letter) in from.iter().enumerate() {
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let changed = above[j] + usize::from(letter != other);
            row[j + 1] = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i - 1] == *other && *letter == to[j - 1] {
                row[j + 1] = row[j + 1].min(two_above[j - 1] + 1);
            }
        }
        mem::swap(&mut two_above, &mut above);
        mem::swap(&mut above, &mut row);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters_put_in_left_out_changed_and_swapped() {
        let cases = [
            ("", "", 0),
            ("", "mali", 4),
            ("mali", "", 4),
            ("mali", "mali", 0),
            ("mali", "malia", 1),
            ("mali", "mal", 1),
            ("mali", "bali", 1),
            ("mali", "mail", 1),
            ("frnace", "france", 1),
            ("ca", "abc", 3),
            ("kitten", "sitting", 3),
            ("türkiye", "turkiye", 1),
        ];
        for (from, to, expected) in cases {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }
}
