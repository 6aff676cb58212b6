//! From a program to an image: the one road through the crate.

use std::path::{Path, PathBuf};

use rump_config::{Config, Trace};
use serde::{Deserialize, Serialize};

use crate::app::{App, AppKind};
use crate::assemble::{Assembled, Parts, assemble};
use crate::components::{Calls, Demand, Wanted};
use crate::coverage::Coverage;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kit::Kit;
use crate::libc::Libc;
use crate::report::{self, ComponentInfo, Report};
use crate::rump::{self, RumpKernel, RumpOptions};
use crate::space::Space;
use crate::symbols::Functions;
use crate::{bind, debug, header, kit_data, map, output};

/// The component that is the root file system.
const ROOT: &str = "tmpfs";
/// The component that traces system calls.
const TRACER: &str = "ktrace";

/// The component that finds Xen under an image for bare metal.
const XEN: &str = "xen";
/// The one that gives it Xen's network devices.
const XEN_NET: &str = "xennet";
/// The component that gives a rump kernel's interfaces their addresses.
const RUMP_NET: &str = "rumpnet";

/// The platform that an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Target {
    /// Bare metal x86-64, QEMU, and any loader that speaks PVH or multiboot 1.
    Hw,
    /// A paravirtual guest of Xen.
    Xen,
}

impl Target {
    /// The kits that images for it are made from.
    fn kits(self) -> Kits<'static> {
        let kernel = match self {
            Self::Hw => kit_data::HW,
            Self::Xen => kit_data::XEN,
        };
        Kits { target: self, kernel, libc: kit_data::LIBC }
    }
}

/// Who sees the multiboot header.
///
/// QEMU prefers multiboot to PVH if it sees both, and its multiboot path is slower and puts the file's name
/// before the command line. It overlooks a header in the last 48 bytes of the searched 8192, which the specification allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Multiboot {
    /// Boot loaders see it, `qemu -kernel` takes PVH.
    #[default]
    BootLoaders,
    /// Everybody sees it, `qemu -kernel` included.
    Everyone,
}

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct BakeOptions {
    /// Components by name. A dynamic program gets them beside those that it reaches; a static program, whose system calls
    /// cannot be known, gets these (and what they need) instead of all.
    pub components: Option<Vec<String>>,
    /// Directory that becomes the root file system.
    pub root: Option<PathBuf>,
    /// Configuration, JSON (crate `rump-config`); may be empty.
    pub config_json: Vec<u8>,
    /// Leaves the table of function names for backtraces out.
    pub strip: bool,
    /// Where to write the map: sections with address, size and component.
    pub map: Option<PathBuf>,
    /// Where to write an ELF file with all symbols, for debuggers.
    pub symbols: Option<PathBuf>,
    /// Who sees the multiboot header.
    pub multiboot: Multiboot,
    /// An image for bare metal is a PVH guest of Xen as well.
    pub xen_guest: bool,
    /// A rump kernel that somebody else built, in the place of the components for files, sockets and sysctl.
    pub rump: Option<RumpOptions>,
}

/// A finished image.
#[derive(Clone, Debug)]
pub struct Image {
    bytes: Vec<u8>,
    report: Report,
    /// The map and the symbol file, where the options named them.
    beside: Vec<(PathBuf, Vec<u8>)>,
}

impl Image {
    /// The file's content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is in the image.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Writes the image, and the map and the symbol file if the options named them. Nothing is left behind on failure.
    ///
    /// # Errors
    /// [`crate::Error::Write`].
    pub fn write(&self, path: &Path) -> Result<()> {
        for (beside, content) in &self.beside {
            output::write(beside, &[content])?;
        }
        output::write(path, &[&self.bytes])
    }
}

/// Makes an image of a program.
///
/// # Errors
/// Whatever [`crate::Error`] says, except that the program was accepted by [`App::read`] already.
pub fn bake(app: &App, target: Target, options: &BakeOptions) -> Result<Image> {
    bake_with(&target.kits(), app, options)
}

/// The kits of a platform.
pub(crate) struct Kits<'d> {
    pub target: Target,
    pub kernel: &'d [u8],
    pub libc: &'d [u8],
}

/// Chooses what to take from the kits.
pub(crate) fn choose<'d>(
    kits: &Kits<'d>,
    app: &App,
    components: Option<&[String]>,
    wanted: &[Wanted],
    rump: Option<&RumpKernel>,
) -> Result<(Kernel<'d>, Option<Libc<'d>>)> {
    let kernel_kit = Kit::parse("kernel", kits.kernel)?;
    let libc = match app.kind() {
        AppKind::Static => None,
        AppKind::Dynamic => Some(Libc::choose(Kit::parse("libc", kits.libc)?, app)?),
    };
    let mut symbols = libc.as_ref().map(|libc| libc.kernel_symbols(&kernel_kit)).unwrap_or_default();
    symbols.extend(rump.map(|rump| rump.kernel_symbols(&kernel_kit)).unwrap_or_default());
    let demand = Demand {
        calls: if libc.as_ref().is_none_or(Libc::calls_by_number) { Calls::Any } else { Calls::Named },
        symbols,
        components,
        wanted,
    };
    Ok((Kernel::choose(kernel_kit, &demand, rump.is_some())?, libc))
}

/// The components that the options ask for without naming them.
fn wanted(options: &BakeOptions) -> Result<Vec<Wanted>> {
    let config = Config::parse(&options.config_json)
        .map_err(|error| crate::Error::Config { reason: error.to_string() })?;
    let mut wanted = Vec::new();
    let mut want = |component, why| wanted.push(Wanted { component, why });
    // A rump kernel has the files to itself, and finds those of the root archive by rumpuser_open.
    if options.root.is_some() && options.rump.is_none() {
        want(ROOT, "the root file system's content");
    }
    if config.cwd.is_some() && options.rump.is_none() {
        want(ROOT, "configuration cwd");
    }
    if !matches!(config.trace, None | Some(Trace::Off)) {
        want(TRACER, "configuration trace");
    }
    if options.xen_guest {
        want(XEN, "--type pvh");
        // A rump kernel may drive the platform's cards.
        if options.rump.is_some() {
            want(XEN_NET, "--rump-libs");
        }
    }
    if options.rump.is_some() {
        want(rump::COMPONENT, "--rump-libs");
    }
    Ok(wanted)
}

pub(crate) fn bake_with(kits: &Kits, app: &App, options: &BakeOptions) -> Result<Image> {
    let root = match &options.root {
        Some(directory) => crate::root::pack(directory)?,
        None => Vec::new(),
    };
    let hole = match kits.target {
        Target::Hw => header::hole(options.multiboot),
        Target::Xen => None,
    };
    let libraries = options.rump.as_ref().map(|rump| rump::Libraries::read(&rump.libraries)).transpose()?;
    let mut rump = match (&libraries, &options.rump) {
        (Some(libraries), Some(rump)) => {
            Some(RumpKernel::choose(libraries, &rump.components, &Kit::parse("kernel", kits.kernel)?)?)
        }
        _ => None,
    };
    let mut wanted = wanted(options)?;
    if rump.as_ref().is_some_and(RumpKernel::drives_cards) {
        wanted.push(Wanted { component: RUMP_NET, why: "--rump-components" });
    }
    let (mut kernel, mut libc) = choose(kits, app, options.components.as_deref(), &wanted, rump.as_ref())?;
    let text_end = kernel.place_fixed(header::headers_end(kits.target), hole);
    let mut functions = Functions::default();
    functions.add_kit(&kernel.kit, &kernel.selection.reach, &kernel.addresses);
    let mut space = Space::of(app);
    if let Some(libc) = &mut libc {
        libc.place(app, &mut space)?;
        libc.bind_kernel(&kernel)?;
        libc.write(&mut space)?;
        bind::relocate(app, libc, &mut space)?;
        functions.add_kit(&libc.kit, &libc.reach, &libc.addresses);
    }
    let mut end = libc.as_ref().map_or(app.headers().end(), |libc| libc.end);
    if let Some(rump) = &mut rump {
        rump.place(app, end, &mut space)?;
        rump.write(&mut space)?;
        let (kit, reach, addresses) = rump.sections();
        functions.add_kit(kit, reach, addresses);
        kernel.bind_rump(rump)?;
        end = rump.end;
    }
    functions.add_app(app);
    let mut report = report::of(kits.target, app, &kernel, libc.as_ref());
    report.components.extend(rump.as_ref().map(RumpKernel::cost));
    report.virtif = rump.as_ref().is_some_and(RumpKernel::drives_cards);
    let parts = Parts {
        target: kits.target,
        app,
        kernel,
        rump: rump.as_ref(),
        space,
        functions,
        root,
        options,
        entry: libc.as_ref().map_or(app.headers().entry, Libc::start),
        brk_start: end,
        gate_word: libc.as_ref().map_or(0, Libc::gate_word),
    };
    let Assembled { bytes, report, kernel, functions } = assemble(parts, text_end, report)?;
    let mut beside = Vec::new();
    if let Some(path) = &options.map {
        beside.push((path.clone(), map::text(&kernel, libc.as_ref(), rump.as_ref()).into_bytes()));
    }
    if let Some(path) = &options.symbols {
        beside.push((path.clone(), debug::file(&functions)));
    }
    Ok(Image { bytes, report, beside })
}

/// The components that the kernel kit of `target` offers, sorted by name.
///
/// # Errors
/// [`crate::Error::Kit`].
pub fn components(target: Target) -> Result<Vec<ComponentInfo>> {
    crate::components::records(&Kit::parse("kernel", target.kits().kernel)?)
}

/// What of NetBSD's system calls and libraries is implemented.
///
/// # Errors
/// [`crate::Error::Kit`].
pub fn coverage() -> Result<Coverage> {
    crate::coverage::coverage(&Target::Hw.kits())
}

/// What a program or an image is.
///
/// # Errors
/// As [`App::read`].
pub fn inspect(path: &Path) -> Result<Report> {
    crate::inspect::inspect(&Target::Hw.kits(), path)
}
