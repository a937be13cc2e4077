/* What a program says at its end: which system calls were refused.
 * SPDX-License-Identifier: MIT
 *
 * Written without stdio: the program's own may be in any state. */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

enum { MOST_NUMBERS = 512 };
static uint32_t refused[MOST_NUMBERS]; /* the last one: numbers beyond the list */

void preload_report_refused(int64_t number)
{
    const bool listed = number >= 0 && number < MOST_NUMBERS - 1;
    refused[listed ? number : MOST_NUMBERS - 1]++;
}

struct line {
    char text[256];
    size_t length;
};

static void add(struct line *line, const char *text)
{
    for (; *text && line->length < sizeof line->text; text++) {
        line->text[line->length++] = *text;
    }
}

static void add_number(struct line *line, uint64_t number, int digits)
{
    char text[24];
    size_t at = sizeof text;
    text[--at] = 0;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
        digits--;
    } while (number > 0 || digits > 0);
    add(line, text + at);
}

static void say(struct line *line)
{
    add(line, "\n");
    preload_kernel(SYS_write, STDERR_FILENO, line->text, line->length);
}

void preload_report_end(void)
{
    struct line line = {.length = 0};
    for (int64_t number = 0; number < MOST_NUMBERS; number++) {
        if (refused[number] == 0) {
            continue;
        }
        const char *name = preload_call_name(number);
        line.length = 0;
        add(&line, "drysock: refused: ");
        add(&line, name ? name : "system call ");
        if (!name) {
            add_number(&line, (uint64_t)number, 1);
        }
        add(&line, ", times ");
        add_number(&line, refused[number], 1);
        say(&line);
    }
}

void preload_fail(const char *sentence)
{
    struct line line = {.length = 0};
    add(&line, "drysock: ");
    add(&line, sentence);
    say(&line);
    preload_kernel(SYS_exit_group, 126);
    __builtin_unreachable();
}
