/* Last words: put together without the C library's help, said with write(2).
 * SPDX-License-Identifier: MIT */
#include "last_words.h"

#include <string.h>
#include <unistd.h>

#include "core/block.h"

void sim_last_words_add(struct sim_last_words *words, const char *text)
{
    const size_t room = sizeof words->text - words->length;
    const size_t length = strlen(text) < room ? strlen(text) : room;
    memcpy(words->text + words->length, text, length);
    words->length += length;
}

static void add_digits(struct sim_last_words *words, uint64_t number, size_t least)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = 0;
    for (size_t count = 0; count < least || number; count++) {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    sim_last_words_add(words, digits + at);
}

void sim_last_words_number(struct sim_last_words *words, uint64_t number)
{
    add_digits(words, number, 1);
}

void sim_last_words_task(struct sim_last_words *words, const struct sim *sim)
{
    const struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){sim->running});
    sim_last_words_add(words, "drysock: task ");
    sim_last_words_add(words, task->name);
    sim_last_words_add(words, " of process ");
    sim_last_words_add(words, sim_process_at(sim->world, task->process)->name);
    sim_last_words_add(words, " on host ");
    sim_last_words_add(words, sim_host_at(sim->world, task->host)->name);
}

void sim_last_words_say(struct sim_last_words *words, const struct sim *sim)
{
    const uint64_t second = 1000000000;
    sim_last_words_add(words, ", at ");
    add_digits(words, sim->world->now / second, 1);
    sim_last_words_add(words, ".");
    add_digits(words, sim->world->now % second, 9);
    sim_last_words_add(words, " s, seed ");
    add_digits(words, sim->seed, 1);
    if (words->length == sizeof words->text) {
        words->length--;
    }
    words->text[words->length++] = '\n';
    if (write(STDERR_FILENO, words->text, words->length) < 0) {
        return; /* nobody is left to tell */
    }
}
