//! docs/bench.html: the ratios as bars, the costs against counts as plots. One file without scripts or references, in the reader's light or
//! dark colours.

use std::fmt::Write as _;

use super::groups;
use super::results::{Better, Figure, Results, Scale, pretty};
use super::stats;
use super::table::verdict;

/// Half the width of a bar's field, for a ratio of `FULL`.
const HALF_PX: f64 = 190.0;
/// A bar of this ratio fills its half of the field; the scale is logarithmic.
const FULL: f64 = 100.0;

const STYLE: &str = "\
:root { color-scheme: light dark; --ours: #2f6fb0; --other: #c26a1c; --line: #8888; --soft: #8882; }
@media (prefers-color-scheme: dark) { :root { --ours: #6ba7e6; --other: #e89a52; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .15rem .5rem; text-align: right; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; } \
table { table-layout: fixed; } .value { width: 7rem; } .ratio { width: 4.5rem; } .bars { width: 26rem; } \
.field span { display: inline-block; width: 186px; text-align: center; font-weight: normal; opacity: .7; } tr:nth-child(even) { background: var(--soft); }
h2 { margin-top: 2.2rem; } .ours { fill: var(--ours); } .other { fill: var(--other); } .even { fill: var(--line); }
.interval, .axis { stroke: currentColor; } .axis { opacity: .35; } svg text { fill: currentColor; font-size: 11px; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; } figure { margin: 0; } .note { opacity: .8; }
polyline.ours, polyline.other { fill: none; stroke-width: 2; } polyline.ours { stroke: var(--ours); } polyline.other { stroke: var(--other); }";

/// The page.
pub fn page(results: &Results, first: &str, second: &str) -> String {
    let mut out = String::new();
    let (a, b) = (escape(first), escape(second));
    let machine = &results.machine;
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>rumpbake: benchmarks</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"><style>\n{STYLE}\n</style></head><body>\n\
         <h1>{a} beside {b}</h1>\n\
         <p>Revision {}, a {} run. Bars to the right: {a} is ahead; to the left: {b} is. The scale is logarithmic, a thin line is the 95 % \
         interval of the ratio of medians, a grey bar a draw.</p>\n<p class=\"note\">{}, {} processors, {}, {}, accelerator {}; load average {}. ",
        escape(&results.revision),
        escape(&results.mode),
        escape(&machine.processor),
        machine.processors,
        escape(&machine.host),
        escape(&machine.qemu),
        escape(&machine.accelerator),
        escape(&results.load_average),
    );
    let noise = &results.calibration_ms;
    let _ = write!(
        out,
        "A fixed loop on the host, run between the boots, took {} at the median with a spread of {:.0} %: that is the machine's noise.",
        pretty(stats::median(noise), "ms"),
        stats::spread(noise) * 100.0,
    );
    if let (Some(package), Some(line)) = (&machine.control, &machine.control_command_line) {
        let _ = write!(
            out,
            " The control: {}, started through PVH with <code>{}</code>.",
            escape(package),
            escape(line)
        );
    }
    out.push_str("</p>\n");
    let mut group = "";
    let mut figures: Vec<(&str, &str, &Figure)> = Vec::new();
    for (name, figure) in &results.figures {
        let (group, rest) = name.split_once('.').unwrap_or(("", name));
        figures.push((group, rest, figure));
    }
    figures.sort_by_key(|(group, ..)| (groups::place(group), *group));
    for (this, rest, figure) in figures {
        if this != group {
            close(&mut out, group);
            group = this;
            let _ = write!(
                out,
                "<h2>{}</h2>\n<p class=\"note\">{}</p>\n<table><colgroup><col><col class=\"value\"><col class=\"value\"><col \
                 class=\"ratio\"><col class=\"bars\"></colgroup>\n<tr><th>figure</th><th>{a}</th><th>{b}</th><th>ratio</th><th class=\"field\">\
                 <span>{b} ahead</span> <span>{a} ahead</span></th></tr>\n",
                escape(this),
                groups::about(this),
            );
        }
        row(&mut out, rest, figure, first, second);
    }
    close(&mut out, group);
    if !results.scales.is_empty() {
        let _ = write!(
            out,
            "<h2>Cost against size</h2>\n<p>One operation beside 10, 100, 1,000 and 10,000 things of its kind, and baking and booting \
             against the size of the program; both axes are logarithmic. A level line is what one wants. <svg width=\"10\" height=\"10\"><rect class=\"ours\" width=\"10\" height=\"10\"/>\
             </svg> {a} <svg width=\"10\" height=\"10\"><rect class=\"other\" width=\"10\" height=\"10\"/></svg> {b}</p>\n<div class=\"plots\">\n"
        );
        for (name, scale) in &results.scales {
            plot(&mut out, name, scale, first, second);
        }
        out.push_str("</div>\n");
    }
    if !results.failures.is_empty() {
        out.push_str("<h2>Could not be measured</h2>\n<ul>\n");
        for failure in &results.failures {
            let _ = writeln!(out, "<li>{}</li>", escape(failure.lines().next().unwrap_or_default()));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</body></html>\n");
    out
}

fn close(out: &mut String, group: &str) {
    if !group.is_empty() {
        out.push_str("</table>\n");
    }
}

/// One figure: medians, ratio, bar.
fn row(out: &mut String, name: &str, figure: &Figure, first: &str, second: &str) {
    let value = |side: &str| {
        figure
            .samples
            .get(side)
            .map_or_else(String::new, |samples| pretty(stats::median(samples), &figure.unit))
    };
    let _ = write!(out, "<tr><td>{}</td><td>{}</td><td>{}</td>", escape(name), value(first), value(second));
    if let Some(lead) = figure.lead(first, second) {
        let at = |ratio: f64| HALF_PX + (ratio.max(1e-9).ln() / FULL.ln()).clamp(-1.0, 1.0) * HALF_PX;
        let verdict = verdict(lead, first, second);
        let class = if verdict == "even" {
            "even"
        } else if verdict == first {
            "ours"
        } else {
            "other"
        };
        let (left, right) = (at(lead.value.min(1.0)), at(lead.value.max(1.0)));
        let _ = write!(
            out,
            "<td>{}</td><td><svg width=\"{}\" height=\"14\"><title>{} is better; 95 %: {:.2} to {:.2}</title><rect class=\"{class}\" \
             x=\"{left:.1}\" y=\"2\" width=\"{:.1}\" height=\"10\"/><line class=\"axis\" x1=\"{HALF_PX}\" x2=\"{HALF_PX}\" y1=\"0\" y2=\"14\"/>\
             <line class=\"interval\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"7\" y2=\"7\"/></svg></td>",
            short(lead.value),
            2.0 * HALF_PX,
            match figure.better {
                Better::Less => "less",
                Better::More => "more",
            },
            lead.low,
            lead.high,
            (right - left).max(1.0),
            at(lead.low),
            at(lead.high),
        );
    } else {
        out.push_str("<td></td><td></td>");
    }
    out.push_str("</tr>\n");
    for (side, samples) in figure.samples.iter().filter(|(side, _)| *side != first && *side != second) {
        let value = pretty(stats::median(samples), &figure.unit);
        let _ = writeln!(
            out,
            "<tr class=\"note\"><td>&emsp;{}</td><td>{value}</td><td></td><td></td><td></td></tr>",
            escape(side)
        );
    }
}

/// One scaling figure: both sides' lines, counts along, cost up.
fn plot(out: &mut String, name: &str, scale: &Scale, first: &str, second: &str) {
    const WIDTH: f64 = 310.0;
    const HEIGHT: f64 = 180.0;
    const LEFT: f64 = 62.0;
    const RIGHT: f64 = 22.0;
    const TOP: f64 = 8.0;
    const BOTTOM: f64 = 22.0;
    let points = |side: &str| -> Vec<(f64, f64)> {
        let samples = scale.samples.get(side).into_iter().flatten();
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let points = samples.map(|(&count, samples)| (count as f64, stats::median(samples).max(0.01)));
        points.collect()
    };
    let sides = [(first, "ours"), (second, "other")].map(|(side, class)| (points(side), class));
    let every = || sides.iter().flat_map(|(points, _)| points);
    let (low, high) = decades(every().map(|point| point.1));
    let (left, right) = decades(every().map(|point| point.0));
    let x = |count: f64| LEFT + (count.log10() - left) / (right - left) * (WIDTH - LEFT - RIGHT);
    let y = |cost: f64| TOP + (high - cost.log10()) / (high - low) * (HEIGHT - TOP - BOTTOM);
    let _ = writeln!(
        out,
        "<figure><figcaption>{}<br><span class=\"note\">{}</span></figcaption><svg width=\"{WIDTH}\" height=\"{HEIGHT}\">",
        escape(name),
        escape(&scale.along),
    );
    let mut decade = low;
    while decade <= high {
        let (at, cost) = (y(10f64.powf(decade)), 10f64.powf(decade));
        let _ = writeln!(
            out,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 5.0,
            at + 4.0,
            pretty(cost, &scale.unit),
        );
        decade += 1.0;
    }
    let mut decade = left;
    while decade <= right {
        let count = 10f64.powf(decade);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a power of ten")]
        let label = scale.count(count.round() as u64);
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            x(count),
            HEIGHT - 5.0
        );
        decade += 1.0;
    }
    for (points, class) in &sides {
        let line: Vec<String> =
            points.iter().map(|(count, cost)| format!("{:.1},{:.1}", x(*count), y(*cost))).collect();
        let _ = writeln!(out, "<polyline class=\"{class}\" points=\"{}\"/>", line.join(" "));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was one")]
        let label = |count: f64| scale.count(count as u64);
        for (count, cost) in points {
            let _ = writeln!(
                out,
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}: {}</title></circle>",
                x(*count),
                y(*cost),
                label(*count),
                pretty(*cost, &scale.unit),
            );
        }
    }
    out.push_str("</svg></figure>\n");
}

/// A ratio with three digits, or as many as it has before the point.
fn short(ratio: f64) -> String {
    let digits = if ratio >= 100.0 {
        0
    } else if ratio >= 10.0 {
        1
    } else {
        2
    };
    format!("{ratio:.digits$}")
}

/// The powers of ten that hold all values between them, but for a little, as exponents; two different ones.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    const SLACK: f64 = 0.05;
    let low = (values.clone().fold(f64::MAX, f64::min).log10() + SLACK).floor();
    let high = (values.fold(f64::MIN_POSITIVE, f64::max).log10() - SLACK).ceil();
    (low, high.max(low + 1.0))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::bench::results::tests::empty;

    #[test]
    fn the_page_stands_alone() {
        let mut results = empty();
        results.add("boot.first", "ms", "rumpbake", vec![40.0]);
        results.add("boot.first", "ms", "linux", vec![1200.0]);
        results.add("size.only_ours", "bytes", "rumpbake", vec![10.0]);
        for count in [10, 100, 1000, 10_000] {
            results.add_scale("scale.files", "ns", "rumpbake", count, 50.0);
        }
        results.failures.push("a < b".to_owned());
        let page = page(&results, "rumpbake", "linux");
        assert!(page.contains("<td>30.0</td>") && page.contains("scale.files") && page.contains("a &lt; b"));
        assert!(!page.contains("http") && !page.contains("NaN") && !page.contains("<script"));
        assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());
    }
}
