/* The futex of programs: words of their memory that tasks wait on.
 * SPDX-License-Identifier: MIT
 *
 * Exactly one thread of a run executes at any instant, so looking at a word and waiting on it are one
 * step. Waiters of a word are woken in the order they came. */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>

#include "file/futex.h"
#include "internal.h"
#include "process.h"
#include "program.h"

enum { ROBUST_MOST = 2048 }; /* LINUX: ROBUST_LIST_LIMIT */

/* ---- wait --------------------------------------------------------------------------------------- */

static bool times_out(const struct sim_world *world, int operation, const struct timespec *timeout,
                      uint64_t *at)
{
    uint64_t ns;
    *at = SIM_NEVER;
    if (!timeout) {
        return true;
    }
    if (!sim_call_duration(timeout, &ns)) {
        return false;
    }
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        *at = sim_call_after(world, ns);
    } else {
        const uint64_t offset = operation & FUTEX_CLOCK_REALTIME ? world->wall_offset_ns : 0;
        *at = ns > offset ? ns - offset : 0;
    }
    return true;
}

static int64_t begin_wait(SIM_CALL, const uint32_t *word, int operation, uint32_t value,
                          const struct timespec *timeout, uint32_t bits, struct sim_futex_key key)
{
    uint64_t at;
    if (!times_out(world, operation, timeout, &at) || !bits) {
        return -EINVAL;
    }
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        return -EAGAIN;
    }
    sim_call_begin(world, task, SIM_CALL_FUTEX, -1, at);
    if (sim_futex_wait_add(world, task, key, bits) < 0) {
        return sim_call_end(world, task, -ENOMEM);
    }
    return 0;
}

static int64_t wait(SIM_CALL, const uint32_t *word, int operation, uint32_t value,
                    const struct timespec *timeout, uint32_t bits, struct sim_futex_key key)
{
    struct sim_task *caller = sim_task_at(world, task);
    if (!caller->call.kind) {
        const int64_t result = begin_wait(world, task, word, operation, value, timeout, bits, key);
        if (result < 0) {
            return result;
        }
    }
    int64_t result = SIM_WAIT;
    if (caller->call.futex_woken) {
        result = 0;
    } else if (caller->call.deadline_at <= world->now) {
        result = -ETIMEDOUT;
    } else if (sim_signal_due(caller)) {
        /* LINUX: with a timeout the rest would be waited for, so a handler ends the call. */
        const bool restarts = caller->call.deadline_at == SIM_NEVER &&
                              sim_signal_restarts(world, caller);
        result = restarts ? SIM_RESTART : -EINTR;
    }
    if (result != SIM_WAIT) {
        sim_call_clear(world, task);
        sim_futex_sweep(world, key);
        return result;
    }
    sim_wait_park(world, task, caller->call.deadline_at);
    return SIM_WAIT;
}

/* ---- wake and change a word --------------------------------------------------------------------- */

static int32_t signed_12(uint32_t bits)
{
    return (int32_t)(bits << 20) >> 20;
}

/* Does FUTEX_WAKE_OP's operation on the word; 1: the old value compares as asked, 0, or -ENOSYS. */
static int change(uint32_t *word, uint32_t encoded)
{
    const uint32_t operation = encoded >> 28 & 7;
    int32_t argument = signed_12(encoded >> 12 & 0xfff);
    const int32_t compared = signed_12(encoded & 0xfff);
    const int32_t old = (int32_t)*word;
    if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT) {
        argument = (int32_t)(1U << (argument & 31));
    }
    switch (operation) {
    case FUTEX_OP_SET:
        *word = (uint32_t)argument;
        break;
    case FUTEX_OP_ADD:
        *word += (uint32_t)argument;
        break;
    case FUTEX_OP_OR:
        *word |= (uint32_t)argument;
        break;
    case FUTEX_OP_ANDN:
        *word &= ~(uint32_t)argument;
        break;
    case FUTEX_OP_XOR:
        *word ^= (uint32_t)argument;
        break;
    default:
        return -ENOSYS;
    }
    switch (encoded >> 24 & 15) {
    case FUTEX_OP_CMP_EQ:
        return old == compared;
    case FUTEX_OP_CMP_NE:
        return old != compared;
    case FUTEX_OP_CMP_LT:
        return old < compared;
    case FUTEX_OP_CMP_LE:
        return old <= compared;
    case FUTEX_OP_CMP_GT:
        return old > compared;
    case FUTEX_OP_CMP_GE:
        return old >= compared;
    default:
        return -ENOSYS;
    }
}

int64_t sim_call_futex(SIM_CALL, uint32_t *word, int operation, uint32_t value,
                       const struct timespec *timeout, uint32_t *word2, uint32_t value2,
                       uint32_t value3, const uint64_t *key, const uint64_t *key2)
{
    const int command = operation & FUTEX_CMD_MASK;
    const struct sim_process_id process = sim_task_at(world, task)->process;
    const struct sim_futex_key first = sim_futex_key(world, process, word, key);
    const struct sim_futex_key second = sim_futex_key(world, process, word2, key2);
    const bool two = command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE ||
                     command == FUTEX_WAKE_OP;
    if ((operation & FUTEX_CLOCK_REALTIME) && command != FUTEX_WAIT_BITSET) {
        return -ENOSYS;
    }
    if ((uintptr_t)word % sizeof *word || (two && (uintptr_t)word2 % sizeof *word2)) {
        return -EINVAL;
    }
    switch (command) {
    case FUTEX_WAIT:
        value3 = SIM_FUTEX_ANY;
        /* fall through */
    case FUTEX_WAIT_BITSET:
        return wait(world, task, word, operation, value, timeout, value3, first);
    case FUTEX_WAKE:
        value3 = SIM_FUTEX_ANY;
        /* fall through */
    case FUTEX_WAKE_BITSET:
        return sim_futex_wake(world, first, (int)value, value3);
    case FUTEX_CMP_REQUEUE:
        if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value3 && (int)value >= 0 && (int)value2 >= 0) {
            return -EAGAIN;
        }
        /* fall through */
    case FUTEX_REQUEUE:
        return sim_futex_requeue(world, first, second, (int)value, (int)value2);
    case FUTEX_WAKE_OP: {
        const int both = change(word2, value3);
        const int64_t woken = both < 0 ? both : sim_futex_wake(world, first, (int)value, SIM_FUTEX_ANY);
        return both <= 0 ? woken : woken + sim_futex_wake(world, second, (int)value2, SIM_FUTEX_ANY);
    }
    default:
        return -ENOSYS; /* SIMPLER: priority inheritance too */
    }
}

/* ---- robust lists ------------------------------------------------------------------------------- */

static void owner_died(SIM_CALL, uintptr_t entry, long offset, uint32_t tid)
{
    uint32_t *word = (uint32_t *)(void *)((char *)entry + offset);
    const uint32_t old = *word;
    if ((old & FUTEX_TID_MASK) == tid) {
        *word = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        if (old & FUTEX_WAITERS) {
            sim_futex_wake(world, sim_futex_key(world, sim_task_at(world, task)->process, word, NULL),
                           1, SIM_FUTEX_ANY);
        }
    }
}

int64_t sim_call_robust_exit(SIM_CALL, void *list, uint32_t tid)
{
    const struct robust_list_head *head = list;
    const uintptr_t mask = ~(uintptr_t)1; /* the lowest bit: of the kind with priority inheritance */
    const uintptr_t end = (uintptr_t)&head->list;
    const uintptr_t pending = (uintptr_t)head->list_op_pending & mask;
    uintptr_t entry = (uintptr_t)head->list.next & mask;
    for (int count = 0; entry != end && entry && count < ROBUST_MOST; count++) {
        const struct robust_list *next = ((const struct robust_list *)entry)->next;
        if (entry != pending) {
            owner_died(world, task, entry, head->futex_offset, tid);
        }
        entry = (uintptr_t)next & mask;
    }
    if (pending) {
        owner_died(world, task, pending, head->futex_offset, tid);
    }
    return 0;
}

int64_t sim_call_sched_yield(SIM_CALL)
{
    return sim_call_yield(world, task);
}
