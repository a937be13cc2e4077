/* A host's settings on the kernel: every sysctl that the world models, at a known value.
 * SPDX-License-Identifier: MIT */
#include "setting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "sim/core/state.h"

struct setting {
    const char *name; /* of the sysctl; pairs and triples have a part's name behind it */
    int64_t value;
};

static const struct setting defaults[] = {
#define SIM_SETTING(id, name, value) {name, value},
#include "sim/core/settings.h"
#undef SIM_SETTING
};

enum { SETTINGS = sizeof defaults / sizeof defaults[0] };

/* What else machines differ in, and the world takes for granted. */
static const struct {
    const char *path, *value;
} baseline[] = {
    {"net/ipv4/conf/all/rp_filter", "0"},
    {"net/ipv4/conf/default/rp_filter", "0"},
    {"net/ipv4/conf/eth0/rp_filter", "0"},
    {"net/ipv4/ip_forward", "0"},
    {"net/ipv4/tcp_ecn", "0"},
    {"net/ipv4/tcp_no_metrics_save", "1"},
    {"net/ipv6/conf/all/disable_ipv6", "0"},
    {"net/ipv6/conf/default/disable_ipv6", "0"},
    {"net/ipv6/conf/lo/disable_ipv6", "0"},
    {"net/ipv6/conf/eth0/disable_ipv6", "0"},
    {"net/ipv6/conf/eth0/accept_ra", "0"},
    {"net/ipv6/conf/eth0/router_solicitations", "0"},
    {"net/ipv6/conf/eth0/accept_dad", "0"},
    {"net/ipv6/conf/eth0/use_tempaddr", "0"},
};

/* 0 or -errno. */
static int write_sysctl(const char *path, const char *text)
{
    char full[160];
    size_t length = strlen(text);
    ssize_t written;
    int fd, error = 0;
    snprintf(full, sizeof full, "/proc/sys/%s", path);
    fd = open(full, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    written = write(fd, text, length);
    if (written != (ssize_t)length) {
        error = written < 0 ? -errno : -EIO;
    }
    close(fd);
    return error;
}

/* The part of a sysctl that a name ends in: 0 (the whole), or 1, 2, 3 with the stem's length. */
static int part_of(const char *name, size_t *stem)
{
    static const char *const parts[] = {"_min", "_default", "_max"};
    size_t length = strlen(name);

    *stem = length;
    /* Only these files hold several numbers; rmem_default and rmem_max are files themselves. */
    if (strstr(name, "tcp_rmem_") == NULL && strstr(name, "tcp_wmem_") == NULL &&
        strstr(name, "ip_local_port_range_") == NULL) {
        return 0;
    }
    for (int i = 0; i < 3; i++) {
        size_t ending = strlen(parts[i]);
        if (length > ending && strcmp(name + length - ending, parts[i]) == 0) {
            *stem = length - ending;
            return i + 1;
        }
    }
    return 0;
}

/* Whether a `set` line's name, with or without its folders, means this setting. */
static bool same_name(const char *written, const char *name)
{
    size_t length = strlen(written), full = strlen(name);
    return strcmp(written, name) == 0 || (length < full && name[full - length - 1] == '.' &&
                                          strcmp(name + full - length, written) == 0);
}

/* The value for this host, and the `set` line that says so (NULL: the default). */
static int64_t value_of(const struct scenario *scenario, uint32_t index, const struct setting *setting,
                        const struct scenario_set **line)
{
    int64_t value = setting->value;
    for (uint32_t i = 0; i < scenario->setting_count; i++) {
        const struct scenario_set *set = &scenario->settings[i];
        if (set->host == index && same_name(set->sysctl, setting->name)) {
            value = set->value;
            *line = set;
        }
    }
    return value;
}

/* Writes the sysctl that starts at defaults[first] (several entries when it has parts) and returns
 * the index behind it, or -1. */
static int apply_one(const struct scenario *scenario, uint32_t index, int first, char *why)
{
    const struct scenario_set *line = NULL;
    char path[128], text[96];
    size_t stem, next_stem, length = 0;
    int at = first, error;
    part_of(defaults[first].name, &stem);
    do {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%lld", at > first ? " " : "",
                                   (long long)value_of(scenario, index, &defaults[at], &line));
        at++;
    } while (at < SETTINGS && part_of(defaults[at].name, &next_stem) > 1 && next_stem == stem &&
             strncmp(defaults[at].name, defaults[first].name, stem) == 0);
    snprintf(path, sizeof path, "%.*s", (int)stem, defaults[first].name);
    for (char *dot = path; *dot != '\0'; dot++) {
        if (*dot == '.') {
            *dot = '/';
        }
    }
    error = write_sysctl(path, text);
    if (error < 0 && line != NULL) {
        snprintf(why, KERNEL_WHY_BYTES, "%s:%u: this kernel does not take %s = %s here: %s",
                 scenario->path, line->at.line, line->sysctl, text, strerror(-error));
        return -1;
    }
    return at;
}

int kernel_setting_apply(const struct scenario *scenario, uint32_t index, bool *congestion_by_socket,
                         char *why)
{
    for (size_t i = 0; i < sizeof baseline / sizeof baseline[0]; i++) {
        write_sysctl(baseline[i].path, baseline[i].value);
    }
    /* LINUX: only an algorithm that the whole machine allows may become a namespace's default, but
     * a socket may ask for any. */
    *congestion_by_socket = write_sysctl("net/ipv4/tcp_congestion_control", "cubic") < 0;
    for (int at = 0; at < SETTINGS;) {
        at = apply_one(scenario, index, at, why);
        if (at < 0) {
            return -1;
        }
    }
    return 0;
}
