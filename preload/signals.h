/* Signals of the program, between the trap and what delivers them.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_SIGNALS_H
#define PRELOAD_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* Every signal that is due: the program goes on in its handler. True: one was delivered. Does not
 * return when one ends the process. */
bool preload_deliver(ucontext_t *context);
/* rt_sigreturn(2), trapped. */
void preload_return_from_handler(ucontext_t *context);
/* The instruction that made the call is to be executed once more. */
void preload_call_again(ucontext_t *context, int64_t number);
/* Ends the process by a signal; or does so if the world says that one has. */
void preload_die(int number) __attribute__((noreturn));
void preload_look_for_death(void);

#endif
