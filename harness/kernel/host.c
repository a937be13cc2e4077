/* A scenario's hosts on the kernel: each a network, mount and UTS namespace with a TUN `eth0`.
 * SPDX-License-Identifier: MIT */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "need.h"
#include "netlink.h"
#include "setting.h"
#include "sim/names/services.h"
#include "sim/net/notation.h"

static int fail(char *why, const char *what)
{
    snprintf(why, KERNEL_WHY_BYTES, "%s: %s", what, strerror(errno));
    return -1;
}

static int write_file(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ssize_t written;
    int error;
    if (fd < 0) {
        return -1;
    }
    written = write(fd, data, length);
    error = errno;
    close(fd);
    errno = error;
    return written == (ssize_t)length ? 0 : -1;
}

/* ---- the process's own namespaces --------------------------------------------------------- */

/* The user becomes root of a user namespace, and only there. */
static int map_ids(uid_t uid, gid_t gid)
{
    char text[64];
    int length = snprintf(text, sizeof text, "0 %u 1", (unsigned)uid);
    if (write_file("/proc/self/uid_map", text, (size_t)length) < 0) {
        return -1;
    }
    /* Without this the group map is refused; kernels older than the file take the map as it is. */
    if (write_file("/proc/self/setgroups", "deny", 4) < 0 && errno != ENOENT) {
        return -1;
    }
    length = snprintf(text, sizeof text, "0 %u 1", (unsigned)gid);
    return write_file("/proc/self/gid_map", text, (size_t)length);
}

int kernel_host_begin(char *why)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
        if (map_ids(uid, gid) < 0) {
            return fail(why, "the user namespace takes no user map");
        }
    } else if (unshare(CLONE_NEWNS) < 0) {
        return fail(why, "this machine allows no user namespaces");
    }
    /* What is mounted below must not appear outside. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        return fail(why, "the mount namespace cannot be made private");
    }
    return 0;
}

/* ---- the network -------------------------------------------------------------------------- */

static int open_tun(char *why)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (tun < 0) {
        return fail(why, "/dev/net/tun cannot be opened");
    }
    snprintf(request.ifr_name, sizeof request.ifr_name, "eth0");
    if (ioctl(tun, TUNSETIFF, &request) < 0) {
        fail(why, "no TUN interface can be made");
        close(tun);
        return -1;
    }
    return tun;
}

/* The narrowest of the host's links. */
static uint32_t host_mtu(const struct scenario *scenario, uint32_t index)
{
    uint32_t mtu = 0;
    for (uint32_t i = 0; i < scenario->link_count; i++) {
        const struct scenario_link *link = &scenario->links[i];
        uint32_t own = sim_link_mtu(link->options.mtu);
        if ((link->a == index || link->b == index) && (mtu == 0 || own < mtu)) {
            mtu = own;
        }
    }
    return mtu;
}

/* "10.0.0.1/24" or "fd00::1", as the head line has it. */
static int add_address(struct mnl_socket *netlink, unsigned interface, const char *item, char *why)
{
    struct sim_ip ip;
    uint32_t bits;
    int error;
    if (sim_notation_address(item, &ip, &bits, why, KERNEL_WHY_BYTES) < 0) {
        return -1;
    }
    int family = strchr(item, ':') != NULL ? AF_INET6 : AF_INET;
    const uint8_t *address = family == AF_INET ? ip.bytes + 12 : ip.bytes;
    error = kernel_netlink_add_address(netlink, interface, family, address, bits);
    if (error == 0 && family == AF_INET6) {
        error = kernel_netlink_wait_for_address(netlink, address);
    }
    if (error < 0) {
        snprintf(why, KERNEL_WHY_BYTES, "eth0 does not take %s: %s", item, strerror(-error));
        return -1;
    }
    return 0;
}

static int add_addresses(struct mnl_socket *netlink, unsigned interface, const char *addresses,
                         char *why)
{
    char *copy = strdup(addresses);
    char *rest = copy, *item;
    int result = copy == NULL ? fail(why, "no memory") : 0;
    while (result == 0 && (item = strsep(&rest, " \t")) != NULL) {
        if (*item != '\0') {
            result = add_address(netlink, interface, item, why);
        }
    }
    free(copy);
    return result;
}

static int configure(const struct scenario *scenario, uint32_t index, struct mnl_socket *netlink,
                     char *why)
{
    static const int families[] = {AF_INET, AF_INET6};
    unsigned lo = if_nametoindex("lo"), eth0 = if_nametoindex("eth0");
    int error = kernel_netlink_up(netlink, lo, 0);

    if (error == 0) {
        error = kernel_netlink_up(netlink, eth0, host_mtu(scenario, index));
    }
    if (error < 0) {
        snprintf(why, KERNEL_WHY_BYTES, "an interface does not come up: %s", strerror(-error));
        return -1;
    }
    error = kernel_need_has(scenario, "can") ? kernel_netlink_add_vcan(netlink, "vcan0") : 0;
    if (error < 0) {
        snprintf(why, KERNEL_WHY_BYTES, "needs can, but no vcan interface can be made: %s",
                 strerror(-error));
        return -1;
    }
    if (add_addresses(netlink, eth0, scenario->hosts[index].addresses, why) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        error = kernel_netlink_add_default(netlink, eth0, families[i]);
        /* LINUX: an interface of an MTU below 1280 has no IPv6 (ENODEV). */
        if (error < 0 && !(families[i] == AF_INET6 && (error == -EAFNOSUPPORT || error == -ENODEV))) {
            snprintf(why, KERNEL_WHY_BYTES, "eth0 takes no default route: %s", strerror(-error));
            return -1;
        }
    }
    return 0;
}

static int make_network(const struct scenario *scenario, uint32_t index, struct kernel_host *host,
                        char *why)
{
    struct mnl_socket *netlink;
    int result;
    if (unshare(CLONE_NEWNET) < 0) {
        return fail(why, "this machine allows no network namespaces");
    }
    host->network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (host->network < 0) {
        return fail(why, "/proc/self/ns/net");
    }
    host->tun = open_tun(why);
    if (host->tun < 0) {
        return -1;
    }
    /* The settings come first: interfaces copy some of them when they come up. */
    if (kernel_setting_apply(scenario, index, &host->congestion_by_socket, why) < 0) {
        return -1;
    }
    netlink = kernel_netlink_open();
    if (netlink == NULL) {
        return fail(why, "no rtnetlink socket");
    }
    result = configure(scenario, index, netlink, why);
    mnl_socket_close(netlink);
    return result;
}

/* ---- files and names ---------------------------------------------------------------------- */

void kernel_host_resolver_text(const struct scenario *scenario, uint32_t index, struct text *text)
{
    for (uint32_t i = 0; i < scenario->resolver_line_count; i++) {
        if (scenario->resolver_lines[i].host == index) {
            text_add(text, "%s\n", scenario->resolver_lines[i].text);
        }
    }
}

void kernel_host_hosts_text(const struct scenario *scenario, uint32_t index, struct text *text)
{
    text_add(text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (uint32_t i = 0; i < scenario->hosts_line_count; i++) {
        if (scenario->hosts_lines[i].host == index) {
            text_add(text, "%s\n", scenario->hosts_lines[i].text);
        }
    }
}

/* Reads a file of the machine, whole; one that is missing is empty. */
/* The C library keeps one resolv.conf for all threads and reads it again when size, inode or time say
 * that it is another file. Each host's lies on a file system of its own, where inode and time may well
 * be equal: so the time is made the host's. */
static int date_file(const char *path, uint32_t index)
{
    struct timespec times[2] = {{.tv_sec = 1000000000 + (time_t)index},
                                {.tv_sec = 1000000000 + (time_t)index}};

    return utimensat(AT_FDCWD, path, times, 0);
}

/* A whole /etc, not single files: what a resolver may read besides (host.conf, gai.conf) must not
 * come from the machine either, and resolv.conf may be a link to nowhere. */
static int make_etc(const struct scenario *scenario, uint32_t index, char *why)
{
    struct text resolver = {0}, hosts = {0};
    char *services = sim_services_text(), *protocols = sim_protocols_text();
    static const char names[] = "hosts: files dns\nservices: files\nprotocols: files\n"
                                "networks: files\n";
    int result = 0;

    assert(services != NULL && protocols != NULL);
    kernel_host_resolver_text(scenario, index, &resolver);
    kernel_host_hosts_text(scenario, index, &hosts);
    if (mount("etc", "/etc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0) {
        result = fail(why, "/etc takes no private mount");
    } else if (write_file("/etc/resolv.conf", resolver.bytes, resolver.length) < 0 ||
               write_file("/etc/hosts", hosts.bytes, hosts.length) < 0 ||
               write_file("/etc/nsswitch.conf", names, sizeof names - 1) < 0 ||
               write_file("/etc/host.conf", "multi on\n", 9) < 0 ||
               write_file("/etc/services", services, strlen(services)) < 0 ||
               write_file("/etc/protocols", protocols, strlen(protocols)) < 0 ||
               date_file("/etc/resolv.conf", index) < 0) {
        result = fail(why, "the private /etc cannot be written");
    }
    text_free(&resolver);
    text_free(&hosts);
    free(services);
    free(protocols);
    return result;
}

static int make_files(const struct scenario *scenario, uint32_t index, struct kernel_host *host,
                      char *why)
{
    const char *name = scenario->hosts[index].name;
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0) {
        return fail(why, "this machine allows no mount or UTS namespaces");
    }
    if (sethostname(name, strlen(name)) < 0) {
        return fail(why, "the host name cannot be set");
    }
    if (mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0) {
        return fail(why, "/tmp takes no private mount");
    }
    if (make_etc(scenario, index, why) < 0) {
        return -1;
    }
    host->mount = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    host->uts = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    if (host->mount < 0 || host->uts < 0) {
        return fail(why, "/proc/self/ns");
    }
    return 0;
}

int kernel_host_make(const struct scenario *scenario, uint32_t index, struct kernel_host *host,
                     char *why)
{
    int home, result;
    *host = (struct kernel_host){-1, -1, -1, -1, false};
    home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (home < 0) {
        return fail(why, "/proc/self/ns/mnt");
    }
    result = make_network(scenario, index, host, why);
    if (result == 0) {
        result = make_files(scenario, index, host, why);
    }
    /* The next host starts from the machine's files, not from this one's. */
    if (setns(home, CLONE_NEWNS) < 0 && result == 0) {
        result = fail(why, "the first mount namespace cannot be entered again");
    }
    close(home);
    return result;
}

int kernel_host_enter(const struct kernel_host *host, char *why)
{
    /* Threads share root and working directory; a mount namespace wants them to itself. */
    if (unshare(CLONE_FS) < 0) {
        return fail(why, "a thread gets no working directory of its own");
    }
    if (setns(host->network, CLONE_NEWNET) < 0 || setns(host->mount, CLONE_NEWNS) < 0 ||
        setns(host->uts, CLONE_NEWUTS) < 0) {
        return fail(why, "a thread cannot enter its host");
    }
    if (chdir("/tmp") < 0) {
        return fail(why, "/tmp");
    }
    return 0;
}
