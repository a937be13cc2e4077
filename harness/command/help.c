/* The commands and their options, and the help that is made of them.
 * SPDX-License-Identifier: MIT */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "language/suggest.h"

static const struct help_option options[] = {
    {"on", "sim|kernel", "the system (sim)"},
    {"seed", "N", "of all chance (the file's, or 1)"},
    {"schedule", "N", "of the order of tasks that are ready at one instant"},
    {"seeds", "N", "so many seeds (8)"},
    {"jobs", "N", "so many kernel runs at once (8)"},
    {"speed", "N", "kernel runs under libfaketime, so many times faster, where they can"},
    {"pcap", "FILE", "every packet; compare writes FILE.world.pcap and FILE.kernel.pcap"},
    {"format", "text|tap|junit|json", "how results are told (text)"},
    {"junit", "FILE", "the results also there, as JUnit"},
    {"strict", NULL, "a line that waits must state its time"},
    {"hash", NULL, "one line of hashes, equal in every build for the same seed"},
    {"check", NULL,
     "walk the world's invariants after every event; of print: say what is not canonical"},
    {"quiet", NULL, "problems only"},
    {"write", NULL, "write the file"},
    {"full", NULL, "long values whole, in text and in hexadecimal where they differ"},
    {"color", "WHEN", "auto (on a terminal, unless $NO_COLOR is set), always or never"},
    {"against", "kernel", "keep a difference between kernel and world"},
};

static const struct command {
    const char *name;
    const char *form;    /* behind `drysock NAME` */
    const char *says;    /* in the list of commands */
    const char *options; /* names, each between two blanks */
    const char *more;    /* sentences */
} commands[] = {
    {"run", "[OPTION…] FILE|DIR…", "one system, each with its trace",
     " on seed schedule speed pcap format strict hash check quiet full color ",
     "Runs each scenario on one system and prints what every step showed, then what is not as the\n"
     "file states. --format json prints a line for each step and one for the end.\n"},
    {"compare", "[OPTION…] FILE|DIR…", "both systems, a table of where they agree",
     " seed schedule jobs speed pcap format junit strict check full color ",
     "Runs each scenario in the world and on the kernel and compares the traces. A file whose\n"
     "outcomes depend on the schedule is different.\n"},
    {"record", "[OPTION…] FILE|DIR…", "write the outcomes that a run shows into its file",
     " on seed schedule ",
     "Outcomes, and in the world durations. Patterns that leave something open and match stay; up to\n"
     "4096 bytes are written as they are.\n"},
    {"sweep", "[OPTION…] FILE|DIR…", "aim every applicable fault at every call, and many seeds",
     " seed schedule seeds format strict ",
     "Runs the world with each fault that can happen to a call, at each call, and under several\n"
     "seeds.\n"},
    {"shrink", "[OPTION…] FILE|DIR…", "the smallest scenario that still fails",
     " seed schedule strict write against ",
     "Prints what is left when all that the failure does not need is gone.\n"},
    {"print", "[OPTION…] FILE|DIR…",
     "the canonical text (--check: say what is not, --write: make it so)", " check write ",
     "One blank between words, outcomes in a column; docs/language.md says all of it.\n"},
    {"report", "[OPTION…] FILE…", "JSON lines of an earlier compare as another format",
     " format full color ", "FILE is what `drysock compare --format json` printed.\n"},
    {"exec", "[HEAD.dry] -- COMMAND…", "run programs as they are in the world", "",
     "The programs see a host of the world instead of the machine's network; docs/programs.md says\n"
     "how.\n"},
};
enum {
    OPTIONS = sizeof options / sizeof *options,
    COMMANDS = sizeof commands / sizeof *commands,
    OPTION_COLUMNS = 28,
};

static const char ending[] =
    "exit status: 0 all agree, 1 something differs or failed, 2 a wrong file or command line,\n"
    "3 results could not be written\n"
    "Ctrl-C ends with what was done so far; SIGQUIT prints where each actor waits.\n";

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

bool help_has_command(const char *command)
{
    return find(command) != NULL;
}

const struct help_option *help_option(const char *name)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool takes(const struct command *command, const char *option)
{
    char word[32];
    snprintf(word, sizeof word, " %s ", option);
    return strstr(command->options, word) != NULL;
}

static void print_option(const struct help_option *option)
{
    char form[64];
    snprintf(form, sizeof form, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    printf("  %-*s %s\n", OPTION_COLUMNS, form, option->says);
}

static void print_all(void)
{
    printf("usage: drysock COMMAND [OPTION…] FILE|DIR…\n"
           "       drysock exec [HEAD.dry] -- COMMAND…\n"
           "       drysock --help COMMAND\n"
           "commands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-9s %s\n", commands[i].name, commands[i].says);
    }
    printf("options, of the commands that they mean something to:\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        print_option(&options[i]);
    }
    fputs(ending, stdout);
}

int help_print(const char *name)
{
    if (name == NULL) {
        print_all();
        return 0;
    }
    const struct command *command = find(name);
    if (command == NULL) {
        return -1;
    }
    printf("usage: drysock %s %s\n%s: %s\n\n%s", command->name, command->form, command->name,
           command->says, command->more);
    if (*command->options != 0) {
        printf("\noptions:\n");
    }
    for (size_t i = 0; i < OPTIONS; i++) {
        if (takes(command, options[i].name)) {
            print_option(&options[i]);
        }
    }
    printf("\n%s", ending);
    return 0;
}

void help_no_command(const char *name)
{
    struct suggestion nearest = {.word = name, .length = strlen(name)};
    char question[SUGGEST_BYTES + 24];
    for (size_t i = 0; i < COMMANDS; i++) {
        suggest_offer(&nearest, commands[i].name);
    }
    fprintf(stderr, "drysock: there is no command \"%s\"%s: they are", name,
            suggest_question(&nearest, question));
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(stderr, " %s", commands[i].name);
    }
    fprintf(stderr, "\n");
}
