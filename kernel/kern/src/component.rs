//! Components: what an image is put together from.

/// A component's descriptor. Each component crate has one, as `pub static COMPONENT`, which [`crate::component!`] makes.
pub struct Component {
    /// Its name, as in `--components`.
    pub name: &'static str,
    /// Its faction: kern, vfs, net or dev; platform for a part of layer 3, which starts it before the others.
    pub faction: &'static str,
    /// Called once at boot, after the components that it needs; must not fail: what it lacks it reports on the console.
    pub init: fn(),
}

/// A function that a component hands to the kernel, which calls it if there is one.
///
/// Kits are optimised as a whole: of a variable that only ever holds one function the optimiser would make a call of that function, and all images would
/// hold a component that none has asked for.
#[must_use]
#[inline]
pub fn hook<F: Copy>(function: F) -> F {
    core::hint::black_box(function)
}

/// Defines a component: its descriptor, and the record from which the linker learns when to take it.
///
/// `needs` names other components. `when` names system calls, each of which brings the component into an image that can make it; or components with `+`
/// between them, which bring it where they come together.
/// A component is also taken when the configuration or `--components` names it.
///
/// ```ignore
/// component! { name: "tmpfs", faction: "vfs", needs: "vfs", when: "open mkdir", about: "in-memory file system", init: init }
/// ```
#[macro_export]
macro_rules! component {
    (name: $name:literal, faction: $faction:literal, needs: $needs:literal, when: $when:literal, about: $about:literal, init: $init:path) => {
        /// This component's descriptor.
        #[unsafe(export_name = concat!("rb_component_", $name))]
        pub static COMPONENT: $crate::component::Component =
            $crate::component::Component { name: $name, faction: $faction, init: $init };

        $crate::linker_record!(
            ".rb.components",
            concat!($name, "\0", $faction, "\0", $needs, "\0", $when, "\0", $about, "\n")
        );
    };
}
