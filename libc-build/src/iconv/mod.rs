//! Conversion between encodings: iconv.h.
//!
//! Built in are the encodings of Unicode, US-ASCII and ISO 8859-1; NetBSD's other tables are files that an image does not have, so iconv_open(3)
//! refuses their names with EINVAL, as where the file is missing.

mod codec;
pub mod convert;
pub mod list;
