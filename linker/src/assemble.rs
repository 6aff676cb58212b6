//! Putting an image together: where everything lies in physical memory, and the bytes.
//!
//! The image is linear from [`IMAGE_START`]: headers and the kernel's constants, its code, the configuration and the function names, the
//! application's pages, the root file system, the kernel's variables, and last its zeroed memory, which takes no room
//! in the file. The offset in the file is the physical address less [`IMAGE_START`].

use object::elf::{PF_R, PF_W, PF_X};
use rump_image::{AppInfo, ImageInfo, MAX_SEGMENTS, Segment, Span};

use crate::app::{App, PAGE};
use crate::bake::{BakeOptions, Target};
use crate::error::{Error, Result};
use crate::header::{self, Entry, Header, IMAGE_START, LoadSpan};
use crate::info;
use crate::kernel::Kernel;
use crate::report::{FileKind, Part, Report, SegmentReport};
use crate::rump::RumpKernel;
use crate::space::{Layer, Space};
use crate::symbols::Functions;

/// Owner and type of the note that describes an image.
pub(crate) const NOTE_OWNER: &str = "rumpbake";
/// See [`NOTE_OWNER`].
pub(crate) const NOTE_TYPE: u32 = 1;
/// Loaders of 32 bits and the boot page tables reach no further.
const MEMORY_LIMIT: u64 = 1 << 31;

/// What is put together.
pub(crate) struct Parts<'a, 'd> {
    pub target: Target,
    pub app: &'a App,
    pub kernel: Kernel<'d>,
    /// A rump kernel, all in `space` but the hypercalls.
    pub rump: Option<&'a RumpKernel<'d>>,
    pub space: Space,
    pub functions: Functions,
    /// The root file system's archive; may be empty.
    pub root: Vec<u8>,
    pub options: &'a BakeOptions,
    /// Where the first LWP starts.
    pub entry: u64,
    /// The first address after program and layer 2, page-aligned.
    pub brk_start: u64,
    /// The gate's word, 0 for a static program.
    pub gate_word: u64,
}

/// Hands out physical addresses after each other.
struct Cursor(u64);

impl Cursor {
    fn take(&mut self, len: usize, align: u64) -> Span {
        let start = self.0.next_multiple_of(align);
        self.0 = start + len as u64;
        Span { start, len: len as u64 }
    }
}

/// Where the parts between the kernel's code and its variables lie.
struct Middle {
    config: Span,
    symbols: Span,
    segments: Vec<Segment>,
    root: Span,
    end: u64,
}

fn middle(parts: &Parts, start: u64, symbols: &[u8]) -> Middle {
    let mut cursor = Cursor(start);
    let config = cursor.take(parts.options.config_json.len(), 8);
    let symbols = cursor.take(symbols.len(), 8);
    let segments = parts
        .space
        .pages
        .iter()
        .map(|pages| {
            let file_len = pages.data.len().next_multiple_of(4096);
            let content = cursor.take(file_len, PAGE);
            Segment {
                va: pages.va,
                len: pages.len,
                phys: content.start,
                file_len: content.len,
                prot: pages.prot.0,
                layer: pages.layer as u32,
            }
        })
        .collect();
    let root = if parts.root.is_empty() { Span::default() } else { cursor.take(parts.root.len(), PAGE) };
    Middle { config, symbols, segments, root, end: cursor.0.next_multiple_of(PAGE) }
}

fn app_info(parts: &Parts, segments: &[Segment]) -> Result<AppInfo> {
    let headers = parts.app.headers();
    let mut table = [Segment::default(); MAX_SEGMENTS];
    let Some(used) = table.get_mut(..segments.len()) else {
        return Err(Error::Layout {
            path: parts.app.path().into(),
            reason: format!("it has {} segments, an image holds {MAX_SEGMENTS}", segments.len()),
            hint: "link it with the linker's default layout".into(),
        });
    };
    used.copy_from_slice(segments);
    Ok(AppInfo {
        entry: parts.entry,
        elf_entry: headers.entry,
        phdr: headers.phdr,
        phnum: headers.phnum,
        segment_count: u32::try_from(segments.len()).unwrap_or(0),
        brk_start: parts.brk_start,
        stack_size: headers.stack_size,
        gate_word: parts.gate_word,
        segments: table,
    })
}

/// A finished image and what is in it.
pub(crate) struct Assembled<'d> {
    pub bytes: Vec<u8>,
    pub report: Report,
    pub kernel: Kernel<'d>,
    pub functions: Functions,
}

/// Lays out and writes. `report` says what is known before; the layout is added to it, and it goes into the image.
pub(crate) fn assemble<'d>(
    mut parts: Parts<'_, 'd>,
    text_end: u64,
    mut report: Report,
) -> Result<Assembled<'d>> {
    let symbols = if parts.options.strip { Vec::new() } else { parts.functions.table() };
    let middle = middle(&parts, text_end, &symbols);
    let memory_end = parts.kernel.place_data(middle.end);
    if memory_end > MEMORY_LIMIT {
        return Err(Error::Layout {
            path: parts.app.path().into(),
            reason: format!("the image would take {} MiB, loaders reach 2,047 MiB", memory_end >> 20),
            hint: "put less into the root file system, and the rest on a volume".into(),
        });
    }
    let spans = parts.kernel.spans;
    parts.kernel.bind_externals()?;
    parts.kernel.fill_tables()?;
    if let Some(rump) = parts.rump {
        rump.write_hypercalls(&parts.kernel, &mut parts.space)?;
    }
    let contents = ImageInfo {
        magic: ImageInfo::MAGIC,
        image_start: IMAGE_START,
        image_end: memory_end,
        kernel_text: spans.text,
        kernel_rodata: spans.rodata,
        kernel_data: spans.data,
        config: middle.config,
        root: middle.root,
        symbols: middle.symbols,
        app: app_info(&parts, &middle.segments)?,
    };
    parts.kernel.fill_info(&info::bytes(&contents))?;
    let content_end = spans.data.start + spans.data_content;
    let len = usize::try_from(content_end - IMAGE_START).unwrap_or(usize::MAX);
    let mut bytes = vec![0; len];
    parts.kernel.write(&mut bytes)?;
    let mut put = |span: Span, content: &[u8]| {
        let at = usize::try_from(span.start.saturating_sub(IMAGE_START)).unwrap_or(usize::MAX);
        if let Some(place) = bytes.get_mut(at..at.saturating_add(content.len())) {
            place.copy_from_slice(content);
        }
    };
    put(middle.config, &parts.options.config_json);
    put(middle.symbols, &symbols);
    put(middle.root, &parts.root);
    for (segment, pages) in middle.segments.iter().zip(&parts.space.pages) {
        put(Span { start: segment.phys, len: segment.file_len }, &pages.data);
    }
    describe(&mut report, &contents, &parts.space);
    let note = describing_note(&mut report, bytes.len())?;
    let load = |start, file_len, mem_len, flags| LoadSpan { start, file_len, mem_len, flags };
    let whole = |span: Span, flags| load(span.start, span.len, span.len, flags);
    let header = Header {
        loads: [
            whole(spans.rodata, PF_R),
            whole(spans.text, PF_R | PF_X),
            whole(Span { start: text_end, len: middle.end - text_end }, PF_R | PF_W),
            load(spans.data.start, spans.data_content, spans.data.len, PF_R | PF_W),
        ],
        entry: entry(&parts)?,
        content_end,
        memory_end,
        note_len: note.len() as u64,
    };
    header.write(&mut bytes);
    bytes.extend(note);
    bytes.extend(header.sections());
    Ok(Assembled { bytes, report, kernel: parts.kernel, functions: parts.functions })
}

/// Where loaders enter the kernel.
fn entry(parts: &Parts) -> Result<Entry> {
    let kernel = &parts.kernel;
    let physical = |name| kernel.address(name).map(|address| address - rump_image::KERNEL_BASE);
    let found = match parts.target {
        Target::Hw => physical("rb_pvh_entry").map(|pvh| Entry::Hw {
            pvh,
            multiboot: physical("rb_multiboot_entry"),
            visible: parts.options.multiboot,
        }),
        Target::Xen => kernel.address("rb_xen_entry").map(|start| Entry::Xen { start }),
    };
    found.ok_or_else(|| kernel.kit.fault("it has no entry"))
}

/// The note after the content; it says how long the file is, itself included.
fn describing_note(report: &mut Report, before: usize) -> Result<Vec<u8>> {
    report.file_bytes = 0;
    loop {
        let json = serde_json::to_vec(report).map_err(|error| Error::Kit {
            kit: "kernel",
            reason: format!("the report cannot be written: {error}"),
        })?;
        let note = header::note(NOTE_OWNER, NOTE_TYPE, &json);
        let file_bytes = (before + note.len() + Header::sections_len(before, note.len())) as u64;
        // The number's own digits lengthen the note at most a few times.
        if report.file_bytes == file_bytes {
            return Ok(note);
        }
        report.file_bytes = file_bytes;
    }
}

/// Adds the layout to the report.
fn describe(report: &mut Report, image: &ImageInfo, space: &Space) {
    report.kind = FileKind::Image;
    report.memory_bytes = image.image_end - image.image_start;
    report.entry = image.app.entry;
    report.segments = space
        .pages
        .iter()
        .map(|pages| SegmentReport {
            address: pages.va,
            file_bytes: pages.data.len() as u64,
            memory_bytes: pages.len,
            prot: pages.prot.text(),
            layer: pages.layer.name().into(),
        })
        .collect();
    let of_layer = |layer| {
        let used =
            image.app.segments.iter().filter(|segment| segment.file_len != 0 && segment.layer == layer);
        let start = used.clone().map(|segment| segment.phys).min().unwrap_or(0);
        Span { start, len: used.map(|segment| segment.file_len).sum() }
    };
    let parts = [
        ("kernel constants", image.kernel_rodata),
        ("kernel code", image.kernel_text),
        ("configuration", image.config),
        ("function names", image.symbols),
        ("program", of_layer(Layer::Program as u32)),
        ("libc", of_layer(Layer::Libc as u32)),
        ("rump kernel", of_layer(Layer::Rump as u32)),
        ("root file system", image.root),
        ("kernel variables", image.kernel_data),
    ];
    report.parts = parts
        .into_iter()
        .filter(|(_, span)| span.len != 0)
        .map(|(name, span)| Part { name: name.into(), address: span.start, bytes: span.len })
        .collect();
}
