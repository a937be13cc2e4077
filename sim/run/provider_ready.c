/* The seam's readiness calls where the real system's files stand beside the world's.
 * SPDX-License-Identifier: MIT
 *
 * Files of the real system are looked at in real time, once: regular files are always ready, and what
 * is ready is told. What is not ready cannot be waited for, as the world's clock knows nothing of it:
 * such a wait is refused with a sentence, never mistaken for one that may go on.
 */
#include "provider.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

static const char cannot_wait[] =
    "a real pipe, socket or terminal that is not ready cannot be waited for in the world: "
    "'drysock exec' runs programs that do";

static uint32_t first_in_world(struct dry_caller caller)
{
    const struct sim *sim = caller.world;
    return sim_provider_refuses(caller)
               ? 0
               : sim_process_at(sim->world, (struct sim_process_id){caller.process})->first_descriptor;
}

/* What a real descriptor is ready for now; POLLNVAL: not open. */
static short look(int fd, short events)
{
    struct pollfd item = {.fd = fd, .events = events};
    return poll(&item, 1, 0) > 0 ? item.revents : 0;
}

static bool would_wait(const struct timespec *timeout)
{
    return !timeout || timeout->tv_sec != 0 || timeout->tv_nsec != 0;
}

static int refuse_to_wait(void)
{
    sim_current_explain(cannot_wait);
    return -ENOTSUP;
}

/* ---- poll --------------------------------------------------------------------------------------- */

bool sim_provider_polls_real(struct dry_caller caller, const struct pollfd *descriptors, nfds_t count)
{
    const uint32_t first = first_in_world(caller);
    if (!descriptors || first == 0 || count > first) {
        return false;
    }
    for (nfds_t i = 0; i < count; i++) {
        if (descriptors[i].fd >= 0 && (uint32_t)descriptors[i].fd < first) {
            return true;
        }
    }
    return false;
}

/* Looks at the real ones; the world's own are left for `others`, in the same places. */
static int look_at_real(struct pollfd *descriptors, struct pollfd *others, nfds_t count, uint32_t first)
{
    int ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        others[i] = descriptors[i];
        if (descriptors[i].fd < 0 || (uint32_t)descriptors[i].fd >= first) {
            continue;
        }
        others[i].fd = -1;
        descriptors[i].revents = look(descriptors[i].fd, descriptors[i].events);
        ready += descriptors[i].revents != 0;
    }
    return ready;
}

int sim_provider_poll_real(int (*in_world)(struct dry_caller, struct pollfd *, nfds_t,
                                           const struct timespec *, const sigset_t *),
                           struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                           const struct timespec *timeout, const sigset_t *mask)
{
    static const struct timespec at_once;
    const uint32_t first = first_in_world(caller);
    struct pollfd *others = sim_take_memory(caller.world, count * sizeof *others);
    if (!others) {
        return -ENOMEM;
    }
    const int real = look_at_real(descriptors, others, count, first);
    int result = in_world(caller, others, count, &at_once, NULL);
    if (result == 0 && real == 0 && would_wait(timeout)) {
        result = refuse_to_wait();
    }
    for (nfds_t i = 0; i < count && result >= 0; i++) {
        if (others[i].fd >= 0) {
            descriptors[i].revents = others[i].revents;
        }
    }
    sim_give_memory(caller.world, others);
    return result < 0 ? result : result + real;
}

/* ---- select ------------------------------------------------------------------------------------- */

enum {
    WORD_BITS = 8 * sizeof(unsigned long),
    SETS = 3,
};

static const short set_events[SETS] = {POLLIN, POLLOUT, POLLPRI};
static const short set_answers[SETS] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};

static bool has(const fd_set *set, int fd)
{
    const unsigned long *words = (const unsigned long *)(const void *)set;
    return set && (words[fd / WORD_BITS] >> (fd % WORD_BITS) & 1);
}

static void drop(fd_set *set, int fd)
{
    unsigned long *words = (unsigned long *)(void *)set;
    words[fd / WORD_BITS] &= ~(1UL << (fd % WORD_BITS));
}

bool sim_provider_selects_real(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                               fd_set *exceptional)
{
    const fd_set *const sets[SETS] = {readable, writable, exceptional};
    const uint32_t first = first_in_world(caller);
    const uint32_t below = count < 0 ? 0 : (uint32_t)count < first ? (uint32_t)count : first;
    for (uint32_t word = 0; word < (below + WORD_BITS - 1) / WORD_BITS; word++) {
        /* The last word may hold numbers of the world, too. */
        const uint32_t bits = below - word * WORD_BITS;
        const unsigned long real = bits < WORD_BITS ? (1UL << bits) - 1 : ~0UL;
        for (int i = 0; i < SETS; i++) {
            const unsigned long *words = (const unsigned long *)(const void *)sets[i];
            if (words && words[word] & real) {
                return true;
            }
        }
    }
    return false;
}

/* Leaves of the real numbers those that are ready; the count of bits, or -EBADF. */
static int keep_ready(int count, fd_set *const sets[SETS])
{
    int ready = 0;
    for (int fd = 0; fd < count; fd++) {
        short events = 0;
        for (int i = 0; i < SETS; i++) {
            events |= has(sets[i], fd) ? set_events[i] : 0;
        }
        const short bits = events ? look(fd, events) : 0;
        if (bits & POLLNVAL) {
            return -EBADF;
        }
        for (int i = 0; i < SETS; i++) {
            const bool wanted = has(sets[i], fd);
            if (wanted && (bits & set_answers[i])) {
                ready++;
            } else if (wanted) {
                drop(sets[i], fd);
            }
        }
    }
    return ready;
}

int sim_provider_select_real(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                             fd_set *exceptional, const struct timespec *timeout)
{
    fd_set *const sets[SETS] = {readable, writable, exceptional};
    fd_set left[SETS];
    fd_set *looked[SETS] = {NULL, NULL, NULL};
    /* SIMPLER: sets that reach into the world's numbers hold millions of bits: not beside real ones. */
    if (count > FD_SETSIZE) {
        return refuse_to_wait();
    }
    for (int i = 0; i < SETS; i++) {
        if (sets[i]) {
            left[i] = *sets[i];
            looked[i] = &left[i];
        }
    }
    const int ready = keep_ready(count, looked);
    if (ready == 0 && would_wait(timeout)) {
        return refuse_to_wait();
    }
    for (int i = 0; i < SETS && ready >= 0; i++) {
        if (sets[i]) {
            *sets[i] = left[i];
        }
    }
    return ready;
}

/* ---- epoll -------------------------------------------------------------------------------------- */

int sim_provider_watch_real(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        return -EBADF;
    }
    /* LINUX: what is always ready has no place in an epoll. */
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? -EPERM : refuse_to_wait();
}
