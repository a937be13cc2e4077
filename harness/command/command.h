/* The commands of `drysock`, and what the command line says.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_COMMAND_H
#define HARNESS_COMMAND_H

#include <signal.h>

#include "language/files.h"
#include "result/progress.h"
#include "result/report.h"
#include "world/isolate.h"
#include "world/run.h"

/* What a program ends with. */
enum exit_status {
    EXIT_AGREE = 0,  /* all agree, all as stated */
    EXIT_DIFFER = 1, /* something differs, failed or was interrupted */
    EXIT_WRONG = 2,  /* a wrong file or command line: nothing was run */
    EXIT_LOST = 3,   /* results could not be written, whatever they were */
};

struct options {
    bool on_kernel;          /* --on kernel */
    bool strict;             /* --strict: lines that wait must state their time */
    bool hash;               /* --hash */
    bool check;              /* --check: invariants after each event */
    bool write;              /* --write: print and shrink write the file */
    bool quiet;              /* --quiet: no traces, only problems */
    uint64_t seed, schedule; /* --seed, --schedule */
    uint32_t jobs;           /* --jobs */
    uint32_t speed;          /* --speed */
    uint32_t seeds;          /* --seeds: of sweep */
    const char *capture;     /* --pcap */
    const char *junit;       /* --junit FILE: the results also there */
    const char *against;     /* --against kernel: shrink keeps a difference */
    enum report_format format;
    enum report_colour colour;
    bool full;               /* --full: long values whole */
    struct report_look look; /* of standard output */
    char *const *names;      /* files and folders */
    int name_count;
};

/* Set by Ctrl-C and by SIGQUIT. stop_pipe becomes readable at Ctrl-C. */
extern volatile sig_atomic_t command_stop, command_describe;
extern int command_stop_pipe;
/* From now on these signals set the flags; a second Ctrl-C ends the program at once. */
void command_take_signals(void);

/* Each returns an exit_status. */
int command_run(const struct options *options, struct files *files);
int command_compare(const struct options *options, struct files *files);
int command_record(const struct options *options, struct files *files);
int command_print(const struct options *options, struct files *files);
int command_sweep(const struct options *options, struct files *files);
int command_shrink(const struct options *options, struct files *files);
int command_report(const struct options *options);
/* `drysock exec` has a command line of its own: arguments[0] is "exec". The program's exit status. */
int command_exec(int count, char **arguments);

/* A run in the world as the options say; such a run in a process of its own. */
struct trace *command_world(const struct options *options, const struct scenario *scenario);
enum isolated command_isolated(const struct options *options, const char *path, const char *text,
                               const struct trace *base, char *why, size_t bytes);

#endif
