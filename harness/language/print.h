/* The canonical text of scenarios, steps and expressions.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_PRINT_H
#define HARNESS_PRINT_H

#include "scenario.h"

void print_expression(struct text *text, const struct expression *expression);
/* A step without its expectation, and the expectation from `->` on ("" when there is none). */
void print_step(struct text *text, const struct step *step);
void print_expectation(struct text *text, const struct expectation *expect);
/* Literals as Python writes them, strings in double quotes. */
void print_str(struct text *text, const char *bytes, size_t length);
void print_bytes(struct text *text, const char *bytes, size_t length);
void print_float(struct text *text, double real);
/* The whole file. outcomes (may be NULL) gives the text behind a step instead of its own
 * expectation; NULL keeps it. */
void print_scenario(struct text *text, const struct scenario *scenario,
                    const char *(*outcomes)(void *context, uint32_t actor, uint32_t step),
                    void *context);

#endif
