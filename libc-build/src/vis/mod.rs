//! vis.h: text in which every byte can be seen, and back: vis(3), unvis(3).

pub mod decode;
pub mod encode;

/// `\ddd` for everything.
pub(crate) const VIS_OCTAL: i32 = 0x0001;
/// `\n`, `\t` and the like.
pub(crate) const VIS_CSTYLE: i32 = 0x0002;
/// Spaces are encoded.
pub(crate) const VIS_SP: i32 = 0x0004;
/// Tabs are encoded.
pub(crate) const VIS_TAB: i32 = 0x0008;
/// Ends of lines are encoded.
pub(crate) const VIS_NL: i32 = 0x0010;
/// Backspace, bell and carriage return are not encoded.
pub(crate) const VIS_SAFE: i32 = 0x0020;
/// No backslashes are written.
pub(crate) const VIS_NOSLASH: i32 = 0x0040;
/// `%xx` (RFC 1808).
pub(crate) const VIS_HTTPSTYLE: i32 = 0x0080;
/// `=XX` (RFC 2045).
pub(crate) const VIS_MIMESTYLE: i32 = 0x0100;
/// Backslashes mean nothing in what is read.
pub(crate) const VIS_NOESCAPE: i32 = 0x0400;
/// Nothing more is read.
pub(crate) const UNVIS_END: i32 = 0x0800;
/// What glob(3) knows is encoded.
pub(crate) const VIS_GLOB: i32 = 0x1000;
/// What the shell knows is encoded.
pub(crate) const VIS_SHELL: i32 = 0x2000;
/// Bytes that are no ASCII are encoded whatever the locale.
pub(crate) const VIS_NOLOCALE: i32 = 0x4000;
/// Double quotes are encoded.
pub(crate) const VIS_DQ: i32 = 0x8000;
