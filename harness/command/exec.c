/* `drysock exec`: one command in the world, its streams and its exit status passed through.
 * SPDX-License-Identifier: MIT */
#include "exec.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"
#include "sim/run/attach.h"

static const char exec_usage[] =
    "usage: drysock exec [HEAD.dry] [OPTION…] -- COMMAND [ARGUMENT…]\n"
    "  COMMAND and its children run in the world that HEAD.dry describes (by default one host with\n"
    "  loopback): their sockets, clocks and sleeps are the world's. The file's actors run beside it.\n"
    "options:\n"
    "  --on HOST       on this host (the first)\n"
    "  --fault RULE    a rule as behind `fault` in a file; the command's actor is \"command\"\n"
    "  --seed N        of all chance (the file's, or 1)\n"
    "  --schedule N    of the order of threads that are ready at one instant\n"
    "  --trace         the steps of the file's actors\n"
    "  --pcap FILE     every packet\n"
    "exit status: COMMAND's own, 128 + N after signal N; 126 it cannot be run, 127 it is not there,\n"
    "125 the run was stuck or interrupted, 2 a wrong file or command line\n";

enum { MOST_RULES = 64, HEAD_BYTES = 1 << 20, BLOCK_DESCRIPTOR = 1023 };

/* 2025-01-01T00:00:00Z: programs check the dates of certificates and of their own files. */
static const uint64_t wall_clock_ns = UINT64_C(1735689600) * 1000000000;

struct exec {
    const char *head, *host, *capture; /* NULL: none */
    const char *rules[MOST_RULES];
    int rule_count, first_rule; /* the number of the first in the world's plan */
    uint64_t seed, schedule;
    bool trace;
    char **words;
    char path[PATH_MAX], library[PATH_MAX];
    struct scenario *scenario;
    struct sim *sim;
    int process; /* in the world */
    int status;
    struct exec_fault {
        uint64_t fired;
    } faults[MOST_RULES];
};

/* ---- the command's process ---------------------------------------------------------------------- */

/* The environment that puts the library into the program and tells it its place. */
static int set_environment(const struct exec *exec, int file, int task)
{
    const char *before = getenv("LD_PRELOAD");
    char all[2 * PATH_MAX], place[64];
    snprintf(all, sizeof all, "%s%s%s", exec->library, before && *before ? ":" : "",
             before ? before : "");
    snprintf(place, sizeof place, "%d:%d:%d", file, exec->process, task);
    return setenv("LD_PRELOAD", all, 1) == 0 ? setenv("DRYSOCK_PLACE", place, 1) : -1;
}

static void become(const struct exec *exec, int task)
{
    const int ours[] = {SIGINT, SIGTERM, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        signal(ours[i], SIG_DFL);
    }
    struct rlimit descriptors;
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) { /* the limit that programs see is the world's */
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    const int file = dup2(sim_block_fd(exec->sim), BLOCK_DESCRIPTOR);
    if (set_environment(exec, file, task) == 0) {
        execv(exec->path, exec->words);
    }
    fprintf(stderr, "drysock: %s: %s\n", exec->path, strerror(errno));
    _exit(errno == ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_RUNNABLE);
}

/* The world stands: the command becomes a process of it. */
static int start(void *context, struct sim *sim, const int *hosts)
{
    struct exec *exec = context;
    const uint32_t last = exec->scenario->actor_count - 1;
    exec->sim = sim;
    exec->process = sim_program_add(sim, hosts[exec->scenario->actors[last].host], "command");
    const int task = exec->process < 0 ? exec->process
                                       : sim_thread_add(sim, exec->process, "command", false);
    if (task < 0) {
        return task;
    }
    for (int i = 0; i < exec->rule_count; i++) {
        char why[200] = "";
        const int rule = sim_fault_plan_add(sim_faults(sim), exec->rules[i], why, sizeof why, NULL);
        if (rule < 0) {
            fprintf(stderr, "drysock: --fault %s: %s\n", exec->rules[i], why);
            return rule;
        }
        exec->first_rule = i == 0 ? rule : exec->first_rule;
    }
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        become(exec, task);
    }
    if (child > 0) {
        sim_process_is(sim, exec->process, child);
    }
    return child < 0 ? -errno : 0;
}

/* A child that computed for ever was ended; the command is told by wait(2). */
static bool goes_on(void *context)
{
    const struct exec *exec = context;
    return sim_process_status(exec->sim, exec->process, NULL) < 0;
}

/* The run is over, the world still stands: what is told of it. */
static void finish(void *context)
{
    struct exec *exec = context;
    int killed_by;
    exec->status = sim_process_status(exec->sim, exec->process, &killed_by);
    if (killed_by) {
        fprintf(stderr, "drysock: the command was killed by SIG%s\n", sigabbrev_np(killed_by));
        exec->status = 128 + killed_by;
    }
    for (int i = 0; i < exec->rule_count; i++) {
        exec->faults[i].fired = sim_fault_fired(sim_faults(exec->sim), exec->first_rule + i);
    }
    const uint64_t now = sim_now(exec->sim);
    fprintf(stderr, "drysock: %llu.%03llu s of virtual time\n", (unsigned long long)(now / 1000000000),
            (unsigned long long)(now / 1000000 % 1000));
}

/* ---- the run ------------------------------------------------------------------------------------ */

static void report(const struct exec *exec, const struct trace *trace)
{
    for (int i = 0; i < exec->rule_count; i++) {
        fprintf(stderr, "drysock: fault %s: fired %llu times\n", exec->rules[i],
                (unsigned long long)exec->faults[i].fired);
    }
    if (trace->unused_faults && *trace->unused_faults) {
        fprintf(stderr, "%s\n", trace->unused_faults);
    }
    if (exec->trace) {
        report_trace(stderr, exec->scenario, trace, report_look_of(stderr, REPORT_COLOUR_AUTO, false));
    }
    if (trace->end == TRACE_STUCK || trace->end == TRACE_INTERRUPTED ||
        (trace->end == TRACE_FAILED && exec->status < 0)) {
        fprintf(stderr, "drysock: %s\n", trace->detail);
    }
}

static int run_in_world(struct exec *exec)
{
    const struct world_options options = {
        .seed = exec->seed,
        .schedule_seed = exec->schedule,
        .capture = exec->capture,
        .stop = &command_stop,
        .describe = &command_describe,
        .guest = {start, finish, goes_on, exec, wall_clock_ns},
    };
    exec->status = EXEC_NOT_ENDED;
    struct trace *trace = world_run(exec->scenario, &options);
    report(exec, trace);
    int status = exec->status;
    if (!exec->sim) {
        fprintf(stderr, "drysock: %s\n", trace->detail);
        status = EXIT_WRONG;
    } else if (trace->end == TRACE_STUCK || trace->end == TRACE_INTERRUPTED || status < 0) {
        status = EXEC_NOT_ENDED;
    }
    trace_free(trace);
    return status;
}

static int find(struct exec *exec)
{
    char sentence[PATH_MAX + 128];
    int status = exec_find(exec->words[0], exec->path, sizeof exec->path, sentence, sizeof sentence);
    if (status == 0 && !exec_library(exec->library, sizeof exec->library, sentence, sizeof sentence)) {
        status = EXEC_NOT_RUNNABLE;
    }
    if (status != 0) {
        fprintf(stderr, "drysock: %s\n", sentence);
    }
    return status;
}

/* The name on the first `host` line; an empty one: the file names none. */
static void first_host(const char *head, char name[64])
{
    name[0] = 0;
    for (const char *line = head; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, " host %63s", name) == 1) {
            return;
        }
    }
}

/* The file, and the command as one more actor of it, so that rules may name it. */
static int read_scenario(struct exec *exec)
{
    char *head = calloc(1, HEAD_BYTES), *whole = NULL;
    FILE *file = exec->head ? fopen(exec->head, "rb") : NULL;
    struct diagnostic wrong;
    char host[64];
    int result = -1;
    if (exec->head && (!file || fread(head, 1, HEAD_BYTES - 1, file) == HEAD_BYTES - 1)) {
        fprintf(stderr, "drysock: %s: %s\n", exec->head, file ? "too long" : strerror(errno));
        free(head);
        return -1;
    }
    first_host(head, host);
    const char *on = exec->host ? exec->host : host;
    if (asprintf(&whole, "%s\n[command%s%s]\n", head, *on ? " on " : "", on) >= 0) {
        result = scenario_parse(exec->head ? exec->head : "drysock exec", whole, strlen(whole),
                                &exec->scenario, &wrong);
        if (result != 0) {
            diagnostic_print(&wrong);
        }
    }
    if (file) {
        fclose(file);
    }
    free(head);
    free(whole);
    return result;
}

/* ---- the command line --------------------------------------------------------------------------- */

static int take_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return end != text && !*end && errno == 0 && *text != '-' ? 0 : -1;
}

enum { ON = 256, FAULT, SEED, SCHEDULE, TRACE, PCAP, HELP };

static int take_option(struct exec *exec, int name, const char *value)
{
    switch (name) {
    case ON:
        exec->host = value;
        return 0;
    case FAULT:
        if (exec->rule_count == MOST_RULES) {
            return -1;
        }
        exec->rules[exec->rule_count++] = value;
        return 0;
    case SEED:
        return take_number(value, &exec->seed);
    case SCHEDULE:
        return take_number(value, &exec->schedule);
    case TRACE:
        exec->trace = true;
        return 0;
    case PCAP:
        exec->capture = value;
        return 0;
    default:
        return -1;
    }
}

static int read_line(struct exec *exec, int count, char **arguments)
{
    static const struct option options[] = {
        {"on", required_argument, NULL, ON},     {"fault", required_argument, NULL, FAULT},
        {"seed", required_argument, NULL, SEED}, {"schedule", required_argument, NULL, SCHEDULE},
        {"trace", no_argument, NULL, TRACE},     {"pcap", required_argument, NULL, PCAP},
        {"help", no_argument, NULL, HELP},       {0},
    };
    int line = 1, name;
    while (line < count && strcmp(arguments[line], "--") != 0) {
        line++;
    }
    while ((name = getopt_long(line, arguments, "", options, NULL)) != -1) {
        if (name == HELP) {
            fputs(exec_usage, stdout);
            return 1;
        }
        if (take_option(exec, name, optarg) != 0) {
            return -1;
        }
    }
    if (optind < line) {
        exec->head = arguments[optind++];
    }
    exec->words = arguments + line + 1;
    return optind == line && line + 1 < count ? 0 : -1;
}

int command_exec(int count, char **arguments)
{
    struct exec *exec = calloc(1, sizeof *exec);
    const int result = read_line(exec, count, arguments);
    int status = EXIT_AGREE;
    if (result < 0) {
        fputs(exec_usage, stderr);
        status = EXIT_WRONG;
    } else if (result == 0 && (status = find(exec)) == 0) {
        status = read_scenario(exec) == 0 ? exec_apart(run_in_world, exec) : EXIT_WRONG;
        scenario_free(exec->scenario);
    }
    free(exec);
    return status;
}
