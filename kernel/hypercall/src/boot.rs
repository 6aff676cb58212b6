//! What the platform found at boot, and how the image ends.

use rump_image::AppInfo;

/// The machine and the image as the kernel finds them. Lives as long as the image.
pub struct BootInfo {
    /// The kernel command line, without the loader's own words. Empty if there is none.
    pub cmdline: &'static str,
    /// The baked-in configuration, JSON (crate `rump-config`). Empty if there is none.
    pub config: &'static [u8],
    /// The baked-in root file system, a cpio archive ("newc"). Empty if there is none.
    pub root: &'static [u8],
    /// The application.
    pub app: &'static AppInfo,
    /// Physical memory that the machine has, bytes.
    pub memory_bytes: u64,
}

/// How the image ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The program called exit(3) with this status (its low 8 bits).
    Exited(u8),
    /// The program was killed by this signal number; a shell would show 128 plus the number.
    Signaled(u8),
}

unsafe extern "Rust" {
    /// What was found at boot.
    #[link_name = "rb_boot_info"]
    pub safe fn info() -> &'static BootInfo;

    /// Ends the image: flushes the console, hands the status to whoever runs the image, powers off.
    #[link_name = "rb_exit"]
    pub safe fn exit(how: Exit) -> !;
}
