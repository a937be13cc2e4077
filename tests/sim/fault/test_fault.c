/* Fault rules: what their text means, which calls they match, what they do to them.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <drysock/sim.h>

#include "sim/fault/fault.h"

/* ---- a system that counts what reaches it ------------------------------------------------- */

static struct {
    size_t sends, receives, polls, sleeps, closes;
    size_t last_length;
    uint64_t slept_ns, interrupt_after_ns;
    int interrupt_landed;
} seen;

static ssize_t count_send(struct dry_caller caller, int fd, const void *data, size_t length, int flags,
                          const struct sockaddr *address, socklen_t address_length)
{
    seen.sends++;
    seen.last_length = length;
    return (ssize_t)length;
}

static ssize_t count_receive(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
                             struct sockaddr *address, socklen_t *address_length)
{
    seen.receives++;
    seen.last_length = length;
    return (ssize_t)length;
}

static int count_poll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                      const struct timespec *timeout, const sigset_t *mask)
{
    seen.polls++;
    return 1;
}

static int count_sleep(struct dry_caller caller, clockid_t clock, int flags,
                       const struct timespec *request, struct timespec *remain)
{
    seen.sleeps++;
    seen.slept_ns += (uint64_t)request->tv_sec * 1000000000 + (uint64_t)request->tv_nsec;
    return 0;
}

static int count_close(struct dry_caller caller, int fd)
{
    seen.closes++;
    return 0;
}

static int note_interrupt(struct dry_caller caller, uint64_t after_ns)
{
    seen.interrupt_after_ns = after_ns;
    return 0;
}

static int cancel_interrupt(struct dry_caller caller)
{
    return seen.interrupt_landed;
}

static const struct dry_system counting = {
    .name = "counting",
    .sendto = count_send,
    .recvfrom = count_receive,
    .ppoll = count_poll,
    .clock_nanosleep = count_sleep,
    .close = count_close,
    .interrupt_after = note_interrupt,
    .cancel_interrupt = cancel_interrupt,
};

static struct sim_fault_plan *plan;
static struct dry_caller client;

static int start(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    plan = sim_fault_plan_create(1);
    client = sim_fault_caller(plan, (struct dry_caller){.system = &counting}, "left", "client");
    return plan == NULL;
}

static int stop(void **state)
{
    (void)state;
    sim_fault_plan_destroy(plan);
    return 0;
}

static void rule(const char *text)
{
    char message[256] = "";
    if (sim_fault_plan_add(plan, text, message, sizeof message, NULL) < 0) {
        fail_msg("%s: %s", text, message);
    }
}

static ssize_t library_send(int fd, size_t length)
{
    client.system->call_begin(client, "send", fd);
    ssize_t sent = client.system->sendto(client, fd, "", length, 0, NULL, 0);
    client.system->call_end(client);
    return sent;
}

/* As the library receives with a timeout: poll, then receive. */
static ssize_t library_recv(int fd, size_t length)
{
    char buffer[64];
    client.system->call_begin(client, "recv", fd);
    ssize_t result = client.system->ppoll(client, NULL, 0, NULL, NULL);
    if (result >= 0) {
        result = client.system->recvfrom(client, fd, buffer, length, 0, NULL, NULL);
    }
    client.system->call_end(client);
    return result;
}

/* ---- what matches ------------------------------------------------------------------------- */

static void an_ordinal__calls_made__only_that_one_fails(void **state)
{
    (void)state;
    rule("client send#2 errno=ECONNRESET");
    assert_int_equal(library_send(3, 5), 5);
    assert_int_equal(library_send(3, 5), -ECONNRESET);
    assert_int_equal(library_send(3, 5), 5);
    assert_int_equal(seen.sends, 2);
    assert_int_equal(sim_fault_fired(plan, 1), 1);
}

static void a_range_with_a_step__calls_made__every_second_fails(void **state)
{
    (void)state;
    rule("client send#2..6+2 errno=EPIPE");
    for (int i = 1; i <= 8; i++) {
        assert_int_equal(library_send(3, 1), i % 2 == 0 && i <= 6 ? -EPIPE : 1);
    }
    assert_int_equal(sim_fault_fired(plan, 1), 3);
}

static void an_open_range__calls_made__all_from_there_fail(void **state)
{
    (void)state;
    rule("client send#3.. errno=EPIPE");
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(library_send(3, 1), i >= 3 ? -EPIPE : 1);
    }
}

static void a_socket_name__other_sockets_call__counted_by_name(void **state)
{
    (void)state;
    rule("client s.send#2 errno=EPIPE");
    sim_fault_name(client, 4, "s");
    assert_int_equal(library_send(3, 1), 1);
    assert_int_equal(library_send(4, 1), 1);
    assert_int_equal(library_send(3, 1), 1);
    assert_int_equal(library_send(4, 1), -EPIPE);
}

static void a_closed_socket__its_number_used_again__not_known_by_the_old_name(void **state)
{
    (void)state;
    rule("client s.send errno=EPIPE");
    sim_fault_name(client, 4, "s");
    client.system->close(client, 4);
    assert_int_equal(library_send(4, 1), 1);
}

static void another_actor__calls__not_matched(void **state)
{
    (void)state;
    rule("server send errno=EPIPE");
    assert_int_equal(library_send(3, 1), 1);
    assert_int_equal(sim_fault_fired(plan, 1), 0);
}

static void a_host__calls_of_its_actor__matched(void **state)
{
    (void)state;
    rule("@right send errno=EPIPE");
    rule("@left send errno=ENOBUFS");
    assert_int_equal(library_send(3, 1), -ENOBUFS);
}

static void two_rules__one_call__the_first_wins(void **state)
{
    (void)state;
    rule("* send#1 errno=EPIPE");
    rule("client * errno=EIO");
    assert_int_equal(library_send(3, 1), -EPIPE);
    assert_int_equal(library_send(3, 1), -EIO);
}

static void nested_calls__announced__counted_once(void **state)
{
    (void)state;
    rule("client send#2 errno=EPIPE");
    client.system->call_begin(client, "create_connection", -1);
    assert_int_equal(library_send(3, 1), 1);
    client.system->call_end(client);
    assert_int_equal(library_send(3, 1), 1);
    assert_int_equal(library_send(3, 1), -EPIPE);
}

static void a_chance__many_calls__about_that_share_and_the_same_again(void **state)
{
    (void)state;
    rule("client send chance=25% errno=EPIPE");
    int failed = 0;
    for (int i = 0; i < 4000; i++) {
        failed += library_send(3, 1) == -EPIPE;
    }
    assert_in_range(failed, 850, 1150);
    struct sim_fault_plan *again = sim_fault_plan_create(1);
    sim_fault_plan_destroy(plan);
    plan = again;
    client = sim_fault_caller(plan, (struct dry_caller){.system = &counting}, "left", "client");
    rule("client send chance=25% errno=EPIPE");
    for (int i = 0; i < 4000; i++) {
        failed -= library_send(3, 1) == -EPIPE;
    }
    assert_int_equal(failed, 0);
}

static void times__calls_made__it_ends_after_so_many(void **state)
{
    (void)state;
    rule("client send times=2 errno=EPIPE");
    rule("client send errno=EIO times=1");
    assert_int_equal(library_send(3, 1), -EPIPE);
    assert_int_equal(library_send(3, 1), -EPIPE);
    assert_int_equal(library_send(3, 1), -EIO); /* the next rule's turn */
    assert_int_equal(library_send(3, 1), 1);
    assert_int_equal(sim_fault_fired(plan, 1), 2);
}

static void times_of_bytes__one_call_of_many_pieces__counts_once(void **state)
{
    (void)state;
    rule("client sendall bytes=2 times=1");
    client.system->call_begin(client, "sendall", 3);
    assert_int_equal(client.system->sendto(client, 3, "", 5, 0, NULL, 0), 2);
    assert_int_equal(client.system->sendto(client, 3, "", 3, 0, NULL, 0), 2);
    client.system->call_end(client);
    assert_int_equal(sim_fault_fired(plan, 1), 2);
    client.system->call_begin(client, "sendall", 3);
    assert_int_equal(client.system->sendto(client, 3, "", 5, 0, NULL, 0), 5);
    client.system->call_end(client);
}

/* ---- what happens ------------------------------------------------------------------------- */

static void bytes__longer_transfer__cut_each_time(void **state)
{
    (void)state;
    rule("client send bytes=2");
    assert_int_equal(library_send(3, 5), 2);
    assert_int_equal(library_send(3, 1), 1);
    assert_int_equal(sim_fault_fired(plan, 1), 1);
}

static void errno__call_polls_first__the_poll_is_left_alone(void **state)
{
    (void)state;
    rule("client recv errno=ECONNRESET");
    assert_int_equal(library_recv(3, 5), -ECONNRESET);
    assert_int_equal(seen.polls, 1);
    assert_int_equal(seen.receives, 0);
}

static void a_seam_call_named__polls__that_one_fails(void **state)
{
    (void)state;
    rule("client recv/poll errno=ENOMEM");
    assert_int_equal(library_recv(3, 5), -ENOMEM);
    assert_int_equal(seen.polls, 0);
}

static void signal_before__call_polls_first__the_poll_is_cut_short(void **state)
{
    (void)state;
    rule("client recv#1 signal before");
    assert_int_equal(library_recv(3, 5), -EINTR);
    assert_int_equal(seen.polls, 0);
    assert_int_equal(library_recv(3, 5), 5);
}

static void signal_after__transfer_longer__cut_then_interrupted(void **state)
{
    (void)state;
    rule("client sendall#1 signal after=3");
    client.system->call_begin(client, "sendall", 3);
    assert_int_equal(client.system->sendto(client, 3, "", 10, 0, NULL, 0), 3);
    assert_int_equal(client.system->ppoll(client, NULL, 0, NULL, NULL), -EINTR);
    assert_int_equal(client.system->sendto(client, 3, "", 7, 0, NULL, 0), 7);
    client.system->call_end(client);
}

static void signal_during__it_landed__counted_as_fired(void **state)
{
    (void)state;
    rule("client recv signal during=5ms");
    library_recv(3, 5);
    assert_int_equal(seen.interrupt_after_ns, 5000000);
    assert_int_equal(sim_fault_fired(plan, 1), 0);
    seen.interrupt_landed = 1;
    library_recv(3, 5);
    assert_int_equal(sim_fault_fired(plan, 1), 1);
}

static void delay__call_made__slept_before_it_then_done(void **state)
{
    (void)state;
    rule("client send delay=1.5s");
    assert_int_equal(library_send(3, 5), 5);
    assert_int_equal(seen.slept_ns, 1500000000);
    assert_int_equal(seen.sends, 1);
}

static void errno_of_close__closing__the_descriptor_goes_all_the_same(void **state)
{
    (void)state;
    rule("client close errno=EIO");
    client.system->call_begin(client, "close", 3);
    assert_int_equal(client.system->close(client, 3), -EIO);
    client.system->call_end(client);
    assert_int_equal(seen.closes, 1);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void wrong_rules__added__refused_where_they_are_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t column;
    } wrong[] = {
        {"", 0},
        {"client", 6},
        {"client frobnicate errno=EPIPE", 7},
        {"client send#0 errno=EPIPE", 11},
        {"client send#3..2 errno=EPIPE", 11},
        {"client send errno=EWHAT", 12},
        {"client send bytes=0", 12},
        {"client send delay=5", 12},
        {"client send signal sometimes", 12},
        {"client send/frob errno=EPIPE", 11},
        {"client connect bytes=2", 7},
        {"client bind signal before", 7},
        {"client send errno=EPIPE twice", 24},
        {"client send chance=101% errno=EPIPE", 12},
        {"client send chance=0% errno=EPIPE", 12},
        {"client send/poll signal during=5ms", 7},
        {"client send times=0 errno=EPIPE", 12},
        {"client send times=2x errno=EPIPE", 12},
        {"client send times=2 errno=EPIPE times=2", 32},
        {"client getaddrinfo gai=EAI_WHAT", 19},
        {"client getaddrinfo gai=EAI_SYSTEM", 19},
        {"client send gai=EAI_AGAIN", 7},
        {"client send delay=1.5ns", 12},
        {"client send delay=5ms,", 12},
        {"client send signal during=2000000h", 12},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char message[256] = "";
        size_t column = 999;
        assert_int_equal(sim_fault_plan_add(plan, wrong[i].text, message, sizeof message, &column),
                         -EINVAL);
        assert_true(strlen(message) > 10);
        if (column != wrong[i].column) {
            fail_msg("'%s': column %zu, not %zu: %s", wrong[i].text, column, wrong[i].column, message);
        }
    }
    assert_int_equal(sim_fault_rules(plan), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ordinal__calls_made__only_that_one_fails),
        TEST(a_range_with_a_step__calls_made__every_second_fails),
        TEST(an_open_range__calls_made__all_from_there_fail),
        TEST(a_socket_name__other_sockets_call__counted_by_name),
        TEST(a_closed_socket__its_number_used_again__not_known_by_the_old_name),
        TEST(another_actor__calls__not_matched),
        TEST(a_host__calls_of_its_actor__matched),
        TEST(two_rules__one_call__the_first_wins),
        TEST(nested_calls__announced__counted_once),
        TEST(a_chance__many_calls__about_that_share_and_the_same_again),
        TEST(times__calls_made__it_ends_after_so_many),
        TEST(times_of_bytes__one_call_of_many_pieces__counts_once),
        TEST(bytes__longer_transfer__cut_each_time),
        TEST(errno__call_polls_first__the_poll_is_left_alone),
        TEST(a_seam_call_named__polls__that_one_fails),
        TEST(signal_before__call_polls_first__the_poll_is_cut_short),
        TEST(signal_after__transfer_longer__cut_then_interrupted),
        TEST(signal_during__it_landed__counted_as_fired),
        TEST(delay__call_made__slept_before_it_then_done),
        TEST(errno_of_close__closing__the_descriptor_goes_all_the_same),
        TEST(wrong_rules__added__refused_where_they_are_wrong),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
