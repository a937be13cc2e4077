/* A host's /etc/hosts and resolv.conf: how their lines are read.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver_internal.h"

enum {
    DEFAULT_TIMEOUT_S = 5,  /* RES_TIMEOUT */
    DEFAULT_ATTEMPTS = 2,   /* RES_DFLRETRY */
    LONGEST_TIMEOUT_S = 30, /* RES_MAXRETRANS */
    MOST_ATTEMPTS = 5,      /* RES_MAXRETRY */
    MOST_NDOTS = 15,        /* RES_MAXNDOTS */
    DNS_PORT = 53,
};

struct sim_resolver *sim_resolver_create(void)
{
    struct sim_resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) {
        return NULL;
    }
    resolver->memory = resolver->own_memory;
    resolver->ndots = 1;
    resolver->timeout_s = DEFAULT_TIMEOUT_S;
    resolver->attempts = DEFAULT_ATTEMPTS;
    if (sim_resolver_add_hosts(resolver, "127.0.0.1 localhost") < 0 ||
        sim_resolver_add_hosts(resolver, "::1 localhost ip6-localhost ip6-loopback") < 0) {
        sim_resolver_destroy(resolver);
        return NULL;
    }
    return resolver;
}

void sim_resolver_remember_in(struct sim_resolver *resolver, uint32_t memory[2])
{
    resolver->memory = memory;
}

void sim_resolver_destroy(struct sim_resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    while (resolver->first != NULL) {
        struct resolver_hosts_line *line = resolver->first;
        resolver->first = line->next;
        free(line);
    }
    free(resolver);
}

/* The next word of a line, or false at its end (or at a comment). */
static bool next_word(const char **line, char word[RESOLVER_NAME_BYTES])
{
    while (isspace((unsigned char)**line)) {
        (*line)++;
    }
    size_t length = 0;
    while (**line != 0 && **line != '#' && !isspace((unsigned char)**line)) {
        if (length + 1 < RESOLVER_NAME_BYTES) {
            word[length++] = **line;
        }
        (*line)++;
    }
    word[length] = 0;
    return length > 0;
}

static bool plain_address(const char *text, struct resolver_address *address)
{
    memset(address, 0, sizeof *address);
    address->family = AF_INET;
    if (inet_pton(AF_INET, text, address->bytes) == 1) {
        return true;
    }
    address->family = AF_INET6;
    return inet_pton(AF_INET6, text, address->bytes) == 1;
}

int sim_resolver_add_hosts(struct sim_resolver *resolver, const char *text)
{
    char word[RESOLVER_NAME_BYTES];
    struct resolver_address address;
    if (!next_word(&text, word) || !plain_address(word, &address)) {
        return -EINVAL;
    }
    struct resolver_hosts_line *line = calloc(1, sizeof *line + strlen(text) + 1);
    if (line == NULL) {
        return -ENOMEM;
    }
    line->address = address;
    for (char *at = line->names; next_word(&text, word); line->name_count++) {
        at = stpcpy(at, word) + 1;
    }
    if (line->name_count == 0) {
        free(line);
        return -EINVAL;
    }
    if (resolver->last != NULL) {
        resolver->last->next = line;
    } else {
        resolver->first = line;
    }
    resolver->last = line;
    return 0;
}

static bool add_server(struct sim_resolver *resolver, const char *text)
{
    struct resolver_address address;
    if (!plain_address(text, &address)) {
        return false;
    }
    if (resolver->server_count == RESOLVER_SERVERS) {
        return true; /* LINUX: the C library reads three and passes over the rest */
    }
    struct sockaddr_in6 *server = &resolver->servers[resolver->server_count++];
    if (address.family == AF_INET6) {
        *server = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT)};
        memcpy(&server->sin6_addr, address.bytes, 16);
        return true;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
    memcpy(&v4.sin_addr, address.bytes, 4);
    memcpy(server, &v4, sizeof v4);
    return true;
}

/* ---- resolv.conf ---------------------------------------------------------------------------- */

/* What is wrong with a line, for who wrote it. */
struct complaint {
    const char *line;
    char *message;
    size_t bytes;
    size_t *column;
};

static int wrong(const struct complaint *complaint, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct complaint *complaint, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint->message, complaint->bytes, format, arguments);
    va_end(arguments);
    if (complaint->column != NULL) {
        *complaint->column = (size_t)(at - complaint->line);
    }
    return -EINVAL;
}

/* Options that are words alone, and where each is kept; NULL: taken, without any effect here. */
static bool *flag_of(struct sim_resolver *resolver, const char *word)
{
    const struct {
        const char *word;
        bool *flag;
    } flags[] = {
        {"use-vc", &resolver->use_tcp},
        {"rotate", &resolver->rotate},
        {"no-aaaa", &resolver->no_aaaa},
        {"single-request", &resolver->single_request},
        {"single-request-reopen", &resolver->single_request_reopen},
        {"edns0", &resolver->edns},
        {"trust-ad", &resolver->trust_ad},
        {"no-tld-query", &resolver->no_tld_query},
        {"no-reload", &resolver->ignored},
        {"debug", &resolver->ignored},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(word, flags[i].word) == 0) {
            return flags[i].flag;
        }
    }
    return NULL;
}

/* "NAME:DIGITS"; LINUX: more than the most is the most. 1: it is this option, 0: another, -EINVAL. */
static int read_number(const struct complaint *complaint, const char *at, const char *word,
                       const char *name, unsigned most, unsigned *number)
{
    size_t length = strlen(name);
    if (strncmp(word, name, length) != 0 || word[length] != ':') {
        return 0;
    }
    const char *digits = word + length + 1;
    if (digits[0] == 0 || strspn(digits, "0123456789") != strlen(digits)) {
        return wrong(complaint, at + length + 1, "after %s: stands a whole number", name);
    }
    unsigned long value = strtoul(digits, NULL, 10);
    *number = value > most ? most : (unsigned)value;
    return 1;
}

static int set_option(struct sim_resolver *resolver, const struct complaint *complaint, const char *at,
                      const char *word)
{
    const struct {
        const char *name;
        unsigned most;
        unsigned *number;
    } numbers[] = {
        {"timeout", LONGEST_TIMEOUT_S, &resolver->timeout_s},
        {"attempts", MOST_ATTEMPTS, &resolver->attempts},
        {"ndots", MOST_NDOTS, &resolver->ndots},
    };
    bool *flag = DRY_MUTANT(unknown_options_are_swallowed) && strchr(word, 0x3a) == NULL
                     ? &resolver->ignored
                     : flag_of(resolver, word);
    if (flag != NULL) {
        *flag = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int result = read_number(complaint, at, word, numbers[i].name, numbers[i].most,
                                 numbers[i].number);
        if (result != 0) {
            return result < 0 ? result : 0;
        }
    }
    return wrong(
        complaint, at,
        "there is no resolver option '%s': they are ndots:N timeout:N attempts:N rotate use-vc "
        "no-aaaa single-request single-request-reopen edns0 trust-ad no-tld-query no-reload",
        word);
}

/* Domains, of which `domain` has one; LINUX: the last such line is the one that counts. */
static int set_searches(struct sim_resolver *resolver, const struct complaint *complaint,
                        const char *text, unsigned most)
{
    char word[RESOLVER_NAME_BYTES];
    resolver->search_count = 0;
    resolver->search_given = true;
    while (next_word(&text, word)) {
        if (strlen(word) == sizeof word - 1) {
            return wrong(complaint, text, "a domain has at most %d bytes", RESOLVER_NAME_BYTES - 2);
        }
        if (resolver->search_count == RESOLVER_SEARCHES) {
            return wrong(complaint, text, "at most %d domains are searched", RESOLVER_SEARCHES);
        }
        if (resolver->search_count < most) {
            strcpy(resolver->searches[resolver->search_count++], word);
        }
    }
    return 0;
}

static int read_line(struct sim_resolver *resolver, const char *line, char *message, size_t bytes,
                     size_t *column)
{
    struct complaint complaint = {line, message, bytes, column};
    char keyword[RESOLVER_NAME_BYTES], word[RESOLVER_NAME_BYTES];
    const char *text = line;
    if (!next_word(&text, keyword)) {
        return 0;
    }
    const char *after = text;
    if (strcmp(keyword, "search") == 0 || strcmp(keyword, "domain") == 0) {
        return set_searches(resolver, &complaint, text, keyword[0] == 'd' ? 1 : RESOLVER_SEARCHES);
    }
    if (strcmp(keyword, "nameserver") == 0) {
        if (next_word(&text, word) && add_server(resolver, word)) {
            return 0;
        }
        return wrong(&complaint, after + strspn(after, " \t"),
                     "a name server is told by its IPv4 or IPv6 address");
    }
    if (strcmp(keyword, "options") != 0) {
        return wrong(&complaint, line + strspn(line, " \t"),
                     "'%s' begins no line of resolv.conf: write nameserver, search, domain or options",
                     keyword);
    }
    while (next_word(&text, word)) {
        if (set_option(resolver, &complaint, text - strlen(word), word) < 0) {
            return -EINVAL;
        }
    }
    return 0;
}

int sim_resolver_add_line(struct sim_resolver *resolver, const char *line, char *message, size_t bytes,
                          size_t *column)
{
    /* Of a line with something wrong nothing is taken. */
    struct sim_resolver *changed = malloc(sizeof *changed);
    if (changed == NULL) {
        return -ENOMEM;
    }
    *changed = *resolver;
    int result = read_line(changed, line, message, bytes, column);
    if (result == 0) {
        *resolver = *changed;
    }
    free(changed);
    return result;
}

int sim_resolver_check_line(const char *line, char *message, size_t bytes, size_t *column)
{
    struct sim_resolver *resolver = sim_resolver_create();
    int result = resolver == NULL ? -ENOMEM
                                  : sim_resolver_add_line(resolver, line, message, bytes, column);
    sim_resolver_destroy(resolver);
    return result;
}
