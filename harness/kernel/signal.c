/* Signals at a chosen instant: into an actor's wait, or just so (`at T signal`), on the kernel.
 * SPDX-License-Identifier: MIT */
#include "signal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <drysock/socket.h>

#include "speed.h"

enum {
    WAIT_SIGNAL = SIGUSR1, /* what interrupts a wait */
    WAIT_MARK = 0x647279,  /* told to the handler, so that it knows these from `at` signals */
};

static const uint64_t LOOK_AGAIN_NS = 50000; /* while a due target does not wait yet */

struct planned {
    uint32_t target;
    int number;
    uint64_t at;
    bool done;
};

/* The watching thread's: guarded by `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kernel_target *all;
static uint32_t all_count;
static struct planned *plan;
static size_t plan_count;
static int wake = -1; /* an eventfd: something is new */

static _Thread_local struct kernel_target *self;

/* ---- the target's side -------------------------------------------------------------------- */

static void handle(int number, siginfo_t *info, void *context)
{
    if (info->si_code == SI_QUEUE && info->si_value.sival_int == WAIT_MARK && self != NULL) {
        self->taken = 1;
    }
}

void kernel_signal_prepare(void)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGURG,   SIGIO,     SIGINT, SIGHUP,
                                  SIGTERM, SIGQUIT, SIGCHLD, SIGWINCH, SIGVTALRM, SIGPROF};
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaction(numbers[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

static void kick(void)
{
    int kicked = eventfd_write(wake, 1);
    assert(kicked == 0);
}

void kernel_signal_attach(struct kernel_target *target)
{
    self = target;
    pthread_mutex_lock(&lock);
    target->thread = pthread_self();
    target->tid = gettid();
    pthread_mutex_unlock(&lock);
}

void kernel_signal_detach(struct kernel_target *target)
{
    pthread_mutex_lock(&lock);
    target->tid = 0;
    target->state = KERNEL_SIGNAL_OFF;
    pthread_mutex_unlock(&lock);
}

int kernel_signal_after(struct kernel_target *target, uint64_t after_ns)
{
    pthread_mutex_lock(&lock);
    target->state = KERNEL_SIGNAL_ARMED;
    target->due_at = dry_now() + after_ns;
    target->taken = 0;
    pthread_mutex_unlock(&lock);
    kick();
    return 0;
}

/* What became of a signal that the handler has seen: it ended a wait, or it is still to do so. */
static void settle(struct kernel_target *target, bool ended_a_wait)
{
    if (!target->taken) {
        return;
    }
    pthread_mutex_lock(&lock);
    target->taken = 0;
    if (target->state == KERNEL_SIGNAL_SENT) {
        target->state = ended_a_wait ? KERNEL_SIGNAL_LANDED : KERNEL_SIGNAL_ARMED;
    }
    pthread_mutex_unlock(&lock);
    if (!ended_a_wait) {
        kick();
    }
}

int kernel_signal_cancel(struct kernel_target *target)
{
    bool landed;
    settle(target, false);
    pthread_mutex_lock(&lock);
    landed = target->state == KERNEL_SIGNAL_LANDED;
    target->state = KERNEL_SIGNAL_OFF;
    pthread_mutex_unlock(&lock);
    return landed;
}

void kernel_signal_enter(struct kernel_target *target)
{
    settle(target, false);
    atomic_store(&target->waiting, true);
}

ssize_t kernel_signal_leave(struct kernel_target *target, ssize_t result, bool cut_short)
{
    atomic_store(&target->waiting, false);
    settle(target, cut_short);
    return result;
}

/* ---- the watching thread ------------------------------------------------------------------ */

static bool is_waiting_call(long number)
{
    static const long calls[] = {
        SYS_ppoll,   SYS_pselect6, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_accept4,         SYS_accept,
        SYS_connect, SYS_sendto,   SYS_recvfrom,    SYS_sendmsg,      SYS_recvmsg,         SYS_read,
        SYS_write,   SYS_readv,    SYS_writev,      SYS_sendfile,     SYS_clock_nanosleep,
#ifdef SYS_poll
        SYS_poll,    SYS_select,   SYS_epoll_wait,  SYS_nanosleep,
#endif
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i] == number) {
            return true;
        }
    }
    return false;
}

/* The start of a small file of the thread; empty when it cannot be read. */
static void read_about(pid_t tid, const char *file, char text[256])
{
    char path[64];
    ssize_t length = -1;
    int fd;
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)tid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, text, 255);
        close(fd);
    }
    text[length < 0 ? 0 : length] = '\0';
}

/* Whether the thread sleeps in a system call that waits. A running thread's file says "running". */
static bool is_inside(pid_t tid)
{
    char text[256], *end;
    long number;
    read_about(tid, "syscall", text);
    if (text[0] != '\0') {
        number = strtol(text, &end, 10);
        return end != text && is_waiting_call(number);
    }
    /* A kernel without that file: it sleeps, and the seam says that it is in such a call. */
    read_about(tid, "stat", text);
    end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && end[2] == 'S';
}

/* Sends what is due to one target; returns when to look at it again. */
static uint64_t watch_target(struct kernel_target *target, uint64_t now)
{
    union sigval mark = {.sival_int = WAIT_MARK};

    if (target->state != KERNEL_SIGNAL_ARMED || target->tid == 0) {
        return UINT64_MAX;
    }
    if (target->due_at > now) {
        return target->due_at;
    }
    if (!atomic_load(&target->waiting) || !is_inside(target->tid)) {
        return now + LOOK_AGAIN_NS;
    }
    target->state = KERNEL_SIGNAL_SENT;
    pthread_sigqueue(target->thread, WAIT_SIGNAL, mark);
    return UINT64_MAX;
}

static uint64_t watch_plan(struct planned *signal, uint64_t now)
{
    struct kernel_target *target = &all[signal->target];
    if (signal->done) {
        return UINT64_MAX;
    }
    if (signal->at > now) {
        return signal->at;
    }
    signal->done = true;
    if (target->tid != 0) {
        pthread_kill(target->thread, signal->number);
    }
    return UINT64_MAX;
}

static uint64_t watch_all(void)
{
    uint64_t now = dry_now(), next = UINT64_MAX, at;
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < all_count; i++) {
        if ((at = watch_target(&all[i], now)) < next) {
            next = at;
        }
    }
    for (size_t i = 0; i < plan_count; i++) {
        if ((at = watch_plan(&plan[i], now)) < next) {
            next = at;
        }
    }
    pthread_mutex_unlock(&lock);
    return next;
}

static void *watcher(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    for (;;) {
        uint64_t next = watch_all(), now = dry_now();
        uint64_t left = next > now ? next - now : 0;
        struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
        struct pollfd news = {.fd = wake, .events = POLLIN};
        eventfd_t count;

        if (kernel_speed_ppoll(caller, &news, 1, next == UINT64_MAX ? NULL : &timeout, NULL) > 0) {
            eventfd_read(wake, &count);
        }
    }
    return NULL;
}

int kernel_signal_start(struct kernel_target *targets, uint32_t count)
{
    sigset_t every, before;
    pthread_t thread;
    int error;
    all = targets;
    all_count = count;
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) {
        return -1;
    }
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    error = pthread_create(&thread, NULL, watcher, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0 : -1;
}

int kernel_signal_plan(uint32_t i, uint64_t at, int number)
{
    struct planned *grown;
    pthread_mutex_lock(&lock);
    grown = realloc(plan, (plan_count + 1) * sizeof *plan);
    if (grown != NULL) {
        plan = grown;
        plan[plan_count++] = (struct planned){.target = i, .number = number, .at = at};
    }
    pthread_mutex_unlock(&lock);
    kick();
    return grown == NULL ? -1 : 0;
}
