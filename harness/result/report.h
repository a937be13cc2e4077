/* Results of many scenarios as a table, text, TAP, JUnit or JSON lines.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include "compare.h"

enum report_format {
    REPORT_TEXT = 0,
    REPORT_TAP,
    REPORT_JUNIT,
    REPORT_JSON,
};
/* -1: no such format. */
int report_format_find(const char *name);

/* One scenario's result; a trace is NULL when that system was not asked. */
struct result {
    const struct scenario *scenario;
    struct trace *kernel, *world;
    struct problems problems;
    enum verdict verdict;
    bool compared; /* both systems were asked */
    bool done;
    const char *reason;       /* as read from an earlier report; NULL: see result_reason */
    uint32_t alone, differed; /* kernel runs with nothing beside them, and how many of them differed */
};
/* Why it was skipped or excused; NULL: it was neither. Lives as long as the result. */
const char *result_reason(struct result *result);
/* Whether it keeps a command from ending well: different, unmeasured, not done, or unsteady alone. */
bool result_is_failure(const struct result *result);
void result_free(struct result *result);

enum report_colour {
    REPORT_COLOUR_AUTO = 0, /* on a terminal, unless $NO_COLOR says otherwise */
    REPORT_COLOUR_ALWAYS,
    REPORT_COLOUR_NEVER,
};
/* How text for people looks. */
struct report_look {
    uint32_t columns; /* of the terminal, or $COLUMNS; 0: nothing says */
    bool colour;
    bool full; /* long values whole, and their bytes in hexadecimal where they differ */
};
struct report_look report_look_of(FILE *stream, enum report_colour colour, bool full);

/* The table: its head, a row, its foot with the sum. Rows fit the terminal: names are cut at their
 * beginning, and a narrow table has no times. */
void report_table_head(FILE *stream, struct report_look look);
void report_table_row(FILE *stream, const struct result *result, struct report_look look);
void report_table_foot(FILE *stream, const struct result *results, uint32_t count);
/* A run's trace as aligned text, and its problems: one a line, what was stated and what came below. */
void report_trace(FILE *stream, const struct scenario *scenario, const struct trace *trace,
                  struct report_look look);
void report_problems(FILE *stream, const struct result *result, struct report_look look);
/* What the table says of one run. */
const char *report_run_word(const struct result *result, const struct trace *trace);

/* All results in one of the machine formats. */
void report_write(FILE *stream, enum report_format format, struct result *results, uint32_t count);

#endif
