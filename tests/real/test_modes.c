/* Every method that waits, in each of the three modes, with each way its call can end.
 * SPDX-License-Identifier: MIT
 *
 * One table of what must happen, played for each method: which calls, with which timeouts, and what
 * comes out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "double.h"

enum {
    COUNT = 4,  /* bytes that each transfer moves */
    STEPS = 8,  /* of a case */
    LEFT = -77, /* what a count holds before the call */
};

static char bytes[COUNT];
static struct dry_address peer;
static size_t items;

/* ---- the methods ---------------------------------------------------------------------------- */

static ssize_t run_send(struct dry_socket *s)
{
    return dry_send(s, bytes, COUNT, 0);
}

static ssize_t run_sendto(struct dry_socket *s)
{
    return dry_sendto(s, bytes, COUNT, 0, &peer);
}

static ssize_t run_sendall(struct dry_socket *s)
{
    size_t sent = (size_t)LEFT;
    int status = dry_sendall(s, bytes, COUNT, 0, &sent);
    assert_int_equal(sent, status == 0 ? COUNT : 0);
    return status == 0 ? COUNT : -1;
}

static ssize_t run_sendmsg(struct dry_socket *s)
{
    struct iovec part = {bytes, COUNT};
    return dry_sendmsg(s, &part, 1, NULL, 0, 0, NULL);
}

static ssize_t run_recv(struct dry_socket *s)
{
    return dry_recv(s, bytes, COUNT, 0);
}

static ssize_t run_recv_into(struct dry_socket *s)
{
    return dry_recv_into(s, bytes, COUNT, 0, 0);
}

static ssize_t run_recvfrom(struct dry_socket *s)
{
    return dry_recvfrom(s, bytes, COUNT, 0, &peer);
}

static ssize_t run_recvfrom_into(struct dry_socket *s)
{
    return dry_recvfrom_into(s, bytes, COUNT, 0, 0, &peer);
}

static ssize_t run_recvmsg(struct dry_socket *s)
{
    struct dry_ancillary item;
    char control[64];
    items = 1;
    return dry_recvmsg(s, bytes, COUNT, control, sizeof control, &item, &items, 0, NULL, NULL);
}

static ssize_t run_recvmsg_into(struct dry_socket *s)
{
    struct dry_ancillary item;
    struct iovec part = {bytes, COUNT};
    char control[64];
    items = 1;
    return dry_recvmsg_into(s, &part, 1, control, sizeof control, &item, &items, 0, NULL, NULL);
}

static const struct method {
    const char *name;
    enum step_call call; /* of the seam, which does its work */
    short events;        /* that it waits for */
    ssize_t (*run)(struct dry_socket *s);
    bool tells_items;
} methods[] = {
    {"send", STEP_SEND, POLLOUT, run_send},
    {"sendto", STEP_SEND, POLLOUT, run_sendto},
    {"sendall", STEP_SEND, POLLOUT, run_sendall},
    {"sendmsg", STEP_SENDMSG, POLLOUT, run_sendmsg},
    {"recv", STEP_RECEIVE, POLLIN, run_recv},
    {"recv_into", STEP_RECEIVE, POLLIN, run_recv_into},
    {"recvfrom", STEP_RECEIVE, POLLIN, run_recvfrom},
    {"recvfrom_into", STEP_RECEIVE, POLLIN, run_recvfrom_into},
    {"recvmsg", STEP_RECVMSG, POLLIN, run_recvmsg, true},
    {"recvmsg_into", STEP_RECVMSG, POLLIN, run_recvmsg_into, true},
};

/* ---- the cases ------------------------------------------------------------------------------ */

#define CALL(answer) {.call = 0, .gives = answer} /* the method's own */
#define WAIT(timeout, takes, answer) \
    {STEP_POLL, .timeout_ns = (timeout) * (int64_t)MS, .takes_ns = (takes) * MS, .gives = answer}
#define CHECK(answer) {STEP_CHECK, .gives = answer}
#define ENDS(kind, code) -1, kind, code

static const struct test_case {
    const char *name;
    int64_t timeout_ns;
    ssize_t result;
    enum dry_error_kind kind;
    int code;
    struct step steps[STEPS];
} cases[] = {
    {"blocking: at once", DRY_TIMEOUT_NONE, COUNT, 0, 0, {CALL(COUNT)}},
    {"blocking: signals",
     DRY_TIMEOUT_NONE,
     COUNT,
     0,
     0,
     {CALL(-EINTR), CHECK(0), CALL(-EINTR), CHECK(0), CALL(COUNT)}},
    {"blocking: a signal whose handler raises",
     DRY_TIMEOUT_NONE,
     ENDS(DRY_ERROR_INTERRUPTED, 7),
     {CALL(-EINTR), CHECK(7)}},
    {"blocking: the second signal's handler raises",
     DRY_TIMEOUT_NONE,
     ENDS(DRY_ERROR_INTERRUPTED, 9),
     {CALL(-EINTR), CHECK(0), CALL(-EINTR), CHECK(9)}},
    {"blocking: SO_RCVTIMEO and the like",
     DRY_TIMEOUT_NONE,
     ENDS(DRY_ERROR_OS, EAGAIN),
     {CALL(-EAGAIN)}},
    {"blocking: reset", DRY_TIMEOUT_NONE, ENDS(DRY_ERROR_OS, ECONNRESET), {CALL(-ECONNRESET)}},
    {"blocking: a signal, then an error",
     DRY_TIMEOUT_NONE,
     ENDS(DRY_ERROR_OS, EPIPE),
     {CALL(-EINTR), CALL(-EPIPE)}},
    {"non-blocking: at once", 0, COUNT, 0, 0, {CALL(COUNT)}},
    {"non-blocking: not now", 0, ENDS(DRY_ERROR_OS, EAGAIN), {CALL(-EAGAIN)}},
    {"non-blocking: a signal", 0, COUNT, 0, 0, {CALL(-EINTR), CHECK(0), CALL(COUNT)}},
    {"non-blocking: a signal whose handler raises",
     0,
     ENDS(DRY_ERROR_INTERRUPTED, 3),
     {CALL(-EINTR), CHECK(3)}},
    {"non-blocking: an error", 0, ENDS(DRY_ERROR_OS, ENOTCONN), {CALL(-ENOTCONN)}},
    {"timeout: ready", 50 * MS, COUNT, 0, 0, {WAIT(50, 0, 1), CALL(COUNT)}},
    {"timeout: ready at the last moment", 50 * MS, COUNT, 0, 0, {WAIT(50, 50, 1), CALL(COUNT)}},
    {"timeout: nothing", 50 * MS, ENDS(DRY_ERROR_TIMEOUT, 0), {WAIT(50, 50, 0)}},
    {"timeout: signals, then ready",
     50 * MS,
     COUNT,
     0,
     0,
     {WAIT(50, 20, -EINTR), CHECK(0), WAIT(30, 29, -EINTR), CHECK(0), WAIT(1, 0, 1), CALL(COUNT)}},
    {"timeout: signals, then nothing",
     50 * MS,
     ENDS(DRY_ERROR_TIMEOUT, 0),
     {WAIT(50, 20, -EINTR), CHECK(0), WAIT(30, 30, 0)}},
    {"timeout: a signal whose handler raises",
     50 * MS,
     ENDS(DRY_ERROR_INTERRUPTED, 5),
     {WAIT(50, 20, -EINTR), CHECK(5)}},
    {"timeout: ready for nothing, then ready",
     50 * MS,
     COUNT,
     0,
     0,
     {WAIT(50, 10, 1), CALL(-EAGAIN), WAIT(40, 15, 1), CALL(-EAGAIN), WAIT(25, 0, 1), CALL(COUNT)}},
    {"timeout: ready for nothing, then nothing",
     50 * MS,
     ENDS(DRY_ERROR_TIMEOUT, 0),
     {WAIT(50, 10, 1), CALL(-EAGAIN), WAIT(40, 40, 0)}},
    {"timeout: a signal behind the wait",
     50 * MS,
     COUNT,
     0,
     0,
     {WAIT(50, 10, 1), CALL(-EINTR), CHECK(0), CALL(COUNT)}},
    {"timeout: one behind the wait whose handler raises",
     50 * MS,
     ENDS(DRY_ERROR_INTERRUPTED, 6),
     {WAIT(50, 10, 1), CALL(-EINTR), CHECK(6)}},
    {"timeout: an error",
     50 * MS,
     ENDS(DRY_ERROR_OS, ECONNRESET),
     {WAIT(50, 10, 1), CALL(-ECONNRESET)}},
    {"timeout: the wait fails", 50 * MS, ENDS(DRY_ERROR_OS, ENOMEM), {WAIT(50, 0, -ENOMEM)}},
};

static size_t fill(const struct method *method, const struct test_case *what, struct step steps[STEPS])
{
    size_t count = 0;
    for (; count < STEPS && (what->steps[count].call != 0 || what->steps[count].gives != 0); count++) {
        steps[count] = what->steps[count];
        if (steps[count].call == 0) {
            steps[count].call = method->call;
            steps[count].bytes = steps[count].call == STEP_SEND ? COUNT : 0;
        } else if (steps[count].call == STEP_POLL) {
            steps[count].events = method->events;
        }
    }
    return count;
}

static void each_method__in_each_mode__with_each_end(void **state)
{
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            const struct method *method = &methods[m];
            const struct test_case *what = &cases[c];
            struct step steps[STEPS];
            char announced[32];
            double_play(steps, fill(method, what, steps));
            struct dry_socket *s = double_socket(what->timeout_ns);
            ssize_t result = method->run(s);
            const struct dry_error *error = dry_last_error();
            if (result != what->result ||
                (result < 0 && (error->kind != what->kind || error->code != what->code))) {
                fail_msg("%s, %s: gives %zd with error %d(%d): %s", method->name, what->name, result,
                         (int)error->kind, error->code, error->message);
            }
            if (method->tells_items && items != 0) {
                fail_msg("%s, %s: tells %zu items", method->name, what->name, items);
            }
            snprintf(announced, sizeof announced, "%s(77) ", method->name);
            assert_string_equal(double_announced(), announced);
            double_finish();
            double_free(s);
        }
    }
}

/* ---- what lies just inside and just outside --------------------------------------------------- */

static void timeouts__at_their_bounds__wait_exactly_so_long(void **state)
{
    static const int64_t bounds[] = {1, 999, MS - 1, MS, MS + 1, 1000 * (int64_t)MS, INT64_C(1) << 61};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        PLAY({STEP_POLL, .timeout_ns = bounds[i], .gives = 1, .events = POLLIN},
             {STEP_RECEIVE, .gives = COUNT});
        struct dry_socket *s = double_socket(bounds[i]);
        assert_int_equal(dry_recv(s, bytes, COUNT, 0), COUNT);
        double_finish();
        double_free(s);
    }
}

static void sendall__short_sends__one_deadline_and_the_count_of_each_failure(void **state)
{
    size_t sent = 99;
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 10 * MS, .gives = 1, .events = POLLOUT},
         {STEP_SEND, .bytes = 4, .gives = 1},
         {STEP_POLL, .timeout_ns = 40 * MS, .takes_ns = 15 * MS, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 25 * MS, .takes_ns = 5 * MS, .gives = 1},
         {STEP_SEND, .bytes = 3, .gives = 2},
         {STEP_POLL, .timeout_ns = 20 * MS, .takes_ns = 20 * MS, .gives = 0});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_sendall(s, bytes, COUNT, 0, &sent), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_TIMEOUT);
    assert_int_equal(sent, 3);
    double_finish();
    double_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method__in_each_mode__with_each_end),
        cmocka_unit_test(timeouts__at_their_bounds__wait_exactly_so_long),
        cmocka_unit_test(sendall__short_sends__one_deadline_and_the_count_of_each_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
