//! The console: bytes out, bytes in, no line discipline.

unsafe extern "Rust" {
    /// Writes all of `bytes`; may busy-wait for the device, never sleeps.
    #[link_name = "rb_console_write"]
    pub safe fn write(bytes: &[u8]);

    /// Takes what has been typed, up to the length of `buf`; 0 if there is nothing. Never sleeps. When input arrives, the
    /// platform calls [`crate::Upcalls::console_input`].
    #[link_name = "rb_console_read"]
    pub safe fn read(buf: &mut [u8]) -> usize;
}
