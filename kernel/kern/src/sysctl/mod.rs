//! sysctl(2): what the kernel says of itself, by number, and its nodes by name for sysctlbyname(3).
//!
//! - [`tree`] is the table of nodes, [`values`] what they hold, [`procs`] what they say of the process.
//!
//! libc finds numbers of names by asking a node for its children (CTL_QUERY), so every node has a name, a number and a type. Nodes that have no
//! number in sys/sysctl.h get one from CREATE_BASE on, as in NetBSD.

use alloc::vec;
use alloc::vec::Vec;

use rump_abi::sysctl::*;
use rump_abi::types::Sysctlnode;

use crate::copy::{bytes_of, copyin, copyin_bytes, copyin_slice, copyout, copyout_bytes};
use crate::errno::Errno;
use crate::syscall;

pub mod procs;
pub mod tree;
pub mod values;

use tree::{Node, Value};

/// Longest new value, bytes.
const NEW_MAX: usize = 1024;

/// A node's place in a set of children that is asked for.
struct Found {
    node: &'static Node,
    /// What is left of the name after the node.
    rest: usize,
}

/// Goes down the tree as far as the name has nodes.
fn find(name: &[i32]) -> Result<Found, Errno> {
    let mut node = &tree::ROOT;
    let mut at = 0;
    while at < name.len() {
        let Value::Children(children) = node.value else { break };
        if name[at] < 0 {
            break;
        }
        node = children.iter().find(|child| child.number == name[at]).ok_or(Errno::ENOENT)?;
        at += 1;
    }
    Ok(Found { node, rest: name.len() - at })
}

/// How a node is described to CTL_QUERY.
fn describe(node: &Node) -> Sysctlnode {
    const POINTER_FREE: u64 = 0;
    let (kind, size, child_count) = match &node.value {
        Value::Children(children) => (CTLTYPE_NODE, size_of::<Sysctlnode>(), children.len()),
        Value::Int(_) => (CTLTYPE_INT, 4, 0),
        Value::Quad(_) => (CTLTYPE_QUAD, 8, 0),
        Value::Text(_) | Value::Hostname | Value::Domainname => (CTLTYPE_STRING, 0, 0),
        Value::Struct(_) | Value::Query(_) => (CTLTYPE_STRUCT, 0, 0),
    };
    let access = if node.is_writable() { CTLFLAG_READWRITE } else { CTLFLAG_READONLY };
    let mut described = Sysctlnode {
        sysctl_flags: (SYSCTL_VERSION | kind | access | CTLFLAG_PERMANENT).cast_unsigned(),
        sysctl_num: node.number,
        sysctl_ver: 1,
        // Children that there can be, children that there are; then a pointer.
        sysctl_un: [child_count as u64 | (child_count as u64) << 32, POINTER_FREE],
        _sysctl_size: size as u64,
        ..Sysctlnode::ZERO
    };
    let name = node.name.as_bytes();
    let len = name.len().min(described.sysctl_name.len() - 1);
    described.sysctl_name[..len].copy_from_slice(&name[..len]);
    described
}

/// CTL_QUERY: the children of a node.
fn query(name: &[i32], new: usize, new_len: usize) -> Result<Vec<u8>, Errno> {
    let found = find(name)?;
    let Value::Children(children) = found.node.value else { return Err(Errno::ENOTDIR) };
    if found.rest != 0 {
        return Err(Errno::ENOTDIR);
    }
    if new != 0 {
        // The caller says which version of the structure it has.
        if new_len != size_of::<Sysctlnode>() {
            return Err(Errno::EINVAL);
        }
        let flags: u32 = copyin(new)?;
        if flags & SYSCTL_VERS_MASK != SYSCTL_VERSION.cast_unsigned() {
            return Err(Errno::EINVAL);
        }
    }
    let mut bytes = Vec::new();
    for child in children {
        bytes.extend_from_slice(bytes_of(&describe(child)));
    }
    Ok(bytes)
}

/// The value of a node; `room` is how many bytes the caller has for it.
fn value(node: &Node, rest: &[i32], room: usize) -> Result<Vec<u8>, Errno> {
    if !rest.is_empty() && !matches!(node.value, Value::Query(_)) {
        return Err(Errno::ENOTDIR);
    }
    match node.value {
        Value::Children(_) => Err(Errno::EISDIR),
        Value::Int(value) => Ok(value().to_le_bytes().to_vec()),
        Value::Quad(value) => Ok(value().to_le_bytes().to_vec()),
        Value::Text(text) => Ok(values::c_string(text().as_bytes())),
        Value::Hostname => Ok(values::c_string(&values::hostname())),
        Value::Domainname => Ok(values::c_string(&values::domainname())),
        Value::Struct(value) => Ok(value(room)),
        Value::Query(value) => value(rest),
    }
}

fn set(node: &Node, new: usize, new_len: usize) -> Result<(), Errno> {
    if !node.is_writable() || crate::prot::effective().0 != 0 {
        return Err(Errno::EPERM);
    }
    if new_len > NEW_MAX {
        return Err(Errno::EINVAL);
    }
    let mut bytes = vec![0; new_len];
    copyin_bytes(new, &mut bytes)?;
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    match node.value {
        Value::Hostname => values::set_hostname(bytes),
        _ => values::set_domainname(bytes),
    }
    Ok(())
}

syscall! {
    /// sysctl(3)'s system call.
    fn sys___sysctl(name: usize, name_len: u32, old: usize, old_len: usize, new: usize, new_len: usize) -> Result<(), Errno> {
        if name_len == 0 || name_len > CTL_MAXNAME.cast_unsigned() {
            return Err(Errno::EINVAL);
        }
        let name: Vec<i32> = copyin_slice(name, name_len as usize, CTL_MAXNAME as usize)?;
        let room = if old_len == 0 { 0 } else { copyin::<usize>(old_len)? };
        let (&last, above) = name.split_last().ok_or(Errno::EINVAL)?;
        let bytes = match last {
            CTL_QUERY => query(above, new, new_len)?,
            CTL_CREATE | CTL_CREATESYM | CTL_DESTROY => return Err(Errno::EPERM),
            CTL_MMAP | CTL_DESCRIBE => return Err(Errno::EOPNOTSUPP),
            _ => {
                let found = find(&name)?;
                let rest = &name[name.len() - found.rest..];
                let bytes = value(found.node, rest, room)?;
                if new != 0 {
                    set(found.node, new, new_len)?;
                }
                bytes
            }
        };
        if old != 0 {
            copyout_bytes(&bytes[..bytes.len().min(room)], old)?;
        }
        if old_len != 0 {
            copyout(&bytes.len(), old_len)?;
        }
        if old != 0 && room < bytes.len() { Err(Errno::ENOMEM) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::tree::{Node, ROOT, Value};
    use super::*;
    use alloc::collections::BTreeSet;
    use rumpbake_posix as _;

    fn by_name(path: &str) -> Vec<i32> {
        let mut node = &ROOT;
        let mut numbers = Vec::new();
        for name in path.split('.') {
            let Value::Children(children) = node.value else { panic!("{path}") };
            node = children.iter().find(|child| child.name == name).unwrap();
            numbers.push(node.number);
        }
        numbers
    }

    fn read(path: &str) -> Vec<u8> {
        let name = by_name(path);
        let found = find(&name).unwrap();
        value(found.node, &name[name.len() - found.rest..], 64).unwrap()
    }

    fn check_names(node: &'static Node) {
        let Value::Children(children) = node.value else { return };
        let numbers: BTreeSet<_> = children.iter().map(|child| child.number).collect();
        let names: BTreeSet<_> = children.iter().map(|child| child.name).collect();
        assert_eq!((numbers.len(), names.len()), (children.len(), children.len()), "{}", node.name);
        for child in children {
            assert!(child.name.len() < SYSCTL_NAMELEN as usize);
            check_names(child);
        }
    }

    #[test]
    fn names_and_numbers_are_unique() {
        check_names(&ROOT);
    }

    #[test]
    fn well_known_values() {
        assert_eq!(by_name("hw.ncpuonline"), [CTL_HW, HW_NCPUONLINE]);
        assert_eq!(read("hw.pagesize"), 4096_i32.to_le_bytes());
        assert_eq!(read("kern.ostype"), b"NetBSD\0");
        assert_eq!(read("kern.osrelease"), b"10.1\0");
        assert_eq!(read("hw.machine_arch"), b"x86_64\0");
        assert_eq!(read("kern.arandom").len(), 64);
        assert_eq!(read("kern.clockrate").len(), 20);
    }

    #[test]
    fn what_is_not_there() {
        assert_eq!(find(&[CTL_KERN, 9999]).err(), Some(Errno::ENOENT));
        let found = find(&[CTL_KERN, KERN_OSTYPE, 1]).unwrap();
        assert_eq!(value(found.node, &[1], 0), Err(Errno::ENOTDIR));
        assert_eq!(value(&ROOT, &[], 0), Err(Errno::EISDIR));
    }

    #[test]
    fn children_are_listed() {
        let bytes = query(&[], 0, 0).unwrap();
        assert_eq!(bytes.len() % size_of::<Sysctlnode>(), 0);
        assert!(bytes.windows(5).any(|window| window == b"kern\0"));
        assert_eq!(query(&[CTL_KERN, KERN_OSTYPE], 0, 0), Err(Errno::ENOTDIR));
    }
}
