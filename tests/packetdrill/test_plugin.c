/* The plug-in for packetdrill, as the tool uses it: calls, packets, a clock that moves when looked at.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "packetdrill/interface.h"

enum { PORT = 8080, PEER_PORT = 40000, FIRST_DESCRIPTOR = 1 << 20 };

static const char *plugin_path;
static struct packetdrill_interface tool;
static int listener;

struct segment {
    struct iphdr ip;
    struct tcphdr tcp;
};

static uint32_t sum(uint32_t from, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i += 2) {
        from += (uint32_t)at[i] << 8 | at[i + 1];
    }
    return from;
}

static uint16_t folded(uint32_t value)
{
    value = (value >> 16) + (value & 0xffff);
    return htons((uint16_t)~(value + (value >> 16)));
}

static void arrives(uint32_t sequence, uint32_t acknowledgment, bool syn)
{
    struct segment segment = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP}};
    segment.ip.tot_len = htons(sizeof segment);
    segment.ip.saddr = inet_addr("192.0.2.1");
    segment.ip.daddr = inet_addr("192.168.0.1");
    segment.ip.check = folded(sum(0, &segment.ip, sizeof segment.ip));
    segment.tcp.source = htons(PEER_PORT);
    segment.tcp.dest = htons(PORT);
    segment.tcp.seq = htonl(sequence);
    segment.tcp.ack_seq = htonl(acknowledgment);
    segment.tcp.doff = 5;
    segment.tcp.syn = syn;
    segment.tcp.ack = !syn;
    segment.tcp.window = htons(10000);
    const uint32_t pseudo = sum(IPPROTO_TCP + sizeof segment.tcp, &segment.ip.saddr, 8);
    segment.tcp.check = folded(sum(pseudo, &segment.tcp, sizeof segment.tcp));
    assert_int_equal(tool.netdev_send(NULL, &segment, sizeof segment), 0);
}

static long long now_us(void)
{
    struct timeval now;
    assert_int_equal(tool.gettimeofday(NULL, &now, NULL), 0);
    return now.tv_sec * 1000000LL + now.tv_usec;
}

static int begin(void **state)
{
    void *library = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    void (*init)(const char *, struct packetdrill_interface *);
    if (!library) {
        print_error("%s\n", dlerror());
        return -1;
    }
    *(void **)&init = dlsym(library, "packetdrill_interface_init");
    init("192.168.0.1", &tool);
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    listener = tool.socket(NULL, AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= FIRST_DESCRIPTOR);
    assert_int_equal(tool.bind(NULL, listener, (const struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(tool.listen(NULL, listener, 1), 0);
    return 0;
}

static int end(void **state)
{
    tool.free(NULL);
    return 0;
}

static uint32_t syn_ack_leaves(long long *at)
{
    struct segment segment;
    size_t length = sizeof segment;
    assert_int_equal(tool.netdev_receive(NULL, &segment, &length, at), 0);
    assert_int_equal(length, sizeof segment); /* cut: the options do not fit */
    assert_true(segment.tcp.syn && segment.tcp.ack && segment.tcp.ack_seq == htonl(101));
    return ntohl(segment.tcp.seq);
}

static void syn_is_not_answered__synack_leaves_again_a_second_later(void **state)
{
    long long first, second;
    arrives(100, 0, true);
    syn_ack_leaves(&first);
    assert_in_range(now_us() - first, 0, 100);
    syn_ack_leaves(&second);
    assert_in_range(second - first, 1000000, 1001000);
}

static void *accept_it(void *argument)
{
    *(int *)argument = tool.accept(NULL, listener, NULL, NULL);
    return NULL;
}

static void accept_waits__its_thread_goes_on_when_the_ack_arrives(void **state)
{
    pthread_t thread;
    int fd = 0;
    long long at;
    assert_int_equal(pthread_create(&thread, NULL, accept_it, &fd), 0);
    usleep(20000);
    assert_int_equal(fd, 0);
    arrives(100, 0, true);
    const uint32_t isn = syn_ack_leaves(&at);
    arrives(101, isn + 1, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(fd > listener);
    assert_int_equal(tool.write(NULL, fd, "x", 1), 1);
    assert_int_equal(tool.close(NULL, fd), 0);
    errno = 0;
    assert_int_equal(tool.close(NULL, fd), -1);
    assert_int_equal(errno, EBADF);
}

static void the_clock__moves_when_it_is_looked_at_and_by_sleep(void **state)
{
    const long long first = now_us(), second = now_us();
    assert_int_equal(second - first, 1);
    assert_int_equal(tool.usleep(NULL, 5000), 0);
    assert_int_equal(now_us() - second, 5001);
}

static void nothing_ever_leaves__length_is_zero(void **state)
{
    char buffer[100];
    size_t length = sizeof buffer;
    long long at;
    assert_int_equal(tool.netdev_receive(NULL, buffer, &length, &at), 0);
    assert_int_equal(length, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        TEST(syn_is_not_answered__synack_leaves_again_a_second_later),
        TEST(accept_waits__its_thread_goes_on_when_the_ack_arrives),
        TEST(the_clock__moves_when_it_is_looked_at_and_by_sleep),
        TEST(nothing_ever_leaves__length_is_zero),
    };
    if (count != 2) {
        return 2;
    }
    plugin_path = words[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
