//! The constant addresses of netinet6/in6.h.

/// `struct in6_addr`.
#[derive(Debug)]
#[repr(C, align(4))]
pub struct In6([u8; 16]);

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident = $bytes:expr;)*) => {$(
        $(#[$doc])*
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[cfg_attr(test, expect(non_upper_case_globals, reason = "C's name"))]
        pub static $name: In6 = In6($bytes);
    )*};
}

addresses! {
    /// The unspecified address.
    in6addr_any = [0; 16];
    /// The loopback address.
    in6addr_loopback = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    /// All nodes, on this one.
    in6addr_nodelocal_allnodes = [0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    /// All nodes of the link.
    in6addr_linklocal_allnodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    /// All routers of the link.
    in6addr_linklocal_allrouters = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
}
