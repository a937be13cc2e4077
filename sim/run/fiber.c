/* Fibers: how a task's code is parked. The one place that switches stacks.
 * SPDX-License-Identifier: MIT */
#include "fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

#if defined(__has_feature)
#define FEATURE(name) __has_feature(name)
#else
#define FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || FEATURE(address_sanitizer)
#define WITH_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define WITH_ASAN 0
#endif
#if FEATURE(memory_sanitizer)
#define WITH_MSAN 1
#include <sanitizer/msan_interface.h>
#else
#define WITH_MSAN 0
#endif
#if defined(__SANITIZE_THREAD__) || FEATURE(thread_sanitizer)
#define WITH_TSAN 1
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#else
#define WITH_TSAN 0
#endif

/* libboost-context's C entry points; no header of C declares them. */
struct transfer {
    void *context;
    void *data;
};
extern struct transfer jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *stack_top, size_t bytes, void (*entry)(struct transfer));

enum {
    PAGE = 4096,
    /* Wider than a page: a function's frame may reach over one without touching it. */
    GUARD = 16 * PAGE,
    /* LINUX: since 6.13; the guard costs page table entries, not a piece of the mapping. */
    LIGHT_GUARD = 102, /* MADV_GUARD_INSTALL */
    /* Before that each guard cuts the mapping once more, and Linux allows 65,530 pieces in all. The
     * stacks beyond have a mark at their end instead, which is looked at when they are left. */
    GUARDED = 15000,
    TOGETHER = 256, /* slots are opened so many at once where no guard cuts them */
    MARK_WORDS = 16,
    /* Tops of stacks lie at different cache lines, or all of them would share one set. */
    COLOURS = 32,
    COLOUR_BYTES = 128,
};

static const uint64_t MARK = 0x7265626966796e69; /* at the end of a stack without a guard */

/* What a new fiber is told at its first switch. */
struct birth {
    struct sim_fiber *from;
    struct sim_fiber *self;
};

int sim_stacks_create(struct sim_stacks *stacks, size_t stack_bytes, uint32_t count)
{
    memset(stacks, 0, sizeof *stacks);
    if (stack_bytes > ((size_t)1 << 46) / (count ? count : 1)) {
        return -ENOMEM; /* more than there is address space */
    }
    stacks->slot_bytes = (stack_bytes + PAGE - 1) / PAGE * PAGE + GUARD;
    stacks->count = count;
    stacks->next = mmap(NULL, ((size_t)count + 1) * sizeof *stacks->next, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks->next == MAP_FAILED) {
        return -errno;
    }
    /* Reserved only: a stack becomes memory at its first use. */
    stacks->base = mmap(NULL, stacks->slot_bytes * count, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stacks->base == MAP_FAILED) {
        const int error = errno;
        munmap(stacks->next, ((size_t)count + 1) * sizeof *stacks->next);
        return -error;
    }
    madvise(stacks->base, stacks->slot_bytes * count, MADV_NOHUGEPAGE);
    stacks->light_guards = madvise(stacks->base, GUARD, LIGHT_GUARD) == 0;
    return 0;
}

void sim_stacks_destroy(struct sim_stacks *stacks)
{
    if (stacks->base) {
        munmap(stacks->base, stacks->slot_bytes * stacks->count);
        munmap(stacks->next, ((size_t)stacks->count + 1) * sizeof *stacks->next);
        stacks->base = NULL;
    }
}

static char *slot_at(const struct sim_stacks *stacks, uint32_t slot)
{
    return stacks->base + (size_t)(slot - 1) * stacks->slot_bytes;
}

static bool has_guard(const struct sim_stacks *stacks, uint32_t slot)
{
    return stacks->light_guards || slot <= GUARDED;
}

/* Makes memory of a slot but for its guard, or of the next slots together. */
static bool open_slot(const struct sim_stacks *stacks, uint32_t slot)
{
    char *bottom = slot_at(stacks, slot);
    if (!stacks->light_guards && has_guard(stacks, slot)) {
        return mprotect(bottom + GUARD, stacks->slot_bytes - GUARD, PROT_READ | PROT_WRITE) == 0;
    }
    const uint32_t first = stacks->light_guards ? 1 : GUARDED + 1;
    if ((slot - first) % TOGETHER == 0) {
        const uint32_t left = stacks->count - (slot - 1);
        const size_t slots = left < TOGETHER ? left : TOGETHER;
        if (mprotect(bottom, slots * stacks->slot_bytes, PROT_READ | PROT_WRITE) < 0) {
            return false;
        }
    }
    return !stacks->light_guards || madvise(bottom, GUARD, LIGHT_GUARD) == 0;
}

static uint64_t *mark_of(const struct sim_stacks *stacks, uint32_t slot)
{
    return (uint64_t *)(void *)(slot_at(stacks, slot) + GUARD);
}

static void set_mark(const struct sim_stacks *stacks, uint32_t slot)
{
    for (uint32_t i = 0; i < MARK_WORDS; i++) {
        mark_of(stacks, slot)[i] = MARK;
    }
}

static bool take_slot(struct sim_stacks *stacks, uint32_t *slot)
{
    if (stacks->first_free) {
        *slot = stacks->first_free;
        stacks->first_free = stacks->next[*slot];
        return true;
    }
    if (stacks->used == stacks->count) {
        return false;
    }
    if (!open_slot(stacks, stacks->used + 1)) {
        return false;
    }
    *slot = ++stacks->used;
#ifdef VALGRIND_STACK_REGISTER
    char *bottom = slot_at(stacks, *slot);
    (void)VALGRIND_STACK_REGISTER(bottom + GUARD, bottom + stacks->slot_bytes);
#endif
    return true;
}

/* ---- switching ---------------------------------------------------------------------------------- */

/* Both are part of their callers: thread sanitizer counts a function's entry and exit on the fiber
 * that it believes to be the running one. */
__attribute__((always_inline)) static inline void arrive(struct sim_fiber *self,
                                                         struct transfer transfer,
                                                         struct sim_fiber *from)
{
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, &from->stack_bottom, &from->stack_bytes);
#endif
#if WITH_MSAN
    __msan_finish_switch_fiber(&from->stack_bottom, &from->stack_bytes);
    __msan_unpoison(&transfer, sizeof transfer); /* the switch's own code is not instrumented */
#endif
    (void)self;
    from->context = transfer.context;
}

__attribute__((always_inline)) static inline void depart(struct sim_fiber *from, struct sim_fiber *to,
                                                         bool for_ever)
{
#if WITH_ASAN
    __sanitizer_start_switch_fiber(for_ever ? NULL : &from->fake_stack, to->stack_bottom,
                                   to->stack_bytes);
#endif
#if WITH_MSAN
    __msan_start_switch_fiber(to->stack_bottom, to->stack_bytes);
#endif
#if WITH_TSAN
    if (!from->tsan) {
        from->tsan = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
    (void)from;
    (void)to;
    (void)for_ever;
}

static void begin(struct transfer transfer)
{
#if WITH_MSAN
    __msan_unpoison(&transfer, sizeof transfer);
#endif
    const struct birth *birth = transfer.data;
    struct sim_fiber *self = birth->self;
    arrive(self, transfer, birth->from);
    self->entry(self->argument);
    assert(!"a fiber's entry returned");
}

void sim_fiber_switch(struct sim_fiber *from, struct sim_fiber *to)
{
    struct birth birth = {from, to};
    depart(from, to, false);
    struct transfer transfer = jump_fcontext(to->context, &birth);
#if WITH_MSAN
    __msan_unpoison(&transfer, sizeof transfer);
#endif
    arrive(from, transfer, ((const struct birth *)transfer.data)->from);
}

void sim_fiber_leave(struct sim_fiber *from, struct sim_fiber *to)
{
    struct birth birth = {from, to};
    depart(from, to, true);
    jump_fcontext(to->context, &birth);
    abort(); /* nothing switches back */
}

void sim_fiber_jumped(struct sim_fiber *to)
{
#if WITH_ASAN
    const void *bottom;
    size_t bytes;
    __sanitizer_start_switch_fiber(NULL, to->stack_bottom, to->stack_bytes);
    __sanitizer_finish_switch_fiber(to->fake_stack, &bottom, &bytes);
#endif
#if WITH_MSAN
    const void *bottom;
    size_t bytes;
    __msan_start_switch_fiber(to->stack_bottom, to->stack_bytes);
    __msan_finish_switch_fiber(&bottom, &bytes);
#endif
#if WITH_TSAN
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
    (void)to;
}

/* ---- life --------------------------------------------------------------------------------------- */

bool sim_fiber_create(struct sim_stacks *stacks, struct sim_fiber *fiber, void (*entry)(void *argument),
                      void *argument)
{
    memset(fiber, 0, sizeof *fiber);
    if (!take_slot(stacks, &fiber->slot)) {
        return false;
    }
    char *bottom = slot_at(stacks, fiber->slot) + GUARD;
    if (!has_guard(stacks, fiber->slot)) {
        set_mark(stacks, fiber->slot);
    }
    const size_t colour = (size_t)(fiber->slot % COLOURS) * COLOUR_BYTES;
    fiber->stack_bottom = bottom;
    fiber->stack_bytes = stacks->slot_bytes - GUARD - colour;
    fiber->entry = entry;
    fiber->argument = argument;
    fiber->context = make_fcontext(bottom + fiber->stack_bytes, fiber->stack_bytes, begin);
#if WITH_MSAN
    __msan_unpoison(&fiber->context, sizeof fiber->context);
#endif
#if WITH_TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
    return true;
}

void sim_fiber_destroy(struct sim_stacks *stacks, struct sim_fiber *fiber)
{
    if (!fiber->slot) {
        return;
    }
#if WITH_TSAN
    __tsan_destroy_fiber(fiber->tsan);
#endif
#if WITH_ASAN
    /* What was poisoned on the stack belongs to frames that are gone. */
    __asan_unpoison_memory_region(fiber->stack_bottom, fiber->stack_bytes);
#endif
#if WITH_MSAN
    __msan_unpoison(fiber->stack_bottom, fiber->stack_bytes);
#endif
    stacks->next[fiber->slot] = stacks->first_free;
    stacks->first_free = fiber->slot;
    memset(fiber, 0, sizeof *fiber);
}

bool sim_fiber_holds(const struct sim_stacks *stacks, const struct sim_fiber *fiber,
                     const void *address)
{
    const uintptr_t bottom = (uintptr_t)slot_at(stacks, fiber->slot);
    return fiber->slot && (uintptr_t)address - bottom < stacks->slot_bytes;
}

bool sim_stacks_guard(const struct sim_stacks *stacks, const void *address, uint32_t *slot)
{
    const size_t offset = (size_t)((uintptr_t)address - (uintptr_t)stacks->base);
    *slot = (uint32_t)(offset / stacks->slot_bytes) + 1;
    return stacks->base && offset < stacks->slot_bytes * stacks->used &&
           offset % stacks->slot_bytes < GUARD;
}

bool sim_fiber_is_whole(const struct sim_stacks *stacks, const struct sim_fiber *fiber)
{
    for (uint32_t i = 0; i < MARK_WORDS && !has_guard(stacks, fiber->slot); i++) {
        if (mark_of(stacks, fiber->slot)[i] != MARK) {
            return false;
        }
    }
    return true;
}
