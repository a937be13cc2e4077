/* The files that tell a program of its network, as the world has them: /etc/hosts and its kin.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/block.h"
#include "sim/net/host.h"
#include "text.h"
#include "world.h"

void preload_text_add(struct preload_text *text, const char *format, ...)
{
    const size_t left = text->size - text->length;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text->bytes + text->length, left, format, arguments);
    va_end(arguments);
    text->length += length < 0 ? 0 : (size_t)length < left ? (size_t)length : left - 1;
}

struct maker {
    const struct sim_world *world;
    struct sim_host_id host;
    struct preload_text *text;
};

static void add_lines(const struct maker *maker, enum sim_line_kind kind)
{
    for (struct sim_line_id id = maker->world->first_line; id.index;
         id = sim_line_at(maker->world, id)->next) {
        const struct sim_line *line = sim_line_at(maker->world, id);
        if (line->kind == kind && line->host.index == maker->host.index) {
            preload_text_add(maker->text, "%s\n", line->text);
        }
    }
}

static void add_host(const struct maker *maker, const struct sim_host *host)
{
    struct sim_interface_id id = host->first_interface;
    for (; id.index; id = sim_interface_at(maker->world, id)->next) {
        const struct sim_interface *interface = sim_interface_at(maker->world, id);
        for (uint32_t i = 0; i < interface->address_count && interface->number != SIM_LOOPBACK_NUMBER;
             i++) {
            char address[INET6_ADDRSTRLEN];
            const struct sim_ip ip = interface->addresses[i].ip;
            const bool old = sim_ip_is_v4(ip);
            inet_ntop(old ? AF_INET : AF_INET6, old ? ip.bytes + 12 : ip.bytes, address,
                      sizeof address);
            preload_text_add(maker->text, "%s %s\n", address, host->name);
        }
    }
}

/* Its own lines, then the hosts of the world by name: as a small network's administrator writes it. */
static void make_hosts(const struct maker *maker)
{
    preload_text_add(maker->text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    add_lines(maker, SIM_LINE_HOSTS);
    const uint32_t hosts = maker->world->pools[SIM_POOL_HOST].high_water;
    for (uint32_t index = 1; index <= hosts; index++) {
        add_host(maker, sim_host_at(maker->world, (struct sim_host_id){index}));
    }
}

static void make_resolver(const struct maker *maker)
{
    add_lines(maker, SIM_LINE_RESOLVER);
}

static void make_switch(const struct maker *maker)
{
    static const char *const of_files[] = {"passwd",    "group",    "shadow", "gshadow", "networks",
                                           "protocols", "services", "ethers", "rpc"};
    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++) {
        preload_text_add(maker->text, "%s: files\n", of_files[i]);
    }
    preload_text_add(maker->text, "hosts: files dns\n");
}

static void make_nothing(const struct maker *maker)
{
}

static void make_host_name(const struct maker *maker)
{
    preload_text_add(maker->text, "%s\n", sim_host_at(maker->world, maker->host)->hostname);
}

static void make_port_range(const struct maker *maker)
{
    const struct sim_host *host = sim_host_at(maker->world, maker->host);
    preload_text_add(maker->text, "%lld\t%lld\n",
                     (long long)sim_setting(host, SIM_SETTING_IP_LOCAL_PORT_MIN),
                     (long long)sim_setting(host, SIM_SETTING_IP_LOCAL_PORT_MAX));
}

/* "/proc/sys/net/ipv4/tcp_sack" is net.ipv4.tcp_sack. */
static bool make_setting(const struct maker *maker, const char *path)
{
    static const char *const names[SIM_SETTING_COUNT] = {
#define SIM_SETTING(id, name, value) [SIM_SETTING_##id] = name,
#include "sim/core/settings.h"
#undef SIM_SETTING
    };
    for (uint32_t setting = 0; setting < SIM_SETTING_COUNT; setting++) {
        const char *name = names[setting];
        size_t at = 0;
        while (path[at] && (path[at] == name[at] || (path[at] == '/' && name[at] == '.'))) {
            at++;
        }
        if (!path[at] && !name[at]) {
            preload_text_add(maker->text, "%lld\n",
                             (long long)sim_host_at(maker->world, maker->host)->settings[setting]);
            return true;
        }
    }
    return false;
}

static const struct {
    const char *path;
    void (*make)(const struct maker *maker);
} files[] = {
    {"/etc/hosts", make_hosts},
    {"/etc/resolv.conf", make_resolver},
    {"/etc/nsswitch.conf", make_switch},
    {"/etc/host.conf", make_nothing},
    {"/etc/gai.conf", make_nothing},
    {"/etc/hostname", make_host_name},
    {"/proc/sys/kernel/hostname", make_host_name},
    {"/proc/sys/net/ipv4/ip_local_port_range", make_port_range},
};

/* What follows a prefix, NULL when the path has none. */
static const char *behind(const char *path, const char *prefix)
{
    const size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

int64_t preload_host_file(const struct sim_world *world, uint32_t host, const char *path, char *bytes,
                          size_t size)
{
    struct preload_text text = {bytes, size, 0};
    const struct maker maker = {world, {host}, &text};
    const char *name;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].path, path) == 0) {
            files[i].make(&maker);
            return (int64_t)text.length;
        }
    }
    if ((name = behind(path, "/proc/sys/")) && behind(name, "net/")) {
        return make_setting(&maker, name) ? (int64_t)text.length : -ENOENT;
    }
    if ((name = behind(path, "/proc/net/")) || (name = behind(path, "/proc/self/net/"))) {
        return preload_proc_net(world, maker.host, name, &text) ? (int64_t)text.length : -ENOENT;
    }
    return -ENOENT;
}
