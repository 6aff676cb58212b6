//! What was measured: figures with every sample of every side, and the machine that they were taken on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stats::{self, Ratio};

/// Whether less is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Less,
    More,
}

impl Better {
    /// The unit says it.
    pub fn of(unit: &str) -> Self {
        if unit == "MBps" || unit.ends_with("_per_s") { Self::More } else { Self::Less }
    }
}

/// One figure.
#[derive(Serialize, Deserialize)]
pub struct Figure {
    pub unit: String,
    pub better: Better,
    /// A sample per boot, by side: the median of the boot's repetitions.
    pub samples: BTreeMap<String, Vec<f64>>,
    /// All repetitions of every boot, by side; the published run leaves them out.
    #[serde(default)]
    pub repetitions: BTreeMap<String, Vec<Vec<f64>>>,
}

impl Figure {
    /// How many times better `side` is than `than`: above 1 it is ahead.
    pub fn lead(&self, side: &str, than: &str) -> Option<Ratio> {
        let (side, than) = (self.samples.get(side)?, self.samples.get(than)?);
        match self.better {
            Better::Less => stats::ratio(than, side),
            Better::More => stats::ratio(side, than),
        }
    }
}

/// A cost against a count: one operation's beside 10, 100, 1,000, 10,000 things, or that of a thing of such a size.
#[derive(Serialize, Deserialize)]
pub struct Scale {
    pub unit: String,
    /// What is counted.
    pub along: String,
    /// Samples by side and count.
    pub samples: BTreeMap<String, BTreeMap<u64, Vec<f64>>>,
}

impl Scale {
    /// A count as it is shown.
    pub fn count(&self, count: u64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "less than 2^52")]
        match self.along.as_str() {
            "bytes" => pretty(count as f64, "bytes"),
            _ => count.to_string(),
        }
    }
}

/// What is counted where one operation stands beside others.
const BESIDE: &str = "beside so many";

/// Where and of what the figures are.
#[derive(Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub memory_kib: u64,
    pub host: String,
    pub qemu: String,
    pub accelerator: String,
    pub control: Option<String>,
    pub control_command_line: Option<String>,
    /// How the guests of the network's figures were reached.
    pub network: Option<String>,
}

/// Everything.
#[derive(Serialize, Deserialize)]
pub struct Results {
    pub revision: String,
    pub mode: String,
    pub sides: Vec<String>,
    pub machine: Machine,
    /// How long a fixed piece of work took on the host between the boots, ms: the machine's noise.
    pub calibration_ms: Vec<f64>,
    pub load_average: String,
    pub figures: BTreeMap<String, Figure>,
    pub scales: BTreeMap<String, Scale>,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
}

impl Results {
    /// Adds the repetitions of one boot.
    pub fn add(&mut self, figure: &str, unit: &str, side: &str, repetitions: Vec<f64>) {
        let figure = self.figures.entry(figure.to_owned()).or_insert_with(|| Figure {
            unit: unit.to_owned(),
            better: Better::of(unit),
            samples: BTreeMap::new(),
            repetitions: BTreeMap::new(),
        });
        figure.samples.entry(side.to_owned()).or_default().push(stats::median(&repetitions));
        figure.repetitions.entry(side.to_owned()).or_default().push(repetitions);
    }

    /// Adds a sample of what one operation costs beside `count` others of its kind.
    pub fn add_scale(&mut self, figure: &str, unit: &str, side: &str, count: u64, value: f64) {
        self.add_growth(figure, unit, BESIDE, side, count, value);
    }

    /// Adds a sample of what something costs of which there are `count`; `along` says of what.
    pub fn add_growth(&mut self, figure: &str, unit: &str, along: &str, side: &str, count: u64, value: f64) {
        let scale = self.scales.entry(figure.to_owned()).or_insert_with(|| Scale {
            unit: unit.to_owned(),
            along: along.to_owned(),
            samples: BTreeMap::new(),
        });
        let side = scale.samples.entry(side.to_owned()).or_default();
        side.entry(count).or_default().push(value);
    }

    /// What tells that the sides did not do the same: figures that begin so, and that one side lacks, or has with other repetitions.
    pub fn one_sided(&self, start: &str) -> Vec<String> {
        let mut list = Vec::new();
        for (name, figure) in self.figures.iter().filter(|(name, _)| name.starts_with(start)) {
            let lengths = |side: &String| {
                figure.repetitions.get(side).and_then(|boots| boots.first()).map_or(0, Vec::len)
            };
            let lengths: Vec<usize> = self.sides.iter().map(lengths).collect();
            if lengths.iter().any(|length| *length != lengths[0]) {
                list.push(format!("{name}: the sides repeated it {lengths:?} times in a boot"));
            }
        }
        list
    }

    /// Takes in the lines that a program printed (tests/bench/bench.h describes them). Returns how many there were.
    pub fn add_lines<'a>(&mut self, side: &str, lines: impl Iterator<Item = &'a str>) -> usize {
        let mut of_boot: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        let mut count = 0;
        for line in lines {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words[..] {
                ["bench", figure, value, unit] => {
                    let Ok(value) = value.parse() else { continue };
                    of_boot.entry((figure.to_owned(), unit.to_owned())).or_default().push(value);
                    count += 1;
                }
                ["scale", figure, beside, value, unit] => {
                    let (Ok(beside), Ok(value)) = (beside.parse(), value.parse()) else { continue };
                    self.add_scale(figure, unit, side, beside, value);
                    count += 1;
                }
                _ => {}
            }
        }
        for ((figure, unit), repetitions) in of_boot {
            self.add(&figure, &unit, side, repetitions);
        }
        count
    }
}

/// A value with its unit, short enough for a table.
pub fn pretty(value: f64, unit: &str) -> String {
    let scaled = |steps: &[(f64, &str)]| {
        let (size, name) = steps.iter().find(|(size, _)| value >= *size).unwrap_or(&steps[steps.len() - 1]);
        let value = value / size;
        let digits = if value >= 100.0 || value.fract() == 0.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        format!("{value:.digits$} {name}")
    };
    const TIMES: &[(f64, &str)] = &[(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
    let time = |ns: f64| {
        let (size, name) = TIMES.iter().find(|(size, _)| ns >= *size).unwrap_or(&TIMES[3]);
        let value = ns / size;
        let digits = if value >= 100.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        format!("{value:.digits$} {name}")
    };
    match unit {
        "ns" => time(value),
        "us" => time(value * 1e3),
        "ms" => time(value * 1e6),
        "s" => time(value * 1e9),
        "bytes" => scaled(&[(1e6, "MB"), (1e3, "KB"), (1.0, "B")]),
        "KiB" => scaled(&[(1024.0, "MiB"), (1.0, "KiB")]),
        "MBps" => scaled(&[(1e3, "GB/s"), (1.0, "MB/s")]),
        "instructions" => scaled(&[(1e6, "M instr."), (1e3, "k instr."), (1.0, "instr.")]),
        "" => scaled(&[(1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")]),
        unit => scaled(&[(1e6, &format!("M {unit}")), (1.0, unit)]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn empty() -> Results {
        Results {
            revision: "r".into(),
            mode: "quick".into(),
            sides: vec!["rumpbake".into(), "linux".into()],
            machine: Machine {
                processor: String::new(),
                processors: 1,
                memory_kib: 1,
                host: String::new(),
                qemu: String::new(),
                accelerator: String::new(),
                control: None,
                control_command_line: None,
                network: None,
            },
            calibration_ms: Vec::new(),
            load_average: String::new(),
            figures: BTreeMap::new(),
            scales: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn lines_become_samples() {
        let mut results = empty();
        let count = results.add_lines(
            "rumpbake",
            "bench a.b 3 ns\nnoise\nbench a.b 1 ns\nbench a.b 2 ns\nscale a.c 100 7.5 us\nbench a.d x ns"
                .lines(),
        );
        assert_eq!(count, 4);
        assert_eq!(results.figures["a.b"].samples["rumpbake"], [2.0]);
        assert_eq!(results.figures["a.b"].repetitions["rumpbake"], [[3.0, 1.0, 2.0]]);
        assert_eq!(results.scales["a.c"].samples["rumpbake"][&100], [7.5]);
        assert!(!results.figures.contains_key("a.d"));
    }

    #[test]
    fn sides_that_do_not_do_the_same_are_noticed() {
        let mut results = empty();
        for (figure, side, count) in [
            ("p.a", "rumpbake", 3),
            ("p.a", "linux", 3),
            ("p.b", "rumpbake", 3),
            ("p.b", "linux", 7),
            ("p.c", "linux", 3),
            ("q.d", "linux", 1),
        ] {
            results.add(figure, "ns", side, vec![1.0; count]);
        }
        let found = results.one_sided("p.");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("p.b: ") && found[1].starts_with("p.c: "), "{found:?}");
    }

    #[test]
    fn more_is_better_for_rates() {
        let mut results = empty();
        results.add("rate", "MBps", "rumpbake", vec![30.0]);
        results.add("rate", "MBps", "linux", vec![10.0]);
        results.add("time", "ns", "rumpbake", vec![30.0]);
        results.add("time", "ns", "linux", vec![10.0]);
        assert_eq!(results.figures["rate"].lead("rumpbake", "linux").unwrap().value, 3.0);
        assert_eq!(results.figures["time"].lead("rumpbake", "linux").unwrap().value, 1.0 / 3.0);
    }

    #[test]
    fn values_are_short() {
        assert_eq!(pretty(1234.0, "ns"), "1.23 µs");
        assert_eq!(pretty(45.25, "ms"), "45.2 ms");
        assert_eq!(pretty(140_288.0, "bytes"), "140 KB");
        assert_eq!(pretty(1536.0, "KiB"), "1.50 MiB");
        assert_eq!(pretty(2400.0, "MBps"), "2.40 GB/s");
        assert_eq!(pretty(0.5, "ns"), "0.50 ns");
    }
}
