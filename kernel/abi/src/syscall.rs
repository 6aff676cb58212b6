//! System calls, from sys/syscall.h.

/// syscall(2).
pub const SYS_syscall: usize = 0;
/// exit(2).
pub const SYS_exit: usize = 1;
/// fork(2).
pub const SYS_fork: usize = 2;
/// read(2).
pub const SYS_read: usize = 3;
/// write(2).
pub const SYS_write: usize = 4;
/// open(2).
pub const SYS_open: usize = 5;
/// close(2).
pub const SYS_close: usize = 6;
/// compat_50_wait4(2).
pub const SYS_compat_50_wait4: usize = 7;
/// compat_43_ocreat(2).
pub const SYS_compat_43_ocreat: usize = 8;
/// link(2).
pub const SYS_link: usize = 9;
/// unlink(2).
pub const SYS_unlink: usize = 10;
/// chdir(2).
pub const SYS_chdir: usize = 12;
/// fchdir(2).
pub const SYS_fchdir: usize = 13;
/// compat_50_mknod(2).
pub const SYS_compat_50_mknod: usize = 14;
/// chmod(2).
pub const SYS_chmod: usize = 15;
/// chown(2).
pub const SYS_chown: usize = 16;
/// break(2).
pub const SYS_break: usize = 17;
/// compat_20_getfsstat(2).
pub const SYS_compat_20_getfsstat: usize = 18;
/// compat_43_olseek(2).
pub const SYS_compat_43_olseek: usize = 19;
/// getpid(2).
pub const SYS_getpid: usize = 20;
/// compat_40_mount(2).
pub const SYS_compat_40_mount: usize = 21;
/// unmount(2).
pub const SYS_unmount: usize = 22;
/// setuid(2).
pub const SYS_setuid: usize = 23;
/// getuid(2).
pub const SYS_getuid: usize = 24;
/// geteuid(2).
pub const SYS_geteuid: usize = 25;
/// ptrace(2).
pub const SYS_ptrace: usize = 26;
/// recvmsg(2).
pub const SYS_recvmsg: usize = 27;
/// sendmsg(2).
pub const SYS_sendmsg: usize = 28;
/// recvfrom(2).
pub const SYS_recvfrom: usize = 29;
/// accept(2).
pub const SYS_accept: usize = 30;
/// getpeername(2).
pub const SYS_getpeername: usize = 31;
/// getsockname(2).
pub const SYS_getsockname: usize = 32;
/// access(2).
pub const SYS_access: usize = 33;
/// chflags(2).
pub const SYS_chflags: usize = 34;
/// fchflags(2).
pub const SYS_fchflags: usize = 35;
/// sync(2).
pub const SYS_sync: usize = 36;
/// kill(2).
pub const SYS_kill: usize = 37;
/// compat_43_stat43(2).
pub const SYS_compat_43_stat43: usize = 38;
/// getppid(2).
pub const SYS_getppid: usize = 39;
/// compat_43_lstat43(2).
pub const SYS_compat_43_lstat43: usize = 40;
/// dup(2).
pub const SYS_dup: usize = 41;
/// pipe(2).
pub const SYS_pipe: usize = 42;
/// getegid(2).
pub const SYS_getegid: usize = 43;
/// profil(2).
pub const SYS_profil: usize = 44;
/// ktrace(2).
pub const SYS_ktrace: usize = 45;
/// compat_13_sigaction13(2).
pub const SYS_compat_13_sigaction13: usize = 46;
/// getgid(2).
pub const SYS_getgid: usize = 47;
/// compat_13_sigprocmask13(2).
pub const SYS_compat_13_sigprocmask13: usize = 48;
/// __getlogin(2).
pub const SYS___getlogin: usize = 49;
/// __setlogin(2).
pub const SYS___setlogin: usize = 50;
/// acct(2).
pub const SYS_acct: usize = 51;
/// compat_13_sigpending13(2).
pub const SYS_compat_13_sigpending13: usize = 52;
/// compat_13_sigaltstack13(2).
pub const SYS_compat_13_sigaltstack13: usize = 53;
/// ioctl(2).
pub const SYS_ioctl: usize = 54;
/// compat_12_oreboot(2).
pub const SYS_compat_12_oreboot: usize = 55;
/// revoke(2).
pub const SYS_revoke: usize = 56;
/// symlink(2).
pub const SYS_symlink: usize = 57;
/// readlink(2).
pub const SYS_readlink: usize = 58;
/// execve(2).
pub const SYS_execve: usize = 59;
/// umask(2).
pub const SYS_umask: usize = 60;
/// chroot(2).
pub const SYS_chroot: usize = 61;
/// compat_43_fstat43(2).
pub const SYS_compat_43_fstat43: usize = 62;
/// compat_43_ogetkerninfo(2).
pub const SYS_compat_43_ogetkerninfo: usize = 63;
/// compat_43_ogetpagesize(2).
pub const SYS_compat_43_ogetpagesize: usize = 64;
/// compat_12_msync(2).
pub const SYS_compat_12_msync: usize = 65;
/// vfork(2).
pub const SYS_vfork: usize = 66;
/// compat_43_ommap(2).
pub const SYS_compat_43_ommap: usize = 71;
/// vadvise(2).
pub const SYS_vadvise: usize = 72;
/// munmap(2).
pub const SYS_munmap: usize = 73;
/// mprotect(2).
pub const SYS_mprotect: usize = 74;
/// madvise(2).
pub const SYS_madvise: usize = 75;
/// mincore(2).
pub const SYS_mincore: usize = 78;
/// getgroups(2).
pub const SYS_getgroups: usize = 79;
/// setgroups(2).
pub const SYS_setgroups: usize = 80;
/// getpgrp(2).
pub const SYS_getpgrp: usize = 81;
/// setpgid(2).
pub const SYS_setpgid: usize = 82;
/// compat_50_setitimer(2).
pub const SYS_compat_50_setitimer: usize = 83;
/// compat_43_owait(2).
pub const SYS_compat_43_owait: usize = 84;
/// compat_12_oswapon(2).
pub const SYS_compat_12_oswapon: usize = 85;
/// compat_50_getitimer(2).
pub const SYS_compat_50_getitimer: usize = 86;
/// compat_43_ogethostname(2).
pub const SYS_compat_43_ogethostname: usize = 87;
/// compat_43_osethostname(2).
pub const SYS_compat_43_osethostname: usize = 88;
/// compat_43_ogetdtablesize(2).
pub const SYS_compat_43_ogetdtablesize: usize = 89;
/// dup2(2).
pub const SYS_dup2: usize = 90;
/// getrandom(2).
pub const SYS_getrandom: usize = 91;
/// fcntl(2).
pub const SYS_fcntl: usize = 92;
/// compat_50_select(2).
pub const SYS_compat_50_select: usize = 93;
/// fsync(2).
pub const SYS_fsync: usize = 95;
/// setpriority(2).
pub const SYS_setpriority: usize = 96;
/// compat_30_socket(2).
pub const SYS_compat_30_socket: usize = 97;
/// connect(2).
pub const SYS_connect: usize = 98;
/// compat_43_oaccept(2).
pub const SYS_compat_43_oaccept: usize = 99;
/// getpriority(2).
pub const SYS_getpriority: usize = 100;
/// compat_43_osend(2).
pub const SYS_compat_43_osend: usize = 101;
/// compat_43_orecv(2).
pub const SYS_compat_43_orecv: usize = 102;
/// compat_13_sigreturn13(2).
pub const SYS_compat_13_sigreturn13: usize = 103;
/// bind(2).
pub const SYS_bind: usize = 104;
/// setsockopt(2).
pub const SYS_setsockopt: usize = 105;
/// listen(2).
pub const SYS_listen: usize = 106;
/// compat_43_osigvec(2).
pub const SYS_compat_43_osigvec: usize = 108;
/// compat_43_osigblock(2).
pub const SYS_compat_43_osigblock: usize = 109;
/// compat_43_osigsetmask(2).
pub const SYS_compat_43_osigsetmask: usize = 110;
/// compat_13_sigsuspend13(2).
pub const SYS_compat_13_sigsuspend13: usize = 111;
/// compat_43_osigstack(2).
pub const SYS_compat_43_osigstack: usize = 112;
/// compat_43_orecvmsg(2).
pub const SYS_compat_43_orecvmsg: usize = 113;
/// compat_43_osendmsg(2).
pub const SYS_compat_43_osendmsg: usize = 114;
/// compat_50_gettimeofday(2).
pub const SYS_compat_50_gettimeofday: usize = 116;
/// compat_50_getrusage(2).
pub const SYS_compat_50_getrusage: usize = 117;
/// getsockopt(2).
pub const SYS_getsockopt: usize = 118;
/// readv(2).
pub const SYS_readv: usize = 120;
/// writev(2).
pub const SYS_writev: usize = 121;
/// compat_50_settimeofday(2).
pub const SYS_compat_50_settimeofday: usize = 122;
/// fchown(2).
pub const SYS_fchown: usize = 123;
/// fchmod(2).
pub const SYS_fchmod: usize = 124;
/// compat_43_orecvfrom(2).
pub const SYS_compat_43_orecvfrom: usize = 125;
/// setreuid(2).
pub const SYS_setreuid: usize = 126;
/// setregid(2).
pub const SYS_setregid: usize = 127;
/// rename(2).
pub const SYS_rename: usize = 128;
/// compat_43_otruncate(2).
pub const SYS_compat_43_otruncate: usize = 129;
/// compat_43_oftruncate(2).
pub const SYS_compat_43_oftruncate: usize = 130;
/// flock(2).
pub const SYS_flock: usize = 131;
/// mkfifo(2).
pub const SYS_mkfifo: usize = 132;
/// sendto(2).
pub const SYS_sendto: usize = 133;
/// shutdown(2).
pub const SYS_shutdown: usize = 134;
/// socketpair(2).
pub const SYS_socketpair: usize = 135;
/// mkdir(2).
pub const SYS_mkdir: usize = 136;
/// rmdir(2).
pub const SYS_rmdir: usize = 137;
/// compat_50_utimes(2).
pub const SYS_compat_50_utimes: usize = 138;
/// compat_50_adjtime(2).
pub const SYS_compat_50_adjtime: usize = 140;
/// compat_43_ogetpeername(2).
pub const SYS_compat_43_ogetpeername: usize = 141;
/// compat_43_ogethostid(2).
pub const SYS_compat_43_ogethostid: usize = 142;
/// compat_43_osethostid(2).
pub const SYS_compat_43_osethostid: usize = 143;
/// compat_43_ogetrlimit(2).
pub const SYS_compat_43_ogetrlimit: usize = 144;
/// compat_43_osetrlimit(2).
pub const SYS_compat_43_osetrlimit: usize = 145;
/// compat_43_okillpg(2).
pub const SYS_compat_43_okillpg: usize = 146;
/// setsid(2).
pub const SYS_setsid: usize = 147;
/// compat_50_quotactl(2).
pub const SYS_compat_50_quotactl: usize = 148;
/// compat_43_oquota(2).
pub const SYS_compat_43_oquota: usize = 149;
/// compat_43_ogetsockname(2).
pub const SYS_compat_43_ogetsockname: usize = 150;
/// nfssvc(2).
pub const SYS_nfssvc: usize = 155;
/// compat_43_ogetdirentries(2).
pub const SYS_compat_43_ogetdirentries: usize = 156;
/// compat_20_statfs(2).
pub const SYS_compat_20_statfs: usize = 157;
/// compat_20_fstatfs(2).
pub const SYS_compat_20_fstatfs: usize = 158;
/// compat_30_getfh(2).
pub const SYS_compat_30_getfh: usize = 161;
/// compat_09_ogetdomainname(2).
pub const SYS_compat_09_ogetdomainname: usize = 162;
/// compat_09_osetdomainname(2).
pub const SYS_compat_09_osetdomainname: usize = 163;
/// compat_09_ouname(2).
pub const SYS_compat_09_ouname: usize = 164;
/// sysarch(2).
pub const SYS_sysarch: usize = 165;
/// __futex(2).
pub const SYS___futex: usize = 166;
/// __futex_set_robust_list(2).
pub const SYS___futex_set_robust_list: usize = 167;
/// __futex_get_robust_list(2).
pub const SYS___futex_get_robust_list: usize = 168;
/// compat_10_osemsys(2).
pub const SYS_compat_10_osemsys: usize = 169;
/// compat_10_omsgsys(2).
pub const SYS_compat_10_omsgsys: usize = 170;
/// compat_10_oshmsys(2).
pub const SYS_compat_10_oshmsys: usize = 171;
/// pread(2).
pub const SYS_pread: usize = 173;
/// pwrite(2).
pub const SYS_pwrite: usize = 174;
/// compat_30_ntp_gettime(2).
pub const SYS_compat_30_ntp_gettime: usize = 175;
/// ntp_adjtime(2).
pub const SYS_ntp_adjtime: usize = 176;
/// timerfd_create(2).
pub const SYS_timerfd_create: usize = 177;
/// timerfd_settime(2).
pub const SYS_timerfd_settime: usize = 178;
/// timerfd_gettime(2).
pub const SYS_timerfd_gettime: usize = 179;
/// setgid(2).
pub const SYS_setgid: usize = 181;
/// setegid(2).
pub const SYS_setegid: usize = 182;
/// seteuid(2).
pub const SYS_seteuid: usize = 183;
/// lfs_bmapv(2).
pub const SYS_lfs_bmapv: usize = 184;
/// lfs_markv(2).
pub const SYS_lfs_markv: usize = 185;
/// lfs_segclean(2).
pub const SYS_lfs_segclean: usize = 186;
/// compat_50_lfs_segwait(2).
pub const SYS_compat_50_lfs_segwait: usize = 187;
/// compat_12_stat12(2).
pub const SYS_compat_12_stat12: usize = 188;
/// compat_12_fstat12(2).
pub const SYS_compat_12_fstat12: usize = 189;
/// compat_12_lstat12(2).
pub const SYS_compat_12_lstat12: usize = 190;
/// pathconf(2).
pub const SYS_pathconf: usize = 191;
/// fpathconf(2).
pub const SYS_fpathconf: usize = 192;
/// getsockopt2(2).
pub const SYS_getsockopt2: usize = 193;
/// getrlimit(2).
pub const SYS_getrlimit: usize = 194;
/// setrlimit(2).
pub const SYS_setrlimit: usize = 195;
/// compat_12_getdirentries(2).
pub const SYS_compat_12_getdirentries: usize = 196;
/// mmap(2).
pub const SYS_mmap: usize = 197;
/// __syscall(2).
pub const SYS___syscall: usize = 198;
/// lseek(2).
pub const SYS_lseek: usize = 199;
/// truncate(2).
pub const SYS_truncate: usize = 200;
/// ftruncate(2).
pub const SYS_ftruncate: usize = 201;
/// __sysctl(2).
pub const SYS___sysctl: usize = 202;
/// mlock(2).
pub const SYS_mlock: usize = 203;
/// munlock(2).
pub const SYS_munlock: usize = 204;
/// undelete(2).
pub const SYS_undelete: usize = 205;
/// compat_50_futimes(2).
pub const SYS_compat_50_futimes: usize = 206;
/// getpgid(2).
pub const SYS_getpgid: usize = 207;
/// reboot(2).
pub const SYS_reboot: usize = 208;
/// poll(2).
pub const SYS_poll: usize = 209;
/// afssys(2).
pub const SYS_afssys: usize = 210;
/// compat_14___semctl(2).
pub const SYS_compat_14___semctl: usize = 220;
/// semget(2).
pub const SYS_semget: usize = 221;
/// semop(2).
pub const SYS_semop: usize = 222;
/// semconfig(2).
pub const SYS_semconfig: usize = 223;
/// compat_14_msgctl(2).
pub const SYS_compat_14_msgctl: usize = 224;
/// msgget(2).
pub const SYS_msgget: usize = 225;
/// msgsnd(2).
pub const SYS_msgsnd: usize = 226;
/// msgrcv(2).
pub const SYS_msgrcv: usize = 227;
/// shmat(2).
pub const SYS_shmat: usize = 228;
/// compat_14_shmctl(2).
pub const SYS_compat_14_shmctl: usize = 229;
/// shmdt(2).
pub const SYS_shmdt: usize = 230;
/// shmget(2).
pub const SYS_shmget: usize = 231;
/// compat_50_clock_gettime(2).
pub const SYS_compat_50_clock_gettime: usize = 232;
/// compat_50_clock_settime(2).
pub const SYS_compat_50_clock_settime: usize = 233;
/// compat_50_clock_getres(2).
pub const SYS_compat_50_clock_getres: usize = 234;
/// timer_create(2).
pub const SYS_timer_create: usize = 235;
/// timer_delete(2).
pub const SYS_timer_delete: usize = 236;
/// compat_50_timer_settime(2).
pub const SYS_compat_50_timer_settime: usize = 237;
/// compat_50_timer_gettime(2).
pub const SYS_compat_50_timer_gettime: usize = 238;
/// timer_getoverrun(2).
pub const SYS_timer_getoverrun: usize = 239;
/// compat_50_nanosleep(2).
pub const SYS_compat_50_nanosleep: usize = 240;
/// fdatasync(2).
pub const SYS_fdatasync: usize = 241;
/// mlockall(2).
pub const SYS_mlockall: usize = 242;
/// munlockall(2).
pub const SYS_munlockall: usize = 243;
/// compat_50___sigtimedwait(2).
pub const SYS_compat_50___sigtimedwait: usize = 244;
/// sigqueueinfo(2).
pub const SYS_sigqueueinfo: usize = 245;
/// modctl(2).
pub const SYS_modctl: usize = 246;
/// _ksem_init(2).
pub const SYS__ksem_init: usize = 247;
/// _ksem_open(2).
pub const SYS__ksem_open: usize = 248;
/// _ksem_unlink(2).
pub const SYS__ksem_unlink: usize = 249;
/// _ksem_close(2).
pub const SYS__ksem_close: usize = 250;
/// _ksem_post(2).
pub const SYS__ksem_post: usize = 251;
/// _ksem_wait(2).
pub const SYS__ksem_wait: usize = 252;
/// _ksem_trywait(2).
pub const SYS__ksem_trywait: usize = 253;
/// _ksem_getvalue(2).
pub const SYS__ksem_getvalue: usize = 254;
/// _ksem_destroy(2).
pub const SYS__ksem_destroy: usize = 255;
/// _ksem_timedwait(2).
pub const SYS__ksem_timedwait: usize = 256;
/// mq_open(2).
pub const SYS_mq_open: usize = 257;
/// mq_close(2).
pub const SYS_mq_close: usize = 258;
/// mq_unlink(2).
pub const SYS_mq_unlink: usize = 259;
/// mq_getattr(2).
pub const SYS_mq_getattr: usize = 260;
/// mq_setattr(2).
pub const SYS_mq_setattr: usize = 261;
/// mq_notify(2).
pub const SYS_mq_notify: usize = 262;
/// mq_send(2).
pub const SYS_mq_send: usize = 263;
/// mq_receive(2).
pub const SYS_mq_receive: usize = 264;
/// compat_50_mq_timedsend(2).
pub const SYS_compat_50_mq_timedsend: usize = 265;
/// compat_50_mq_timedreceive(2).
pub const SYS_compat_50_mq_timedreceive: usize = 266;
/// eventfd(2).
pub const SYS_eventfd: usize = 267;
/// __posix_rename(2).
pub const SYS___posix_rename: usize = 270;
/// swapctl(2).
pub const SYS_swapctl: usize = 271;
/// compat_30_getdents(2).
pub const SYS_compat_30_getdents: usize = 272;
/// minherit(2).
pub const SYS_minherit: usize = 273;
/// lchmod(2).
pub const SYS_lchmod: usize = 274;
/// lchown(2).
pub const SYS_lchown: usize = 275;
/// compat_50_lutimes(2).
pub const SYS_compat_50_lutimes: usize = 276;
/// __msync13(2).
pub const SYS___msync13: usize = 277;
/// compat_30___stat13(2).
pub const SYS_compat_30___stat13: usize = 278;
/// compat_30___fstat13(2).
pub const SYS_compat_30___fstat13: usize = 279;
/// compat_30___lstat13(2).
pub const SYS_compat_30___lstat13: usize = 280;
/// __sigaltstack14(2).
pub const SYS___sigaltstack14: usize = 281;
/// __vfork14(2).
pub const SYS___vfork14: usize = 282;
/// __posix_chown(2).
pub const SYS___posix_chown: usize = 283;
/// __posix_fchown(2).
pub const SYS___posix_fchown: usize = 284;
/// __posix_lchown(2).
pub const SYS___posix_lchown: usize = 285;
/// getsid(2).
pub const SYS_getsid: usize = 286;
/// __clone(2).
pub const SYS___clone: usize = 287;
/// fktrace(2).
pub const SYS_fktrace: usize = 288;
/// preadv(2).
pub const SYS_preadv: usize = 289;
/// pwritev(2).
pub const SYS_pwritev: usize = 290;
/// compat_16___sigaction14(2).
pub const SYS_compat_16___sigaction14: usize = 291;
/// __sigpending14(2).
pub const SYS___sigpending14: usize = 292;
/// __sigprocmask14(2).
pub const SYS___sigprocmask14: usize = 293;
/// __sigsuspend14(2).
pub const SYS___sigsuspend14: usize = 294;
/// compat_16___sigreturn14(2).
pub const SYS_compat_16___sigreturn14: usize = 295;
/// __getcwd(2).
pub const SYS___getcwd: usize = 296;
/// fchroot(2).
pub const SYS_fchroot: usize = 297;
/// compat_30_fhopen(2).
pub const SYS_compat_30_fhopen: usize = 298;
/// compat_30_fhstat(2).
pub const SYS_compat_30_fhstat: usize = 299;
/// compat_20_fhstatfs(2).
pub const SYS_compat_20_fhstatfs: usize = 300;
/// compat_50_____semctl13(2).
pub const SYS_compat_50_____semctl13: usize = 301;
/// compat_50___msgctl13(2).
pub const SYS_compat_50___msgctl13: usize = 302;
/// compat_50___shmctl13(2).
pub const SYS_compat_50___shmctl13: usize = 303;
/// lchflags(2).
pub const SYS_lchflags: usize = 304;
/// issetugid(2).
pub const SYS_issetugid: usize = 305;
/// utrace(2).
pub const SYS_utrace: usize = 306;
/// getcontext(2).
pub const SYS_getcontext: usize = 307;
/// setcontext(2).
pub const SYS_setcontext: usize = 308;
/// _lwp_create(2).
pub const SYS__lwp_create: usize = 309;
/// _lwp_exit(2).
pub const SYS__lwp_exit: usize = 310;
/// _lwp_self(2).
pub const SYS__lwp_self: usize = 311;
/// _lwp_wait(2).
pub const SYS__lwp_wait: usize = 312;
/// _lwp_suspend(2).
pub const SYS__lwp_suspend: usize = 313;
/// _lwp_continue(2).
pub const SYS__lwp_continue: usize = 314;
/// _lwp_wakeup(2).
pub const SYS__lwp_wakeup: usize = 315;
/// _lwp_getprivate(2).
pub const SYS__lwp_getprivate: usize = 316;
/// _lwp_setprivate(2).
pub const SYS__lwp_setprivate: usize = 317;
/// _lwp_kill(2).
pub const SYS__lwp_kill: usize = 318;
/// _lwp_detach(2).
pub const SYS__lwp_detach: usize = 319;
/// compat_50__lwp_park(2).
pub const SYS_compat_50__lwp_park: usize = 320;
/// _lwp_unpark(2).
pub const SYS__lwp_unpark: usize = 321;
/// _lwp_unpark_all(2).
pub const SYS__lwp_unpark_all: usize = 322;
/// _lwp_setname(2).
pub const SYS__lwp_setname: usize = 323;
/// _lwp_getname(2).
pub const SYS__lwp_getname: usize = 324;
/// _lwp_ctl(2).
pub const SYS__lwp_ctl: usize = 325;
/// compat_60_sa_register(2).
pub const SYS_compat_60_sa_register: usize = 330;
/// compat_60_sa_stacks(2).
pub const SYS_compat_60_sa_stacks: usize = 331;
/// compat_60_sa_enable(2).
pub const SYS_compat_60_sa_enable: usize = 332;
/// compat_60_sa_setconcurrency(2).
pub const SYS_compat_60_sa_setconcurrency: usize = 333;
/// compat_60_sa_yield(2).
pub const SYS_compat_60_sa_yield: usize = 334;
/// compat_60_sa_preempt(2).
pub const SYS_compat_60_sa_preempt: usize = 335;
/// __sigaction_sigtramp(2).
pub const SYS___sigaction_sigtramp: usize = 340;
/// rasctl(2).
pub const SYS_rasctl: usize = 343;
/// kqueue(2).
pub const SYS_kqueue: usize = 344;
/// compat_50_kevent(2).
pub const SYS_compat_50_kevent: usize = 345;
/// _sched_setparam(2).
pub const SYS__sched_setparam: usize = 346;
/// _sched_getparam(2).
pub const SYS__sched_getparam: usize = 347;
/// _sched_setaffinity(2).
pub const SYS__sched_setaffinity: usize = 348;
/// _sched_getaffinity(2).
pub const SYS__sched_getaffinity: usize = 349;
/// sched_yield(2).
pub const SYS_sched_yield: usize = 350;
/// _sched_protect(2).
pub const SYS__sched_protect: usize = 351;
/// fsync_range(2).
pub const SYS_fsync_range: usize = 354;
/// uuidgen(2).
pub const SYS_uuidgen: usize = 355;
/// compat_90_getvfsstat(2).
pub const SYS_compat_90_getvfsstat: usize = 356;
/// compat_90_statvfs1(2).
pub const SYS_compat_90_statvfs1: usize = 357;
/// compat_90_fstatvfs1(2).
pub const SYS_compat_90_fstatvfs1: usize = 358;
/// compat_30_fhstatvfs1(2).
pub const SYS_compat_30_fhstatvfs1: usize = 359;
/// extattrctl(2).
pub const SYS_extattrctl: usize = 360;
/// extattr_set_file(2).
pub const SYS_extattr_set_file: usize = 361;
/// extattr_get_file(2).
pub const SYS_extattr_get_file: usize = 362;
/// extattr_delete_file(2).
pub const SYS_extattr_delete_file: usize = 363;
/// extattr_set_fd(2).
pub const SYS_extattr_set_fd: usize = 364;
/// extattr_get_fd(2).
pub const SYS_extattr_get_fd: usize = 365;
/// extattr_delete_fd(2).
pub const SYS_extattr_delete_fd: usize = 366;
/// extattr_set_link(2).
pub const SYS_extattr_set_link: usize = 367;
/// extattr_get_link(2).
pub const SYS_extattr_get_link: usize = 368;
/// extattr_delete_link(2).
pub const SYS_extattr_delete_link: usize = 369;
/// extattr_list_fd(2).
pub const SYS_extattr_list_fd: usize = 370;
/// extattr_list_file(2).
pub const SYS_extattr_list_file: usize = 371;
/// extattr_list_link(2).
pub const SYS_extattr_list_link: usize = 372;
/// compat_50_pselect(2).
pub const SYS_compat_50_pselect: usize = 373;
/// compat_50_pollts(2).
pub const SYS_compat_50_pollts: usize = 374;
/// setxattr(2).
pub const SYS_setxattr: usize = 375;
/// lsetxattr(2).
pub const SYS_lsetxattr: usize = 376;
/// fsetxattr(2).
pub const SYS_fsetxattr: usize = 377;
/// getxattr(2).
pub const SYS_getxattr: usize = 378;
/// lgetxattr(2).
pub const SYS_lgetxattr: usize = 379;
/// fgetxattr(2).
pub const SYS_fgetxattr: usize = 380;
/// listxattr(2).
pub const SYS_listxattr: usize = 381;
/// llistxattr(2).
pub const SYS_llistxattr: usize = 382;
/// flistxattr(2).
pub const SYS_flistxattr: usize = 383;
/// removexattr(2).
pub const SYS_removexattr: usize = 384;
/// lremovexattr(2).
pub const SYS_lremovexattr: usize = 385;
/// fremovexattr(2).
pub const SYS_fremovexattr: usize = 386;
/// compat_50___stat30(2).
pub const SYS_compat_50___stat30: usize = 387;
/// compat_50___fstat30(2).
pub const SYS_compat_50___fstat30: usize = 388;
/// compat_50___lstat30(2).
pub const SYS_compat_50___lstat30: usize = 389;
/// __getdents30(2).
pub const SYS___getdents30: usize = 390;
/// compat_30___fhstat30(2).
pub const SYS_compat_30___fhstat30: usize = 392;
/// compat_50___ntp_gettime30(2).
pub const SYS_compat_50___ntp_gettime30: usize = 393;
/// __socket30(2).
pub const SYS___socket30: usize = 394;
/// __getfh30(2).
pub const SYS___getfh30: usize = 395;
/// __fhopen40(2).
pub const SYS___fhopen40: usize = 396;
/// compat_90_fhstatvfs1(2).
pub const SYS_compat_90_fhstatvfs1: usize = 397;
/// compat_50___fhstat40(2).
pub const SYS_compat_50___fhstat40: usize = 398;
/// aio_cancel(2).
pub const SYS_aio_cancel: usize = 399;
/// aio_error(2).
pub const SYS_aio_error: usize = 400;
/// aio_fsync(2).
pub const SYS_aio_fsync: usize = 401;
/// aio_read(2).
pub const SYS_aio_read: usize = 402;
/// aio_return(2).
pub const SYS_aio_return: usize = 403;
/// compat_50_aio_suspend(2).
pub const SYS_compat_50_aio_suspend: usize = 404;
/// aio_write(2).
pub const SYS_aio_write: usize = 405;
/// lio_listio(2).
pub const SYS_lio_listio: usize = 406;
/// __mount50(2).
pub const SYS___mount50: usize = 410;
/// mremap(2).
pub const SYS_mremap: usize = 411;
/// pset_create(2).
pub const SYS_pset_create: usize = 412;
/// pset_destroy(2).
pub const SYS_pset_destroy: usize = 413;
/// pset_assign(2).
pub const SYS_pset_assign: usize = 414;
/// _pset_bind(2).
pub const SYS__pset_bind: usize = 415;
/// __posix_fadvise50(2).
pub const SYS___posix_fadvise50: usize = 416;
/// __select50(2).
pub const SYS___select50: usize = 417;
/// __gettimeofday50(2).
pub const SYS___gettimeofday50: usize = 418;
/// __settimeofday50(2).
pub const SYS___settimeofday50: usize = 419;
/// __utimes50(2).
pub const SYS___utimes50: usize = 420;
/// __adjtime50(2).
pub const SYS___adjtime50: usize = 421;
/// __lfs_segwait50(2).
pub const SYS___lfs_segwait50: usize = 422;
/// __futimes50(2).
pub const SYS___futimes50: usize = 423;
/// __lutimes50(2).
pub const SYS___lutimes50: usize = 424;
/// __setitimer50(2).
pub const SYS___setitimer50: usize = 425;
/// __getitimer50(2).
pub const SYS___getitimer50: usize = 426;
/// __clock_gettime50(2).
pub const SYS___clock_gettime50: usize = 427;
/// __clock_settime50(2).
pub const SYS___clock_settime50: usize = 428;
/// __clock_getres50(2).
pub const SYS___clock_getres50: usize = 429;
/// __nanosleep50(2).
pub const SYS___nanosleep50: usize = 430;
/// ____sigtimedwait50(2).
pub const SYS_____sigtimedwait50: usize = 431;
/// __mq_timedsend50(2).
pub const SYS___mq_timedsend50: usize = 432;
/// __mq_timedreceive50(2).
pub const SYS___mq_timedreceive50: usize = 433;
/// compat_60__lwp_park(2).
pub const SYS_compat_60__lwp_park: usize = 434;
/// compat_100___kevent50(2).
pub const SYS_compat_100___kevent50: usize = 435;
/// __pselect50(2).
pub const SYS___pselect50: usize = 436;
/// __pollts50(2).
pub const SYS___pollts50: usize = 437;
/// __aio_suspend50(2).
pub const SYS___aio_suspend50: usize = 438;
/// __stat50(2).
pub const SYS___stat50: usize = 439;
/// __fstat50(2).
pub const SYS___fstat50: usize = 440;
/// __lstat50(2).
pub const SYS___lstat50: usize = 441;
/// ____semctl50(2).
pub const SYS_____semctl50: usize = 442;
/// __shmctl50(2).
pub const SYS___shmctl50: usize = 443;
/// __msgctl50(2).
pub const SYS___msgctl50: usize = 444;
/// __getrusage50(2).
pub const SYS___getrusage50: usize = 445;
/// __timer_settime50(2).
pub const SYS___timer_settime50: usize = 446;
/// __timer_gettime50(2).
pub const SYS___timer_gettime50: usize = 447;
/// __ntp_gettime50(2).
pub const SYS___ntp_gettime50: usize = 448;
/// __wait450(2).
pub const SYS___wait450: usize = 449;
/// __mknod50(2).
pub const SYS___mknod50: usize = 450;
/// __fhstat50(2).
pub const SYS___fhstat50: usize = 451;
/// pipe2(2).
pub const SYS_pipe2: usize = 453;
/// compat_100_dup3(2).
pub const SYS_compat_100_dup3: usize = 454;
/// kqueue1(2).
pub const SYS_kqueue1: usize = 455;
/// paccept(2).
pub const SYS_paccept: usize = 456;
/// linkat(2).
pub const SYS_linkat: usize = 457;
/// renameat(2).
pub const SYS_renameat: usize = 458;
/// mkfifoat(2).
pub const SYS_mkfifoat: usize = 459;
/// mknodat(2).
pub const SYS_mknodat: usize = 460;
/// mkdirat(2).
pub const SYS_mkdirat: usize = 461;
/// faccessat(2).
pub const SYS_faccessat: usize = 462;
/// fchmodat(2).
pub const SYS_fchmodat: usize = 463;
/// fchownat(2).
pub const SYS_fchownat: usize = 464;
/// fexecve(2).
pub const SYS_fexecve: usize = 465;
/// fstatat(2).
pub const SYS_fstatat: usize = 466;
/// utimensat(2).
pub const SYS_utimensat: usize = 467;
/// openat(2).
pub const SYS_openat: usize = 468;
/// readlinkat(2).
pub const SYS_readlinkat: usize = 469;
/// symlinkat(2).
pub const SYS_symlinkat: usize = 470;
/// unlinkat(2).
pub const SYS_unlinkat: usize = 471;
/// futimens(2).
pub const SYS_futimens: usize = 472;
/// __quotactl(2).
pub const SYS___quotactl: usize = 473;
/// posix_spawn(2).
pub const SYS_posix_spawn: usize = 474;
/// recvmmsg(2).
pub const SYS_recvmmsg: usize = 475;
/// sendmmsg(2).
pub const SYS_sendmmsg: usize = 476;
/// clock_nanosleep(2).
pub const SYS_clock_nanosleep: usize = 477;
/// ___lwp_park60(2).
pub const SYS____lwp_park60: usize = 478;
/// posix_fallocate(2).
pub const SYS_posix_fallocate: usize = 479;
/// fdiscard(2).
pub const SYS_fdiscard: usize = 480;
/// wait6(2).
pub const SYS_wait6: usize = 481;
/// clock_getcpuclockid2(2).
pub const SYS_clock_getcpuclockid2: usize = 482;
/// __getvfsstat90(2).
pub const SYS___getvfsstat90: usize = 483;
/// __statvfs190(2).
pub const SYS___statvfs190: usize = 484;
/// __fstatvfs190(2).
pub const SYS___fstatvfs190: usize = 485;
/// __fhstatvfs190(2).
pub const SYS___fhstatvfs190: usize = 486;
/// __acl_get_link(2).
pub const SYS___acl_get_link: usize = 487;
/// __acl_set_link(2).
pub const SYS___acl_set_link: usize = 488;
/// __acl_delete_link(2).
pub const SYS___acl_delete_link: usize = 489;
/// __acl_aclcheck_link(2).
pub const SYS___acl_aclcheck_link: usize = 490;
/// __acl_get_file(2).
pub const SYS___acl_get_file: usize = 491;
/// __acl_set_file(2).
pub const SYS___acl_set_file: usize = 492;
/// __acl_get_fd(2).
pub const SYS___acl_get_fd: usize = 493;
/// __acl_set_fd(2).
pub const SYS___acl_set_fd: usize = 494;
/// __acl_delete_file(2).
pub const SYS___acl_delete_file: usize = 495;
/// __acl_delete_fd(2).
pub const SYS___acl_delete_fd: usize = 496;
/// __acl_aclcheck_file(2).
pub const SYS___acl_aclcheck_file: usize = 497;
/// __acl_aclcheck_fd(2).
pub const SYS___acl_aclcheck_fd: usize = 498;
/// lpathconf(2).
pub const SYS_lpathconf: usize = 499;
/// memfd_create(2).
pub const SYS_memfd_create: usize = 500;
/// __kevent100(2).
pub const SYS___kevent100: usize = 501;
/// epoll_create1(2).
pub const SYS_epoll_create1: usize = 502;
/// epoll_ctl(2).
pub const SYS_epoll_ctl: usize = 503;
/// epoll_pwait2(2).
pub const SYS_epoll_pwait2: usize = 504;
/// __dup3100(2).
pub const SYS___dup3100: usize = 505;
/// semtimedop(2).
pub const SYS_semtimedop: usize = 506;

/// A system call.
#[derive(Clone, Copy, Debug)]
pub struct Syscall {
    /// Number.
    pub number: usize,
    /// Name.
    pub name: &'static str,
    /// Return type.
    pub ret: &'static str,
    /// Argument types.
    pub args: &'static [&'static str],
}

/// All system calls, by number.
pub const SYSCALLS: &[Syscall] = &[
    Syscall { number: 0, name: "syscall", ret: "int", args: &["int", "..."] },
    Syscall { number: 1, name: "exit", ret: "void", args: &["int"] },
    Syscall { number: 2, name: "fork", ret: "int", args: &[] },
    Syscall { number: 3, name: "read", ret: "ssize_t", args: &["int", "void *", "size_t"] },
    Syscall { number: 4, name: "write", ret: "ssize_t", args: &["int", "const void *", "size_t"] },
    Syscall { number: 5, name: "open", ret: "int", args: &["const char *", "int", "..."] },
    Syscall { number: 6, name: "close", ret: "int", args: &["int"] },
    Syscall {
        number: 7,
        name: "compat_50_wait4",
        ret: "int",
        args: &["pid_t", "int *", "int", "struct rusage50 *"],
    },
    Syscall { number: 8, name: "compat_43_ocreat", ret: "int", args: &["const char *", "mode_t"] },
    Syscall { number: 9, name: "link", ret: "int", args: &["const char *", "const char *"] },
    Syscall { number: 10, name: "unlink", ret: "int", args: &["const char *"] },
    Syscall { number: 12, name: "chdir", ret: "int", args: &["const char *"] },
    Syscall { number: 13, name: "fchdir", ret: "int", args: &["int"] },
    Syscall {
        number: 14,
        name: "compat_50_mknod",
        ret: "int",
        args: &["const char *", "mode_t", "uint32_t"],
    },
    Syscall { number: 15, name: "chmod", ret: "int", args: &["const char *", "mode_t"] },
    Syscall { number: 16, name: "chown", ret: "int", args: &["const char *", "uid_t", "gid_t"] },
    Syscall { number: 17, name: "break", ret: "int", args: &["char *"] },
    Syscall {
        number: 18,
        name: "compat_20_getfsstat",
        ret: "int",
        args: &["struct statfs12 *", "long", "int"],
    },
    Syscall { number: 19, name: "compat_43_olseek", ret: "long", args: &["int", "long", "int"] },
    Syscall { number: 20, name: "getpid", ret: "pid_t", args: &[] },
    Syscall {
        number: 21,
        name: "compat_40_mount",
        ret: "int",
        args: &["const char *", "const char *", "int", "void *"],
    },
    Syscall { number: 22, name: "unmount", ret: "int", args: &["const char *", "int"] },
    Syscall { number: 23, name: "setuid", ret: "int", args: &["uid_t"] },
    Syscall { number: 24, name: "getuid", ret: "uid_t", args: &[] },
    Syscall { number: 25, name: "geteuid", ret: "uid_t", args: &[] },
    Syscall { number: 26, name: "ptrace", ret: "int", args: &["int", "pid_t", "void *", "int"] },
    Syscall { number: 27, name: "recvmsg", ret: "ssize_t", args: &["int", "struct msghdr *", "int"] },
    Syscall { number: 28, name: "sendmsg", ret: "ssize_t", args: &["int", "const struct msghdr *", "int"] },
    Syscall {
        number: 29,
        name: "recvfrom",
        ret: "ssize_t",
        args: &["int", "void *", "size_t", "int", "struct sockaddr *", "socklen_t *"],
    },
    Syscall { number: 30, name: "accept", ret: "int", args: &["int", "struct sockaddr *", "socklen_t *"] },
    Syscall {
        number: 31,
        name: "getpeername",
        ret: "int",
        args: &["int", "struct sockaddr *", "socklen_t *"],
    },
    Syscall {
        number: 32,
        name: "getsockname",
        ret: "int",
        args: &["int", "struct sockaddr *", "socklen_t *"],
    },
    Syscall { number: 33, name: "access", ret: "int", args: &["const char *", "int"] },
    Syscall { number: 34, name: "chflags", ret: "int", args: &["const char *", "u_long"] },
    Syscall { number: 35, name: "fchflags", ret: "int", args: &["int", "u_long"] },
    Syscall { number: 36, name: "sync", ret: "void", args: &[] },
    Syscall { number: 37, name: "kill", ret: "int", args: &["pid_t", "int"] },
    Syscall { number: 38, name: "compat_43_stat43", ret: "int", args: &["const char *", "struct stat43 *"] },
    Syscall { number: 39, name: "getppid", ret: "pid_t", args: &[] },
    Syscall { number: 40, name: "compat_43_lstat43", ret: "int", args: &["const char *", "struct stat43 *"] },
    Syscall { number: 41, name: "dup", ret: "int", args: &["int"] },
    Syscall { number: 42, name: "pipe", ret: "int", args: &[] },
    Syscall { number: 43, name: "getegid", ret: "gid_t", args: &[] },
    Syscall { number: 44, name: "profil", ret: "int", args: &["char *", "size_t", "u_long", "u_int"] },
    Syscall { number: 45, name: "ktrace", ret: "int", args: &["const char *", "int", "int", "pid_t"] },
    Syscall {
        number: 46,
        name: "compat_13_sigaction13",
        ret: "int",
        args: &["int", "const struct sigaction13 *", "struct sigaction13 *"],
    },
    Syscall { number: 47, name: "getgid", ret: "gid_t", args: &[] },
    Syscall { number: 48, name: "compat_13_sigprocmask13", ret: "int", args: &["int", "int"] },
    Syscall { number: 49, name: "__getlogin", ret: "int", args: &["char *", "size_t"] },
    Syscall { number: 50, name: "__setlogin", ret: "int", args: &["const char *"] },
    Syscall { number: 51, name: "acct", ret: "int", args: &["const char *"] },
    Syscall { number: 52, name: "compat_13_sigpending13", ret: "int", args: &[] },
    Syscall {
        number: 53,
        name: "compat_13_sigaltstack13",
        ret: "int",
        args: &["const struct sigaltstack13 *", "struct sigaltstack13 *"],
    },
    Syscall { number: 54, name: "ioctl", ret: "int", args: &["int", "u_long", "..."] },
    Syscall { number: 55, name: "compat_12_oreboot", ret: "int", args: &["int"] },
    Syscall { number: 56, name: "revoke", ret: "int", args: &["const char *"] },
    Syscall { number: 57, name: "symlink", ret: "int", args: &["const char *", "const char *"] },
    Syscall { number: 58, name: "readlink", ret: "ssize_t", args: &["const char *", "char *", "size_t"] },
    Syscall {
        number: 59,
        name: "execve",
        ret: "int",
        args: &["const char *", "char *const *", "char *const *"],
    },
    Syscall { number: 60, name: "umask", ret: "mode_t", args: &["mode_t"] },
    Syscall { number: 61, name: "chroot", ret: "int", args: &["const char *"] },
    Syscall { number: 62, name: "compat_43_fstat43", ret: "int", args: &["int", "struct stat43 *"] },
    Syscall {
        number: 63,
        name: "compat_43_ogetkerninfo",
        ret: "int",
        args: &["int", "char *", "int *", "int"],
    },
    Syscall { number: 64, name: "compat_43_ogetpagesize", ret: "int", args: &[] },
    Syscall { number: 65, name: "compat_12_msync", ret: "int", args: &["void *", "size_t"] },
    Syscall { number: 66, name: "vfork", ret: "int", args: &[] },
    Syscall {
        number: 71,
        name: "compat_43_ommap",
        ret: "int",
        args: &["void *", "size_t", "int", "int", "int", "long"],
    },
    Syscall { number: 72, name: "vadvise", ret: "int", args: &["int"] },
    Syscall { number: 73, name: "munmap", ret: "int", args: &["void *", "size_t"] },
    Syscall { number: 74, name: "mprotect", ret: "int", args: &["void *", "size_t", "int"] },
    Syscall { number: 75, name: "madvise", ret: "int", args: &["void *", "size_t", "int"] },
    Syscall { number: 78, name: "mincore", ret: "int", args: &["void *", "size_t", "char *"] },
    Syscall { number: 79, name: "getgroups", ret: "int", args: &["int", "gid_t *"] },
    Syscall { number: 80, name: "setgroups", ret: "int", args: &["int", "const gid_t *"] },
    Syscall { number: 81, name: "getpgrp", ret: "int", args: &[] },
    Syscall { number: 82, name: "setpgid", ret: "int", args: &["pid_t", "pid_t"] },
    Syscall {
        number: 83,
        name: "compat_50_setitimer",
        ret: "int",
        args: &["int", "const struct itimerval50 *", "struct itimerval50 *"],
    },
    Syscall { number: 84, name: "compat_43_owait", ret: "int", args: &[] },
    Syscall { number: 85, name: "compat_12_oswapon", ret: "int", args: &["const char *"] },
    Syscall { number: 86, name: "compat_50_getitimer", ret: "int", args: &["int", "struct itimerval50 *"] },
    Syscall { number: 87, name: "compat_43_ogethostname", ret: "int", args: &["char *", "u_int"] },
    Syscall { number: 88, name: "compat_43_osethostname", ret: "int", args: &["char *", "u_int"] },
    Syscall { number: 89, name: "compat_43_ogetdtablesize", ret: "int", args: &[] },
    Syscall { number: 90, name: "dup2", ret: "int", args: &["int", "int"] },
    Syscall { number: 91, name: "getrandom", ret: "ssize_t", args: &["void *", "size_t", "unsigned int"] },
    Syscall { number: 92, name: "fcntl", ret: "int", args: &["int", "int", "..."] },
    Syscall {
        number: 93,
        name: "compat_50_select",
        ret: "int",
        args: &["int", "fd_set *", "fd_set *", "fd_set *", "struct timeval50 *"],
    },
    Syscall { number: 95, name: "fsync", ret: "int", args: &["int"] },
    Syscall { number: 96, name: "setpriority", ret: "int", args: &["int", "id_t", "int"] },
    Syscall { number: 97, name: "compat_30_socket", ret: "int", args: &["int", "int", "int"] },
    Syscall {
        number: 98,
        name: "connect",
        ret: "int",
        args: &["int", "const struct sockaddr *", "socklen_t"],
    },
    Syscall { number: 99, name: "compat_43_oaccept", ret: "int", args: &["int", "void *", "socklen_t *"] },
    Syscall { number: 100, name: "getpriority", ret: "int", args: &["int", "id_t"] },
    Syscall { number: 101, name: "compat_43_osend", ret: "int", args: &["int", "void *", "int", "int"] },
    Syscall { number: 102, name: "compat_43_orecv", ret: "int", args: &["int", "void *", "int", "int"] },
    Syscall { number: 103, name: "compat_13_sigreturn13", ret: "int", args: &["struct sigcontext13 *"] },
    Syscall { number: 104, name: "bind", ret: "int", args: &["int", "const struct sockaddr *", "socklen_t"] },
    Syscall {
        number: 105,
        name: "setsockopt",
        ret: "int",
        args: &["int", "int", "int", "const void *", "socklen_t"],
    },
    Syscall { number: 106, name: "listen", ret: "int", args: &["int", "int"] },
    Syscall {
        number: 108,
        name: "compat_43_osigvec",
        ret: "int",
        args: &["int", "struct sigvec *", "struct sigvec *"],
    },
    Syscall { number: 109, name: "compat_43_osigblock", ret: "int", args: &["int"] },
    Syscall { number: 110, name: "compat_43_osigsetmask", ret: "int", args: &["int"] },
    Syscall { number: 111, name: "compat_13_sigsuspend13", ret: "int", args: &["int"] },
    Syscall {
        number: 112,
        name: "compat_43_osigstack",
        ret: "int",
        args: &["struct sigstack *", "struct sigstack *"],
    },
    Syscall {
        number: 113,
        name: "compat_43_orecvmsg",
        ret: "int",
        args: &["int", "struct omsghdr *", "int"],
    },
    Syscall { number: 114, name: "compat_43_osendmsg", ret: "int", args: &["int", "void *", "int"] },
    Syscall {
        number: 116,
        name: "compat_50_gettimeofday",
        ret: "int",
        args: &["struct timeval50 *", "void *"],
    },
    Syscall { number: 117, name: "compat_50_getrusage", ret: "int", args: &["int", "struct rusage50 *"] },
    Syscall {
        number: 118,
        name: "getsockopt",
        ret: "int",
        args: &["int", "int", "int", "void *", "socklen_t *"],
    },
    Syscall { number: 120, name: "readv", ret: "ssize_t", args: &["int", "const struct iovec *", "int"] },
    Syscall { number: 121, name: "writev", ret: "ssize_t", args: &["int", "const struct iovec *", "int"] },
    Syscall {
        number: 122,
        name: "compat_50_settimeofday",
        ret: "int",
        args: &["const struct timeval50 *", "const void *"],
    },
    Syscall { number: 123, name: "fchown", ret: "int", args: &["int", "uid_t", "gid_t"] },
    Syscall { number: 124, name: "fchmod", ret: "int", args: &["int", "mode_t"] },
    Syscall {
        number: 125,
        name: "compat_43_orecvfrom",
        ret: "int",
        args: &["int", "void *", "size_t", "int", "void *", "socklen_t *"],
    },
    Syscall { number: 126, name: "setreuid", ret: "int", args: &["uid_t", "uid_t"] },
    Syscall { number: 127, name: "setregid", ret: "int", args: &["gid_t", "gid_t"] },
    Syscall { number: 128, name: "rename", ret: "int", args: &["const char *", "const char *"] },
    Syscall { number: 129, name: "compat_43_otruncate", ret: "int", args: &["const char *", "long"] },
    Syscall { number: 130, name: "compat_43_oftruncate", ret: "int", args: &["int", "long"] },
    Syscall { number: 131, name: "flock", ret: "int", args: &["int", "int"] },
    Syscall { number: 132, name: "mkfifo", ret: "int", args: &["const char *", "mode_t"] },
    Syscall {
        number: 133,
        name: "sendto",
        ret: "ssize_t",
        args: &["int", "const void *", "size_t", "int", "const struct sockaddr *", "socklen_t"],
    },
    Syscall { number: 134, name: "shutdown", ret: "int", args: &["int", "int"] },
    Syscall { number: 135, name: "socketpair", ret: "int", args: &["int", "int", "int", "int *"] },
    Syscall { number: 136, name: "mkdir", ret: "int", args: &["const char *", "mode_t"] },
    Syscall { number: 137, name: "rmdir", ret: "int", args: &["const char *"] },
    Syscall {
        number: 138,
        name: "compat_50_utimes",
        ret: "int",
        args: &["const char *", "const struct timeval50 *"],
    },
    Syscall {
        number: 140,
        name: "compat_50_adjtime",
        ret: "int",
        args: &["const struct timeval50 *", "struct timeval50 *"],
    },
    Syscall {
        number: 141,
        name: "compat_43_ogetpeername",
        ret: "int",
        args: &["int", "void *", "socklen_t *"],
    },
    Syscall { number: 142, name: "compat_43_ogethostid", ret: "int32_t", args: &[] },
    Syscall { number: 143, name: "compat_43_osethostid", ret: "int", args: &["int32_t"] },
    Syscall { number: 144, name: "compat_43_ogetrlimit", ret: "int", args: &["int", "struct orlimit *"] },
    Syscall {
        number: 145,
        name: "compat_43_osetrlimit",
        ret: "int",
        args: &["int", "const struct orlimit *"],
    },
    Syscall { number: 146, name: "compat_43_okillpg", ret: "int", args: &["int", "int"] },
    Syscall { number: 147, name: "setsid", ret: "int", args: &[] },
    Syscall {
        number: 148,
        name: "compat_50_quotactl",
        ret: "int",
        args: &["const char *", "int", "int", "void *"],
    },
    Syscall { number: 149, name: "compat_43_oquota", ret: "int", args: &[] },
    Syscall {
        number: 150,
        name: "compat_43_ogetsockname",
        ret: "int",
        args: &["int", "void *", "socklen_t *"],
    },
    Syscall { number: 155, name: "nfssvc", ret: "int", args: &["int", "void *"] },
    Syscall {
        number: 156,
        name: "compat_43_ogetdirentries",
        ret: "int",
        args: &["int", "char *", "u_int", "long *"],
    },
    Syscall {
        number: 157,
        name: "compat_20_statfs",
        ret: "int",
        args: &["const char *", "struct statfs12 *"],
    },
    Syscall { number: 158, name: "compat_20_fstatfs", ret: "int", args: &["int", "struct statfs12 *"] },
    Syscall {
        number: 161,
        name: "compat_30_getfh",
        ret: "int",
        args: &["const char *", "struct compat_30_fhandle *"],
    },
    Syscall { number: 162, name: "compat_09_ogetdomainname", ret: "int", args: &["char *", "int"] },
    Syscall { number: 163, name: "compat_09_osetdomainname", ret: "int", args: &["char *", "int"] },
    Syscall { number: 164, name: "compat_09_ouname", ret: "int", args: &["struct outsname *"] },
    Syscall { number: 165, name: "sysarch", ret: "int", args: &["int", "void *"] },
    Syscall {
        number: 166,
        name: "__futex",
        ret: "int",
        args: &["int *", "int", "int", "const struct timespec *", "int *", "int", "int"],
    },
    Syscall { number: 167, name: "__futex_set_robust_list", ret: "int", args: &["void *", "size_t"] },
    Syscall {
        number: 168,
        name: "__futex_get_robust_list",
        ret: "int",
        args: &["lwpid_t", "void **", "size_t *"],
    },
    Syscall {
        number: 169,
        name: "compat_10_osemsys",
        ret: "int",
        args: &["int", "int", "int", "int", "int"],
    },
    Syscall {
        number: 170,
        name: "compat_10_omsgsys",
        ret: "int",
        args: &["int", "int", "int", "int", "int", "int"],
    },
    Syscall { number: 171, name: "compat_10_oshmsys", ret: "int", args: &["int", "int", "int", "int"] },
    Syscall {
        number: 173,
        name: "pread",
        ret: "ssize_t",
        args: &["int", "void *", "size_t", "int", "off_t"],
    },
    Syscall {
        number: 174,
        name: "pwrite",
        ret: "ssize_t",
        args: &["int", "const void *", "size_t", "int", "off_t"],
    },
    Syscall { number: 175, name: "compat_30_ntp_gettime", ret: "int", args: &["struct ntptimeval30 *"] },
    Syscall { number: 176, name: "ntp_adjtime", ret: "int", args: &["struct timex *"] },
    Syscall { number: 177, name: "timerfd_create", ret: "int", args: &["clockid_t", "int"] },
    Syscall {
        number: 178,
        name: "timerfd_settime",
        ret: "int",
        args: &["int", "int", "const struct itimerspec *", "struct itimerspec *"],
    },
    Syscall { number: 179, name: "timerfd_gettime", ret: "int", args: &["int", "struct itimerspec *"] },
    Syscall { number: 181, name: "setgid", ret: "int", args: &["gid_t"] },
    Syscall { number: 182, name: "setegid", ret: "int", args: &["gid_t"] },
    Syscall { number: 183, name: "seteuid", ret: "int", args: &["uid_t"] },
    Syscall { number: 184, name: "lfs_bmapv", ret: "int", args: &["fsid_t *", "struct block_info *", "int"] },
    Syscall { number: 185, name: "lfs_markv", ret: "int", args: &["fsid_t *", "struct block_info *", "int"] },
    Syscall { number: 186, name: "lfs_segclean", ret: "int", args: &["fsid_t *", "u_long"] },
    Syscall {
        number: 187,
        name: "compat_50_lfs_segwait",
        ret: "int",
        args: &["fsid_t *", "struct timeval50 *"],
    },
    Syscall { number: 188, name: "compat_12_stat12", ret: "int", args: &["const char *", "struct stat12 *"] },
    Syscall { number: 189, name: "compat_12_fstat12", ret: "int", args: &["int", "struct stat12 *"] },
    Syscall {
        number: 190,
        name: "compat_12_lstat12",
        ret: "int",
        args: &["const char *", "struct stat12 *"],
    },
    Syscall { number: 191, name: "pathconf", ret: "long", args: &["const char *", "int"] },
    Syscall { number: 192, name: "fpathconf", ret: "long", args: &["int", "int"] },
    Syscall {
        number: 193,
        name: "getsockopt2",
        ret: "int",
        args: &["int", "int", "int", "void *", "socklen_t *"],
    },
    Syscall { number: 194, name: "getrlimit", ret: "int", args: &["int", "struct rlimit *"] },
    Syscall { number: 195, name: "setrlimit", ret: "int", args: &["int", "const struct rlimit *"] },
    Syscall {
        number: 196,
        name: "compat_12_getdirentries",
        ret: "int",
        args: &["int", "char *", "u_int", "long *"],
    },
    Syscall {
        number: 197,
        name: "mmap",
        ret: "void *",
        args: &["void *", "size_t", "int", "int", "int", "long", "off_t"],
    },
    Syscall { number: 198, name: "__syscall", ret: "quad_t", args: &["quad_t", "..."] },
    Syscall { number: 199, name: "lseek", ret: "off_t", args: &["int", "int", "off_t", "int"] },
    Syscall { number: 200, name: "truncate", ret: "int", args: &["const char *", "int", "off_t"] },
    Syscall { number: 201, name: "ftruncate", ret: "int", args: &["int", "int", "off_t"] },
    Syscall {
        number: 202,
        name: "__sysctl",
        ret: "int",
        args: &["const int *", "u_int", "void *", "size_t *", "const void *", "size_t"],
    },
    Syscall { number: 203, name: "mlock", ret: "int", args: &["const void *", "size_t"] },
    Syscall { number: 204, name: "munlock", ret: "int", args: &["const void *", "size_t"] },
    Syscall { number: 205, name: "undelete", ret: "int", args: &["const char *"] },
    Syscall {
        number: 206,
        name: "compat_50_futimes",
        ret: "int",
        args: &["int", "const struct timeval50 *"],
    },
    Syscall { number: 207, name: "getpgid", ret: "pid_t", args: &["pid_t"] },
    Syscall { number: 208, name: "reboot", ret: "int", args: &["int", "char *"] },
    Syscall { number: 209, name: "poll", ret: "int", args: &["struct pollfd *", "u_int", "int"] },
    Syscall {
        number: 210,
        name: "afssys",
        ret: "int",
        args: &["long", "long", "long", "long", "long", "long", "long"],
    },
    Syscall {
        number: 220,
        name: "compat_14___semctl",
        ret: "int",
        args: &["int", "int", "int", "union __semun *"],
    },
    Syscall { number: 221, name: "semget", ret: "int", args: &["key_t", "int", "int"] },
    Syscall { number: 222, name: "semop", ret: "int", args: &["int", "struct sembuf *", "size_t"] },
    Syscall { number: 223, name: "semconfig", ret: "int", args: &["int"] },
    Syscall {
        number: 224,
        name: "compat_14_msgctl",
        ret: "int",
        args: &["int", "int", "struct msqid_ds14 *"],
    },
    Syscall { number: 225, name: "msgget", ret: "int", args: &["key_t", "int"] },
    Syscall { number: 226, name: "msgsnd", ret: "int", args: &["int", "const void *", "size_t", "int"] },
    Syscall {
        number: 227,
        name: "msgrcv",
        ret: "ssize_t",
        args: &["int", "void *", "size_t", "long", "int"],
    },
    Syscall { number: 228, name: "shmat", ret: "void *", args: &["int", "const void *", "int"] },
    Syscall {
        number: 229,
        name: "compat_14_shmctl",
        ret: "int",
        args: &["int", "int", "struct shmid_ds14 *"],
    },
    Syscall { number: 230, name: "shmdt", ret: "int", args: &["const void *"] },
    Syscall { number: 231, name: "shmget", ret: "int", args: &["key_t", "size_t", "int"] },
    Syscall {
        number: 232,
        name: "compat_50_clock_gettime",
        ret: "int",
        args: &["clockid_t", "struct timespec50 *"],
    },
    Syscall {
        number: 233,
        name: "compat_50_clock_settime",
        ret: "int",
        args: &["clockid_t", "const struct timespec50 *"],
    },
    Syscall {
        number: 234,
        name: "compat_50_clock_getres",
        ret: "int",
        args: &["clockid_t", "struct timespec50 *"],
    },
    Syscall {
        number: 235,
        name: "timer_create",
        ret: "int",
        args: &["clockid_t", "struct sigevent *", "timer_t *"],
    },
    Syscall { number: 236, name: "timer_delete", ret: "int", args: &["timer_t"] },
    Syscall {
        number: 237,
        name: "compat_50_timer_settime",
        ret: "int",
        args: &["timer_t", "int", "const struct itimerspec50 *", "struct itimerspec50 *"],
    },
    Syscall {
        number: 238,
        name: "compat_50_timer_gettime",
        ret: "int",
        args: &["timer_t", "struct itimerspec50 *"],
    },
    Syscall { number: 239, name: "timer_getoverrun", ret: "int", args: &["timer_t"] },
    Syscall {
        number: 240,
        name: "compat_50_nanosleep",
        ret: "int",
        args: &["const struct timespec50 *", "struct timespec50 *"],
    },
    Syscall { number: 241, name: "fdatasync", ret: "int", args: &["int"] },
    Syscall { number: 242, name: "mlockall", ret: "int", args: &["int"] },
    Syscall { number: 243, name: "munlockall", ret: "int", args: &[] },
    Syscall {
        number: 244,
        name: "compat_50___sigtimedwait",
        ret: "int",
        args: &["const sigset_t *", "siginfo_t *", "struct timespec50 *"],
    },
    Syscall { number: 245, name: "sigqueueinfo", ret: "int", args: &["pid_t", "const siginfo_t *"] },
    Syscall { number: 246, name: "modctl", ret: "int", args: &["int", "void *"] },
    Syscall { number: 247, name: "_ksem_init", ret: "int", args: &["unsigned int", "intptr_t *"] },
    Syscall {
        number: 248,
        name: "_ksem_open",
        ret: "int",
        args: &["const char *", "int", "mode_t", "unsigned int", "intptr_t *"],
    },
    Syscall { number: 249, name: "_ksem_unlink", ret: "int", args: &["const char *"] },
    Syscall { number: 250, name: "_ksem_close", ret: "int", args: &["intptr_t"] },
    Syscall { number: 251, name: "_ksem_post", ret: "int", args: &["intptr_t"] },
    Syscall { number: 252, name: "_ksem_wait", ret: "int", args: &["intptr_t"] },
    Syscall { number: 253, name: "_ksem_trywait", ret: "int", args: &["intptr_t"] },
    Syscall { number: 254, name: "_ksem_getvalue", ret: "int", args: &["intptr_t", "unsigned int *"] },
    Syscall { number: 255, name: "_ksem_destroy", ret: "int", args: &["intptr_t"] },
    Syscall {
        number: 256,
        name: "_ksem_timedwait",
        ret: "int",
        args: &["intptr_t", "const struct timespec *"],
    },
    Syscall {
        number: 257,
        name: "mq_open",
        ret: "mqd_t",
        args: &["const char *", "int", "mode_t", "struct mq_attr *"],
    },
    Syscall { number: 258, name: "mq_close", ret: "int", args: &["mqd_t"] },
    Syscall { number: 259, name: "mq_unlink", ret: "int", args: &["const char *"] },
    Syscall { number: 260, name: "mq_getattr", ret: "int", args: &["mqd_t", "struct mq_attr *"] },
    Syscall {
        number: 261,
        name: "mq_setattr",
        ret: "int",
        args: &["mqd_t", "const struct mq_attr *", "struct mq_attr *"],
    },
    Syscall { number: 262, name: "mq_notify", ret: "int", args: &["mqd_t", "const struct sigevent *"] },
    Syscall {
        number: 263,
        name: "mq_send",
        ret: "int",
        args: &["mqd_t", "const char *", "size_t", "unsigned"],
    },
    Syscall {
        number: 264,
        name: "mq_receive",
        ret: "ssize_t",
        args: &["mqd_t", "char *", "size_t", "unsigned *"],
    },
    Syscall {
        number: 265,
        name: "compat_50_mq_timedsend",
        ret: "int",
        args: &["mqd_t", "const char *", "size_t", "unsigned", "const struct timespec50 *"],
    },
    Syscall {
        number: 266,
        name: "compat_50_mq_timedreceive",
        ret: "ssize_t",
        args: &["mqd_t", "char *", "size_t", "unsigned *", "const struct timespec50 *"],
    },
    Syscall { number: 267, name: "eventfd", ret: "int", args: &["unsigned int", "int"] },
    Syscall { number: 270, name: "__posix_rename", ret: "int", args: &["const char *", "const char *"] },
    Syscall { number: 271, name: "swapctl", ret: "int", args: &["int", "void *", "int"] },
    Syscall { number: 272, name: "compat_30_getdents", ret: "int", args: &["int", "char *", "size_t"] },
    Syscall { number: 273, name: "minherit", ret: "int", args: &["void *", "size_t", "int"] },
    Syscall { number: 274, name: "lchmod", ret: "int", args: &["const char *", "mode_t"] },
    Syscall { number: 275, name: "lchown", ret: "int", args: &["const char *", "uid_t", "gid_t"] },
    Syscall {
        number: 276,
        name: "compat_50_lutimes",
        ret: "int",
        args: &["const char *", "const struct timeval50 *"],
    },
    Syscall { number: 277, name: "__msync13", ret: "int", args: &["void *", "size_t", "int"] },
    Syscall {
        number: 278,
        name: "compat_30___stat13",
        ret: "int",
        args: &["const char *", "struct stat13 *"],
    },
    Syscall { number: 279, name: "compat_30___fstat13", ret: "int", args: &["int", "struct stat13 *"] },
    Syscall {
        number: 280,
        name: "compat_30___lstat13",
        ret: "int",
        args: &["const char *", "struct stat13 *"],
    },
    Syscall { number: 281, name: "__sigaltstack14", ret: "int", args: &["const stack_t *", "stack_t *"] },
    Syscall { number: 282, name: "__vfork14", ret: "int", args: &[] },
    Syscall { number: 283, name: "__posix_chown", ret: "int", args: &["const char *", "uid_t", "gid_t"] },
    Syscall { number: 284, name: "__posix_fchown", ret: "int", args: &["int", "uid_t", "gid_t"] },
    Syscall { number: 285, name: "__posix_lchown", ret: "int", args: &["const char *", "uid_t", "gid_t"] },
    Syscall { number: 286, name: "getsid", ret: "pid_t", args: &["pid_t"] },
    Syscall { number: 287, name: "__clone", ret: "pid_t", args: &["int", "void *"] },
    Syscall { number: 288, name: "fktrace", ret: "int", args: &["int", "int", "int", "pid_t"] },
    Syscall {
        number: 289,
        name: "preadv",
        ret: "ssize_t",
        args: &["int", "const struct iovec *", "int", "int", "off_t"],
    },
    Syscall {
        number: 290,
        name: "pwritev",
        ret: "ssize_t",
        args: &["int", "const struct iovec *", "int", "int", "off_t"],
    },
    Syscall {
        number: 291,
        name: "compat_16___sigaction14",
        ret: "int",
        args: &["int", "const struct sigaction *", "struct sigaction *"],
    },
    Syscall { number: 292, name: "__sigpending14", ret: "int", args: &["sigset_t *"] },
    Syscall {
        number: 293,
        name: "__sigprocmask14",
        ret: "int",
        args: &["int", "const sigset_t *", "sigset_t *"],
    },
    Syscall { number: 294, name: "__sigsuspend14", ret: "int", args: &["const sigset_t *"] },
    Syscall { number: 295, name: "compat_16___sigreturn14", ret: "int", args: &["struct sigcontext *"] },
    Syscall { number: 296, name: "__getcwd", ret: "int", args: &["char *", "size_t"] },
    Syscall { number: 297, name: "fchroot", ret: "int", args: &["int"] },
    Syscall {
        number: 298,
        name: "compat_30_fhopen",
        ret: "int",
        args: &["const struct compat_30_fhandle *", "int"],
    },
    Syscall {
        number: 299,
        name: "compat_30_fhstat",
        ret: "int",
        args: &["const struct compat_30_fhandle *", "struct stat13 *"],
    },
    Syscall {
        number: 300,
        name: "compat_20_fhstatfs",
        ret: "int",
        args: &["const struct compat_30_fhandle *", "struct statfs12 *"],
    },
    Syscall { number: 301, name: "compat_50_____semctl13", ret: "int", args: &["int", "int", "int", "..."] },
    Syscall {
        number: 302,
        name: "compat_50___msgctl13",
        ret: "int",
        args: &["int", "int", "struct msqid_ds *"],
    },
    Syscall {
        number: 303,
        name: "compat_50___shmctl13",
        ret: "int",
        args: &["int", "int", "struct shmid_ds13 *"],
    },
    Syscall { number: 304, name: "lchflags", ret: "int", args: &["const char *", "u_long"] },
    Syscall { number: 305, name: "issetugid", ret: "int", args: &[] },
    Syscall { number: 306, name: "utrace", ret: "int", args: &["const char *", "void *", "size_t"] },
    Syscall { number: 307, name: "getcontext", ret: "int", args: &["struct __ucontext *"] },
    Syscall { number: 308, name: "setcontext", ret: "int", args: &["const struct __ucontext *"] },
    Syscall {
        number: 309,
        name: "_lwp_create",
        ret: "int",
        args: &["const struct __ucontext *", "u_long", "lwpid_t *"],
    },
    Syscall { number: 310, name: "_lwp_exit", ret: "int", args: &[] },
    Syscall { number: 311, name: "_lwp_self", ret: "lwpid_t", args: &[] },
    Syscall { number: 312, name: "_lwp_wait", ret: "int", args: &["lwpid_t", "lwpid_t *"] },
    Syscall { number: 313, name: "_lwp_suspend", ret: "int", args: &["lwpid_t"] },
    Syscall { number: 314, name: "_lwp_continue", ret: "int", args: &["lwpid_t"] },
    Syscall { number: 315, name: "_lwp_wakeup", ret: "int", args: &["lwpid_t"] },
    Syscall { number: 316, name: "_lwp_getprivate", ret: "void *", args: &[] },
    Syscall { number: 317, name: "_lwp_setprivate", ret: "void", args: &["void *"] },
    Syscall { number: 318, name: "_lwp_kill", ret: "int", args: &["lwpid_t", "int"] },
    Syscall { number: 319, name: "_lwp_detach", ret: "int", args: &["lwpid_t"] },
    Syscall {
        number: 320,
        name: "compat_50__lwp_park",
        ret: "int",
        args: &["const struct timespec50 *", "lwpid_t", "const void *", "const void *"],
    },
    Syscall { number: 321, name: "_lwp_unpark", ret: "int", args: &["lwpid_t", "const void *"] },
    Syscall {
        number: 322,
        name: "_lwp_unpark_all",
        ret: "ssize_t",
        args: &["const lwpid_t *", "size_t", "const void *"],
    },
    Syscall { number: 323, name: "_lwp_setname", ret: "int", args: &["lwpid_t", "const char *"] },
    Syscall { number: 324, name: "_lwp_getname", ret: "int", args: &["lwpid_t", "char *", "size_t"] },
    Syscall { number: 325, name: "_lwp_ctl", ret: "int", args: &["int", "struct lwpctl **"] },
    Syscall {
        number: 330,
        name: "compat_60_sa_register",
        ret: "int",
        args: &["void *", "void **", "int", "ssize_t"],
    },
    Syscall { number: 331, name: "compat_60_sa_stacks", ret: "int", args: &["int", "stack_t *"] },
    Syscall { number: 332, name: "compat_60_sa_enable", ret: "int", args: &[] },
    Syscall { number: 333, name: "compat_60_sa_setconcurrency", ret: "int", args: &["int"] },
    Syscall { number: 334, name: "compat_60_sa_yield", ret: "int", args: &[] },
    Syscall { number: 335, name: "compat_60_sa_preempt", ret: "int", args: &["int"] },
    Syscall {
        number: 340,
        name: "__sigaction_sigtramp",
        ret: "int",
        args: &["int", "const struct sigaction *", "struct sigaction *", "const void *", "int"],
    },
    Syscall { number: 343, name: "rasctl", ret: "int", args: &["void *", "size_t", "int"] },
    Syscall { number: 344, name: "kqueue", ret: "int", args: &[] },
    Syscall {
        number: 345,
        name: "compat_50_kevent",
        ret: "int",
        args: &[
            "int",
            "const struct kevent100 *",
            "size_t",
            "struct kevent100 *",
            "size_t",
            "const struct timespec50 *",
        ],
    },
    Syscall {
        number: 346,
        name: "_sched_setparam",
        ret: "int",
        args: &["pid_t", "lwpid_t", "int", "const struct sched_param *"],
    },
    Syscall {
        number: 347,
        name: "_sched_getparam",
        ret: "int",
        args: &["pid_t", "lwpid_t", "int *", "struct sched_param *"],
    },
    Syscall {
        number: 348,
        name: "_sched_setaffinity",
        ret: "int",
        args: &["pid_t", "lwpid_t", "size_t", "const cpuset_t *"],
    },
    Syscall {
        number: 349,
        name: "_sched_getaffinity",
        ret: "int",
        args: &["pid_t", "lwpid_t", "size_t", "cpuset_t *"],
    },
    Syscall { number: 350, name: "sched_yield", ret: "int", args: &[] },
    Syscall { number: 351, name: "_sched_protect", ret: "int", args: &["int"] },
    Syscall { number: 354, name: "fsync_range", ret: "int", args: &["int", "int", "off_t", "off_t"] },
    Syscall { number: 355, name: "uuidgen", ret: "int", args: &["struct uuid *", "int"] },
    Syscall {
        number: 356,
        name: "compat_90_getvfsstat",
        ret: "int",
        args: &["struct statvfs90 *", "size_t", "int"],
    },
    Syscall {
        number: 357,
        name: "compat_90_statvfs1",
        ret: "int",
        args: &["const char *", "struct statvfs90 *", "int"],
    },
    Syscall {
        number: 358,
        name: "compat_90_fstatvfs1",
        ret: "int",
        args: &["int", "struct statvfs90 *", "int"],
    },
    Syscall {
        number: 359,
        name: "compat_30_fhstatvfs1",
        ret: "int",
        args: &["const struct compat_30_fhandle *", "struct statvfs90 *", "int"],
    },
    Syscall {
        number: 360,
        name: "extattrctl",
        ret: "int",
        args: &["const char *", "int", "const char *", "int", "const char *"],
    },
    Syscall {
        number: 361,
        name: "extattr_set_file",
        ret: "int",
        args: &["const char *", "int", "const char *", "const void *", "size_t"],
    },
    Syscall {
        number: 362,
        name: "extattr_get_file",
        ret: "ssize_t",
        args: &["const char *", "int", "const char *", "void *", "size_t"],
    },
    Syscall {
        number: 363,
        name: "extattr_delete_file",
        ret: "int",
        args: &["const char *", "int", "const char *"],
    },
    Syscall {
        number: 364,
        name: "extattr_set_fd",
        ret: "int",
        args: &["int", "int", "const char *", "const void *", "size_t"],
    },
    Syscall {
        number: 365,
        name: "extattr_get_fd",
        ret: "ssize_t",
        args: &["int", "int", "const char *", "void *", "size_t"],
    },
    Syscall { number: 366, name: "extattr_delete_fd", ret: "int", args: &["int", "int", "const char *"] },
    Syscall {
        number: 367,
        name: "extattr_set_link",
        ret: "int",
        args: &["const char *", "int", "const char *", "const void *", "size_t"],
    },
    Syscall {
        number: 368,
        name: "extattr_get_link",
        ret: "ssize_t",
        args: &["const char *", "int", "const char *", "void *", "size_t"],
    },
    Syscall {
        number: 369,
        name: "extattr_delete_link",
        ret: "int",
        args: &["const char *", "int", "const char *"],
    },
    Syscall {
        number: 370,
        name: "extattr_list_fd",
        ret: "ssize_t",
        args: &["int", "int", "void *", "size_t"],
    },
    Syscall {
        number: 371,
        name: "extattr_list_file",
        ret: "ssize_t",
        args: &["const char *", "int", "void *", "size_t"],
    },
    Syscall {
        number: 372,
        name: "extattr_list_link",
        ret: "ssize_t",
        args: &["const char *", "int", "void *", "size_t"],
    },
    Syscall {
        number: 373,
        name: "compat_50_pselect",
        ret: "int",
        args: &["int", "fd_set *", "fd_set *", "fd_set *", "const struct timespec50 *", "const sigset_t *"],
    },
    Syscall {
        number: 374,
        name: "compat_50_pollts",
        ret: "int",
        args: &["struct pollfd *", "u_int", "const struct timespec50 *", "const sigset_t *"],
    },
    Syscall {
        number: 375,
        name: "setxattr",
        ret: "int",
        args: &["const char *", "const char *", "const void *", "size_t", "int"],
    },
    Syscall {
        number: 376,
        name: "lsetxattr",
        ret: "int",
        args: &["const char *", "const char *", "const void *", "size_t", "int"],
    },
    Syscall {
        number: 377,
        name: "fsetxattr",
        ret: "int",
        args: &["int", "const char *", "const void *", "size_t", "int"],
    },
    Syscall {
        number: 378,
        name: "getxattr",
        ret: "int",
        args: &["const char *", "const char *", "void *", "size_t"],
    },
    Syscall {
        number: 379,
        name: "lgetxattr",
        ret: "int",
        args: &["const char *", "const char *", "void *", "size_t"],
    },
    Syscall {
        number: 380,
        name: "fgetxattr",
        ret: "int",
        args: &["int", "const char *", "void *", "size_t"],
    },
    Syscall { number: 381, name: "listxattr", ret: "int", args: &["const char *", "char *", "size_t"] },
    Syscall { number: 382, name: "llistxattr", ret: "int", args: &["const char *", "char *", "size_t"] },
    Syscall { number: 383, name: "flistxattr", ret: "int", args: &["int", "char *", "size_t"] },
    Syscall { number: 384, name: "removexattr", ret: "int", args: &["const char *", "const char *"] },
    Syscall { number: 385, name: "lremovexattr", ret: "int", args: &["const char *", "const char *"] },
    Syscall { number: 386, name: "fremovexattr", ret: "int", args: &["int", "const char *"] },
    Syscall {
        number: 387,
        name: "compat_50___stat30",
        ret: "int",
        args: &["const char *", "struct stat30 *"],
    },
    Syscall { number: 388, name: "compat_50___fstat30", ret: "int", args: &["int", "struct stat30 *"] },
    Syscall {
        number: 389,
        name: "compat_50___lstat30",
        ret: "int",
        args: &["const char *", "struct stat30 *"],
    },
    Syscall { number: 390, name: "__getdents30", ret: "int", args: &["int", "char *", "size_t"] },
    Syscall {
        number: 392,
        name: "compat_30___fhstat30",
        ret: "int",
        args: &["const struct compat_30_fhandle *", "struct stat30 *"],
    },
    Syscall { number: 393, name: "compat_50___ntp_gettime30", ret: "int", args: &["struct ntptimeval50 *"] },
    Syscall { number: 394, name: "__socket30", ret: "int", args: &["int", "int", "int"] },
    Syscall { number: 395, name: "__getfh30", ret: "int", args: &["const char *", "void *", "size_t *"] },
    Syscall { number: 396, name: "__fhopen40", ret: "int", args: &["const void *", "size_t", "int"] },
    Syscall {
        number: 397,
        name: "compat_90_fhstatvfs1",
        ret: "int",
        args: &["const void *", "size_t", "struct statvfs90 *", "int"],
    },
    Syscall {
        number: 398,
        name: "compat_50___fhstat40",
        ret: "int",
        args: &["const void *", "size_t", "struct stat30 *"],
    },
    Syscall { number: 399, name: "aio_cancel", ret: "int", args: &["int", "struct aiocb *"] },
    Syscall { number: 400, name: "aio_error", ret: "int", args: &["const struct aiocb *"] },
    Syscall { number: 401, name: "aio_fsync", ret: "int", args: &["int", "struct aiocb *"] },
    Syscall { number: 402, name: "aio_read", ret: "int", args: &["struct aiocb *"] },
    Syscall { number: 403, name: "aio_return", ret: "int", args: &["struct aiocb *"] },
    Syscall {
        number: 404,
        name: "compat_50_aio_suspend",
        ret: "int",
        args: &["const struct aiocb *const *", "int", "const struct timespec50 *"],
    },
    Syscall { number: 405, name: "aio_write", ret: "int", args: &["struct aiocb *"] },
    Syscall {
        number: 406,
        name: "lio_listio",
        ret: "int",
        args: &["int", "struct aiocb *const *", "int", "struct sigevent *"],
    },
    Syscall {
        number: 410,
        name: "__mount50",
        ret: "int",
        args: &["const char *", "const char *", "int", "void *", "size_t"],
    },
    Syscall {
        number: 411,
        name: "mremap",
        ret: "void *",
        args: &["void *", "size_t", "void *", "size_t", "int"],
    },
    Syscall { number: 412, name: "pset_create", ret: "int", args: &["psetid_t *"] },
    Syscall { number: 413, name: "pset_destroy", ret: "int", args: &["psetid_t"] },
    Syscall { number: 414, name: "pset_assign", ret: "int", args: &["psetid_t", "cpuid_t", "psetid_t *"] },
    Syscall {
        number: 415,
        name: "_pset_bind",
        ret: "int",
        args: &["idtype_t", "id_t", "id_t", "psetid_t", "psetid_t *"],
    },
    Syscall {
        number: 416,
        name: "__posix_fadvise50",
        ret: "int",
        args: &["int", "int", "off_t", "off_t", "int"],
    },
    Syscall {
        number: 417,
        name: "__select50",
        ret: "int",
        args: &["int", "fd_set *", "fd_set *", "fd_set *", "struct timeval *"],
    },
    Syscall { number: 418, name: "__gettimeofday50", ret: "int", args: &["struct timeval *", "void *"] },
    Syscall {
        number: 419,
        name: "__settimeofday50",
        ret: "int",
        args: &["const struct timeval *", "const void *"],
    },
    Syscall {
        number: 420,
        name: "__utimes50",
        ret: "int",
        args: &["const char *", "const struct timeval *"],
    },
    Syscall {
        number: 421,
        name: "__adjtime50",
        ret: "int",
        args: &["const struct timeval *", "struct timeval *"],
    },
    Syscall { number: 422, name: "__lfs_segwait50", ret: "int", args: &["fsid_t *", "struct timeval *"] },
    Syscall { number: 423, name: "__futimes50", ret: "int", args: &["int", "const struct timeval *"] },
    Syscall {
        number: 424,
        name: "__lutimes50",
        ret: "int",
        args: &["const char *", "const struct timeval *"],
    },
    Syscall {
        number: 425,
        name: "__setitimer50",
        ret: "int",
        args: &["int", "const struct itimerval *", "struct itimerval *"],
    },
    Syscall { number: 426, name: "__getitimer50", ret: "int", args: &["int", "struct itimerval *"] },
    Syscall { number: 427, name: "__clock_gettime50", ret: "int", args: &["clockid_t", "struct timespec *"] },
    Syscall {
        number: 428,
        name: "__clock_settime50",
        ret: "int",
        args: &["clockid_t", "const struct timespec *"],
    },
    Syscall { number: 429, name: "__clock_getres50", ret: "int", args: &["clockid_t", "struct timespec *"] },
    Syscall {
        number: 430,
        name: "__nanosleep50",
        ret: "int",
        args: &["const struct timespec *", "struct timespec *"],
    },
    Syscall {
        number: 431,
        name: "____sigtimedwait50",
        ret: "int",
        args: &["const sigset_t *", "siginfo_t *", "struct timespec *"],
    },
    Syscall {
        number: 432,
        name: "__mq_timedsend50",
        ret: "int",
        args: &["mqd_t", "const char *", "size_t", "unsigned", "const struct timespec *"],
    },
    Syscall {
        number: 433,
        name: "__mq_timedreceive50",
        ret: "ssize_t",
        args: &["mqd_t", "char *", "size_t", "unsigned *", "const struct timespec *"],
    },
    Syscall {
        number: 434,
        name: "compat_60__lwp_park",
        ret: "int",
        args: &["const struct timespec *", "lwpid_t", "const void *", "const void *"],
    },
    Syscall {
        number: 435,
        name: "compat_100___kevent50",
        ret: "int",
        args: &[
            "int",
            "const struct kevent100 *",
            "size_t",
            "struct kevent100 *",
            "size_t",
            "const struct timespec *",
        ],
    },
    Syscall {
        number: 436,
        name: "__pselect50",
        ret: "int",
        args: &["int", "fd_set *", "fd_set *", "fd_set *", "const struct timespec *", "const sigset_t *"],
    },
    Syscall {
        number: 437,
        name: "__pollts50",
        ret: "int",
        args: &["struct pollfd *", "u_int", "const struct timespec *", "const sigset_t *"],
    },
    Syscall {
        number: 438,
        name: "__aio_suspend50",
        ret: "int",
        args: &["const struct aiocb *const *", "int", "const struct timespec *"],
    },
    Syscall { number: 439, name: "__stat50", ret: "int", args: &["const char *", "struct stat *"] },
    Syscall { number: 440, name: "__fstat50", ret: "int", args: &["int", "struct stat *"] },
    Syscall { number: 441, name: "__lstat50", ret: "int", args: &["const char *", "struct stat *"] },
    Syscall { number: 442, name: "____semctl50", ret: "int", args: &["int", "int", "int", "..."] },
    Syscall { number: 443, name: "__shmctl50", ret: "int", args: &["int", "int", "struct shmid_ds *"] },
    Syscall { number: 444, name: "__msgctl50", ret: "int", args: &["int", "int", "struct msqid_ds *"] },
    Syscall { number: 445, name: "__getrusage50", ret: "int", args: &["int", "struct rusage *"] },
    Syscall {
        number: 446,
        name: "__timer_settime50",
        ret: "int",
        args: &["timer_t", "int", "const struct itimerspec *", "struct itimerspec *"],
    },
    Syscall { number: 447, name: "__timer_gettime50", ret: "int", args: &["timer_t", "struct itimerspec *"] },
    Syscall { number: 448, name: "__ntp_gettime50", ret: "int", args: &["struct ntptimeval *"] },
    Syscall {
        number: 449,
        name: "__wait450",
        ret: "int",
        args: &["pid_t", "int *", "int", "struct rusage *"],
    },
    Syscall { number: 450, name: "__mknod50", ret: "int", args: &["const char *", "mode_t", "dev_t"] },
    Syscall {
        number: 451,
        name: "__fhstat50",
        ret: "int",
        args: &["const void *", "size_t", "struct stat *"],
    },
    Syscall { number: 453, name: "pipe2", ret: "int", args: &["int *", "int"] },
    Syscall { number: 454, name: "compat_100_dup3", ret: "int", args: &["int", "int", "int"] },
    Syscall { number: 455, name: "kqueue1", ret: "int", args: &["int"] },
    Syscall {
        number: 456,
        name: "paccept",
        ret: "int",
        args: &["int", "struct sockaddr *", "socklen_t *", "const sigset_t *", "int"],
    },
    Syscall {
        number: 457,
        name: "linkat",
        ret: "int",
        args: &["int", "const char *", "int", "const char *", "int"],
    },
    Syscall {
        number: 458,
        name: "renameat",
        ret: "int",
        args: &["int", "const char *", "int", "const char *"],
    },
    Syscall { number: 459, name: "mkfifoat", ret: "int", args: &["int", "const char *", "mode_t"] },
    Syscall {
        number: 460,
        name: "mknodat",
        ret: "int",
        args: &["int", "const char *", "mode_t", "int", "dev_t"],
    },
    Syscall { number: 461, name: "mkdirat", ret: "int", args: &["int", "const char *", "mode_t"] },
    Syscall { number: 462, name: "faccessat", ret: "int", args: &["int", "const char *", "int", "int"] },
    Syscall { number: 463, name: "fchmodat", ret: "int", args: &["int", "const char *", "mode_t", "int"] },
    Syscall {
        number: 464,
        name: "fchownat",
        ret: "int",
        args: &["int", "const char *", "uid_t", "gid_t", "int"],
    },
    Syscall { number: 465, name: "fexecve", ret: "int", args: &["int", "char *const *", "char *const *"] },
    Syscall {
        number: 466,
        name: "fstatat",
        ret: "int",
        args: &["int", "const char *", "struct stat *", "int"],
    },
    Syscall {
        number: 467,
        name: "utimensat",
        ret: "int",
        args: &["int", "const char *", "const struct timespec *", "int"],
    },
    Syscall { number: 468, name: "openat", ret: "int", args: &["int", "const char *", "int", "..."] },
    Syscall {
        number: 469,
        name: "readlinkat",
        ret: "ssize_t",
        args: &["int", "const char *", "char *", "size_t"],
    },
    Syscall { number: 470, name: "symlinkat", ret: "int", args: &["const char *", "int", "const char *"] },
    Syscall { number: 471, name: "unlinkat", ret: "int", args: &["int", "const char *", "int"] },
    Syscall { number: 472, name: "futimens", ret: "int", args: &["int", "const struct timespec *"] },
    Syscall {
        number: 473,
        name: "__quotactl",
        ret: "int",
        args: &["const char *", "struct quotactl_args *"],
    },
    Syscall {
        number: 474,
        name: "posix_spawn",
        ret: "int",
        args: &[
            "pid_t *",
            "const char *",
            "const struct posix_spawn_file_actions *",
            "const struct posix_spawnattr *",
            "char *const *",
            "char *const *",
        ],
    },
    Syscall {
        number: 475,
        name: "recvmmsg",
        ret: "int",
        args: &["int", "struct mmsghdr *", "unsigned int", "unsigned int", "struct timespec *"],
    },
    Syscall {
        number: 476,
        name: "sendmmsg",
        ret: "int",
        args: &["int", "struct mmsghdr *", "unsigned int", "unsigned int"],
    },
    Syscall {
        number: 477,
        name: "clock_nanosleep",
        ret: "int",
        args: &["clockid_t", "int", "const struct timespec *", "struct timespec *"],
    },
    Syscall {
        number: 478,
        name: "___lwp_park60",
        ret: "int",
        args: &["clockid_t", "int", "struct timespec *", "lwpid_t", "const void *", "const void *"],
    },
    Syscall { number: 479, name: "posix_fallocate", ret: "int", args: &["int", "int", "off_t", "off_t"] },
    Syscall { number: 480, name: "fdiscard", ret: "int", args: &["int", "int", "off_t", "off_t"] },
    Syscall {
        number: 481,
        name: "wait6",
        ret: "int",
        args: &["idtype_t", "id_t", "int *", "int", "struct wrusage *", "siginfo_t *"],
    },
    Syscall {
        number: 482,
        name: "clock_getcpuclockid2",
        ret: "int",
        args: &["idtype_t", "id_t", "clockid_t *"],
    },
    Syscall { number: 483, name: "__getvfsstat90", ret: "int", args: &["struct statvfs *", "size_t", "int"] },
    Syscall {
        number: 484,
        name: "__statvfs190",
        ret: "int",
        args: &["const char *", "struct statvfs *", "int"],
    },
    Syscall { number: 485, name: "__fstatvfs190", ret: "int", args: &["int", "struct statvfs *", "int"] },
    Syscall {
        number: 486,
        name: "__fhstatvfs190",
        ret: "int",
        args: &["const void *", "size_t", "struct statvfs *", "int"],
    },
    Syscall {
        number: 487,
        name: "__acl_get_link",
        ret: "int",
        args: &["const char *", "acl_type_t", "struct acl *"],
    },
    Syscall {
        number: 488,
        name: "__acl_set_link",
        ret: "int",
        args: &["const char *", "acl_type_t", "struct acl *"],
    },
    Syscall { number: 489, name: "__acl_delete_link", ret: "int", args: &["const char *", "acl_type_t"] },
    Syscall {
        number: 490,
        name: "__acl_aclcheck_link",
        ret: "int",
        args: &["const char *", "acl_type_t", "struct acl *"],
    },
    Syscall {
        number: 491,
        name: "__acl_get_file",
        ret: "int",
        args: &["const char *", "acl_type_t", "struct acl *"],
    },
    Syscall {
        number: 492,
        name: "__acl_set_file",
        ret: "int",
        args: &["const char *", "acl_type_t", "struct acl *"],
    },
    Syscall { number: 493, name: "__acl_get_fd", ret: "int", args: &["int", "acl_type_t", "struct acl *"] },
    Syscall { number: 494, name: "__acl_set_fd", ret: "int", args: &["int", "acl_type_t", "struct acl *"] },
    Syscall { number: 495, name: "__acl_delete_file", ret: "int", args: &["const char *", "acl_type_t"] },
    Syscall { number: 496, name: "__acl_delete_fd", ret: "int", args: &["int", "acl_type_t"] },
    Syscall {
        number: 497,
        name: "__acl_aclcheck_file",
        ret: "int",
        args: &["const char *", "acl_type_t", "struct acl *"],
    },
    Syscall {
        number: 498,
        name: "__acl_aclcheck_fd",
        ret: "int",
        args: &["int", "acl_type_t", "struct acl *"],
    },
    Syscall { number: 499, name: "lpathconf", ret: "long", args: &["const char *", "int"] },
    Syscall { number: 500, name: "memfd_create", ret: "int", args: &["const char *", "unsigned int"] },
    Syscall {
        number: 501,
        name: "__kevent100",
        ret: "int",
        args: &[
            "int",
            "const struct kevent *",
            "size_t",
            "struct kevent *",
            "size_t",
            "const struct timespec *",
        ],
    },
    Syscall { number: 502, name: "epoll_create1", ret: "int", args: &["int"] },
    Syscall {
        number: 503,
        name: "epoll_ctl",
        ret: "int",
        args: &["int", "int", "int", "struct epoll_event *"],
    },
    Syscall {
        number: 504,
        name: "epoll_pwait2",
        ret: "int",
        args: &["int", "struct epoll_event *", "int", "const struct timespec *", "const sigset_t *"],
    },
    Syscall { number: 505, name: "__dup3100", ret: "int", args: &["int", "int", "int"] },
    Syscall {
        number: 506,
        name: "semtimedop",
        ret: "int",
        args: &["int", "struct sembuf *", "size_t", "struct timespec *"],
    },
];
