/* Tests of tasks on the smallest stack: what the library and the world lay on it leaves room.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "small_world.h"

#include <drysock/socket.h>

static int beta_process;

static int begin_small(void **state)
{
    const struct sim_options options = {
        .seed = 7, .check = 1, .stack_bytes = SANITIZED ? 512 * 1024 : 64 * 1024};
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
    beta_process = sim_add_process(sim, beta, "q");
    return 0;
}

static int file_of(size_t bytes)
{
    char name[] = "/tmp/drysock-test-XXXXXX";
    const int fd = mkstemp(name);
    unlink(name);
    EXPECT(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
    return fd;
}

enum { FILE_BYTES = 200000 };

static void receive_all(void *argument)
{
    static char data[65536];
    struct dry_address here;
    EXPECT(dry_address_inet(&here, AF_INET, "0.0.0.0", 50007) == 0);
    struct dry_socket *listener = dry_socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(dry_bind(listener, &here) == 0 && dry_listen(listener, 1) == 0);
    struct dry_socket *connection = dry_accept(listener, NULL);
    size_t total = 0;
    ssize_t count;
    while ((count = dry_recv(connection, data, sizeof data, 0)) > 0) {
        total += (size_t)count;
    }
    EXPECT(total == FILE_BYTES);
    EXPECT(dry_close(connection) == 0 && dry_close(listener) == 0);
    note("r");
}

static void send_a_file(void *argument)
{
    size_t sent = 0;
    struct dry_socket *s = dry_create_connection("10.0.0.1", "50007", -1, NULL, false);
    EXPECT(s != NULL);
    const int fd = file_of(FILE_BYTES);
    EXPECT(dry_sendfile(s, fd, 0, -1, &sent) == 0 && sent == FILE_BYTES);
    close(fd);
    EXPECT(dry_close(s) == 0);
    note("s");
}

static void file__sent__fits(void **state)
{
    char name[] = "/tmp/drysock-pcap-XXXXXX";
    close(mkstemp(name));
    assert_int_equal(sim_capture(sim, name), 0);
    spawn("receiver", receive_all, NULL);
    assert_true(sim_spawn(sim, beta_process, "sender", send_a_file, NULL) > 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "sr");
    unlink(name);
}

static int refuse_sendfile_calls;

static ssize_t refuse_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                               size_t count)
{
    refuse_sendfile_calls++;
    return -EINVAL;
}

static void send_a_file_by_pieces(void *argument)
{
    static struct dry_system without;
    struct dry_caller caller = dry_current_caller();
    without = *caller.system;
    without.sendfile = refuse_sendfile;
    caller.system = &without;
    dry_set_current_caller(caller);
    send_a_file(argument);
}

static void file__sent_by_the_fallback__fits(void **state)
{
    spawn("receiver", receive_all, NULL);
    assert_true(sim_spawn(sim, beta_process, "sender", send_a_file_by_pieces, NULL) > 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "sr");
    assert_true(refuse_sendfile_calls > 0);
}

static void look_up(void *argument)
{
    struct dry_addrinfo *list;
    size_t count;
    char text[256];
    EXPECT(dry_getaddrinfo("www.example", "80", 0, SOCK_STREAM, 0, AI_CANONNAME, &list, &count) == 0);
    EXPECT(count == 2);
    dry_freeaddrinfo(list);
    struct dry_hostent *entry = dry_gethostbyname_ex("www.example");
    EXPECT(entry != NULL);
    free(entry);
    entry = dry_gethostbyaddr("10.0.0.1");
    EXPECT(entry != NULL);
    free(entry);
    EXPECT(dry_getfqdn("www.example", text, sizeof text) >= 0);
    EXPECT(dry_getaddrinfo("\xc3\xa9.example", "80", 0, 0, 0, 0, &list, &count) < 0);
    note("l");
}

static void names__looked_up_and_served__fit(void **state)
{
    char message[128];
    assert_true(sim_add_nameserver(sim, alpha) >= 0);
    assert_int_equal(sim_add_record(sim, "www.example A 10.0.0.1", message, sizeof message), 0);
    assert_int_equal(sim_add_record(sim, "www.example AAAA fd00::1", message, sizeof message), 0);
    assert_int_equal(
        sim_add_record(sim, "1.0.0.10.in-addr.arpa PTR www.example", message, sizeof message), 0);
    assert_int_equal(sim_add_resolver_line(sim, beta, "nameserver 10.0.0.1"), 0);
    assert_true(sim_spawn(sim, beta_process, "asker", look_up, NULL) > 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "l");
}

static void write_a_stream(void *argument)
{
    struct dry_socket *pair[2];
    char text[64];
    EXPECT(dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    FILE *file = dry_makefile(pair[0], "rw", -1, "utf-8", NULL, NULL);
    EXPECT(file != NULL && fprintf(file, "%s %d\n", "hello", 5) > 0 && fflush(file) == 0);
    EXPECT(dry_recv(pair[1], text, sizeof text, 0) == 8);
    fclose(file);
    struct dry_address address;
    EXPECT(dry_address_parse(&address, AF_INET, SOCK_STREAM, 0, "('10.0.0.1', 80)", 16) == 0);
    EXPECT(dry_address_print(&address, text, sizeof text) > 0);
    EXPECT(dry_close(pair[0]) == 0 && dry_close(pair[1]) == 0);
    note("w");
}

static void streams_and_addresses__used__fit(void **state)
{
    spawn("writer", write_a_stream, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "w");
}

/* A task that is given up in the middle leaves nothing behind (the leak checker looks). */
static void send_to_nobody(void *argument)
{
    int pair[2];
    struct dry_caller caller = dry_current_caller();
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    const int fd = file_of(FILE_BYTES);
    note("s");
    SYSTEM(sendfile, pair[1], fd, NULL, FILE_BYTES);
    note("?");
}

static void tasks_given_up_in_the_middle__world_is_reset__all_is_freed(void **state)
{
    spawn("sender", send_to_nobody, NULL);
    assert_true(sim_add_nameserver(sim, alpha) >= 0);
    assert_outcome(SIM_STUCK);
    assert_string_equal(order, "s");
    assert_int_equal(sim_reset(sim, 1), 0);
}

#define SMALL(name) cmocka_unit_test_setup_teardown(name, begin_small, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SMALL(file__sent__fits),
        SMALL(file__sent_by_the_fallback__fits),
        SMALL(names__looked_up_and_served__fit),
        SMALL(streams_and_addresses__used__fit),
        SMALL(tasks_given_up_in_the_middle__world_is_reset__all_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
