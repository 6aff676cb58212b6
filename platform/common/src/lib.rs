//! What bare metal and Xen share: scheduler, page allocator, page tables, timers.
#![no_std]
