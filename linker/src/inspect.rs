//! Looking at a program or an image without making anything.

use std::path::Path;

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, SectionHeader as _};

use crate::app::{self, App, Load, notes};
use crate::assemble::{NOTE_OWNER, NOTE_TYPE};
use crate::bake::{self, Kits};
use crate::cost;
use crate::error::{Error, Result};
use crate::kit::Kit;
use crate::report::{self, Report, SegmentReport};
use crate::space::Prot;

/// The description that an image carries, if the file is one.
fn image(bytes: &[u8]) -> Option<Report> {
    let header = FileHeader64::<LE>::parse(bytes).ok()?;
    let sections = header.sections(LE, bytes).ok()?;
    let section = sections.iter().filter(|section| section.sh_type(LE) == elf::SHT_NOTE);
    section.filter_map(|section| section.data(LE, bytes).ok()).find_map(|data| {
        let mut notes = notes(data, 4);
        let note = notes.find(|note| note.owner == NOTE_OWNER.as_bytes() && note.kind == NOTE_TYPE)?;
        serde_json::from_slice(note.content).ok()
    })
}

/// What a program or an image is.
pub(crate) fn inspect(kits: &Kits, path: &Path) -> Result<Report> {
    let bytes = app::load(path)?;
    if let Some(report) = image(&bytes) {
        return Ok(report);
    }
    let app = App::parse(path, bytes)?;
    program(kits, &app)
}

fn segment(load: &Load) -> SegmentReport {
    SegmentReport {
        address: load.va,
        file_bytes: load.file_len as u64,
        memory_bytes: load.mem_len,
        prot: Prot::of(load.flags).text(),
        layer: "program".into(),
    }
}

fn program(kits: &Kits, app: &App) -> Result<Report> {
    let libc_kit = Kit::parse("libc", kits.libc).ok();
    let missing = |name: &str| libc_kit.as_ref().is_some_and(|kit| kit.defined(name).is_none());
    let headers = app.headers();
    Ok(Report {
        kind: report::kind(app),
        program: None,
        target: None,
        system_calls: Some(report::system_calls(app)),
        file_bytes: app.file_bytes() as u64,
        memory_bytes: headers.loads.iter().map(|load| load.page_end() - load.page_start()).sum(),
        entry: headers.entry,
        segments: headers.loads.iter().map(segment).collect(),
        imports: report::imports(app, &missing),
        components: would_take(kits, app)?,
        virtif: false,
        parts: Vec::new(),
    })
}

/// The components that an image of the program would have; none if it cannot be baked.
fn would_take(kits: &Kits, app: &App) -> Result<Vec<report::ComponentCost>> {
    match bake::choose(kits, app, None, &[], None) {
        Ok((kernel, libc)) => Ok(cost::table(&kernel, libc.as_ref())),
        Err(Error::MissingSymbols { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
