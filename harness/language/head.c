/* Reads head lines: hosts, links, settings, faults, names, events, needs and declared differences.
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"
#include "sim/names/resolver.h"
#include "sim/names/zone.h"
#include "sim/net/notation.h"
#include "suggest.h"

enum { HEAD_WORDS = 64, SENTENCE_BYTES = 256 };

struct word {
    const char *text; /* NUL-terminated, in the arena */
    size_t length;
    struct source_at at;
};

struct head {
    struct parser *parser;
    struct scenario *scenario;
    struct arena *arena;
    struct word words[HEAD_WORDS]; /* [0] is the head word */
    uint32_t count;
    struct source_at end;
    const char *canonical; /* set by a handler that prints its own */
};

static int wrong(struct head *head, const struct word *word, const char *sentence)
{
    return parser_wrong(head->parser, word->at, sentence, word->text);
}

/* The list `items` of `count` grows by one zeroed item, which `item` names. */
#define ADD(head, items, count, item)                                                \
    do {                                                                             \
        (head)->scenario->items = arena_grow((head)->arena, (head)->scenario->items, \
                                             (head)->scenario->count,                \
                                             sizeof *(head)->scenario->items);       \
        item = &(head)->scenario->items[(head)->scenario->count++];                  \
        memset(item, 0, sizeof *(item));                                             \
    } while (0)

/* The words from `from` on with one blank between each two. */
static const char *rest_of(struct head *head, uint32_t from)
{
    struct text text = {0};

    text_add(&text, "%s", "");
    for (uint32_t i = from; i < head->count; i++) {
        text_add(&text, "%s%s", i > from ? " " : "", head->words[i].text);
    }
    const char *copy = arena_text(head->arena, text.bytes);
    text_free(&text);
    return copy;
}

static int need_words(struct head *head, uint32_t least, uint32_t most, const char *form)
{
    if (head->count < least) {
        return parser_wrong(head->parser, head->end, "something is missing: write %s", form);
    }
    if (most < HEAD_WORDS && head->count > most) {
        return parser_wrong(head->parser, head->words[most].at, "this is too much: write %s", form);
    }
    return 0;
}

static int find_host(struct head *head, const struct word *word, uint32_t *host)
{
    int found = scenario_find_host(head->scenario, word->text, word->length);
    if (found < 0 && head->scenario->host_count == 0 && strcmp(word->text, "localhost") == 0) {
        scenario_add_localhost(head->scenario);
        found = 0;
    }
    if (found < 0) {
        return parser_no_host(head->parser, word->at, word->text, word->length);
    }
    *host = (uint32_t)found;
    return 0;
}

static int take_time(struct head *head, const struct word *word, const char *text, uint64_t *ns)
{
    if (sim_read_time(text, strlen(text), ns) != 0) {
        return wrong(head, word, "\"%s\" is no time: write one such as 40ms (ns us ms s min h)");
    }
    return 0;
}

static bool is_identifier(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_') {
        return false;
    }
    for (; *text != 0; text++) {
        if (!isalnum((unsigned char)*text) && *text != '_' && *text != '-') {
            return false;
        }
    }
    return true;
}

/* The words inside the quotes. */
static int take_reason(struct head *head, const struct word *word, const char **reason)
{
    if (word->length < 3 || word->text[0] != '"' || word->text[word->length - 1] != '"') {
        return wrong(head, word, "expected the reason in double quotes here");
    }
    *reason = arena_copy(head->arena, word->text + 1, word->length - 2);
    return 0;
}

/* ---- hosts and links ------------------------------------------------------------------------ */

static int head_host(struct head *head)
{
    struct scenario_host *host;
    struct sim_ip ip;
    uint32_t prefix_bits;
    char message[DIAGNOSTIC_BYTES];
    if (need_words(head, 2, HEAD_WORDS, "host NAME ADDRESS…") != 0) {
        return -1;
    }
    const struct word *name = &head->words[1];
    if (!is_identifier(name->text)) {
        return wrong(head, name, "\"%s\" cannot be a host's name: use letters, digits, - and _");
    }
    if (scenario_find_host(head->scenario, name->text, name->length) >= 0) {
        return wrong(head, name, "there is a host \"%s\" already: give this one another name");
    }
    if (head->scenario->host_count > 0 && head->scenario->hosts[0].at.line == 0) {
        return wrong(head, name,
                     "a line above uses localhost, which is there only without host lines: "
                     "name host \"%s\" above it");
    }
    ADD(head, hosts, host_count, host);
    host->at = name->at;
    host->name = name->text;
    host->addresses = rest_of(head, 2);
    for (uint32_t i = 2; i < head->count; i++) {
        if (sim_notation_address(head->words[i].text, &ip, &prefix_bits, message, sizeof message) < 0) {
            return parser_wrong(head->parser, head->words[i].at, "%s", message);
        }
    }
    return 0;
}

static int find_link(struct head *head, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < head->scenario->link_count; i++) {
        const struct scenario_link *link = &head->scenario->links[i];
        if ((link->a == a && link->b == b) || (link->a == b && link->b == a)) {
            return (int)i;
        }
    }
    return -1;
}

static int head_link(struct head *head)
{
    struct scenario_link *link;
    uint32_t a = 0, b = 0;
    char message[DIAGNOSTIC_BYTES];
    if (need_words(head, 3, HEAD_WORDS, "link HOST HOST delay=TIME…") != 0 ||
        find_host(head, &head->words[1], &a) != 0 || find_host(head, &head->words[2], &b) != 0) {
        return -1;
    }
    if (a == b) {
        return wrong(head, &head->words[2], "a link joins two hosts: \"%s\" is named twice");
    }
    if (find_link(head, a, b) >= 0) {
        return wrong(head, &head->words[2], "these two hosts have a link already: remove this one");
    }
    ADD(head, links, link_count, link);
    link->at = head->words[0].at;
    link->a = a;
    link->b = b;
    link->settings = rest_of(head, 3);
    for (uint32_t i = 3; i < head->count; i++) {
        if (sim_notation_link(head->words[i].text, &link->options, message, sizeof message) < 0) {
            return parser_wrong(head->parser, head->words[i].at, "%s", message);
        }
    }
    if (link->options.reorder_ppm > 0 && link->options.delay_ns == 0 && link->options.jitter_ns == 0) {
        return wrong(head, &head->words[0],
                     "reorder= spares a packet the link's delay, and this \"%s\" has none: add delay=");
    }
    return 0;
}

static int head_set(struct head *head)
{
    struct scenario_set *set;
    uint32_t host = 0;
    char *end;
    if (need_words(head, 4, 4, "set HOST SYSCTL VALUE") != 0 ||
        find_host(head, &head->words[1], &host) != 0) {
        return -1;
    }
    errno = 0;
    long long value = strtoll(head->words[3].text, &end, 10);
    if (*end != 0 || errno != 0) {
        return wrong(head, &head->words[3], "\"%s\" is no value: write a whole number");
    }
    ADD(head, settings, setting_count, set);
    set->at = head->words[2].at;
    set->host = host;
    set->sysctl = head->words[2].text;
    set->value = value;
    return 0;
}

/* ---- lines in another's language ------------------------------------------------------------ */

/* The words from `from` on, and where each stands. */
static void take_rest(struct head *head, uint32_t from, struct scenario_line *line)
{
    struct source_at *places = arena_take(head->arena, head->count * sizeof *places);
    for (uint32_t i = from; i < head->count; i++) {
        places[i - from] = head->words[i].at;
    }
    line->text = rest_of(head, from);
    line->places = places;
    line->place_count = head->count - from;
}

static int add_fault(struct head *head)
{
    struct scenario_line *line;
    if (need_words(head, 4, HEAD_WORDS, "fault ACTOR CALL#ORDINAL EFFECT") != 0) {
        return -1;
    }
    ADD(head, faults, fault_count, line);
    line->at = head->words[1].at;
    take_rest(head, 1, line);
    return 0;
}

static int add_record(struct head *head)
{
    struct scenario_line *line;
    if (need_words(head, 3, HEAD_WORDS, "record NAME TYPE VALUE") != 0) {
        return -1;
    }
    ADD(head, records, record_count, line);
    line->at = head->words[1].at;
    take_rest(head, 1, line);
    return 0;
}

static int add_nameserver(struct head *head)
{
    struct scenario_line *line;
    uint32_t host = 0;
    if (need_words(head, 2, 2, "nameserver HOST") != 0 ||
        find_host(head, &head->words[1], &host) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < head->scenario->nameserver_count; i++) {
        if (head->scenario->nameservers[i].host == host) {
            return wrong(head, &head->words[1], "\"%s\" has a name server: one line for it is enough");
        }
    }
    ADD(head, nameservers, nameserver_count, line);
    line->at = head->words[1].at;
    line->host = host;
    line->text = head->words[1].text;
    return 0;
}

/* Where the byte of rest_of(head, from) stands in the file. */
static struct source_at at_of(const struct head *head, uint32_t from, size_t byte)
{
    for (uint32_t i = from; i < head->count; i++) {
        if (byte <= head->words[i].length) {
            struct source_at at = head->words[i].at;
            at.column += (uint32_t)byte;
            return at;
        }
        byte -= head->words[i].length + 1;
    }
    return head->end;
}

static int add_hosts_line(struct head *head)
{
    struct scenario_line *line;
    uint32_t host = 0;
    if (need_words(head, 4, HEAD_WORDS, "hosts HOST ADDRESS NAME…") != 0 ||
        find_host(head, &head->words[1], &host) != 0) {
        return -1;
    }
    ADD(head, hosts_lines, hosts_line_count, line);
    line->at = head->words[2].at;
    line->host = host;
    take_rest(head, 2, line);
    return 0;
}

static int add_resolver_line(struct head *head)
{
    struct scenario_line *line;
    uint32_t host = 0;
    if (need_words(head, 4, HEAD_WORDS, "resolver HOST nameserver|search|options VALUE…") != 0 ||
        find_host(head, &head->words[1], &host) != 0) {
        return -1;
    }
    ADD(head, resolver_lines, resolver_line_count, line);
    line->at = head->words[2].at;
    line->host = host;
    take_rest(head, 2, line);
    char why[SENTENCE_BYTES];
    size_t column = 0;
    if (sim_resolver_check_line(line->text, why, sizeof why, &column) < 0) {
        return parser_wrong(head->parser, at_of(head, 2, column), "%s", why);
    }
    return 0;
}

/* ---- events --------------------------------------------------------------------------------- */

static int link_event(struct head *head, struct scenario_event *event)
{
    uint32_t a = 0, b = 0;
    if (need_words(head, 6, 6, "at TIME link HOST HOST down|up") != 0 ||
        find_host(head, &head->words[3], &a) != 0 || find_host(head, &head->words[4], &b) != 0) {
        return -1;
    }
    int link = find_link(head, a, b);
    if (link < 0) {
        return wrong(head, &head->words[4], "these hosts have no link: add a link line above");
    }
    event->link = (uint32_t)link;
    if (strcmp(head->words[5].text, "down") == 0) {
        event->kind = EVENT_LINK_DOWN;
    } else if (strcmp(head->words[5].text, "up") == 0) {
        event->kind = EVENT_LINK_UP;
    } else {
        return wrong(head, &head->words[5], "a link goes \"down\" or \"up\", not \"%s\"");
    }
    return 0;
}

static int signal_event(struct head *head, struct scenario_event *event)
{
    struct parser *parser = head->parser;
    if (need_words(head, 5, 5, "at TIME signal ACTOR SIGUSR1") != 0) {
        return -1;
    }
    event->kind = EVENT_SIGNAL;
    event->signal_name = head->words[4].text;
    event->signal = scenario_signal_number(event->signal_name);
    if (event->signal == 0) {
        return wrong(head, &head->words[4],
                     "\"%s\" cannot be sent: use SIGUSR1 SIGUSR2 SIGALRM "
                     "SIGURG SIGIO SIGHUP SIGCHLD SIGWINCH");
    }
    parser->pending = arena_grow(head->arena, parser->pending, parser->pending_count,
                                 sizeof *parser->pending);
    parser->pending[parser->pending_count++] = (struct pending_signal){
        head->scenario->event_count - 1, head->words[3].text, head->words[3].at};
    return 0;
}

static int head_at(struct head *head)
{
    struct scenario_event *event;
    if (need_words(head, 3, HEAD_WORDS,
                   "at TIME link HOST HOST down|up, or at TIME signal ACTOR "
                   "SIGUSR1") != 0) {
        return -1;
    }
    ADD(head, events, event_count, event);
    event->at = head->words[0].at;
    event->instant_text = head->words[1].text;
    if (take_time(head, &head->words[1], head->words[1].text, &event->instant_ns) != 0) {
        return -1;
    }
    if (strcmp(head->words[2].text, "link") == 0) {
        return link_event(head, event);
    }
    if (strcmp(head->words[2].text, "signal") == 0) {
        return signal_event(head, event);
    }
    return wrong(head, &head->words[2], "nothing happens to a \"%s\": write link or signal");
}

/* ---- what the file is for ------------------------------------------------------------------- */

static int head_needs(struct head *head)
{
    if (need_words(head, 2, HEAD_WORDS, "needs WORD") != 0) {
        return -1;
    }
    for (uint32_t i = 1; i < head->count; i++) {
        struct scenario_line *line;
        if (!is_identifier(head->words[i].text)) {
            return wrong(head, &head->words[i], "\"%s\" is no need: write a word such as can");
        }
        ADD(head, needs, need_count, line);
        line->at = head->words[i].at;
        line->text = head->words[i].text;
    }
    return 0;
}

static int take_system(struct head *head, const char **system, const char **reason)
{
    const struct word *word = &head->words[1];
    if (*system != NULL) {
        return wrong(head, word, "this is said already: keep one line");
    }
    if (strcmp(word->text, "kernel") != 0 && strcmp(word->text, "world") != 0) {
        return wrong(head, word, "\"%s\" is no system: write kernel or world");
    }
    *system = word->text;
    return take_reason(head, &head->words[2], reason);
}

static int head_differs(struct head *head)
{
    if (need_words(head, 3, 3, "differs kernel|world \"reason\"") != 0) {
        return -1;
    }
    return take_system(head, &head->scenario->differs, &head->scenario->differs_reason);
}

static int head_only(struct head *head)
{
    if (need_words(head, 3, 3, "only world|kernel \"reason\"") != 0) {
        return -1;
    }
    return take_system(head, &head->scenario->only, &head->scenario->only_reason);
}

static int head_seed(struct head *head)
{
    char *end;
    if (need_words(head, 2, 2, "seed NUMBER") != 0) {
        return -1;
    }
    errno = 0;
    head->scenario->seed = strtoull(head->words[1].text, &end, 10);
    if (!isdigit((unsigned char)*head->words[1].text) || *end != 0 || errno != 0) {
        return wrong(head, &head->words[1], "\"%s\" is no seed: write a whole number");
    }
    head->scenario->has_seed = true;
    return 0;
}

static int head_include(struct head *head)
{
    if (need_words(head, 2, 2, "include FILE") != 0) {
        return -1;
    }
    head->parser->include = head->words[1].text; /* read.c goes on with it */
    head->parser->include_at = head->words[1].at;
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct {
    const char *word;
    int (*read)(struct head *head);
} head_lines[] = {
    {"host", head_host},
    {"link", head_link},
    {"set", head_set},
    {"fault", add_fault},
    {"nameserver", add_nameserver},
    {"record", add_record},
    {"hosts", add_hosts_line},
    {"resolver", add_resolver_line},
    {"at", head_at},
    {"needs", head_needs},
    {"differs", head_differs},
    {"only", head_only},
    {"seed", head_seed},
    {"include", head_include},
};

int parser_head(struct parser *parser, const char **canonical)
{
    struct head *head = arena_take(&parser->scenario->arena,
                                   sizeof *head); /* too large for a small stack */

    head->parser = parser;
    head->scenario = parser->scenario;
    head->arena = &parser->scenario->arena;
    for (;;) {
        struct word word;
        if (lexer_word(&parser->lexer, &word.text, &word.length, &word.at) != 0) {
            return -1;
        }
        head->end = word.at;
        if (word.length == 0) {
            break;
        }
        if (head->count == HEAD_WORDS) {
            return parser_wrong(parser, word.at, "a line has at most %d words: make two of it",
                                HEAD_WORDS);
        }
        word.text = arena_copy(head->arena, word.text, word.length);
        head->words[head->count++] = word;
    }
    *canonical = rest_of(head, 0);
    for (size_t i = 0; i < sizeof head_lines / sizeof *head_lines; i++) {
        if (strcmp(head->words[0].text, head_lines[i].word) == 0) {
            return head_lines[i].read(head);
        }
    }
    struct suggestion nearest = {.word = head->words[0].text, .length = head->words[0].length};
    char question[SUGGEST_BYTES + 24];
    for (size_t i = 0; i < sizeof head_lines / sizeof *head_lines; i++) {
        suggest_offer(&nearest, head_lines[i].word);
    }
    return parser_wrong(parser, head->words[0].at,
                        "there is no head line \"%.40s\"%s: they are host link set fault nameserver "
                        "record hosts resolver at needs differs only seed include, and actors begin "
                        "with [NAME]",
                        head->words[0].text, suggest_question(&nearest, question));
}
