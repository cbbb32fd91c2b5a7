//! Trains a random forest that tells good red wine from poor: a real training to wrap.
//!
//! ```text
//! cargo build --release -p emissions-examples --bin train-wine
//! emissions run -- target/release/train-wine
//! ```
//!
//! **Training.** Each round draws the hyper-parameters of a forest at random and scores them by 5-fold
//! cross-validation; the best are then trained on the whole training set and tested on the fifth of the wines
//! that no round has seen. All cores work; 40 rounds, the default, take about 20 seconds on two, and the time
//! grows in step with `--rounds`. The same `--seed` gives the same output, on any number of cores.
//!
//! **Data.** 1,599 Portuguese red wines, each with eleven laboratory measurements and the grade that tasters
//! gave it, compiled into the program by the crate `linfa-datasets`: nothing is read or downloaded. Source:
//! Wine Quality, P. Cortez, A. Cerdeira, F. Almeida, T. Matos and J. Reis (2009), UCI Machine Learning
//! Repository, <https://doi.org/10.24432/C56S3T>, licence CC BY 4.0. Changed here: a grade of 6 or more
//! counts as good, a lower one as poor. Some wines are in the data more than once, which flatters every
//! accuracy a little.
#![expect(clippy::print_stdout, reason = "a training reports its progress on stdout")]

use clap::Parser;
use linfa::{error::Result, prelude::*};
use linfa_trees::{DecisionTree, SplitQuality};
use ndarray::{Array1, Array2, Axis, Ix1};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng, seq::index};
use rayon::prelude::*;

/// One row a wine; `true` is a good one. Two classes only: linfa adds up over classes in hash order, and only
/// the sum of two numbers is the same in either order.
type Wines = Dataset<f64, bool, Ix1>;

const FOLDS: u8 = 5;

// Odd, so that two classes never tie in a vote.
const TREES_PER_TRIAL: u64 = 61;
const TREES_AT_LAST: u64 = 301;

/// What a good wine weighs against a poor one: there are 744 poor and 855 good. It balances the classes, and,
/// as no leaf then holds both in equal weight, no tree has a tie to break: linfa would break it at random.
const WEIGHT_OF_GOOD: f32 = 744.0 / 855.0;

/// Train a random forest on the red wines of the Wine Quality data set
#[derive(Parser)]
struct Args {
    /// Hyper-parameter settings to try
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seed of every random choice
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// The hyper-parameters of a forest.
#[derive(Clone, Copy)]
struct Setting {
    depth: usize,
    leaf: u8,
    features: usize,
    quality: SplitQuality,
}

impl Setting {
    fn draw(rng: &mut impl Rng) -> Self {
        Self {
            depth: rng.gen_range(4..=20),
            leaf: rng.gen_range(1..=8),
            features: rng.gen_range(3..=9),
            quality: if rng.gen_bool(0.5) { SplitQuality::Gini } else { SplitQuality::Entropy },
        }
    }
}

/// A tree and the measurements it looks at.
struct Tree {
    features: Vec<usize>,
    tree: DecisionTree<f64, bool>,
}

impl Tree {
    /// Grows one tree on as many wines as there are, drawn with replacement, and some of the measurements.
    fn grow(wines: &Wines, setting: Setting, seed: u64) -> Result<Self> {
        let mut rng = StdRng::seed_from_u64(seed);
        let rows: Vec<_> = (0..wines.nsamples()).map(|_| rng.gen_range(0..wines.nsamples())).collect();
        let features = index::sample(&mut rng, wines.nfeatures(), setting.features).into_vec();
        let good = wines.targets.select(Axis(0), &rows);
        let weights = good.map(|&good| if good { WEIGHT_OF_GOOD } else { 1.0 });
        let bag = Dataset::new(wines.records.select(Axis(0), &rows).select(Axis(1), &features), good)
            .with_weights(weights);
        let tree = DecisionTree::params()
            .split_quality(setting.quality)
            .max_depth(Some(setting.depth))
            .min_weight_leaf(setting.leaf.into())
            .fit(&bag)?;
        Ok(Self { features, tree })
    }
}

struct Forest(Vec<Tree>);

impl Forest {
    /// Every tree has its own seed, so the forest does not depend on which core grows which tree.
    fn grow(wines: &Wines, setting: Setting, trees: u64, seed: u64) -> Result<Self> {
        let grow = |n| Tree::grow(wines, setting, seed.wrapping_add(n));
        (0..trees).into_par_iter().map(grow).collect::<Result<_>>().map(Self)
    }

    fn predict(&self, records: &Array2<f64>) -> Array1<bool> {
        let mut votes = Array1::<usize>::zeros(records.nrows());
        for Tree { features, tree } in &self.0 {
            votes += &tree.predict(&records.select(Axis(1), features)).map(|&good| usize::from(good));
        }
        votes.map(|&votes| 2 * votes > self.0.len())
    }

    fn accuracy(&self, wines: &Wines) -> Result<f32> {
        Ok(self.predict(&wines.records).confusion_matrix(&wines.targets)?.accuracy())
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut rng = StdRng::seed_from_u64(args.seed);
    let wines = linfa_datasets::winequality().map_targets(|&grade| grade >= 6).shuffle(&mut rng);
    let (train, test) = wines.split_with_ratio(0.8);
    println!("{} wines to train on, {} held out", train.nsamples(), test.nsamples());

    let folds = train.fold(FOLDS.into());
    let mut best: Option<(f32, Setting)> = None;
    for round in 1..=args.rounds {
        let setting = Setting::draw(&mut rng);
        let mut accuracy = 0.0;
        for (fitted, validated) in &folds {
            let forest = Forest::grow(fitted, setting, TREES_PER_TRIAL, rng.next_u64())?;
            accuracy += forest.accuracy(validated)? / f32::from(FOLDS);
        }
        if best.is_none_or(|(most, _)| accuracy > most) {
            best = Some((accuracy, setting));
        }
        let Setting { depth, leaf, features, quality } = setting;
        println!(
            "round {round:>3}/{}  depth {depth:>2}  leaf {leaf}  features {features}  {:<7}  \
             accuracy {accuracy:.3}  best {:.3}",
            args.rounds,
            format!("{quality:?}").to_lowercase(),
            best.map_or(0.0, |(most, _)| most),
        );
    }

    if let Some((_, setting)) = best {
        let forest = Forest::grow(&train, setting, TREES_AT_LAST, rng.next_u64())?;
        println!("held-out accuracy of the best, {TREES_AT_LAST} trees: {:.3}", forest.accuracy(&test)?);
    }
    Ok(())
}
