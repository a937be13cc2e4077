/* Runs a scenario on the kernel: starts drysock-kernel, carries its packets, reads its trace.
 * SPDX-License-Identifier: MIT */
#include "run.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "control.h"
#include "host.h"
#include "line.h"

static const uint64_t SECOND_NS = 1000000000;
static const uint64_t SETUP_LIMIT_NS = 20000000000;  /* hosts made, actors at the start */
static const uint64_t ANSWER_LIMIT_NS = 1000000000;  /* to DESCRIBE */
static const uint64_t ENDING_LIMIT_NS = 10000000000; /* to end after the trace */
static const uint64_t DEFAULT_LIMIT_NS = 60000000000;
static const uint64_t TICK_NS = 5000000; /* as often at least this side looks how late it is itself */

/* What an epoll event is about: a kind, or a host's TUN at RUN_TUN + index. */
enum {
    RUN_CONTROL = 1,
    RUN_TRACE,
    RUN_SAID,
    RUN_STOP,
    RUN_DESCRIBE,
    RUN_TIMER,
    RUN_TUN,
};

enum stage {
    SETTING_UP = 0,
    RUNNING,
    DESCRIBING, /* the limit has passed: the program is asked where its actors wait */
    OVER,
};

struct run {
    const struct scenario *scenario;
    const struct kernel_options *options;
    struct trace *trace;
    struct kernel_child child;
    struct kernel_line *line;
    int *tuns;
    int epoll, timer;
    enum stage stage;
    uint64_t begun_at;  /* all of these: CLOCK_MONOTONIC of this process */
    uint64_t origin_at; /* instant 0 */
    uint64_t limit_at;  /* of this stage */
    uint64_t limit_ns;  /* of the run, by its own clock */
    uint64_t due_at;    /* when the loop is to go on at the latest */
    uint64_t late_ns;   /* how late it was then, at most: a packet may have waited as long */
    uint64_t seed;
    uint64_t speed;
    struct text partial; /* of the trace: a line that has not ended */
    bool ended_well;     /* the trace has its end line */
};

static uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* The run's own instant: with --speed the line is as much faster as the library's clocks. */
static uint64_t run_now(const struct run *run)
{
    return (clock_now() - run->origin_at) * run->speed;
}

static void end_run(struct run *run, enum trace_end end, const char *detail)
{
    if (run->stage != OVER && !run->ended_well) {
        trace_set_detail(run->trace, end, "%s", detail);
    }
    run->stage = OVER;
}

uint64_t kernel_run_limit(const struct trace *world)
{
    uint64_t last = 0;
    if (world == NULL || (world->end != TRACE_DONE && world->end != TRACE_STUCK)) {
        return 0;
    }
    for (uint32_t a = 0; a < world->actor_count; a++) {
        for (uint32_t i = 0; i < world->actors[a].step_count; i++) {
            const struct trace_step *step = &world->actors[a].steps[i];
            if (step->status != STEP_RUNNING && step->ended_ns > last) {
                last = step->ended_ns;
            }
        }
    }
    return last + last / 10 + 10000000000;
}

/* ---- SIGQUIT: every run is asked where it waits ------------------------------------------- */

static pthread_once_t describe_once = PTHREAD_ONCE_INIT;
static int describe_fd = -1; /* an eventfd that every run watches, for its edges */

static void make_describe_fd(void)
{
    describe_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void kernel_run_describe(void)
{
    int error = errno;
    if (describe_fd >= 0) {
        eventfd_write(describe_fd, 1);
    }
    errno = error;
}

/* ---- what comes in ------------------------------------------------------------------------ */

static int watch(struct run *run, int fd, uint32_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};

    return epoll_ctl(run->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void take_host(struct run *run, uint32_t index, int fd)
{
    if (index >= run->scenario->host_count || fd < 0 || run->tuns[index] >= 0) {
        end_run(run, TRACE_FAILED, "drysock-kernel sent a host that the scenario does not have");
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    run->tuns[index] = fd;
}

/* Every actor stands at the start: from here on packets are carried. */
static void start(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        if (run->tuns[i] < 0 || watch(run, run->tuns[i], RUN_TUN + i) < 0) {
            end_run(run, TRACE_FAILED, "drysock-kernel did not make every host");
            return;
        }
    }
    run->line = kernel_line_create(scenario, run->tuns, run->seed, run->options->capture);
    if (run->line == NULL) {
        end_run(run, TRACE_FAILED, "the capture file cannot be written");
        return;
    }
    kernel_line_drain(run->line);
    run->stage = RUNNING;
    run->origin_at = clock_now();
    run->limit_at = run->origin_at + run->limit_ns / run->speed;
    kernel_control_send(run->child.control, KERNEL_GO, 0, "", -1);
}

static void take_waits(struct run *run, const char *text)
{
    char detail[KERNEL_TEXT_BYTES + 128], limit[32];
    if (run->stage != DESCRIBING) { /* somebody asked by kernel_run_describe */
        fprintf(stderr, "%s\n", text);
        return;
    }
    scenario_time_print(run->limit_ns, limit);
    snprintf(detail, sizeof detail, "the run has not ended after %s\n%s", limit, text);
    end_run(run, TRACE_STUCK, detail);
}

static void take_message(struct run *run)
{
    struct kernel_message message;
    int fd;
    if (kernel_control_receive(run->child.control, &message, &fd) <= 0) {
        /* The program ends; the end of its trace tells how. */
        epoll_ctl(run->epoll, EPOLL_CTL_DEL, run->child.control, NULL);
        return;
    }
    switch (message.kind) {
    case KERNEL_HOST:
        take_host(run, message.index, fd);
        return;
    case KERNEL_READY:
        start(run);
        break;
    case KERNEL_LACKS:
        end_run(run, TRACE_SKIPPED, message.text);
        break;
    case KERNEL_FAILED:
        end_run(run, TRACE_FAILED, message.text);
        break;
    case KERNEL_WAITS:
        take_waits(run, message.text);
        break;
    default:
        end_run(run, TRACE_FAILED, "drysock-kernel sent a message that nobody knows");
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* Cuts off and reads every whole line. */
static void read_lines(struct run *run)
{
    char *line = run->partial.bytes, *end;
    size_t rest = run->partial.length;
    while ((end = memchr(line, '\n', rest)) != NULL) {
        size_t length = (size_t)(end - line);
        if (trace_read_line(run->trace, line, length) < 0) {
            end_run(run, TRACE_FAILED, "drysock-kernel wrote a line that is no trace");
        } else if (length > 7 && memcmp(line, "{\"end\":", 7) == 0) {
            run->ended_well = true;
        }
        rest -= length + 1;
        line = end + 1;
    }
    memmove(run->partial.bytes, line, rest);
    run->partial.length = rest;
}

static void take_trace(struct run *run)
{
    char piece[16384];
    ssize_t length = read(run->child.trace, piece, sizeof piece);
    if (length > 0) {
        text_add_bytes(&run->partial, piece, (size_t)length);
        read_lines(run);
    } else if (length == 0 || (errno != EINTR && errno != EAGAIN)) {
        run->stage = OVER;
    }
}

/* ---- time --------------------------------------------------------------------------------- */

static void set_timer(struct run *run)
{
    struct itimerspec value = {0};
    uint64_t at = run->limit_at, next;

    if (run->line != NULL && (next = kernel_line_next_at(run->line)) != UINT64_MAX) {
        /* Rounded up: a packet must not be asked for before its instant. */
        next = run->origin_at + (next + run->speed - 1) / run->speed;
        if (next < at) {
            at = next;
        }
    }
    if (run->stage == RUNNING && clock_now() + TICK_NS < at) {
        at = clock_now() + TICK_NS;
    }
    run->due_at = at;
    value.it_value.tv_sec = (time_t)(at / SECOND_NS);
    value.it_value.tv_nsec = (long)(at % SECOND_NS);
    timerfd_settime(run->timer, TFD_TIMER_ABSTIME, &value, NULL);
}

static void pass_limit(struct run *run)
{
    if (run->stage == SETTING_UP) {
        end_run(run, TRACE_FAILED, "drysock-kernel did not set up its hosts in 20 seconds");
    } else if (run->stage == RUNNING) {
        run->stage = DESCRIBING;
        run->limit_at = clock_now() + ANSWER_LIMIT_NS;
        kernel_control_send(run->child.control, KERNEL_DESCRIBE, 0, "", -1);
    } else {
        end_run(run, TRACE_STUCK, "drysock-kernel hangs and does not say where");
    }
}

static void advance(struct run *run)
{
    if (run->line != NULL) {
        kernel_line_advance(run->line, run_now(run));
    }
    if (run->stage != OVER && clock_now() >= run->limit_at) {
        pass_limit(run);
    }
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void take_event(struct run *run, uint32_t what)
{
    switch (what) {
    case RUN_CONTROL:
        take_message(run);
        break;
    case RUN_TRACE:
        take_trace(run);
        break;
    case RUN_SAID:
        if (!kernel_child_hear(&run->child)) {
            epoll_ctl(run->epoll, EPOLL_CTL_DEL, run->child.said, NULL);
        }
        break;
    case RUN_STOP:
        end_run(run, TRACE_INTERRUPTED, "interrupted");
        break;
    case RUN_DESCRIBE:
        if (run->stage == RUNNING) {
            kernel_control_send(run->child.control, KERNEL_DESCRIBE, 0, "", -1);
        }
        break;
    case RUN_TIMER:
        break; /* set anew below; advance looks at the clock */
    default:
        if (run->line != NULL) {
            kernel_line_receive(run->line, what - RUN_TUN, run_now(run));
        }
    }
}

/* Packets that wait in a TUN interface for a processor are not seen to be late by anything else. */
static void note_lateness(struct run *run)
{
    uint64_t now = clock_now();
    if (run->stage == RUNNING && now > run->due_at && now - run->due_at > run->late_ns) {
        run->late_ns = now - run->due_at;
    }
}

static void carry(struct run *run)
{
    struct epoll_event events[16];
    while (run->stage != OVER) {
        int count;
        set_timer(run);
        count = epoll_wait(run->epoll, events, 16, -1);
        note_lateness(run);
        for (int i = 0; i < count && run->stage != OVER; i++) {
            take_event(run, events[i].data.u32);
        }
        advance(run);
    }
}

static bool watch_all(struct run *run)
{
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET, .data.u32 = RUN_DESCRIBE};

    pthread_once(&describe_once, make_describe_fd);
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return run->epoll >= 0 && run->timer >= 0 && watch(run, run->child.control, RUN_CONTROL) == 0 &&
           watch(run, run->child.trace, RUN_TRACE) == 0 && watch(run, run->child.said, RUN_SAID) == 0 &&
           watch(run, run->timer, RUN_TIMER) == 0 &&
           epoll_ctl(run->epoll, EPOLL_CTL_ADD, describe_fd, &edge) == 0 &&
           (run->options->stop_fd <= 0 || watch(run, run->options->stop_fd, RUN_STOP) == 0);
}

/* ---- one run ------------------------------------------------------------------------------ */

/* A run is whole when its trace is and the program then ended well: a leak that a sanitizer finds at
 * the end counts. */
static void judge_end(struct run *run, const struct kernel_child_end *end)
{
    const char *said = end->said.length > 0 ? end->said.bytes : "it said nothing";
    if (run->trace->end != TRACE_DONE) {
        return;
    }
    if (end->signal != 0) {
        trace_set_detail(run->trace, TRACE_CRASHED, "drysock-kernel died of SIG%s: %s",
                         sigabbrev_np(end->signal), said);
    } else if (end->status != 0 || !run->ended_well) {
        trace_set_detail(run->trace, TRACE_CRASHED, "drysock-kernel ended with status %d%s: %s",
                         end->status, run->ended_well ? "" : " and an unfinished trace", said);
    }
}

static void finish(struct run *run)
{
    struct kernel_child_end end = {0};

    kernel_child_end(&run->child, run->ended_well ? ENDING_LIMIT_NS : 0, &end);
    judge_end(run, &end);
    text_free(&end.said);
    run->trace->wall_ns = clock_now() - run->begun_at;
    if (run->line != NULL) {
        struct kernel_line_count count = kernel_line_count(run->line);
        run->trace->packet_count = count.sent;
        if (count.late_ns > run->trace->late_ns) {
            run->trace->late_ns = count.late_ns;
        }
    }
    if (run->late_ns > run->trace->late_ns) {
        run->trace->late_ns = run->late_ns;
    }
    int captured = run->line != NULL ? kernel_line_end_capture(run->line) : 0;
    if (captured < 0 && run->trace->end == TRACE_DONE) {
        trace_set_detail(run->trace, TRACE_FAILED, "the capture %s is not whole: %s",
                         run->options->capture, strerror(-captured));
    }
    kernel_line_free(run->line);
    for (uint32_t i = 0; i < run->scenario->host_count; i++) {
        if (run->tuns[i] >= 0) {
            close(run->tuns[i]);
        }
    }
    free(run->tuns);
    text_free(&run->partial);
    if (run->epoll >= 0) {
        close(run->epoll);
    }
    if (run->timer >= 0) {
        close(run->timer);
    }
}

struct trace *kernel_run(const struct scenario *scenario, const struct kernel_options *options)
{
    struct run run = {.scenario = scenario, .options = options, .epoll = -1, .timer = -1};
    char why[KERNEL_WHY_BYTES];

    run.trace = trace_create(scenario, "kernel");
    if (!scenario_runs_on(scenario, "kernel")) {
        trace_set_detail(run.trace, TRACE_SKIPPED, "only %s: %s", scenario->only,
                         scenario->only_reason);
        return run.trace;
    }
    run.begun_at = clock_now();
    run.limit_at = run.begun_at + SETUP_LIMIT_NS;
    run.limit_ns = options->limit_ns == 0 ? DEFAULT_LIMIT_NS : options->limit_ns;
    run.seed = options->seed != 0 ? options->seed : scenario->has_seed ? scenario->seed : 1;
    run.speed = options->speed > 1 ? options->speed : 1;
    run.tuns = calloc(scenario->host_count + 1, sizeof *run.tuns);
    assert(run.tuns != NULL);
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        run.tuns[i] = -1;
    }
    if (kernel_child_start(&run.child, scenario, options, run.seed, why) < 0) {
        trace_set_detail(run.trace, TRACE_FAILED, "%s", why);
        free(run.tuns);
        return run.trace;
    }
    if (watch_all(&run)) {
        carry(&run);
    } else {
        end_run(&run, TRACE_FAILED, "no epoll or timer descriptor is left");
    }
    finish(&run);
    return run.trace;
}
