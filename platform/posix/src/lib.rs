//! The platform inside a host process: for tests and tools.
