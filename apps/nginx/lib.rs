//! Nothing: the package exists for its dependency, the crate with nginx's sources.
