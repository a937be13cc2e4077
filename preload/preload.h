/* Programs as they are: what the files of the preload library share.
 * SPDX-License-Identifier: MIT
 *
 * The library is put into a program that knows nothing of drysock (LD_PRELOAD) and turns its system
 * calls into calls of the world. It holds no behaviour of sockets. Two ways lead in: the exported
 * libc names (names.c) and the trap (trap.c), which catches every system call that is made
 * elsewhere; both end in preload_call, which asks the one table (calls.h).
 *
 * While the library's own code runs the thread is *inside*: its selector lets system calls pass, and
 * the exported names go straight to the kernel. Inside nothing is allocated and nothing is locked,
 * since the program may have been interrupted anywhere, in malloc too. */
#ifndef PRELOAD_H
#define PRELOAD_H

#include <drysock/system.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

enum {
    PRELOAD_ARGUMENTS = 6,
    PRELOAD_LOWEST_SIGNAL_RETURN = 512, /* results from -4095 to -512 are the library's own */
};

/* What a thread is to the library. One thread-local, in the static TLS: reaching it calls nothing. */
struct preload_thread {
    volatile unsigned char selector; /* the kernel reads it at each system call: 1 traps, 0 lets pass */
    bool armed;
    int task;            /* its number in the world */
    uint32_t *clear_tid; /* cleared, and its waiters woken, when it ends */
    void *robust;        /* the head of its list of robust mutexes */
    ucontext_t *context; /* where it stands in the program, while a trapped call is made */
};
extern _Thread_local struct preload_thread preload_self;

/* ---- raw.c: system calls that are never trapped ------------------------------------------- */

/* The system call itself: >= 0 or -errno. */
int64_t preload_raw(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f);
#define PRELOAD_RAW_1(number, a, b, c, d, e, f, ...)                                          \
    preload_raw(number, (int64_t)(a), (int64_t)(b), (int64_t)(c), (int64_t)(d), (int64_t)(e), \
                (int64_t)(f))
#define preload_kernel(...) PRELOAD_RAW_1(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
/* What a handler of ours returns to: rt_sigreturn(2). */
void preload_restorer(void);
extern const char preload_raw_start[], preload_raw_end[];

/* ---- start.c ------------------------------------------------------------------------------ */

bool preload_running(void); /* the program is in a world (else the library lets all pass) */
static inline bool preload_enter(void)
{
    const bool was_inside = !preload_self.selector;
    preload_self.selector = 0;
    return was_inside;
}
static inline void preload_leave(void)
{
    preload_self.selector = preload_self.armed;
}
/* Ends the program with a sentence on its standard error. */
void preload_fail(const char *sentence) __attribute__((noreturn));

/* ---- trap.c ------------------------------------------------------------------------------- */

void preload_trap_install(void); /* once a program: the handler */
void preload_trap_arm(void);     /* for each thread, after fork and exec too */

/* ---- calls.c ------------------------------------------------------------------------------ */

/* One system call of the program, by the table: its result or -errno. Inside. */
int64_t preload_call(int64_t number, const int64_t a[PRELOAD_ARGUMENTS]);
/* As the kernel has it. */
int64_t preload_pass(int64_t number, const int64_t a[PRELOAD_ARGUMENTS]);

/* ---- memory.c ----------------------------------------------------------------------------- */

/* Could the kernel read (write) these bytes of the program? A length of 0 is always good. */
bool preload_readable(const void *start, size_t length);
bool preload_writable(const void *start, size_t length);
/* A string up to PATH_MAX; its length with the 0, -EFAULT, or -ENAMETOOLONG. */
int64_t preload_string(const char *string);
/* Pages came, went or changed their protection. */
void preload_memory_changed(void);

static inline void *preload_pointer(int64_t argument)
{
    return (void *)(uintptr_t)argument;
}

/* ---- world.c: the seam, and what the library asks of the world besides -------------------- */

/* Enters the world that this program was started in; -1: it was started in none. */
int preload_world_start(void);
struct dry_caller preload_caller(void);
/* The same behind the fault plan: for calls of the seam. */
struct dry_caller preload_seam(void);
/* Nanoseconds since the world began, and the next instant at which something happens. */
uint64_t preload_world_now(void);
uint64_t preload_world_next_at(void);
void preload_world_random(void *buffer, size_t length);

/* ---- descriptors.c ------------------------------------------------------------------------ */

enum preload_kind {
    PRELOAD_CLOSED = 0,
    PRELOAD_WORLD,  /* a placeholder has its number in the real table */
    PRELOAD_READY,  /* a real regular file, directory, /dev/null: poll always says ready */
    PRELOAD_POLLED, /* a real pipe, terminal, device */
    PRELOAD_RANDOM, /* /dev/urandom: its bytes are the run's */
};
enum preload_kind preload_kind_of(int fd);
static inline bool preload_is_real(int fd)
{
    return preload_kind_of(fd) >= PRELOAD_READY;
}
/* At the start: what the program inherited. */
void preload_descriptors_start(void);
/* A number that the kernel gave to something real: the world's table learns it. The number again. */
int64_t preload_descriptor_opened(int64_t fd, int flags);
/* A number that the world gave (or -errno): a placeholder takes it in the real table. The number
 * again. */
int64_t preload_descriptor_made(int64_t fd, bool close_on_exec);
/* The block's own descriptor. */
int preload_hidden(void);
void preload_hide(int fd);
/* What is known of all descriptors, to be put back by the parent of a vfork. NULL: no memory. */
void *preload_descriptors_save(void);
void preload_descriptors_restore(void *saved);
/* The real descriptor already lies at this number; the world made the number's entry. */
void preload_descriptor_is(int fd, enum preload_kind kind);
/* The polled ones, at most so many; their number. */
struct pollfd;
int preload_polled(struct pollfd *descriptors, int most);

/* ---- rights.c ----------------------------------------------------------------------------- */

/* Descriptors that a message of the program took along, and those that came with one. */
struct msghdr;
void preload_rights_go(const struct msghdr *message);
void preload_rights_came(struct msghdr *message, bool close_on_exec);

/* ---- ready.c ------------------------------------------------------------------------------ */

/* Waits, and lets the world go on, until a real descriptor has one of these events. > 0, or -errno. */
int64_t preload_wait_real(int fd, short events);

/* ---- report.c ----------------------------------------------------------------------------- */

/* A system call that is on no list, or refused, is said once for each number at the end. */
void preload_report_refused(int64_t number);
void preload_report_end(void);
/* The name of a system call; NULL: it has no number here. */
const char *preload_call_name(int64_t number);

/* ---- vdso.c ------------------------------------------------------------------------------- */

/* The clock functions that the kernel maps into each program lead to the library from now on. */
void preload_vdso_patch(void);

#endif
