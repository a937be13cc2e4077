/* A network and an /etc of this process's own, in which the C library's resolver is asked too.
 * SPDX-License-Identifier: MIT */
#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char configuration[] = "/tmp/drysock-test-XXXXXX"; /* bound over /etc/resolv.conf */

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void bind_file(char *path, const char *over, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, text);
    chmod(path, 0644);
    if (mount(path, over, NULL, MS_BIND, NULL) != 0) {
        fail_msg("mount over %s: %s", over, strerror(errno));
    }
    unlink(path);
}

static void raise_loopback(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

bool apart_begin(const char *hosts, const char *resolv_conf)
{
    char map[64], hosts_path[] = "/tmp/drysock-test-XXXXXX", switch_path[] = "/tmp/drysock-test-XXXXXX";
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0) {
        print_message("SKIPPED: no namespaces here (%s)\n", strerror(errno));
        return false;
    }
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    bind_file(hosts_path, "/etc/hosts", hosts);
    bind_file(configuration, "/etc/resolv.conf", resolv_conf);
    bind_file(switch_path, "/etc/nsswitch.conf",
              "hosts: files dns\nservices: files\nprotocols: files\n");
    raise_loopback();
    return true;
}

void apart_configure(const char *resolv_conf)
{
    /* The C library reads it again when its time has changed. */
    static int second;
    struct timespec times[2] = {{.tv_sec = 1000000000 + ++second}, {.tv_sec = 1000000000 + second}};
    write_file("/etc/resolv.conf", resolv_conf);
    assert_int_equal(utimensat(AT_FDCWD, "/etc/resolv.conf", times, 0), 0);
}
