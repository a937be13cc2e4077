/* Reads fault rules from their text, with an error for each that could never fire.
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netdb.h>

#include <drysock/sim.h>

#include "fault.h"

#define SEAM(name) (1u << FAULT_SEAM_##name)

/* Library calls by their Python names, the seam calls that do their work, and whether they move
 * bytes or wait: what decides which effects are possible. */
struct verb {
    const char *name;
    uint32_t seams;
    bool moves_bytes;
    bool waits;
};

static const struct verb verbs[] = {
    {"socket", SEAM(SOCKET), false, false},
    {"socketpair", SEAM(SOCKETPAIR), false, false},
    {"fromfd", SEAM(FCNTL), false, false},
    {"bind", SEAM(BIND), false, false},
    {"listen", SEAM(LISTEN), false, false},
    {"accept", SEAM(ACCEPT), false, true},
    {"connect", SEAM(CONNECT), false, true},
    {"connect_ex", SEAM(CONNECT), false, true},
    {"create_connection", SEAM(CONNECT), false, true},
    {"send", SEAM(SEND), true, true},
    {"sendall", SEAM(SEND), true, true},
    {"sendto", SEAM(SEND), true, true},
    {"sendmsg", SEAM(SEND), true, true},
    {"sendmsg_afalg", SEAM(SEND), true, true},
    {"sendfile", SEAM(SENDFILE) | SEAM(SEND), true, true},
    {"recv", SEAM(RECV), true, true},
    {"recv_into", SEAM(RECV), true, true},
    {"recvfrom", SEAM(RECV), true, true},
    {"recvfrom_into", SEAM(RECV), true, true},
    {"recvmsg", SEAM(RECV), true, true},
    {"recvmsg_into", SEAM(RECV), true, true},
    {"shutdown", SEAM(SHUTDOWN), false, false},
    {"close", SEAM(CLOSE), false, false},
    {"dup", SEAM(FCNTL), false, false},
    {"getsockname", SEAM(GETSOCKNAME), false, false},
    {"getpeername", SEAM(GETPEERNAME), false, false},
    {"getsockopt", SEAM(GETSOCKOPT), false, false},
    {"setsockopt", SEAM(SETSOCKOPT), false, false},
    {"settimeout", SEAM(FCNTL) | SEAM(IOCTL), false, false},
    {"setblocking", SEAM(FCNTL) | SEAM(IOCTL), false, false},
    {"set_inheritable", SEAM(FCNTL) | SEAM(IOCTL), false, false},
    {"get_inheritable", SEAM(FCNTL), false, false},
    {"getaddrinfo", SEAM(NAMES), false, true},
    {"getnameinfo", SEAM(NAMES), false, true},
    {"gethostbyname", SEAM(NAMES), false, true},
    {"gethostbyname_ex", SEAM(NAMES), false, true},
    {"gethostbyaddr", SEAM(NAMES), false, true},
    {"getfqdn", SEAM(NAMES), false, true},
    {"poll", SEAM(POLL), false, true},
    {"select", SEAM(POLL), false, true},
    {"sleep", SEAM(SLEEP), false, true},
};

/* Calls of programs as they are, by the names that strace gives them; where a library call has that
 * name, it stands above and means the same. */
static const struct verb program_calls[] = {
    {"accept4", SEAM(ACCEPT), false, true},
    {"dup2", SEAM(DUP), false, false},
    {"dup3", SEAM(DUP), false, false},
    {"fcntl", SEAM(FCNTL), false, false},
    {"ioctl", SEAM(IOCTL), false, false},
    {"pipe2", SEAM(PIPE), false, false},
    {"read", SEAM(RECV), true, true},
    {"readv", SEAM(RECV), true, true},
    {"recvmmsg", SEAM(RECV), true, true},
    {"write", SEAM(SEND), true, true},
    {"writev", SEAM(SEND), true, true},
    {"sendmmsg", SEAM(SEND), true, true},
    {"ppoll", SEAM(POLL), false, true},
    {"pselect6", SEAM(POLL), false, true},
    {"epoll_wait", SEAM(POLL), false, true},
    {"epoll_pwait", SEAM(POLL), false, true},
    {"epoll_pwait2", SEAM(POLL), false, true},
    {"nanosleep", SEAM(SLEEP), false, true},
    {"clock_nanosleep", SEAM(SLEEP), false, true},
};

static const char *const seam_names[FAULT_SEAM_COUNT] = {
    [FAULT_SEAM_SOCKET] = "socket",
    [FAULT_SEAM_SOCKETPAIR] = "socketpair",
    [FAULT_SEAM_BIND] = "bind",
    [FAULT_SEAM_LISTEN] = "listen",
    [FAULT_SEAM_ACCEPT] = "accept",
    [FAULT_SEAM_CONNECT] = "connect",
    [FAULT_SEAM_SEND] = "send",
    [FAULT_SEAM_RECV] = "recv",
    [FAULT_SEAM_SHUTDOWN] = "shutdown",
    [FAULT_SEAM_GETSOCKNAME] = "getsockname",
    [FAULT_SEAM_GETPEERNAME] = "getpeername",
    [FAULT_SEAM_GETSOCKOPT] = "getsockopt",
    [FAULT_SEAM_SETSOCKOPT] = "setsockopt",
    [FAULT_SEAM_CLOSE] = "close",
    [FAULT_SEAM_DUP] = "dup",
    [FAULT_SEAM_FCNTL] = "fcntl",
    [FAULT_SEAM_IOCTL] = "ioctl",
    [FAULT_SEAM_PIPE] = "pipe",
    [FAULT_SEAM_SENDFILE] = "sendfile",
    [FAULT_SEAM_POLL] = "poll",
    [FAULT_SEAM_SLEEP] = "sleep",
    [FAULT_SEAM_NAMES] = "names",
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static const struct verb *find_program_call(const char *name)
{
    for (size_t i = 0; i < sizeof program_calls / sizeof program_calls[0]; i++) {
        if (strcmp(program_calls[i].name, name) == 0) {
            return &program_calls[i];
        }
    }
    return NULL;
}

static const struct verb *find_any(const char *name)
{
    const struct verb *verb = find_verb(name);
    return verb != NULL ? verb : find_program_call(name);
}

const char *fault_verb_name(size_t index)
{
    return index < sizeof verbs / sizeof verbs[0] ? verbs[index].name : NULL;
}

uint32_t fault_seams_of_verb(const char *name)
{
    const struct verb *verb = find_any(name);
    return verb == NULL ? 0 : verb->seams;
}

bool fault_effect_suits(enum fault_effect effect, const char *name)
{
    const struct verb *verb = find_any(name);
    if (effect == FAULT_BYTES || effect == FAULT_SIGNAL_AFTER) {
        return verb != NULL && verb->moves_bytes;
    }
    if (effect == FAULT_GAI) { /* create_connection() looks its host up inside */
        return verb != NULL &&
               ((verb->seams & SEAM(NAMES)) != 0 || strcmp(name, "create_connection") == 0);
    }
    if (effect == FAULT_SIGNAL_BEFORE || effect == FAULT_SIGNAL_DURING) {
        return verb != NULL && verb->waits;
    }
    return true;
}

/* Where the reading stands, and where to put what is wrong. */
struct reader {
    bool programs; /* calls of programs are calls, too */
    const char *text;
    const char *at;
    char *message;
    size_t bytes;
    size_t *column;
};

static int wrong(struct reader *reader, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(struct reader *reader, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->message, reader->bytes, format, arguments);
    va_end(arguments);
    if (reader->column != NULL) {
        *reader->column = (size_t)(at - reader->text);
    }
    return -1;
}

static void skip_blanks(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t') {
        reader->at++;
    }
}

static bool take(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(reader->at, word, length) != 0) {
        return false;
    }
    reader->at += length;
    return true;
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static size_t read_name(struct reader *reader, char name[FAULT_NAME_BYTES])
{
    size_t length = 0;
    while (in_name(reader->at[length])) {
        length++;
    }
    size_t kept = length < FAULT_NAME_BYTES ? length : FAULT_NAME_BYTES - 1;
    memcpy(name, reader->at, kept);
    name[kept] = 0;
    reader->at += length;
    return length == kept ? length : 0;
}

static bool read_number(struct reader *reader, uint64_t *number)
{
    if (!isdigit((unsigned char)*reader->at)) {
        return false;
    }
    char *end;
    errno = 0;
    *number = strtoull(reader->at, &end, 10);
    reader->at = end;
    return errno == 0;
}

/* A time such as 5ms or 1.5s, up to the next blank. */
static bool read_time(struct reader *reader, uint64_t *ns)
{
    size_t length = strcspn(reader->at, " \t");
    if (sim_read_time(reader->at, length, ns) != 0) {
        return false;
    }
    reader->at += length;
    return true;
}

static int read_actor(struct reader *reader, struct fault_rule *rule)
{
    const char *start = reader->at;
    if (take(reader, "*")) {
        strcpy(rule->actor, "*");
    } else {
        size_t offset = take(reader, "@") ? 1 : 0;
        char name[FAULT_NAME_BYTES];
        if (read_name(reader, name) == 0) {
            return wrong(reader, start, "a fault begins with the actor it is for: a name, @HOST or *");
        }
        snprintf(rule->actor, sizeof rule->actor, "%.*s%.*s", (int)offset, "@", FAULT_NAME_BYTES - 2,
                 name);
    }
    return 0;
}

static int read_call(struct reader *reader, struct fault_rule *rule)
{
    const char *start = reader->at;
    if (take(reader, "*")) {
        strcpy(rule->verb, "*");
        return 0;
    }
    if (read_name(reader, rule->verb) == 0) {
        return wrong(reader, start, "after the actor stands the call, such as connect or s.recv#2");
    }
    if (take(reader, ".")) {
        memcpy(rule->socket, rule->verb, sizeof rule->socket);
        start = reader->at;
        if (take(reader, "*")) {
            strcpy(rule->verb, "*");
            return 0;
        }
        read_name(reader, rule->verb);
    }
    if (find_verb(rule->verb) == NULL && !(reader->programs && find_program_call(rule->verb) != NULL)) {
        return wrong(reader, start,
                     "'%s' is not a call that faults can aim at; write it as the "
                     "socket documentation does, such as recv or sendall",
                     rule->verb);
    }
    return 0;
}

static int read_ordinal(struct reader *reader, struct fault_rule *rule)
{
    rule->first = 1;
    rule->last = UINT64_MAX;
    rule->step = 1;
    const char *start = reader->at;
    if (!take(reader, "#")) {
        return 0;
    }
    if (!read_number(reader, &rule->first) || rule->first == 0) {
        return wrong(reader, start, "an ordinal counts from 1: #1 is the first call");
    }
    rule->last = rule->first;
    if (take(reader, "..")) {
        rule->last = UINT64_MAX;
        if (isdigit((unsigned char)*reader->at) &&
            (!read_number(reader, &rule->last) || rule->last < rule->first)) {
            return wrong(reader, start, "the last ordinal must not be before the first");
        }
    }
    if (take(reader, "+") && isdigit((unsigned char)*reader->at) &&
        (!read_number(reader, &rule->step) || rule->step == 0)) {
        return wrong(reader, start, "the step of an ordinal must be at least 1");
    }
    return 0;
}

static int read_seam(struct reader *reader, struct fault_rule *rule)
{
    const char *start = reader->at;
    if (!take(reader, "/")) {
        return 0;
    }
    char name[FAULT_NAME_BYTES];
    read_name(reader, name);
    rule->seam_ordinal = 1;
    for (int seam = FAULT_SEAM_NONE + 1; seam < FAULT_SEAM_COUNT; seam++) {
        if (strcmp(seam_names[seam], name) == 0) {
            rule->seam = (enum fault_seam)seam;
        }
    }
    if (rule->seam == FAULT_SEAM_NONE) {
        return wrong(reader, start,
                     "'%s' is not a call of the seam; use poll, send, recv, accept, "
                     "connect, sleep …",
                     name);
    }
    uint64_t ordinal = 1;
    if (take(reader, "#") && (!read_number(reader, &ordinal) || ordinal == 0 || ordinal > 1000000)) {
        return wrong(reader, start, "an ordinal counts from 1: /poll#1 is the first poll");
    }
    rule->seam_ordinal = (uint32_t)ordinal;
    return 0;
}

static int read_signal(struct reader *reader, struct fault_rule *rule, const char *start)
{
    skip_blanks(reader);
    if (take(reader, "before")) {
        rule->effect = FAULT_SIGNAL_BEFORE;
        return 0;
    }
    if (take(reader, "during=")) {
        rule->effect = FAULT_SIGNAL_DURING;
        if (!read_time(reader, &rule->amount)) {
            return wrong(reader, start, "during= wants a time with its unit, such as 5ms");
        }
        return 0;
    }
    if (take(reader, "after=")) {
        rule->effect = FAULT_SIGNAL_AFTER;
        if (!read_number(reader, &rule->amount) || rule->amount == 0) {
            return wrong(reader, start, "after= wants the number of bytes that move first, from 1");
        }
        return 0;
    }
    return wrong(reader, start, "a signal comes `before` the call, `during=TIME` or `after=BYTES`");
}

static int errno_of(const char *name)
{
    for (int number = 1; number < 200; number++) {
        const char *known = strerrorname_np(number);
        if (known != NULL && strcmp(known, name) == 0) {
            return number;
        }
    }
    if (strcmp(name, "EWOULDBLOCK") == 0) {
        return EWOULDBLOCK;
    }
    return strcmp(name, "ENOTSUP") == 0 ? ENOTSUP : 0;
}

/* The codes that a look-up can end with; what stands with errno is EAI_SYSTEM. */
static const struct {
    const char *name;
    int code;
} lookup_codes[] = {
    {"EAI_AGAIN", EAI_AGAIN},   {"EAI_FAIL", EAI_FAIL},     {"EAI_NONAME", EAI_NONAME},
    {"EAI_NODATA", EAI_NODATA}, {"EAI_FAMILY", EAI_FAMILY}, {"EAI_SERVICE", EAI_SERVICE},
    {"EAI_MEMORY", EAI_MEMORY},
};

static int read_gai(struct reader *reader, struct fault_rule *rule, const char *start)
{
    char name[FAULT_NAME_BYTES];
    read_name(reader, name);
    rule->effect = FAULT_GAI;
    for (size_t i = 0; i < sizeof lookup_codes / sizeof lookup_codes[0]; i++) {
        if (strcmp(lookup_codes[i].name, name) == 0) {
            rule->amount = (uint64_t)-lookup_codes[i].code;
            return 0;
        }
    }
    return wrong(reader, start,
                 "'%s' is no end of a look-up: they are EAI_AGAIN EAI_FAIL EAI_NONAME EAI_NODATA "
                 "EAI_FAMILY EAI_SERVICE EAI_MEMORY",
                 name);
}

static int read_effect(struct reader *reader, struct fault_rule *rule)
{
    skip_blanks(reader);
    const char *start = reader->at;
    if (take(reader, "errno=")) {
        char name[FAULT_NAME_BYTES];
        read_name(reader, name);
        rule->effect = FAULT_ERRNO;
        rule->amount = (uint64_t)errno_of(name);
        if (rule->amount == 0) {
            return wrong(reader, start, "'%s' is not the name of an errno, such as ECONNRESET", name);
        }
        return 0;
    }
    if (take(reader, "gai=")) {
        return read_gai(reader, rule, start);
    }
    if (take(reader, "bytes=")) {
        rule->effect = FAULT_BYTES;
        if (!read_number(reader, &rule->amount) || rule->amount == 0) {
            return wrong(reader, start, "bytes= wants the most bytes that may move, from 1");
        }
        return 0;
    }
    if (take(reader, "delay=")) {
        rule->effect = FAULT_DELAY;
        if (!read_time(reader, &rule->amount)) {
            return wrong(reader, start, "delay= wants a time with its unit, such as 5ms");
        }
        return 0;
    }
    if (take(reader, "signal")) {
        return read_signal(reader, rule, start);
    }
    return wrong(reader, start,
                 "a fault ends with its effect: errno=NAME, gai=NAME, bytes=N, delay=TIME, "
                 "signal before, signal during=TIME or signal after=N");
}

static int read_chance(struct reader *reader, struct fault_rule *rule)
{
    skip_blanks(reader);
    const char *start = reader->at;
    if (!take(reader, "chance=")) {
        return 0;
    }
    if (rule->chance_ppm != 1000000) {
        return wrong(reader, start, "a fault has one chance");
    }
    uint64_t whole = 0, fraction = 0, scale = 10000;
    bool good = read_number(reader, &whole);
    if (good && take(reader, ".")) {
        for (; isdigit((unsigned char)*reader->at); reader->at++, scale /= 10) {
            fraction += (uint64_t)(*reader->at - '0') * (scale / 10);
        }
    }
    if (!good || !take(reader, "%") || whole > 100 || whole * 10000 + fraction > 1000000) {
        return wrong(reader, start, "chance= wants a percentage from 0%% to 100%%");
    }
    rule->chance_ppm = (uint32_t)(whole * 10000 + fraction);
    if (rule->chance_ppm == 0) {
        return wrong(reader, start, "a chance of nothing can never fire; leave the fault out");
    }
    return 0;
}

static int read_times(struct reader *reader, struct fault_rule *rule)
{
    skip_blanks(reader);
    const char *start = reader->at;
    if (!take(reader, "times=")) {
        return 0;
    }
    if (rule->times != 0) {
        return wrong(reader, start, "a fault says times= once");
    }
    if (!read_number(reader, &rule->times) || rule->times == 0 ||
        (*reader->at != ' ' && *reader->at != '\t' && *reader->at != 0)) {
        return wrong(reader, start, "times= wants the calls that it may apply to, from 1");
    }
    return 0;
}

/* chance= and times=, in either order, before the effect or behind it. */
static int read_limits(struct reader *reader, struct fault_rule *rule)
{
    const char *before;
    do {
        skip_blanks(reader);
        before = reader->at;
        if (read_chance(reader, rule) < 0 || read_times(reader, rule) < 0) {
            return -1;
        }
    } while (reader->at != before);
    return 0;
}

/* A rule that could never fire is an error, not a silence. */
static int check_possible(struct reader *reader, const struct fault_rule *rule, const char *call)
{
    bool suits = strcmp(rule->verb, "*") == 0 || fault_effect_suits(rule->effect, rule->verb);
    if (!suits && (rule->effect == FAULT_BYTES || rule->effect == FAULT_SIGNAL_AFTER)) {
        return wrong(reader, call,
                     "%s moves no bytes, so this fault can never fire; aim at a send "
                     "or a receive",
                     rule->verb);
    }
    if (!suits && rule->effect == FAULT_GAI) {
        return wrong(reader, call,
                     "%s looks no name up, so this fault can never fire; aim at getaddrinfo, "
                     "create_connection or the like",
                     rule->verb);
    }
    if (!suits) {
        return wrong(reader, call,
                     "%s never waits, so no signal can cut it short; aim at a call "
                     "that waits",
                     rule->verb);
    }
    if (rule->effect == FAULT_SIGNAL_DURING && rule->seam != FAULT_SEAM_NONE) {
        return wrong(reader, call,
                     "a signal during a call comes at a time, not at a seam call; "
                     "leave out the part after the slash");
    }
    return 0;
}

int fault_rule_parse(struct fault_rule *rule, const char *text, bool programs, char *message,
                     size_t bytes, size_t *column)
{
    struct reader reader = {programs, text, text, message, bytes, column};
    skip_blanks(&reader);
    if (strlen(text) >= sizeof rule->text) {
        return wrong(&reader, text, "a fault is at most %zu bytes long", sizeof rule->text - 1);
    }
    if (read_actor(&reader, rule) < 0) {
        return -1;
    }
    skip_blanks(&reader);
    const char *call = reader.at;
    if (read_call(&reader, rule) < 0 || read_ordinal(&reader, rule) < 0 ||
        read_seam(&reader, rule) < 0) {
        return -1;
    }
    if (*reader.at != ' ' && *reader.at != '\t' && *reader.at != 0) {
        return wrong(&reader, reader.at, "expected a blank before the effect");
    }
    rule->chance_ppm = 1000000;
    if (read_limits(&reader, rule) < 0 || read_effect(&reader, rule) < 0 ||
        read_limits(&reader, rule) < 0) {
        return -1;
    }
    skip_blanks(&reader);
    if (*reader.at != 0) {
        return wrong(&reader, reader.at, "nothing may follow the effect but chance=P%% and times=N");
    }
    if (check_possible(&reader, rule, call) < 0) {
        return -1;
    }
    memcpy(rule->text, text, strlen(text) + 1);
    return 0;
}
