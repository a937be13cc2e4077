/* The language of scenarios: a file as data, from its text and back.
 * SPDX-License-Identifier: MIT
 *
 * What each line means is written in docs/language.md. Everything lies in the scenario's arena and
 * is constant after scenario_read, so several threads may read it. */
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include <drysock/sim.h>

#include "arena.h"

struct source_at {
    uint32_t line, column; /* from 1; column counts bytes */
    const char *file;      /* of an included line; NULL: the scenario's own */
};

/* What is wrong with a file: FILE:LINE:COLUMN: one sentence that names the cure. */
enum { DIAGNOSTIC_BYTES = 320 }; /* of a sentence, with its NUL */

struct diagnostic {
    const char *path;
    struct source_at at;
    char message[DIAGNOSTIC_BYTES];
};

/* All that is wrong with a file, in the order of its lines: at most one of a line. */
struct diagnostics {
    struct diagnostic *list;
    uint32_t count;
    uint32_t more; /* left out, when there are very many */
    struct arena arena;
};

enum expression_kind {
    EXPRESSION_NONE = 1, /* None */
    EXPRESSION_BOOL,     /* integer */
    EXPRESSION_INT,      /* integer; text is as written */
    EXPRESSION_FLOAT,    /* real; text is as written */
    EXPRESSION_STR,      /* bytes, length */
    EXPRESSION_BYTES,    /* bytes, length */
    EXPRESSION_NAME,     /* text: a name bound before, or a constant of the socket module */
    EXPRESSION_ANY,      /* `_` or `...` in an expectation */
    EXPRESSION_TUPLE,    /* items, count */
    EXPRESSION_LIST,     /* items, count */
    EXPRESSION_CALL,     /* text: function; items: arguments; keywords[i]: its name or NULL */
    EXPRESSION_METHOD,   /* left.text(items): as a call */
    EXPRESSION_INDEX,    /* left[right] */
    EXPRESSION_SLICE,    /* left[right:third], each of which may be NULL */
    EXPRESSION_BINARY,   /* left text right: == != | & + - * << */
    EXPRESSION_MINUS,    /* -left */
    EXPRESSION_INVERT,   /* ~left */
    EXPRESSION_GROUP,    /* (left): kept so that a file prints back as it was written */
};

struct expression {
    enum expression_kind kind;
    struct source_at at;
    const char *text;
    int64_t integer;
    double real;
    const char *bytes;
    size_t length;
    struct expression **items;
    const char **keywords;
    uint32_t count;
    struct expression *left, *right, *third;
    const struct verb *verb; /* of CALL, set by scenario_check; METHOD finds it when it runs */
};

/* A time that a step states: one, or a range of them. */
struct time_range {
    uint64_t least_ns, most_ns; /* equal where one time is stated */
    const char *text;           /* as written */
};

enum expectation_kind {
    EXPECT_NOTHING = 0, /* no `->`: must not raise */
    EXPECT_ANY,         /* `->` and a time only: must not raise */
    EXPECT_VALUE,       /* pattern */
    EXPECT_RAISES,      /* raises, code */
};

/* What a step must show: its outcome, its time, and where that does not hold. */
struct expectation {
    enum expectation_kind kind;
    struct source_at at;
    const struct expression *pattern;
    const char *raises; /* OSError timeout gaierror herror ValueError TypeError OverflowError
                           UnicodeError interrupted unsupported EOFError */
    const char *code;   /* "ECONNREFUSED", or NULL for any */
    bool has_duration, has_instant;
    struct time_range duration, instant;
    const char *differs; /* "kernel" or "world": may differ there; NULL: nowhere */
    const char *reason;
};

enum step_kind {
    STEP_SYNC = 1, /* sync NAME: sync */
    STEP_CALL,     /* [targets =] expression */
};

struct step {
    enum step_kind kind;
    struct source_at at;
    uint32_t index;   /* within its actor, from 0 */
    const char *text; /* canonical, without the expectation */
    const char *sync;
    const struct expression *target; /* NAME or TUPLE of NAMEs (`_` allowed); NULL: none */
    const struct expression *expression;
    struct expectation expect;
    uint32_t repeat; /* `repeat N` at the first of the N steps that its line stands for; else 0 */
};

struct actor_lines {
    struct source_at at;
    const char *name;
    uint32_t host;     /* index into hosts */
    bool host_written; /* [name on host] */
    struct step *steps;
    uint32_t step_count;
};

struct scenario_host {
    struct source_at at;
    const char *name;
    const char *addresses; /* "10.0.0.1/24 fd00::1", as written; "" when it has loopback only */
};

struct scenario_link {
    struct source_at at;
    uint32_t a, b; /* indices into hosts */
    struct sim_link_options options;
    const char *settings; /* as written, canonical */
};

/* set HOST SYSCTL VALUE: the sysctl's name without its folders ("tcp_syn_retries") or with them
 * ("net.ipv4.tcp_syn_retries"). */
struct scenario_set {
    struct source_at at;
    uint32_t host;
    const char *sysctl;
    int64_t value;
};

/* A head line whose rest is somebody else's language. */
struct scenario_line {
    struct source_at at;            /* of the text */
    const struct source_at *places; /* of each of its words */
    uint32_t place_count;
    uint32_t host; /* of hosts and resolver lines and name servers */
    const char *text;
};

enum scenario_event_kind {
    EVENT_LINK_DOWN = 1,
    EVENT_LINK_UP,
    EVENT_SIGNAL,
};

struct scenario_event {
    struct source_at at;
    enum scenario_event_kind kind;
    uint64_t instant_ns;
    const char *instant_text;
    uint32_t link;  /* index into links */
    uint32_t actor; /* index into actors */
    int signal;
    const char *signal_name;
};

/* A sync point: every actor that names it waits until `actors` of them are in it. */
struct scenario_sync {
    const char *name;
    uint32_t actors;
};

/* One line of the file, for printing it back. */
enum scenario_line_kind {
    LINE_BLANK = 1,
    LINE_COMMENT, /* the whole line: text */
    LINE_HEAD,    /* text: canonical */
    LINE_SECTION, /* actor */
    LINE_STEP,    /* actor, step */
};
struct scenario_file_line {
    enum scenario_line_kind kind;
    const char *text;
    const char *comment; /* behind the line, from its '#' on; NULL: none */
    bool continued;      /* written over several lines: prints so where it is long */
    uint32_t actor, step;
};

struct scenario {
    const char *path;  /* as given */
    const char *title; /* the first comment's text, or "" */
    struct scenario_file_line *lines;
    uint32_t line_count;
    struct scenario_host *hosts; /* at least one: `localhost` where none is written */
    uint32_t host_count;
    struct scenario_link *links;
    uint32_t link_count;
    struct scenario_set *settings;
    uint32_t setting_count;
    struct scenario_line *faults;
    uint32_t fault_count;
    struct scenario_line *nameservers; /* host */
    uint32_t nameserver_count;
    struct scenario_line *records;
    uint32_t record_count;
    struct scenario_line *hosts_lines; /* lines of /etc/hosts */
    uint32_t hosts_line_count;
    struct scenario_line *resolver_lines; /* lines of resolv.conf */
    uint32_t resolver_line_count;
    struct scenario_event *events;
    uint32_t event_count;
    struct scenario_line *needs; /* one word each */
    uint32_t need_count;
    struct actor_lines *actors;
    uint32_t actor_count;
    struct scenario_sync *syncs;
    uint32_t sync_count;
    const char *only, *only_reason;       /* "world" or "kernel", or NULL */
    const char *differs, *differs_reason; /* the whole file: "world" or "kernel", or NULL */
    bool has_seed;
    uint64_t seed;
    int64_t *numbers; /* every whole number the file writes: what is not luck */
    uint32_t number_count;
    struct arena arena;
};

/* read.c: reads and checks a file; -1 with *wrong filled (its path is `path`). scenario_parse takes the
 * text itself. */
int scenario_read(const char *path, struct scenario **scenario, struct diagnostic *wrong);
int scenario_parse(const char *path, const char *text, size_t length, struct scenario **scenario,
                   struct diagnostic *wrong);
/* The same with all that is wrong. wrong must be zeroed, and is freed by diagnostics_free. */
int scenario_read_all(const char *path, struct scenario **scenario, struct diagnostics *wrong);
int scenario_parse_all(const char *path, const char *text, size_t length, struct scenario **scenario,
                       struct diagnostics *wrong);
void scenario_free(struct scenario *scenario);
/* The file that a line stands in: the scenario's own, or one that it includes. */
const char *scenario_file_of(const struct scenario *scenario, struct source_at at);
/* prefix(…), suffix(…), contains(…): behind `->` it states only a part of a value. */
bool expression_is_part(const struct expression *expression);
/* -1: no such host, actor, sync. */
int scenario_find_host(const struct scenario *scenario, const char *name, size_t length);
int scenario_find_actor(const struct scenario *scenario, const char *name);
int scenario_find_sync(const struct scenario *scenario, const char *name);
/* The one host of a file that names none: its place is line 0. */
void scenario_add_localhost(struct scenario *scenario);
bool scenario_writes_number(const struct scenario *scenario, int64_t number);
/* Whether the scenario is meant for "kernel" or "world". */
bool scenario_runs_on(const struct scenario *scenario, const char *system);
/* Names, in order of the actors; what an error sentence lists. */
int scenario_signal_number(const char *name); /* "SIGUSR1"; 0: unknown */

/* A time's shortest exact form, as sim_read_time reads it. */
void scenario_time_print(uint64_t ns, char text[32]);

/* "FILE:LINE:COLUMN: message\n" to standard error. */
void diagnostic_print(const struct diagnostic *wrong);
void diagnostics_print(const struct diagnostics *wrong);
void diagnostics_free(struct diagnostics *wrong);

#endif
