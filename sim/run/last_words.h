/* Last words: what is said of a task when its process must end from within a signal handler.
 * SPDX-License-Identifier: MIT
 *
 * There nothing may be allocated, locked or freed, and stdio may be in any state: the words are put
 * together in a buffer of their own and leave by write(2). */
#ifndef SIM_LAST_WORDS_H
#define SIM_LAST_WORDS_H

#include "run.h"

struct sim_last_words {
    char text[512];
    size_t length;
};

void sim_last_words_add(struct sim_last_words *words, const char *text);
void sim_last_words_number(struct sim_last_words *words, uint64_t number);
/* "drysock: task reader of process p on host alpha": the task that runs. */
void sim_last_words_task(struct sim_last_words *words, const struct sim *sim);
/* ", at 0.005000000 s, seed 7", and the end of the line; then they are said on standard error. */
void sim_last_words_say(struct sim_last_words *words, const struct sim *sim);

#endif
