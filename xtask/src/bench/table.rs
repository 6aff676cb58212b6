//! The table in the terminal.

use std::fmt::Write as _;

use super::results::{Figure, Results, pretty};
use super::stats::{self, Ratio};
use super::{counted, groups};

/// A ratio within this of 1 is a draw, whatever its interval says: the two sides' code lies at other addresses, and that alone makes such
/// differences.
const DRAW: f64 = 1.03;

/// Who is ahead, in words.
pub fn verdict(lead: Ratio, first: &str, second: &str) -> String {
    if lead.low <= 1.0 && lead.high >= 1.0 || (1.0 / DRAW..=DRAW).contains(&lead.value) {
        "even".to_owned()
    } else if lead.value > 1.0 {
        first.to_owned()
    } else {
        second.to_owned()
    }
}

/// One side's median with its spread, and the number of boots where it is small.
fn cell(figure: &Figure, side: &str) -> String {
    figure.samples.get(side).map_or_else(String::new, |samples| {
        let spread = stats::spread(samples) * 100.0;
        let value = pretty(stats::median(samples), &figure.unit);
        match samples.len() {
            1 => format!("{value} (1)"),
            count if count < groups::USUAL_BOOTS => format!("{value} ±{spread:.0}% ({count})"),
            _ => format!("{value} ±{spread:.0}%"),
        }
    })
}

/// The whole table: figures, scales, the machine's noise, what failed.
pub fn text(results: &Results, first: &str, second: &str) -> String {
    let mut out = String::new();
    let mut rows = vec![[
        "figure".to_owned(),
        first.to_owned(),
        second.to_owned(),
        "lead [95 %]".to_owned(),
        "ahead".to_owned(),
        "instructions".to_owned(),
    ]];
    let count = |name: &str| results.figures.get(&format!("{}{name}", counted::PREFIX));
    let beside = |name: &str| {
        name.strip_prefix(counted::PREFIX).is_some_and(|timed| results.figures.contains_key(timed))
    };
    for (name, figure) in results.figures.iter().filter(|(name, _)| !beside(name)) {
        let lead = figure.lead(first, second);
        rows.push([
            name.clone(),
            cell(figure, first),
            cell(figure, second),
            lead.map_or_else(String::new, |lead| {
                format!("{:.2} [{:.2}, {:.2}]", lead.value, lead.low, lead.high)
            }),
            lead.map_or_else(String::new, |lead| verdict(lead, first, second)),
            count(name).map_or_else(String::new, |count| {
                let of = |side: &str| count.samples.get(side).map_or(0.0, |samples| stats::median(samples));
                format!("{:.0} / {:.0}", of(first), of(second))
            }),
        ]);
        if let Some(floor) = figure.samples.get("floor") {
            let times = figure
                .samples
                .get(first)
                .and_then(|ours| stats::ratio(ours, floor))
                .map_or_else(String::new, |over| format!("{first} takes {:.2} times as long", over.value));
            rows.push([
                "  an image that only prints".to_owned(),
                cell(figure, "floor"),
                String::new(),
                String::new(),
                times,
                String::new(),
            ]);
        }
    }
    let widths: Vec<usize> =
        (0..6).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for row in &rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (text, &width))| {
                if column == 0 || column >= 4 { format!("{text:<width$}") } else { format!("{text:>width$}") }
            })
            .collect();
        let _ = writeln!(out, "{}", line.join("  ").trim_end());
    }
    for (name, scale) in &results.scales {
        let _ = writeln!(out, "\n{name}: the cost against {}", scale.along);
        for side in [first, second] {
            let Some(points) = scale.samples.get(side) else { continue };
            let points: Vec<String> = points
                .iter()
                .map(|(&count, samples)| {
                    format!("{}: {}", scale.count(count), pretty(stats::median(samples), &scale.unit))
                })
                .collect();
            let _ = writeln!(out, "  {side:<10} {}", points.join(", "));
        }
    }
    let few = |figure: &Figure| figure.samples.values().any(|samples| samples.len() < groups::USUAL_BOOTS);
    if results.figures.values().any(few) {
        let _ = writeln!(out, "\n(N): the median of N boots instead of {} or more", groups::USUAL_BOOTS);
    }
    if let Some(network) = &results.machine.network {
        let _ = writeln!(out, "\nthe network of net.*: {network}");
    }
    let calibration = &results.calibration_ms;
    let (low, high) = calibration
        .iter()
        .fold((f64::MAX, 0.0_f64), |(low, high), sample| (low.min(*sample), high.max(*sample)));
    if !calibration.is_empty() {
        let _ = writeln!(
            out,
            "\nthe machine's noise: a fixed loop took {:.1} ms at the median, {low:.1} at least, {high:.1} at most; load average {}",
            stats::median(calibration),
            results.load_average,
        );
    }
    for failure in &results.failures {
        let _ = writeln!(out, "could not be measured: {failure}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Ratio, verdict};

    #[test]
    fn verdicts() {
        let say = |value, low, high| verdict(Ratio { value, low, high }, "a", "b");
        assert_eq!(say(2.0, 1.8, 2.2), "a");
        assert_eq!(say(0.5, 0.4, 0.6), "b");
        assert_eq!(say(1.5, 0.9, 2.2), "even");
        assert_eq!(say(1.01, 1.005, 1.02), "even");
    }
}
