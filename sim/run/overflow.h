/* Overflowing stacks: the fault says whose it was and which option helps.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_OVERFLOW_H
#define SIM_OVERFLOW_H

struct sim;

/* From now on a task of this thread that runs into the guard below its stack is named on standard error
 * before the fault takes its course (the action that was set before, by default the end of the process
 * by SIGSEGV). Gives the thread an alternate signal stack, unless it has one, and takes SIGSEGV. */
void sim_overflow_watch(void);
/* Ends the process in the same words: the running task was found to have overflowed. */
void sim_overflow_found(const struct sim *sim) __attribute__((noreturn));

#endif
