//! unistd.h and its neighbours where they are more than a system call.

mod entropy;
mod exec;
mod ids;
mod limits;
mod path;
mod process;
mod terminal;
