//! Control messages (`struct cmsghdr`, CMSG_DATA(3)): what travels beside the data of sendmsg(2) and recvmsg(2).
//!
//! Inside the kernel they are a list of [`Message`]s. Descriptors (SCM_RIGHTS) travel as references to open files, [`Rights`], which [`crate::rights`]
//! keeps count of.

use alloc::vec::Vec;

use rump_abi::socket::{SCM_RIGHTS, SCM_TIMESTAMP, SOL_SOCKET};
use rump_kern::clock::{Timeval, realtime_ns};
use rump_kern::copy::{bytes_of, copyin_bytes, copyout_bytes};
use rump_kern::curproc;
use rump_kern::errno::Errno;
use rump_kern::event::KQueueFile;
use rump_kern::file::FileRef;
use rump_kern::filedesc::getfile;

use crate::rights::Rights;

/// Bytes of `struct cmsghdr`.
const HEADER: usize = size_of::<rump_abi::types::Cmsghdr>();
/// Where the data begin: the header, aligned.
const DATA_AT: usize = rump_abi::socket::__CMSG_ASIZE as usize;
/// What headers and data are aligned to (__CMSG_ALIGN).
const ALIGN: usize = 8;
/// Most bytes of control messages in one call (MCLBYTES).
pub const CONTROL_MAX: usize = 2048;

/// The content of a message.
#[derive(Debug)]
pub enum Body {
    /// Bytes, whatever level and type say.
    Bytes(Vec<u8>),
    /// Open files: SCM_RIGHTS.
    Rights(Rights),
}

/// A control message.
#[derive(Debug)]
pub struct Message {
    /// SOL_SOCKET, or a protocol's number.
    pub level: i32,
    /// SCM_ or the protocol's own number.
    pub kind: i32,
    /// Its content.
    pub body: Body,
}

/// A list of control messages.
#[derive(Debug, Default)]
pub struct Control {
    /// In the order in which they arrive.
    pub messages: Vec<Message>,
}

const fn align(len: usize) -> usize {
    len.div_ceil(ALIGN) * ALIGN
}

fn int_at(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |&four| i32::from_le_bytes(four))
}

impl Control {
    /// Adds a message of bytes.
    ///
    /// # Errors
    /// ENOBUFS.
    pub fn push(&mut self, level: i32, kind: i32, bytes: &[u8]) -> Result<(), Errno> {
        let mut body = Vec::new();
        body.try_reserve_exact(bytes.len()).map_err(|_| Errno::ENOBUFS)?;
        body.extend_from_slice(bytes);
        self.messages.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
        self.messages.push(Message { level, kind, body: Body::Bytes(body) });
        Ok(())
    }

    /// Adds the time of day: SO_TIMESTAMP.
    ///
    /// # Errors
    /// ENOBUFS.
    pub fn push_timestamp(&mut self) -> Result<(), Errno> {
        self.push(SOL_SOCKET, SCM_TIMESTAMP, bytes_of(&Timeval::from_ns(realtime_ns())))
    }

    /// The bytes of the first message of a kind.
    #[must_use]
    pub fn find(&self, level: i32, kind: i32) -> Option<&[u8]> {
        self.messages.iter().find_map(|message| match &message.body {
            Body::Bytes(bytes) if message.level == level && message.kind == kind => Some(&bytes[..]),
            _ => None,
        })
    }

    /// The open files.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        let rights = self.messages.iter().filter_map(|message| match &message.body {
            Body::Rights(rights) => Some(rights),
            Body::Bytes(_) => None,
        });
        rights.flat_map(Rights::files)
    }

    /// A copy of the messages that are bytes.
    #[must_use]
    pub fn without_rights(&self) -> Self {
        let mut copy = Self::default();
        for message in &self.messages {
            if let Body::Bytes(bytes) = &message.body {
                // What finds no memory is left out: it was only to be looked at.
                let _ = copy.push(message.level, message.kind, bytes);
            }
        }
        copy
    }

    /// sockargs(9) and dom_internalize: reads `len` bytes of control messages from the application. Descriptors become open files.
    ///
    /// # Errors
    /// EINVAL if they make no sense, EBADF, EFAULT, ENOBUFS, EMSGSIZE, ETOOMANYREFS.
    pub fn copyin(addr: usize, len: u32) -> Result<Self, Errno> {
        let len = len as usize;
        if len > CONTROL_MAX {
            return Err(Errno::EMSGSIZE);
        }
        let mut buffer = [0; CONTROL_MAX];
        let bytes = &mut buffer[..len];
        copyin_bytes(addr, bytes)?;
        let mut control = Self::default();
        let mut at = 0;
        while at + HEADER <= len {
            let message_len = int_at(bytes, at).cast_unsigned() as usize;
            if message_len < DATA_AT || message_len > len - at {
                return Err(Errno::EINVAL);
            }
            let (level, kind) = (int_at(bytes, at + 4), int_at(bytes, at + 8));
            let data = &bytes[at + DATA_AT..at + message_len];
            if level == SOL_SOCKET && kind == SCM_RIGHTS {
                let rights = internalize(data)?;
                control.messages.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
                control.messages.push(Message { level, kind, body: Body::Rights(rights) });
            } else {
                control.push(level, kind, data)?;
            }
            at += align(message_len);
        }
        Ok(control)
    }

    /// dom_externalize: writes the messages to the application as far as `room` bytes hold them; open files get descriptors with these flags. Returns the bytes
    /// written, and whether something was left out (MSG_CTRUNC). What is not delivered is dropped: files among it are closed.
    ///
    /// # Errors
    /// EFAULT; then no descriptor stays behind.
    pub fn copyout(self, addr: usize, room: u32, fd_flags: u8) -> Result<(u32, bool), Errno> {
        let room = room as usize;
        let (mut at, mut truncated) = (0, false);
        let mut installed: Vec<i32> = Vec::new();
        for message in self.messages {
            let left = room.saturating_sub(at);
            if truncated || left < DATA_AT {
                truncated = true;
                continue;
            }
            let mut fds = Vec::new();
            let mut cut = false;
            let data: &[u8] = match &message.body {
                Body::Bytes(bytes) => bytes,
                Body::Rights(rights) => {
                    let fit = (left - DATA_AT) / size_of::<i32>();
                    cut = rights.files().len() > fit;
                    for file in rights.files().iter().take(fit) {
                        let Ok(fd) = curproc().fd.install(FileRef::clone(file), fd_flags) else {
                            cut = true;
                            break;
                        };
                        installed.push(fd);
                        fds.extend_from_slice(&fd.to_le_bytes());
                    }
                    if fds.is_empty() {
                        truncated = true;
                        continue;
                    }
                    &fds
                }
            };
            let count = data.len().min(left - DATA_AT);
            truncated |= cut || count < data.len();
            let mut header = [0; DATA_AT];
            header[..4].copy_from_slice(&((DATA_AT + count) as u32).to_le_bytes());
            header[4..8].copy_from_slice(&message.level.to_le_bytes());
            header[8..12].copy_from_slice(&message.kind.to_le_bytes());
            let written = copyout_bytes(&header, addr.wrapping_add(at))
                .and_then(|()| copyout_bytes(&data[..count], addr.wrapping_add(at + DATA_AT)));
            if let Err(errno) = written {
                for fd in installed {
                    // It was made a moment ago, and nobody else has run since.
                    let _ = curproc().fd.close(fd);
                }
                return Err(errno);
            }
            at = (at + align(DATA_AT + count)).min(room);
        }
        // At most `room`.
        Ok((at as u32, truncated))
    }
}

/// Descriptors become open files.
fn internalize(data: &[u8]) -> Result<Rights, Errno> {
    let mut files = Vec::new();
    files.try_reserve_exact(data.len() / 4).map_err(|_| Errno::ENOBUFS)?;
    for fd in data.as_chunks::<4>().0 {
        let file = getfile(i32::from_le_bytes(*fd))?;
        // A queue of events belongs to its process.
        if file.ops.as_any().is::<KQueueFile>() {
            return Err(Errno::EINVAL);
        }
        files.push(file);
    }
    Rights::new(files)
}
