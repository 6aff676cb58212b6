//! The platforms that a test runs on; a test names them.

/// Where an image runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Bare metal: QEMU's machines.
    Hw,
    /// The first guest of Xen, in QEMU.
    Xen,
}

impl Platform {
    /// The subcommand that bakes for it.
    pub(crate) fn subcommand(self) -> &'static str {
        match self {
            Self::Hw => "hw",
            Self::Xen => "xen",
        }
    }

    /// What `rumpbake run` is told.
    pub(crate) fn run_options(self) -> &'static [&'static str] {
        match self {
            Self::Hw => &[],
            Self::Xen => &["--xen"],
        }
    }

    /// The end of an image's file name.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Hw => ".img",
            Self::Xen => "-xen.img",
        }
    }
}

/// Makes a test for each of the platforms that it names: `on!(hw, xen: fn memory(platform) { … });` makes `memory::hw` and `memory::xen`.
/// Attributes stand before `fn`.
#[macro_export]
macro_rules! on {
    ($($platform:ident),+: #[$attribute:meta] fn $name:ident($argument:ident) $body:block) => {
        $crate::on!(@make [$($platform)+] [#[$attribute]] $name $argument $body);
    };
    ($($platform:ident),+: fn $name:ident($argument:ident) $body:block) => {
        $crate::on!(@make [$($platform)+] [] $name $argument $body);
    };
    (@make [$($platform:ident)+] $attributes:tt $name:ident $argument:ident $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "what the body needs is not known here")]
            use super::*;

            fn test($argument: $crate::Platform) $body

            $(
                $crate::on!(@test $platform $attributes);
            )+
        }
    };
    (@test $platform:ident [$($attribute:tt)*]) => {
        #[test]
        $($attribute)*
        fn $platform() {
            test($crate::on!(@platform $platform));
        }
    };
    (@platform hw) => { $crate::Platform::Hw };
    (@platform xen) => { $crate::Platform::Xen };
}
