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
};
void result_free(struct result *result);

/* The table: its head, a row, its foot with the sum. On a terminal `width` columns are kept free of
 * wrapping by cutting names. */
void report_table_head(FILE *stream, const struct result *results, uint32_t count);
void report_table_row(FILE *stream, const struct result *result);
void report_table_foot(FILE *stream, const struct result *results, uint32_t count);
/* A run's trace as aligned text, and its problems one a line. */
void report_trace(FILE *stream, const struct scenario *scenario, const struct trace *trace);
void report_problems(FILE *stream, const struct result *result);

/* All results in one of the machine formats. */
void report_write(FILE *stream, enum report_format format, const struct result *results,
                  uint32_t count);

#endif
