/* Plays the script: checks each call of the seam against the step that must come next.
 * SPDX-License-Identifier: MIT */
#include "double.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "real/socket.h"

enum { STEPS = 64, NS_IN_SECOND = 1000000000 };

static struct {
    struct step steps[STEPS];
    size_t count;
    size_t at;
    uint64_t now;
    int open_calls;
    char announced[512];
    struct dry_system system;
} play;

static const struct step *next(enum step_call call)
{
    if (play.at == play.count) {
        fail_msg("call %d comes after the last step", (int)call);
    }
    const struct step *step = &play.steps[play.at];
    if (step->call != call) {
        fail_msg("step %zu: expected call %d, came %d", play.at, (int)step->call, (int)call);
    }
    play.at++;
    play.now += step->takes_ns;
    return step;
}

static int double_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                        const struct timespec *timeout, const sigset_t *mask)
{
    const struct step *step = next(STEP_POLL);
    int64_t timeout_ns = timeout == NULL ? FOREVER : timeout->tv_sec * NS_IN_SECOND + timeout->tv_nsec;
    assert_int_equal(timeout_ns, step->timeout_ns);
    if (step->events != 0) {
        assert_int_equal(descriptors[0].events, step->events);
    }
    if (step->gives > 0) {
        descriptors[0].revents = descriptors[0].events;
    }
    return (int)step->gives;
}

static ssize_t double_sendto(struct dry_caller caller, int fd, const void *data, size_t length,
                             int flags, const struct sockaddr *address, socklen_t bytes)
{
    const struct step *step = next(STEP_SEND);
    if (step->bytes != 0) {
        assert_int_equal(length, step->bytes);
    }
    return (ssize_t)step->gives;
}

static ssize_t double_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
                               struct sockaddr *address, socklen_t *bytes)
{
    const struct step *step = next(STEP_RECEIVE);
    if (step->bytes != 0) {
        assert_int_equal(length, step->bytes);
    }
    if (step->gives > 0) {
        memset(buffer, 'x', (size_t)step->gives);
    }
    return (ssize_t)step->gives;
}

static ssize_t double_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message, int flags)
{
    return (ssize_t)next(STEP_SENDMSG)->gives;
}

static ssize_t double_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    message->msg_controllen = 0;
    return (ssize_t)next(STEP_RECVMSG)->gives;
}

static int double_accept(struct dry_caller caller, int fd, struct sockaddr *address, socklen_t *length,
                         int flags)
{
    assert_int_equal(flags, SOCK_CLOEXEC);
    *length = 0;
    return (int)next(STEP_ACCEPT)->gives;
}

static int double_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                          socklen_t length)
{
    return (int)next(STEP_CONNECT)->gives;
}

static int double_getsockopt(struct dry_caller caller, int fd, int level, int option, void *value,
                             socklen_t *length)
{
    const struct step *step = next(STEP_OUTCOME);
    assert_int_equal(level, SOL_SOCKET);
    assert_int_equal(option, SO_ERROR);
    memcpy(value, &step->code, sizeof step->code);
    return (int)step->gives;
}

static int double_nanosleep(struct dry_caller caller, clockid_t clock, int flags,
                            const struct timespec *request, struct timespec *remain)
{
    const struct step *step = next(STEP_SLEEP);
    assert_int_equal(flags, TIMER_ABSTIME);
    assert_int_equal(request->tv_sec * NS_IN_SECOND + request->tv_nsec, step->timeout_ns);
    return (int)step->gives;
}

static ssize_t double_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                               size_t count)
{
    const struct step *step = next(STEP_SENDFILE);
    if (step->bytes != 0) {
        assert_int_equal(count, step->bytes);
    }
    if (step->gives > 0) {
        *offset += step->gives;
    }
    return (ssize_t)step->gives;
}

static int double_ioctl(struct dry_caller caller, int fd, unsigned long request, void *argument)
{
    const struct step *step = next(STEP_IOCTL);
    assert_int_equal(request, FIONBIO);
    assert_int_equal(*(int *)argument, step->code);
    return (int)step->gives;
}

static int double_close(struct dry_caller caller, int fd)
{
    const struct step *step = next(STEP_CLOSE);
    assert_int_equal(fd, step->code);
    return (int)step->gives;
}

static int double_clock(struct dry_caller caller, clockid_t clock, struct timespec *now)
{
    assert_int_equal(clock, CLOCK_MONOTONIC);
    now->tv_sec = (time_t)(play.now / NS_IN_SECOND);
    now->tv_nsec = (long)(play.now % NS_IN_SECOND);
    return 0;
}

static void double_call_begin(struct dry_caller caller, const char *verb, int fd)
{
    size_t used = strlen(play.announced);
    snprintf(play.announced + used, sizeof play.announced - used, "%s(%d) ", verb, fd);
    play.open_calls++;
}

static void double_call_end(struct dry_caller caller)
{
    assert_true(play.open_calls > 0);
    play.open_calls--;
}

static int double_check(void *argument)
{
    return (int)next(STEP_CHECK)->gives;
}

void double_play(const struct step *steps, size_t count)
{
    assert_true(count <= STEPS);
    memset(&play, 0, sizeof play);
    memcpy(play.steps, steps, count * sizeof *steps);
    play.count = count;
    play.now = 1000ULL * NS_IN_SECOND;
    play.system = *dry_provider();
    play.system.name = "double";
    play.system.ppoll = double_ppoll;
    play.system.sendto = double_sendto;
    play.system.recvfrom = double_recvfrom;
    play.system.sendmsg = double_sendmsg;
    play.system.recvmsg = double_recvmsg;
    play.system.accept = double_accept;
    play.system.connect = double_connect;
    play.system.getsockopt = double_getsockopt;
    play.system.clock_nanosleep = double_nanosleep;
    play.system.sendfile = double_sendfile;
    play.system.ioctl = double_ioctl;
    play.system.close = double_close;
    play.system.clock_gettime = double_clock;
    play.system.call_begin = double_call_begin;
    play.system.call_end = double_call_end;
    dry_set_current_caller((struct dry_caller){.system = &play.system});
    bool checks = false;
    for (size_t i = 0; i < count; i++) {
        checks |= steps[i].call == STEP_CHECK;
    }
    dry_set_interrupt_check(checks ? double_check : NULL, NULL);
}

void double_finish(void)
{
    dry_set_interrupt_check(NULL, NULL);
    dry_set_current_caller((struct dry_caller){0});
    assert_int_equal(play.at, play.count);
    assert_int_equal(play.open_calls, 0);
}

uint64_t double_now(void)
{
    return play.now;
}

struct dry_socket *double_socket(int64_t timeout_ns)
{
    struct dry_socket *socket = calloc(1, sizeof *socket);
    assert_non_null(socket);
    socket->fd = DOUBLE_FD;
    socket->family = AF_INET;
    socket->type = SOCK_STREAM;
    socket->timeout_ns = timeout_ns;
    socket->holders = HOLDS_HANDLE;
    return socket;
}

void double_free(struct dry_socket *socket)
{
    free(socket);
}

const char *double_announced(void)
{
    return play.announced;
}
