/* Overflowing stacks: a handler of SIGSEGV, on a stack of its own, that only speaks.
 * SPDX-License-Identifier: MIT */
#include "overflow.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "last_words.h"
#include "run.h"

enum { ALTERNATE_BYTES = 64 * 1024 };

static struct sigaction before; /* what is done about a fault when the words are said */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t alternate; /* the thread's, given back when it ends */

static void speak(const struct sim *sim)
{
    struct sim_last_words words = {.length = 0};
    sim_last_words_task(&words, sim);
    sim_last_words_add(&words, " overflowed its stack of ");
    sim_last_words_number(&words, sim->stack_bytes);
    sim_last_words_add(&words, " bytes; sim_options.stack_bytes gives it more");
    sim_last_words_say(&words, sim);
}

static void on_fault(int number, siginfo_t *information, void *context)
{
    const struct sim *sim = sim_current()->sim;
    uint32_t slot;
    if (sim && sim->running && sim_stacks_guard(&sim->stacks, information->si_addr, &slot) &&
        slot == sim_code_of(sim, sim->running)->fiber.slot) {
        speak(sim);
    }
    sigaction(SIGSEGV, &before, NULL); /* the instruction faults again, and that is done */
}

static void forget_alternate(void *stack)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(stack, ALTERNATE_BYTES);
}

static void make_key(void)
{
    pthread_key_create(&alternate, forget_alternate);
}

static void take_alternate(void)
{
    stack_t present;
    pthread_once(&once, make_key);
    if (sigaltstack(NULL, &present) < 0 || !(present.ss_flags & SS_DISABLE)) {
        return; /* the program's or the sanitizer's own will do */
    }
    void *stack = mmap(NULL, ALTERNATE_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) {
        return;
    }
    const stack_t own = {.ss_sp = stack, .ss_size = ALTERNATE_BYTES};
    if (sigaltstack(&own, NULL) < 0 || pthread_setspecific(alternate, stack) != 0) {
        forget_alternate(stack);
    }
}

void sim_overflow_watch(void)
{
    struct sigaction present;
    take_alternate();
    if (sigaction(SIGSEGV, NULL, &present) < 0 || present.sa_sigaction == on_fault) {
        return;
    }
    struct sigaction own = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    own.sa_sigaction = on_fault;
    sigemptyset(&own.sa_mask);
    before = present;
    sigaction(SIGSEGV, &own, NULL);
}

void sim_overflow_found(const struct sim *sim)
{
    speak(sim);
    abort();
}
