/* The world that $DRYSOCK_WORLD describes: a reader of scenario head lines.
 * SPDX-License-Identifier: MIT
 *
 * The grammar is that of docs/language.md. What is only for comparing (needs, only, differs) is
 * passed over; an actor ([name]) is refused: who would run it is not in this program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "names/resolver.h"
#include "net/notation.h"
#include "run.h"

enum { MOST_WORDS = 64, LINE_BYTES = 4096 };

struct head {
    struct sim *sim;
    char *words[MOST_WORDS];
    int count;
    const char *rest; /* what follows the first word, as written */
    const char *why;  /* a sentence, when something is wrong */
    char sentence[256];
};

static int wrong(struct head *head, const char *why)
{
    head->why = why;
    return -EINVAL;
}

/* ---- lines -------------------------------------------------------------------------------------- */

static int find_host(struct head *head, const char *name)
{
    const int host = sim_find_host(head->sim, name);
    return host < 0 ? wrong(head, "a host is named that no line above declares") : host;
}

static int read_host(struct head *head)
{
    char addresses[LINE_BYTES] = "";
    if (head->count < 2) {
        return wrong(head, "write host NAME ADDRESS...");
    }
    for (int i = 2; i < head->count; i++) {
        strcat(addresses, head->words[i]); /* no longer than the line they come from */
        strcat(addresses, " ");
    }
    const int host = sim_add_host(head->sim, head->words[1], addresses);
    return host < 0 ? wrong(head, strerror(-host)) : 0;
}

static int read_link(struct head *head)
{
    struct sim_link_options options = {0};
    if (head->count < 3) {
        return wrong(head, "write link HOST HOST delay=TIME...");
    }
    const int a = find_host(head, head->words[1]);
    const int b = find_host(head, head->words[2]);
    if (a < 0 || b < 0) {
        return -EINVAL;
    }
    for (int i = 3; i < head->count; i++) {
        if (sim_notation_link(head->words[i], &options, head->sentence, sizeof head->sentence) < 0) {
            return wrong(head, head->sentence);
        }
    }
    const int link = sim_add_link(head->sim, a, b, &options);
    return link < 0 ? wrong(head, strerror(-link)) : 0;
}

static int read_set(struct head *head)
{
    if (head->count != 4) {
        return wrong(head, "write set HOST SYSCTL VALUE");
    }
    const int host = find_host(head, head->words[1]);
    if (host < 0) {
        return host;
    }
    const int result = sim_set(head->sim, host, head->words[2], strtoll(head->words[3], NULL, 10));
    return result < 0 ? wrong(head, "the world has no such setting or value") : 0;
}

static int read_nameserver(struct head *head)
{
    if (head->count != 2) {
        return wrong(head, "write nameserver HOST");
    }
    const int host = find_host(head, head->words[1]);
    if (host < 0) {
        return host;
    }
    const int result = sim_add_nameserver(head->sim, host);
    if (result == -EADDRINUSE) {
        return wrong(head, "this host has a name server: one line for it is enough");
    }
    return result < 0 ? wrong(head, strerror(-result)) : 0;
}

static int read_record(struct head *head)
{
    if (sim_add_record(head->sim, head->rest, head->sentence, sizeof head->sentence) < 0) {
        return wrong(head, head->sentence);
    }
    return 0;
}

static int read_fault(struct head *head)
{
    if (sim_fault_plan_add(sim_faults(head->sim), head->rest, head->sentence, sizeof head->sentence,
                           NULL) < 0) {
        return wrong(head, head->sentence);
    }
    return 0;
}

/* `hosts HOST LINE…` and `resolver HOST LINE…`: the line is what follows the host. */
static int read_names(struct head *head)
{
    if (head->count < 3) {
        return wrong(head, "write hosts HOST ADDRESS NAME..., or resolver HOST nameserver ADDRESS");
    }
    const int host = find_host(head, head->words[1]);
    if (host < 0) {
        return host;
    }
    char line[LINE_BYTES] = "";
    for (int i = 2; i < head->count; i++) {
        strcat(line, head->words[i]);
        strcat(line, " ");
    }
    const bool hosts = strcmp(head->words[0], "hosts") == 0;
    if (!hosts && sim_resolver_check_line(line, head->sentence, sizeof head->sentence, NULL) < 0) {
        return wrong(head, head->sentence);
    }
    const int result = hosts ? sim_add_hosts_line(head->sim, host, line)
                             : sim_add_resolver_line(head->sim, host, line);
    return result < 0 ? wrong(head, "this line cannot be read") : 0;
}

static int skip(struct head *head)
{
    return 0;
}

static int read_line(struct head *head, char *line)
{
    static const struct {
        const char *word;
        int (*read)(struct head *head);
    } kinds[] = {
        {"host", read_host},     {"link", read_link},      {"set", read_set},
        {"record", read_record}, {"fault", read_fault},    {"nameserver", read_nameserver},
        {"hosts", read_names},   {"resolver", read_names}, {"needs", skip},
        {"only", skip},          {"differs", skip},        {"seed", skip},
    };
    char *const whole = line + LINE_BYTES;
    memcpy(whole, line, strlen(line) + 1);
    head->count = 0;
    char *rest;
    for (char *word = strtok_r(line, " \t\r\n", &rest); word && head->count < MOST_WORDS;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (word[0] == '#') {
            break;
        }
        head->words[head->count++] = word;
    }
    if (head->count == 0) {
        return 0;
    }
    const size_t indent = strspn(whole, " \t");
    whole[strcspn(whole, "\r\n")] = 0;
    head->rest = whole + indent + strlen(head->words[0]);
    head->rest += strspn(head->rest, " \t");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].word, head->words[0]) == 0) {
            return kinds[i].read(head);
        }
    }
    return wrong(head, "there is no such line in a world's head");
}

/* ---- the file ----------------------------------------------------------------------------------- */

static uint64_t seed_of(FILE *file, char *line)
{
    uint64_t seed = 1;
    while (fgets(line, LINE_BYTES, file) && line[0] != '[') {
        unsigned long long given;
        if (sscanf(line, " seed %llu", &given) == 1) {
            seed = given;
        }
    }
    rewind(file);
    return seed;
}

/* A section's actor cannot run beside the program: its verbs are not in the library. */
static int refuse_section(const char *line, const char *path, int number, char *message, size_t bytes)
{
    const char *name = line + strspn(line, " \t");
    snprintf(
        message, bytes,
        "%s:%d: the actor %.*s cannot run beside this program: name a file of head lines alone, or "
        "run the whole with 'drysock run'",
        path, number, (int)strcspn(name, "\r\n#"), name);
    return -1;
}

static int read_file(struct head *head, FILE *file, const char *path, char *line, char *message,
                     size_t bytes)
{
    int number = 0;
    while (fgets(line, LINE_BYTES, file)) {
        number++;
        if (line[strspn(line, " \t")] == '[') {
            return refuse_section(line, path, number, message, bytes);
        }
        if (read_line(head, line) < 0) {
            snprintf(message, bytes, "%s:%d: %s", path, number, head->why);
            return -1;
        }
    }
    return 0;
}

struct sim *sim_head_create(const char *path, char *message, size_t bytes)
{
    FILE *file = path && *path ? fopen(path, "r") : NULL;
    if (path && *path && !file) {
        snprintf(message, bytes, "%s: %s", path, strerror(errno));
        return NULL;
    }
    /* A line and a copy of it: the stack that a program begins on may be a small one. */
    char *line = malloc(2 * (size_t)LINE_BYTES);
    const struct sim_options options = {.seed = file && line ? seed_of(file, line) : 1};
    struct head head = {.sim = line ? sim_create(&options) : NULL};
    int result = head.sim ? 0 : -1;
    if (!head.sim) {
        snprintf(message, bytes, "no world can be made: %s", strerror(errno));
    } else if (file) {
        result = read_file(&head, file, path, line, message, bytes);
    }
    free(line);
    if (file) {
        fclose(file);
    }
    if (result == 0 && sim_find_host(head.sim, "localhost") < 0 &&
        head.sim->world->first_host.index == 0) {
        sim_add_host(head.sim, "localhost", NULL);
    }
    if (result < 0) {
        sim_destroy(head.sim);
        return NULL;
    }
    return head.sim;
}
