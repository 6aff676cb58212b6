//! Locales: locale.h, langinfo.h, nl_types.h and the character tables of ctype.h.
//!
//! There are no locale files in an image. Built in are "C" (also "POSIX"), "C.UTF-8" and "en_US.UTF-8"; any other language's name
//! that ends in ".UTF-8" is known for LC_CTYPE, where the language makes no difference, and refused for the other categories.

pub mod catalog;
pub mod category;
pub mod conv;
pub mod ctype;
pub mod info;
pub mod money;
pub mod object;
pub mod select;

pub(crate) use category::Locale;
