/* What the command line offers, as data: the commands, their options, and the help made of them.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_HELP_H
#define HARNESS_HELP_H

#include <stdbool.h>

/* An option of some commands. */
struct help_option {
    const char *name;     /* without its dashes */
    const char *argument; /* "N"; NULL: it takes none */
    const char *says;
};

/* The option of this name; NULL: there is none. */
const struct help_option *help_option(const char *name);
bool help_has_command(const char *command);

/* Prints the whole help, or a command's, to standard output: 0, or -1 when there is no such command. */
int help_print(const char *command);
/* Says on standard error that there is no such command, and which was meant. */
void help_no_command(const char *command);
#endif
