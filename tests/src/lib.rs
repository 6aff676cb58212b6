//! Integration tests: bake, boot, look.
