/* One world run in a child: what it found comes back through a pipe.
 * SPDX-License-Identifier: MIT */
#include "isolate.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "result/compare.h"

enum { LONGEST_SECONDS = 20 };

/* The first outcome that differs from the base's. Faults shift lines, so steps compare by place. */
static bool same_outcomes(const struct trace *base, const struct trace *trace, char *why, size_t bytes)
{
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            const struct trace_step *x = &base->actors[a].steps[i];
            const struct trace_step *y = &trace->actors[a].steps[i];
            if (DRY_MUTANT(sweep_sees_no_outcome)) {
                continue;
            }
            if (x->status == y->status && strcmp(x->outcome, y->outcome) == 0) {
                continue;
            }
            snprintf(why, bytes, "%s: %s shows %s%s instead of %s", trace->actors[a].name, y->text,
                     *y->outcome ? "" : trace_status_name(y->status), y->outcome,
                     *x->outcome ? x->outcome : trace_status_name(x->status));
            return false;
        }
    }
    return true;
}

static enum isolated judge(bool strict, const struct scenario *scenario, const struct trace *base,
                           const struct trace *trace, char *why, size_t bytes)
{
    struct problems problems = {0};
    enum isolated result = ISOLATED_AS_STATED;

    snprintf(why, bytes, "%s", trace->detail);
    if (trace->end == TRACE_FAILED && strstr(trace->detail, "spins:") != NULL) {
        return ISOLATED_SPINS;
    }
    if (trace->end == TRACE_FAILED || trace->end == TRACE_INTERRUPTED || trace->end == TRACE_SKIPPED) {
        return ISOLATED_FAILED;
    }
    if (base != NULL) {
        if (*trace->unused_faults != 0) {
            return ISOLATED_UNUSED;
        }
        if (trace->end == TRACE_STUCK) {
            return ISOLATED_STUCK;
        }
        return same_outcomes(base, trace, why, bytes) ? ISOLATED_AS_STATED : ISOLATED_OTHER;
    }
    if (trace->end == TRACE_STUCK) {
        return ISOLATED_STUCK;
    }
    compare_stated(scenario, trace, NULL, strict, &problems);
    if (problems_matter(&problems)) {
        result = ISOLATED_OTHER;
        snprintf(why, bytes, "%s", problems.list[0].text);
    }
    problems_free(&problems);
    return result;
}

static void run_child(const struct world_options *options, bool strict, const char *path,
                      const char *text, const struct trace *base, int out)
{
    struct world_options checked = *options;
    struct scenario *scenario;
    struct diagnostic wrong;
    char answer[1024] = {0};
    enum isolated result = ISOLATED_WRONG;

    /* What an assertion says is of no use thousands of times. */
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
    }
    alarm(LONGEST_SECONDS);
    checked.check = true;
    if (scenario_parse(path, text, strlen(text), &scenario, &wrong) == 0) {
        const struct trace *trace = world_run(scenario, &checked);
        result = judge(strict, scenario, base, trace, answer + 1, sizeof answer - 1);
    } else {
        snprintf(answer + 1, sizeof answer - 1, "%s", wrong.message);
    }
    answer[0] = (char)result;
    ssize_t written = write(out, answer, sizeof answer);
    _exit(written == (ssize_t)sizeof answer ? 0 : 1);
}

enum isolated isolate_run(const struct world_options *options, bool strict, const char *path,
                          const char *text, const struct trace *base, char *why, size_t bytes)
{
    char answer[1024] = {0};
    int ends[2], status = 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ISOLATED_FAILED;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_child(options, strict, path, text, base, ends[1]);
    }
    close(ends[1]);
    ssize_t got = child > 0 ? read(ends[0], answer, sizeof answer) : -1;
    close(ends[0]);
    if (child > 0) {
        waitpid(child, &status, 0);
    }
    if (got != (ssize_t)sizeof answer) {
        if (child > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            snprintf(why, bytes, "the run has not ended after %d s", LONGEST_SECONDS);
            return ISOLATED_SPINS;
        }
        if (child > 0 && WIFSIGNALED(status)) {
            snprintf(why, bytes, "the run ended by %s", strsignal(WTERMSIG(status)));
        } else {
            snprintf(why, bytes, "the run ended without a result");
        }
        return ISOLATED_CRASHED;
    }
    snprintf(why, bytes, "%s", answer + 1);
    return (enum isolated)answer[0];
}
