/* The one table of system calls: every number of x86-64 and what becomes of it.
 * SPDX-License-Identifier: MIT
 *
 * WORLD(name): preload_do_NAME answers it by calls of the seam.
 * SEAM(name): the same; fault rules aim at it.
 * PASSES(name): the kernel answers it: files, memory, the process's own attributes.
 * FILE_OF(name, index, error): the kernel answers it, unless argument `index` is a descriptor of the
 *     world's: then -error, as Linux says of a socket.
 * OPENS(name, index, flag): the kernel answers it, and its result is a new real descriptor; argument
 *     `index` holds `flag` when that is close-on-exec (index -1: it always is).
 * CHANGES(name): the kernel answers it, and what is known of the program's memory is forgotten.
 * REFUSED(name, error): -error, and a line at the end of the run.
 * A number that is not here is ENOSYS and a line. tests/preload/test_calls.c holds the list against
 * <asm/unistd_64.h>, so that none of this system's is forgotten. */
#ifndef PRELOAD_CALLS_H
#define PRELOAD_CALLS_H

/* clang-format off */
#define PRELOAD_SEAM_CALLS(SEAM) \
    /* sockets.c */ \
    SEAM(socket) SEAM(socketpair) SEAM(bind) SEAM(listen) SEAM(accept) SEAM(accept4) \
    SEAM(connect) SEAM(shutdown) SEAM(getsockname) SEAM(getpeername) SEAM(getsockopt) \
    SEAM(setsockopt) \
    /* transfer.c */ \
    SEAM(sendto) SEAM(recvfrom) SEAM(sendmsg) SEAM(recvmsg) SEAM(sendmmsg) SEAM(recvmmsg) \
    SEAM(read) SEAM(write) SEAM(readv) SEAM(writev) SEAM(preadv) SEAM(pwritev) SEAM(preadv2) \
    SEAM(pwritev2) SEAM(sendfile) SEAM(splice) SEAM(tee) SEAM(vmsplice) SEAM(copy_file_range) \
    /* descriptors.c */ \
    SEAM(close) SEAM(close_range) SEAM(dup) SEAM(dup2) SEAM(dup3) SEAM(fcntl) SEAM(ioctl) \
    SEAM(pipe) SEAM(pipe2) SEAM(eventfd) SEAM(eventfd2) SEAM(fstat) SEAM(newfstatat) \
    SEAM(statx) SEAM(lseek) \
    /* ready.c */ \
    SEAM(poll) SEAM(ppoll) SEAM(select) SEAM(pselect6) SEAM(epoll_create) SEAM(epoll_create1) \
    SEAM(epoll_ctl) SEAM(epoll_wait) SEAM(epoll_pwait) SEAM(epoll_pwait2) \
    /* time.c */ \
    SEAM(timerfd_create) SEAM(timerfd_settime) SEAM(timerfd_gettime) SEAM(clock_gettime) \
    SEAM(clock_getres) SEAM(clock_nanosleep) SEAM(nanosleep) SEAM(gettimeofday) SEAM(time) \
    SEAM(times) SEAM(sysinfo)

#define PRELOAD_WORLD_CALLS(WORLD) \
    /* files.c */ \
    WORLD(open) WORLD(openat) WORLD(openat2) WORLD(creat) WORLD(uname) WORLD(sethostname) \
    WORLD(getrandom) WORLD(unlink) WORLD(unlinkat) \
    /* thread.c */ \
    WORLD(clone) WORLD(clone3) WORLD(fork) WORLD(vfork) WORLD(exit) WORLD(exit_group) \
    WORLD(set_tid_address) WORLD(set_robust_list) WORLD(futex) WORLD(sched_yield) \
    /* family.c */ \
    WORLD(wait4) WORLD(waitid) WORLD(getpgid) WORLD(getpgrp) WORLD(setpgid) WORLD(getsid) \
    WORLD(setsid) \
    /* execute.c */ \
    WORLD(execve) WORLD(execveat) \
    /* process.c */ \
    WORLD(prctl) WORLD(getrlimit) WORLD(setrlimit) WORLD(prlimit64) \
    /* signals.c */ \
    WORLD(rt_sigaction) WORLD(rt_sigprocmask) WORLD(rt_sigpending) WORLD(rt_sigsuspend) \
    WORLD(rt_sigtimedwait) WORLD(pause) WORLD(kill) WORLD(tkill) WORLD(tgkill) WORLD(rt_sigqueueinfo) \
    WORLD(rt_tgsigqueueinfo) WORLD(signalfd) WORLD(signalfd4) \
    /* timers.c */ \
    WORLD(alarm) WORLD(setitimer) WORLD(getitimer) WORLD(timer_create) WORLD(timer_settime) \
    WORLD(timer_gettime) WORLD(timer_getoverrun) WORLD(timer_delete)

#define PRELOAD_PASSED_CALLS(PASSES, FILE_OF, OPENS, CHANGES) \
    /* names of files */ \
    PASSES(stat) PASSES(lstat) PASSES(access) PASSES(faccessat) PASSES(faccessat2) PASSES(truncate) \
    PASSES(getcwd) PASSES(chdir) PASSES(rename) PASSES(renameat) PASSES(renameat2) PASSES(mkdir) \
    PASSES(mkdirat) PASSES(rmdir) PASSES(link) PASSES(linkat) PASSES(symlink) PASSES(symlinkat) \
    PASSES(readlink) PASSES(readlinkat) PASSES(chmod) PASSES(fchmodat) PASSES(chown) PASSES(lchown) \
    PASSES(fchownat) PASSES(umask) PASSES(utime) PASSES(utimes) PASSES(futimesat) PASSES(utimensat) \
    PASSES(mknod) PASSES(mknodat) PASSES(statfs) PASSES(setxattr) PASSES(lsetxattr) \
    PASSES(getxattr) PASSES(lgetxattr) PASSES(listxattr) PASSES(llistxattr) PASSES(removexattr) \
    PASSES(lremovexattr) PASSES(chroot) PASSES(name_to_handle_at) \
    /* descriptors of files */ \
    FILE_OF(pread64, 0, ESPIPE) FILE_OF(pwrite64, 0, ESPIPE) FILE_OF(getdents, 0, ENOTDIR) \
    FILE_OF(getdents64, 0, ENOTDIR) FILE_OF(fchdir, 0, ENOTDIR) FILE_OF(ftruncate, 0, EINVAL) \
    FILE_OF(fallocate, 0, ESPIPE) FILE_OF(fsync, 0, EINVAL) FILE_OF(fdatasync, 0, EINVAL) \
    FILE_OF(sync_file_range, 0, ESPIPE) FILE_OF(syncfs, 0, EINVAL) FILE_OF(fadvise64, 0, ESPIPE) \
    FILE_OF(readahead, 0, EINVAL) FILE_OF(flock, 0, EBADF) FILE_OF(fchmod, 0, EINVAL) \
    FILE_OF(fchown, 0, EINVAL) FILE_OF(fstatfs, 0, EINVAL) FILE_OF(fsetxattr, 0, EOPNOTSUPP) \
    FILE_OF(fgetxattr, 0, EOPNOTSUPP) FILE_OF(flistxattr, 0, EOPNOTSUPP) \
    FILE_OF(fremovexattr, 0, EOPNOTSUPP) FILE_OF(inotify_add_watch, 0, EINVAL) \
    FILE_OF(inotify_rm_watch, 0, EINVAL) \
    /* new real descriptors */ \
    OPENS(memfd_create, 1, MFD_CLOEXEC) OPENS(inotify_init, 1, 0) OPENS(inotify_init1, 0, IN_CLOEXEC) \
    OPENS(pidfd_open, -1, 0) OPENS(userfaultfd, 0, O_CLOEXEC) OPENS(memfd_secret, 0, O_CLOEXEC) \
    /* memory */ \
    CHANGES(mmap) CHANGES(munmap) CHANGES(mprotect) CHANGES(mremap) CHANGES(brk) CHANGES(madvise) \
    CHANGES(shmat) CHANGES(shmdt) CHANGES(remap_file_pages) CHANGES(pkey_mprotect) \
    PASSES(msync) PASSES(mincore) PASSES(mlock) PASSES(mlock2) PASSES(munlock) PASSES(mlockall) \
    PASSES(munlockall) PASSES(mbind) PASSES(set_mempolicy) PASSES(get_mempolicy) \
    PASSES(migrate_pages) PASSES(move_pages) PASSES(set_mempolicy_home_node) PASSES(pkey_alloc) \
    PASSES(pkey_free) PASSES(membarrier) PASSES(process_madvise) PASSES(shmget) PASSES(shmctl) \
    /* the process's and the thread's attributes */ \
    PASSES(getpid) PASSES(getppid) PASSES(gettid) PASSES(getuid) PASSES(geteuid) PASSES(getgid) \
    PASSES(getegid) \
    PASSES(setuid) PASSES(setgid) PASSES(setreuid) PASSES(setregid) PASSES(getresuid) \
    PASSES(setresuid) PASSES(getresgid) PASSES(setresgid) PASSES(setfsuid) PASSES(setfsgid) \
    PASSES(getgroups) PASSES(setgroups) PASSES(capget) PASSES(capset) \
    PASSES(getrusage) PASSES(getpriority) PASSES(setpriority) \
    PASSES(ioprio_get) PASSES(ioprio_set) PASSES(personality) PASSES(arch_prctl) \
    PASSES(get_robust_list) PASSES(rseq) \
    PASSES(getcpu) PASSES(sched_setparam) PASSES(sched_getparam) PASSES(sched_setscheduler) \
    PASSES(sched_getscheduler) PASSES(sched_get_priority_max) PASSES(sched_get_priority_min) \
    PASSES(sched_rr_get_interval) PASSES(sched_setaffinity) PASSES(sched_getaffinity) \
    PASSES(sched_setattr) PASSES(sched_getattr) \
    PASSES(process_vm_readv) PASSES(process_vm_writev) PASSES(kcmp) \
    /* signals */ \
    PASSES(rt_sigreturn) PASSES(sigaltstack) PASSES(restart_syscall)

/* What would reach beyond the run, has no counterpart in the world, or changes how calls are made. */
#define PRELOAD_REFUSED_CALLS(REFUSED) \
    REFUSED(io_uring_setup, ENOSYS) REFUSED(io_uring_enter, ENOSYS) REFUSED(io_uring_register, ENOSYS) \
    REFUSED(io_setup, ENOSYS) REFUSED(io_destroy, ENOSYS) REFUSED(io_getevents, ENOSYS) \
    REFUSED(io_submit, ENOSYS) REFUSED(io_cancel, ENOSYS) REFUSED(io_pgetevents, ENOSYS) \
    REFUSED(epoll_ctl_old, ENOSYS) REFUSED(epoll_wait_old, ENOSYS) \
    REFUSED(clock_settime, EPERM) REFUSED(clock_adjtime, EPERM) REFUSED(adjtimex, EPERM) \
    REFUSED(settimeofday, EPERM) \
    REFUSED(semget, ENOSYS) REFUSED(semop, ENOSYS) REFUSED(semctl, ENOSYS) REFUSED(semtimedop, ENOSYS) \
    REFUSED(msgget, ENOSYS) REFUSED(msgsnd, ENOSYS) REFUSED(msgrcv, ENOSYS) REFUSED(msgctl, ENOSYS) \
    REFUSED(mq_open, ENOSYS) REFUSED(mq_unlink, ENOSYS) REFUSED(mq_timedsend, ENOSYS) \
    REFUSED(seccomp, EINVAL) \
    REFUSED(mq_timedreceive, ENOSYS) REFUSED(mq_notify, ENOSYS) REFUSED(mq_getsetattr, ENOSYS) \
    REFUSED(ptrace, EPERM) REFUSED(bpf, EPERM) REFUSED(perf_event_open, EPERM) \
    REFUSED(pidfd_getfd, EPERM) REFUSED(pidfd_send_signal, EPERM) REFUSED(futex_waitv, ENOSYS) \
    REFUSED(unshare, EPERM) \
    REFUSED(setns, EPERM) REFUSED(mount, EPERM) REFUSED(umount2, EPERM) REFUSED(pivot_root, EPERM) \
    REFUSED(open_tree, EPERM) REFUSED(move_mount, EPERM) REFUSED(fsopen, EPERM) \
    REFUSED(fsconfig, EPERM) REFUSED(fsmount, EPERM) REFUSED(fspick, EPERM) \
    REFUSED(mount_setattr, EPERM) REFUSED(landlock_create_ruleset, ENOSYS) \
    REFUSED(landlock_add_rule, ENOSYS) REFUSED(landlock_restrict_self, ENOSYS) \
    REFUSED(fanotify_init, EPERM) REFUSED(fanotify_mark, EPERM) REFUSED(open_by_handle_at, EPERM) \
    REFUSED(add_key, ENOSYS) REFUSED(request_key, ENOSYS) REFUSED(keyctl, ENOSYS) \
    REFUSED(quotactl, ENOSYS) REFUSED(quotactl_fd, ENOSYS) REFUSED(lookup_dcookie, ENOSYS) \
    REFUSED(process_mrelease, ENOSYS) REFUSED(sync, ENOSYS) REFUSED(syslog, EPERM) \
    REFUSED(vhangup, EPERM) REFUSED(swapon, EPERM) REFUSED(swapoff, EPERM) REFUSED(reboot, EPERM) \
    REFUSED(setdomainname, EPERM) REFUSED(iopl, EPERM) REFUSED(ioperm, EPERM) REFUSED(acct, EPERM) \
    REFUSED(init_module, EPERM) REFUSED(finit_module, EPERM) REFUSED(delete_module, EPERM) \
    REFUSED(kexec_load, EPERM) REFUSED(kexec_file_load, EPERM) REFUSED(modify_ldt, ENOSYS) \
    REFUSED(set_thread_area, ENOSYS) REFUSED(get_thread_area, ENOSYS) REFUSED(sysfs, ENOSYS) \
    REFUSED(ustat, ENOSYS) REFUSED(uselib, ENOSYS) REFUSED(_sysctl, ENOSYS) \
    REFUSED(create_module, ENOSYS) REFUSED(get_kernel_syms, ENOSYS) REFUSED(query_module, ENOSYS) \
    REFUSED(nfsservctl, ENOSYS) REFUSED(getpmsg, ENOSYS) REFUSED(putpmsg, ENOSYS) \
    REFUSED(afs_syscall, ENOSYS) REFUSED(tuxcall, ENOSYS) REFUSED(security, ENOSYS) \
    REFUSED(vserver, ENOSYS)
/* clang-format on */

#include <stdint.h>

#define PRELOAD_DECLARE(name) int64_t preload_do_##name(const int64_t *a);
PRELOAD_SEAM_CALLS(PRELOAD_DECLARE)
PRELOAD_WORLD_CALLS(PRELOAD_DECLARE)
#undef PRELOAD_DECLARE

#endif
