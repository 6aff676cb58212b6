//! unistd.h and its neighbours where they are more than a system call.

mod daemon;
mod entropy;
mod exec;
mod groups;
mod ids;
mod limits;
mod names;
mod path;
mod process;
mod pty;
mod shm;
mod terminal;
mod times;
