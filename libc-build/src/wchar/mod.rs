//! Wide characters and multibyte characters: wchar.h, wctype.h, uchar.h and the multibyte functions of stdlib.h.

pub mod class;
pub mod encoding;
pub mod memory;
pub mod multibyte;
pub mod number;
pub mod printf;
pub mod scanf;
pub mod stream;
pub mod strings;
pub mod time;
pub mod uchar;
