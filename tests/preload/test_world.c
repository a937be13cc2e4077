/* What a program sees of the world alone: its clocks, its host's files, its chance, what is refused.
 * SPDX-License-Identifier: MIT
 *
 * Run by `drysock exec` only, in the world of world.dry: this machine would answer otherwise. */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static const char *read_whole(const char *path)
{
    static char text[8192];
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    const ssize_t length = read(fd, text, sizeof text - 1);
    assert_true(length >= 0);
    text[length] = 0;
    close(fd);
    return text;
}

static void sleeps__of_an_hour__pass_in_every_clock_at_once(void **state)
{
    struct timespec before, after, plain;
    struct timeval day;
    const time_t began = time(NULL);
    assert_int_equal(began, 1735689600);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    assert_int_equal(sleep(3600), 0);
    assert_int_equal(usleep(250000), 0);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_int_equal(after.tv_sec - before.tv_sec, 3600);
    assert_int_equal(after.tv_nsec - before.tv_nsec, 250000000);
    assert_int_equal(time(NULL), began + 3600);
    assert_int_equal(gettimeofday(&day, NULL), 0);
    assert_int_equal(day.tv_usec, 250000);
    assert_int_equal(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &plain), 0);
    assert_int_equal(plain.tv_sec, after.tv_sec);
    assert_errno(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, wild()), EFAULT);
}

static void connect__over_a_link__takes_a_round_trip_and_is_refused(void **state)
{
    struct timespec before, after;
    const struct sockaddr_in far = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(0x0a000001)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_errno(connect(fd, (const struct sockaddr *)&far, sizeof far), ECONNREFUSED);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(after.tv_nsec - before.tv_nsec, 40000000);
    close(fd);
}

static void files__of_the_network__are_the_hosts(void **state)
{
    struct utsname name;
    assert_non_null(strstr(read_whole("/etc/hosts"), "10.0.0.1 server\n"));
    assert_non_null(strstr(read_whole("/etc/nsswitch.conf"), "hosts: files dns\n"));
    assert_string_equal(read_whole("/etc/hostname"), "client\n");
    assert_string_equal(read_whole("/proc/sys/net/ipv4/tcp_syn_retries"), "6\n");
    assert_string_equal(read_whole("/proc/sys/net/ipv4/ip_local_port_range"), "32768\t60999\n");
    assert_non_null(strstr(read_whole("/proc/net/dev"), "  eth0:"));
    assert_int_equal(uname(&name), 0);
    assert_string_equal(name.nodename, "client");
    assert_errno(open("/etc/hosts", O_WRONLY), EACCES);
}

static void listener__looked_up_in_proc__stands_in_the_table(void **state)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(0x1234)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_non_null(strstr(read_whole("/proc/net/tcp"), " 00000000:1234 00000000:0000 0A "));
    close(fd);
    assert_null(strstr(read_whole("/proc/net/tcp"), ":1234"));
}

static void interfaces__asked_by_ioctl_and_listed__are_the_hosts(void **state)
{
    char name[IF_NAMESIZE];
    struct ifreq wanted = {.ifr_name = "eth0"};
    struct ifaddrs *list;
    int seen = 0;
    assert_int_equal(if_nametoindex("eth0"), 2);
    assert_string_equal(if_indextoname(1, name), "lo");
    assert_null(if_indextoname(9, name));
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(ioctl(fd, SIOCGIFADDR, &wanted), 0);
    const struct sockaddr_in *address = (const void *)&wanted.ifr_addr;
    assert_int_equal(ntohl(address->sin_addr.s_addr), 0x0a000002);
    assert_int_equal(ioctl(fd, SIOCGIFMTU, &wanted), 0);
    assert_int_equal(wanted.ifr_mtu, 1500);
    strcpy(wanted.ifr_name, "eth7");
    assert_errno(ioctl(fd, SIOCGIFFLAGS, &wanted), ENODEV);
    struct ifreq all[4];
    struct ifconf several = {.ifc_len = sizeof all, .ifc_req = all};
    assert_int_equal(ioctl(fd, SIOCGIFCONF, &several), 0);
    assert_int_equal(several.ifc_len, 2 * sizeof(struct ifreq));
    close(fd);
    assert_int_equal(getifaddrs(&list), 0);
    for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
        seen += one->ifa_addr && one->ifa_addr->sa_family == AF_INET;
    }
    assert_int_equal(seen, 2);
    freeifaddrs(list);
}

static void name__of_another_host__is_found_by_the_c_library(void **state)
{
    struct addrinfo *list;
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    assert_int_equal(getaddrinfo("server", "80", &hints, &list), 0);
    const struct sockaddr_in *address = (const void *)list->ai_addr;
    assert_int_equal(ntohl(address->sin_addr.s_addr), 0x0a000001);
    freeaddrinfo(list);
    assert_int_equal(getaddrinfo("nobody.example", NULL, &hints, &list), EAI_AGAIN);
}

static void chance__drawn_in_each_way__is_given(void **state)
{
    uint64_t draws[2];
    assert_int_equal(getrandom(draws, sizeof draws, 0), sizeof draws);
    assert_true(draws[0] != draws[1]);
    const int device = open("/dev/urandom", O_RDONLY);
    assert_int_equal(read(device, draws, sizeof draws), sizeof draws);
    close(device);
    assert_true(draws[0] != draws[1]);
    assert_errno(getrandom(wild(), 8, 0), EFAULT);
    assert_errno(getrandom(draws, 8, 64), EINVAL);
}

static void calls__on_no_list_or_refused__say_so_and_the_program_goes_on(void **state)
{
    assert_errno(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
    assert_errno(syscall(511), ENOSYS);
    assert_errno(syscall(-5), ENOSYS);
    assert_errno(syscall(100000), ENOSYS);
    assert_errno(socket(AF_BLUETOOTH, SOCK_RAW, 0), EAFNOSUPPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeps__of_an_hour__pass_in_every_clock_at_once),
        cmocka_unit_test(connect__over_a_link__takes_a_round_trip_and_is_refused),
        cmocka_unit_test(files__of_the_network__are_the_hosts),
        cmocka_unit_test(listener__looked_up_in_proc__stands_in_the_table),
        cmocka_unit_test(interfaces__asked_by_ioctl_and_listed__are_the_hosts),
        cmocka_unit_test(name__of_another_host__is_found_by_the_c_library),
        cmocka_unit_test(chance__drawn_in_each_way__is_given),
        cmocka_unit_test(calls__on_no_list_or_refused__say_so_and_the_program_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
