//! The queues (see the parent module).
