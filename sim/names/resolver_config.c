/* A host's /etc/hosts and resolv.conf: reading their lines, finding names and addresses in them.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
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
    struct resolver_hosts_line *line = calloc(1, sizeof *line);
    if (line == NULL) {
        return -ENOMEM;
    }
    bool good = next_word(&text, word) && plain_address(word, &line->address);
    while (good && line->name_count < RESOLVER_ALIASES && next_word(&text, word)) {
        strcpy(line->names[line->name_count++], word);
    }
    if (!good || line->name_count == 0) {
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

static int add_server(struct sim_resolver *resolver, const char *text)
{
    struct resolver_address address;
    if (!plain_address(text, &address)) {
        return -EINVAL;
    }
    if (resolver->server_count == RESOLVER_SERVERS) {
        return 0; /* LINUX: the C library reads three and passes over the rest */
    }
    struct sockaddr_in6 *server = &resolver->servers[resolver->server_count++];
    if (address.family == AF_INET6) {
        *server = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT)};
        memcpy(&server->sin6_addr, address.bytes, 16);
        return 0;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
    memcpy(&v4.sin_addr, address.bytes, 4);
    memcpy(server, &v4, sizeof v4);
    return 0;
}

static unsigned bounded(const char *digits, unsigned most)
{
    unsigned long number = strtoul(digits, NULL, 10);
    return number > most ? most : (unsigned)number;
}

static void set_option(struct sim_resolver *resolver, const char *word)
{
    if (strncmp(word, "timeout:", 8) == 0) {
        resolver->timeout_s = bounded(word + 8, LONGEST_TIMEOUT_S);
    } else if (strncmp(word, "attempts:", 9) == 0) {
        resolver->attempts = bounded(word + 9, MOST_ATTEMPTS);
    } else if (strncmp(word, "ndots:", 6) == 0) {
        resolver->ndots = bounded(word + 6, MOST_NDOTS);
    } else if (strcmp(word, "use-vc") == 0) {
        resolver->use_tcp = true;
    } else if (strcmp(word, "rotate") == 0) {
        resolver->rotate = true;
    }
}

int sim_resolver_add_line(struct sim_resolver *resolver, const char *text)
{
    char word[RESOLVER_NAME_BYTES];
    if (!next_word(&text, word)) {
        return 0;
    }
    if (strcmp(word, "nameserver") == 0) {
        return next_word(&text, word) ? add_server(resolver, word) : -EINVAL;
    }
    if (strcmp(word, "options") == 0) {
        while (next_word(&text, word)) {
            set_option(resolver, word);
        }
        return 0;
    }
    if (strcmp(word, "search") != 0 && strcmp(word, "domain") != 0) {
        return -EINVAL;
    }
    resolver->search_count = 0;
    while (resolver->search_count < RESOLVER_SEARCHES && next_word(&text, word)) {
        strcpy(resolver->searches[resolver->search_count++], word);
    }
    return 0;
}

/* LINUX: a line with ::1 also answers for AF_INET, as 127.0.0.1, and one with a mapped address as
 * the IPv4 address in it. */
static bool line_address(const struct resolver_hosts_line *line, int family,
                         struct resolver_address *address)
{
    *address = line->address;
    if (family == AF_UNSPEC || family == line->address.family) {
        return true;
    }
    if (family != AF_INET) {
        return false;
    }
    struct in6_addr ip;
    memcpy(&ip, line->address.bytes, sizeof ip);
    if (!IN6_IS_ADDR_V4MAPPED(&ip) && !IN6_IS_ADDR_LOOPBACK(&ip)) {
        return false;
    }
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    memset(address, 0, sizeof *address);
    address->family = AF_INET;
    memcpy(address->bytes, IN6_IS_ADDR_LOOPBACK(&ip) ? loopback : line->address.bytes + 12, 4);
    return true;
}

/* The first line's first name is canonical; every other name of every line is an alias. */
static void add_names(const struct resolver_hosts_line *line, struct resolver_found *found)
{
    for (size_t i = 0; i < line->name_count; i++) {
        if (found->canonical[0] == 0) {
            strcpy(found->canonical, line->names[0]);
        } else if (found->alias_count < RESOLVER_ALIASES &&
                   strcasecmp(found->canonical, line->names[i]) != 0) {
            strcpy(found->aliases[found->alias_count++], line->names[i]);
        }
    }
}

static void add_address(struct resolver_found *found, const struct resolver_address *address)
{
    if (found->address_count < RESOLVER_ADDRESSES) {
        found->addresses[found->address_count++] = *address;
    }
}

static bool line_has(const struct resolver_hosts_line *line, const char *name)
{
    for (size_t i = 0; i < line->name_count; i++) {
        if (strcasecmp(line->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* as_it_stands: only addresses written in this family count. */
static bool find_family(const struct sim_resolver *resolver, const char *name, int family,
                        bool as_it_stands, struct resolver_found *found)
{
    bool any = false;
    for (const struct resolver_hosts_line *line = resolver->first; line != NULL; line = line->next) {
        struct resolver_address address;
        if (!line_has(line, name) || !line_address(line, family, &address) ||
            (as_it_stands && line->address.family != family)) {
            continue;
        }
        add_names(line, found);
        add_address(found, &address);
        any = true;
    }
    return any;
}

bool resolver_in_hosts(const struct sim_resolver *resolver, const char *name, int family,
                       struct resolver_found *found)
{
    *found = (struct resolver_found){.h_error = 0};
    bool any = false;
    if (family == AF_UNSPEC || family == AF_INET6) {
        any = find_family(resolver, name, AF_INET6, false, found);
    }
    if (family == AF_UNSPEC || family == AF_INET) {
        any = find_family(resolver, name, AF_INET, family == AF_UNSPEC, found) || any;
    }
    return any;
}

bool resolver_in_hosts_by_address(const struct sim_resolver *resolver,
                                  const struct resolver_address *wanted, struct resolver_found *found)
{
    *found = (struct resolver_found){.h_error = 0};
    for (const struct resolver_hosts_line *line = resolver->first; line != NULL; line = line->next) {
        struct resolver_address address;
        if (!line_address(line, wanted->family, &address) ||
            memcmp(address.bytes, wanted->bytes, sizeof address.bytes) != 0) {
            continue;
        }
        add_names(line, found);
        add_address(found, &address);
        return true;
    }
    return false;
}

void resolver_by_name(struct sim_resolver *resolver, struct dry_caller caller, const char *name,
                      int family, struct resolver_found *found)
{
    if (!resolver_in_hosts(resolver, name, family, found)) {
        resolver_dns_by_name(resolver, caller, name, family, found);
    }
}

void resolver_by_address(struct sim_resolver *resolver, struct dry_caller caller,
                         const struct resolver_address *address, struct resolver_found *found)
{
    if (!resolver_in_hosts_by_address(resolver, address, found)) {
        resolver_dns_by_address(resolver, caller, address, found);
    }
}

bool resolver_numeric(struct dry_caller caller, const char *text, struct resolver_address *address)
{
    struct in_addr v4;
    memset(address, 0, sizeof *address);
    if (strpbrk(text, " \t\n\v\f\r") == NULL && inet_aton(text, &v4) != 0) {
        address->family = AF_INET;
        memcpy(address->bytes, &v4, 4);
        return true;
    }
    const char *percent = strchr(text, '%');
    char plain[INET6_ADDRSTRLEN];
    size_t length = percent == NULL ? strlen(text) : (size_t)(percent - text);
    if (length >= sizeof plain) {
        return false;
    }
    memcpy(plain, text, length);
    plain[length] = 0;
    address->family = AF_INET6;
    if (inet_pton(AF_INET6, plain, address->bytes) != 1) {
        return false;
    }
    if (percent == NULL) {
        return true;
    }
    bool link_local = address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
    bool multicast_local = address->bytes[0] == 0xff && (address->bytes[1] & 15) == 2;
    int index = -1;
    if (link_local || multicast_local) {
        index = caller.system->if_nametoindex(caller, percent + 1);
    }
    if (index > 0) {
        address->scope = (uint32_t)index;
        return true;
    }
    char *end;
    errno = 0;
    unsigned long number = strtoul(percent + 1, &end, 10);
    address->scope = (uint32_t)number;
    return isdigit((unsigned char)percent[1]) && *end == 0 && errno == 0 && number <= UINT32_MAX;
}
