/* The progress bar.
 * SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_COLUMNS = 30 };

static bool is_terminal(void)
{
    static int known = -1;
    if (known < 0) {
        known = isatty(STDERR_FILENO);
    }
    return known != 0;
}

void progress_show(uint32_t done, uint32_t count, const char *name)
{
    char bar[BAR_COLUMNS + 1];
    uint32_t filled = count > 0 ? done * BAR_COLUMNS / count : 0;
    if (!is_terminal()) {
        return;
    }
    memset(bar, '.', BAR_COLUMNS);
    memset(bar, '#', filled < BAR_COLUMNS ? filled : BAR_COLUMNS);
    bar[BAR_COLUMNS] = 0;
    fprintf(stderr, "\r\033[K[%s] %u/%u %.40s", bar, done, count, name);
    fflush(stderr);
}

void progress_hide(void)
{
    if (!is_terminal()) {
        return;
    }
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
}
