//! The stubs: the system calls of sys/syscall.h that libc.so.12, libpthread.so.1 and librt.so.1 export as functions with the same
//! arguments, and those that came after NetBSD 10.

use super::stub::stubs;

stubs! {
    fast:
    "___lwp_park60", "__clock_getres50", "__getitimer50", "__getrusage50", "rb_clock_gettime_call" = "__clock_gettime50",
    "rb_gettimeofday_call" = "__gettimeofday50",
    "__setitimer50", "__sigaction_sigtramp", "__sigaltstack14", "__sigpending14",
    "__sigprocmask14" as "___sigprocmask14" "_sys___sigprocmask14", "__socket30", "__sysctl", "__timer_gettime50",
    "__timer_settime50", "_lwp_create", "_lwp_ctl", "_lwp_detach", "_lwp_exit", "_lwp_getname", "_lwp_getprivate",
    "_lwp_kill", "_lwp_self", "_lwp_setname", "_lwp_setprivate", "_lwp_unpark", "_lwp_unpark_all", "_lwp_wakeup",
    "_sched_getaffinity" as "__sched_getaffinity" "_sys__sched_getaffinity",
    "_sched_getparam" as "__sched_getparam" "_sys__sched_getparam",
    "_sched_setaffinity" as "__sched_setaffinity" "_sys__sched_setaffinity",
    "_sched_setparam" as "__sched_setparam" "_sys__sched_setparam", "bind", "dup", "dup2", "eventfd", "getegid",
    "geteuid", "getgid", "getgroups", "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
    "getrandom", "getrlimit", "getsid", "getsockname", "getsockopt", "getuid", "issetugid",
    "kill" as "_kill" "_sys_kill", "kqueue", "kqueue1", "listen", "madvise", "mincore", "minherit", "mlock", "mlockall",
    "mprotect", "munlock", "munlockall", "munmap", "pipe2", "sched_yield" as "_sched_yield" "_sys_sched_yield",
    "setcontext" as "_setcontext" "_sys_setcontext", "setegid", "seteuid", "setgid", "setgroups", "setpgid",
    "setpriority", "setregid", "setreuid", "setrlimit", "setsid", "setsockopt", "setuid", "socketpair", "timer_create",
    "timer_delete", "timer_getoverrun", "timerfd_create", "timerfd_gettime", "timerfd_settime", "umask",
}

stubs! {
    restart:
    "__acl_aclcheck_fd", "__acl_aclcheck_file", "__acl_aclcheck_link", "__acl_delete_fd", "__acl_delete_file",
    "__acl_delete_link", "__acl_get_fd", "__acl_get_file", "__acl_get_link", "__acl_set_fd", "__acl_set_file",
    "__acl_set_link", "__adjtime50", "__clock_settime50", "__dup3100", "__fhopen40", "__fhstat50", "__fhstatvfs190",
    "__fstat50", "__fstatvfs190", "__futex_get_robust_list", "__futex_set_robust_list", "__futimes50", "__getcwd",
    "__getdents30", "__getfh30", "__getlogin", "__getvfsstat90", "__lfs_segwait50", "__lstat50", "__lutimes50",
    "__mknod50", "__mount50", "__msgctl50", "__ntp_gettime50", "__posix_chown", "__posix_fchown", "__posix_lchown",
    "__posix_rename", "__quotactl", "__setlogin", "__settimeofday50", "__shmctl50", "__stat50", "__statvfs190",
    "__utimes50", "_ksem_close", "_ksem_destroy", "_ksem_getvalue", "_ksem_init", "_ksem_open", "_ksem_post",
    "_ksem_timedwait", "_ksem_trywait", "_ksem_unlink", "_ksem_wait", "_lwp_continue", "_lwp_suspend", "_lwp_wait",
    "_pset_bind", "_sched_protect" as "__sched_protect" "_sys__sched_protect", "access", "acct", "aio_cancel",
    "aio_error", "aio_fsync", "aio_read", "aio_return", "aio_write", "chdir", "chflags", "chmod", "chown", "chroot",
    "clock_getcpuclockid2", "dup3" = "compat_100_dup3", "epoll_create1", "epoll_ctl", "epoll_pwait2",
    "execve" as "_execve" "_sys_execve", "extattr_delete_fd", "extattr_delete_file", "extattr_delete_link",
    "extattr_get_fd", "extattr_get_file", "extattr_get_link", "extattr_list_fd", "extattr_list_file",
    "extattr_list_link", "extattr_set_fd", "extattr_set_file", "extattr_set_link", "extattrctl", "faccessat", "fchdir",
    "fchflags", "fchmod", "fchmodat", "fchown", "fchownat", "fchroot", "fexecve", "fgetxattr", "fktrace", "flistxattr",
    "flock", "fpathconf", "fremovexattr", "fsetxattr", "fstatat", "futimens", "getsockopt2", "getxattr", "ioctl",
    "ktrace", "lchflags", "lchmod", "lchown", "lfs_bmapv", "lfs_markv", "lfs_segclean", "lgetxattr", "link", "linkat",
    "lio_listio", "listxattr", "llistxattr", "lpathconf", "lremovexattr", "lsetxattr", "memfd_create", "mkdir",
    "mkdirat", "mkfifo", "mkfifoat", "modctl", "mq_close", "mq_getattr", "mq_notify", "mq_open", "mq_setattr",
    "mq_unlink", "mremap", "msgget", "nfssvc", "ntp_adjtime" as "_ntp_adjtime", "pathconf", "profil", "pset_assign",
    "pset_create", "pset_destroy", "ptrace", "rasctl", "readlink" as "_readlink" "_sys_readlink", "readlinkat",
    "reboot", "removexattr", "rename", "renameat", "revoke", "rmdir", "semconfig", "semget", "semop", "semtimedop",
    "setxattr", "shmat", "shmdt", "shmget", "shutdown", "sigqueueinfo", "swapctl", "symlink", "symlinkat", "sync",
    "sysarch" as "_sysarch" "_sys_sysarch", "undelete", "unlink", "unlinkat", "unmount", "utimensat", "utrace",
    "uuidgen", "vadvise",
}

stubs! {
    cancel:
    "____sigtimedwait50", "__aio_suspend50" as "___aio_suspend50" "_sys___aio_suspend50", "__kevent100",
    "__kevent50" as "___kevent50" "_sys___kevent50" = "compat_100___kevent50",
    "__mq_timedreceive50" as "___mq_timedreceive50" "_sys___mq_timedreceive50",
    "__mq_timedsend50" as "___mq_timedsend50" "_sys___mq_timedsend50", "__msync13" as "___msync13" "_sys___msync13",
    "__nanosleep50" as "___nanosleep50" "_sys___nanosleep50", "__pollts50" as "___pollts50" "_sys___pollts50" "ppoll",
    "__pselect50" as "___pselect50" "_sys___pselect50", "__select50" as "___select50" "_sys___select50",
    "__sigsuspend14" as "___sigsuspend14" "_sys___sigsuspend14", "__wait450" as "___wait450" "_sys___wait450",
    "accept" as "_accept" "_sys_accept", "close" as "_close" "_sys_close", "connect" as "_connect" "_sys_connect",
    "fcntl" as "_fcntl" "_sys_fcntl", "fdatasync" as "_fdatasync" "_sys_fdatasync", "fsync" as "_fsync" "_sys_fsync",
    "fsync_range" as "_fsync_range" "_sys_fsync_range", "mq_receive" as "_mq_receive" "_sys_mq_receive",
    "mq_send" as "_mq_send" "_sys_mq_send", "msgrcv" as "_msgrcv" "_sys_msgrcv", "msgsnd" as "_msgsnd" "_sys_msgsnd",
    "open" as "_open" "_sys_open", "openat" as "_openat" "_sys_openat", "paccept" as "_paccept" "_sys_paccept",
    "poll" as "_poll" "_sys_poll", "read" as "_read" "_sys_read", "readv" as "_readv" "_sys_readv",
    "recvfrom" as "_recvfrom" "_sys_recvfrom", "recvmmsg" as "_recvmmsg" "_sys_recvmmsg",
    "recvmsg" as "_recvmsg" "_sys_recvmsg", "sendmmsg" as "_sendmmsg" "_sys_sendmmsg",
    "sendmsg" as "_sendmsg" "_sys_sendmsg", "sendto" as "_sendto" "_sys_sendto", "wait6" as "_wait6" "_sys_wait6",
    "write" as "_write" "_sys_write", "writev" as "_writev" "_sys_writev",
}
