//! Wide characters and multibyte characters: wchar.h, wctype.h, uchar.h and the multibyte functions of stdlib.h.

pub mod class;
pub mod encoding;
pub mod multibyte;
pub mod strings;
