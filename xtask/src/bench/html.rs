//! docs/bench.html: the ratios as bars, the costs against counts as plots. One file without scripts or references, in the reader's light or
//! dark colours.

use std::fmt::Write as _;

use super::behind::{self, Explained};
use super::results::{Better, Figure, Results, Scale, pretty};
use super::table::verdict;
use super::{counted, groups, stats};

/// Half the width of a bar's field, for a ratio of `FULL`.
const HALF_PX: f64 = 150.0;
/// A bar of this ratio fills its half of the field; the scale is logarithmic.
const FULL: f64 = 100.0;

const STYLE: &str = "\
:root { color-scheme: light dark; --ours: #2f6fb0; --other: #c26a1c; --line: #8888; --soft: #8882; }
@media (prefers-color-scheme: dark) { :root { --ours: #6ba7e6; --other: #e89a52; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .15rem .5rem; text-align: right; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; } \
table { table-layout: fixed; } .value { width: 8.5rem; } .ratio { width: 4rem; } .bars { width: 20rem; } .count { width: 8.5rem; } \
.field span { display: inline-block; width: 146px; text-align: center; font-weight: normal; opacity: .7; } tr:nth-child(even) { background: var(--soft); }
h2 { margin-top: 2.2rem; } .ours { fill: var(--ours); } .other { fill: var(--other); } .even { fill: var(--line); }
.interval, .axis { stroke: currentColor; } .axis { opacity: .35; } svg text { fill: currentColor; font-size: 11px; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; } figure { margin: 0; } .note { opacity: .8; } small { opacity: .7; } .why { border-left: 3px solid var(--other); padding-left: .8rem; }
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
         <p>rumpbake makes one program, built for NetBSD, a bootable image with the kernel components that it needs. Here such images run beside \
         {}: the same programs from the same source, on the same virtual machine, in turn.</p>\n\
         <p>Each value is the median of several boots, ± the median distance from it; one of fewer than {} boots says so. Less is better, unless the \
         name has an ↑. The ratio says how many times better {a} is: above 1, with a blue bar to the right, {a} is ahead; below 1, with an orange bar \
         to the left, {b} is; grey is a draw. The bars' scale is logarithmic, and the thin line is the 95 % interval of the ratio. Where there are \
         instructions, these are the ones that one operation took either side, counted by QEMU: they have no noise, and no cache misses either.</p>\n\
         <p class=\"note\">Revision {}, a {} run. {}, {} processors, {}, {}, accelerator {}; load average {}. ",
        if second == super::LINUX {
            "a Linux guest that is as small and as quick as its command line makes it"
        } else {
            "images of another revision"
        },
        groups::USUAL_BOOTS,
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
    if let Some(network) = &machine.network {
        let _ = write!(out, " The network: {}.", escape(network));
    }
    out.push_str("</p>\n");
    let paragraphs = behind::paragraphs().unwrap_or_default();
    let (explained, unexplained) =
        if second == super::LINUX { behind::explained(results, &paragraphs) } else { Default::default() };
    let mut group = "";
    let mut figures: Vec<(&str, &str, &Figure)> = Vec::new();
    for (name, figure) in results.figures.iter().filter(|(name, _)| !counted_beside(results, name)) {
        let (group, rest) = name.split_once('.').unwrap_or(("", name));
        figures.push((group, rest, figure));
    }
    figures.sort_by_key(|(group, ..)| (groups::place(group), *group));
    for (this, rest, figure) in figures {
        if this != group {
            close(&mut out, group, &explained);
            group = this;
            let _ = write!(
                out,
                "<h2 id=\"{0}\">{0}</h2>\n<p class=\"note\">{1}{2}</p>\n<table><colgroup><col><col class=\"value\"><col class=\"value\"><col \
                 class=\"ratio\"><col class=\"bars\"><col class=\"count\"></colgroup>\n<tr><th>figure</th><th>{a}</th><th>{b}</th><th>ratio</th><th class=\"field\">\
                 <span>{b} ahead</span> <span>{a} ahead</span></th><th>instructions</th></tr>\n",
                escape(this),
                groups::about(this),
                reasons(results, this),
            );
        }
        let count = results.figures.get(&format!("{}{this}.{rest}", counted::PREFIX));
        row(&mut out, this, rest, figure, count, first, second);
    }
    close(&mut out, group, &explained);
    if !unexplained.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"why\"><b>{b} is ahead, and nobody has said why yet</b>: {}</p>",
            escape(&unexplained.join(", "))
        );
    }
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

/// Ends a group: behind its table stands why some of its figures are behind.
fn close(out: &mut String, group: &str, explained: &[Explained<'_, '_>]) {
    if group.is_empty() {
        return;
    }
    out.push_str("</table>\n");
    for (paragraph, figures) in explained {
        if figures.iter().any(|(name, _)| name.split_once('.').is_some_and(|(this, _)| this == group)) {
            let _ = writeln!(
                out,
                "<p class=\"why\"><b>{}</b>: {}</p>",
                escape(&paragraph.what),
                escape(&paragraph.why).replace('`', "")
            );
        }
    }
}

/// Why figures of the group have fewer boots than usual.
fn reasons(results: &Results, group: &str) -> String {
    let few = results.figures.iter().filter(|(name, figure)| {
        name.split_once('.').is_some_and(|(this, _)| this == group)
            && figure.samples.values().any(|samples| samples.len() < groups::USUAL_BOOTS)
    });
    let mut reasons: Vec<_> = few.filter_map(|(name, _)| groups::why_fewer(name)).collect();
    reasons.dedup();
    reasons.iter().map(|why| format!(" One boot where {why}.")).collect()
}

/// Whether the figure is shown in the row of the one that it explains.
fn counted_beside(results: &Results, name: &str) -> bool {
    name.strip_prefix(counted::PREFIX).is_some_and(|timed| results.figures.contains_key(timed))
}

/// One figure: medians, ratio, bar, instructions.
fn row(
    out: &mut String,
    group: &str,
    name: &str,
    figure: &Figure,
    count: Option<&Figure>,
    first: &str,
    second: &str,
) {
    let value = |side: &str| {
        figure.samples.get(side).map_or_else(String::new, |samples| {
            let spread = if samples.len() > 1 {
                format!(" <small>±{:.0}%</small>", stats::spread(samples) * 100.0)
            } else {
                String::new()
            };
            pretty(stats::median(samples), &figure.unit) + &spread
        })
    };
    let boots = figure.samples.values().map(Vec::len).min().unwrap_or(0);
    let few = if boots < groups::USUAL_BOOTS {
        let why = groups::why_fewer(&format!("{group}.{name}")).unwrap_or("");
        let plural = if boots == 1 { "" } else { "s" };
        format!(" <small title=\"{}\">{boots} boot{plural}</small>", escape(why))
    } else {
        String::new()
    };
    let _ = write!(
        out,
        "<tr><td>{}{}{few}</td><td>{}</td><td>{}</td>",
        escape(name),
        if figure.better == Better::More { " ↑" } else { "" },
        value(first),
        value(second)
    );
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
    let instructions = |side: &str| {
        let median = count.and_then(|count| count.samples.get(side)).map(|samples| stats::median(samples));
        median.map_or_else(|| "–".to_owned(), |median| pretty(median, "").trim_end().to_owned())
    };
    if count.is_some() {
        let _ = write!(out, "<td>{} / {}</td>", instructions(first), instructions(second));
    } else {
        out.push_str("<td></td>");
    }
    out.push_str("</tr>\n");
    for (side, samples) in figure.samples.iter().filter(|(side, _)| *side != first && *side != second) {
        let value = pretty(stats::median(samples), &figure.unit);
        let _ = writeln!(
            out,
            "<tr class=\"note\"><td>&emsp;{}</td><td>{value}</td><td></td><td></td><td></td><td></td></tr>",
            escape(if side == "floor" { "an image that only prints" } else { side })
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
