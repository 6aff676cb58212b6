//! Paths and names: basename(3), dirname(3), realpath(3), fnmatch(3), glob(3).

pub mod fnmatch;
pub mod glob;
pub mod mode;
pub mod parts;
pub mod real;
