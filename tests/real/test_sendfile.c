/* Sending files: offset, count, the file's position, the fallback, timeouts.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "double.h"

enum { FILE_BYTES = 1000 };

static struct dry_socket *pair[2];
static int file = -1;
static char content[FILE_BYTES];
static size_t sent;

static void expect_error(enum dry_error_kind kind, int code)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
}

static int begin(void **state)
{
    for (size_t i = 0; i < FILE_BYTES; i++) {
        content[i] = (char)('a' + i % 23);
    }
    file = memfd_create("file", MFD_CLOEXEC);
    if (write(file, content, FILE_BYTES) != FILE_BYTES || lseek(file, 5, SEEK_SET) != 5) {
        return -1;
    }
    sent = 77777;
    return dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int end(void **state)
{
    close(file);
    dry_close(pair[0]);
    dry_close(pair[1]);
    return 0;
}

static void arrives(const char *bytes, size_t count)
{
    char buffer[FILE_BYTES + 1];
    assert_int_equal(dry_recv(pair[1], buffer, sizeof buffer, 0), count);
    assert_memory_equal(buffer, bytes, count);
}

static void whole_file__sent_from_its_beginning__position_at_the_end(void **state)
{
    assert_int_equal(dry_sendfile(pair[0], file, 0, -1, &sent), 0);
    assert_int_equal(sent, FILE_BYTES);
    assert_int_equal(lseek(file, 0, SEEK_CUR), FILE_BYTES);
    arrives(content, FILE_BYTES);
}

static void offset_and_count__sent__position_behind_the_part(void **state)
{
    assert_int_equal(dry_sendfile(pair[0], file, 100, 50, &sent), 0);
    assert_int_equal(sent, 50);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 150);
    arrives(content + 100, 50);
}

static void count_beyond_the_end__sent__what_there_is(void **state)
{
    assert_int_equal(dry_sendfile(pair[0], file, 990, 50, &sent), 0);
    assert_int_equal(sent, 10);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 1000);
    arrives(content + 990, 10);
}

static void empty_file__sent__nothing_even_without_blocking(void **state)
{
    int empty = memfd_create("empty", MFD_CLOEXEC);
    dry_setblocking(pair[0], false);
    assert_int_equal(dry_sendfile(pair[0], empty, 0, -1, &sent), 0);
    assert_int_equal(sent, 0);
    close(empty);
}

static void parameters__wrong__value_errors_with_pythons_words(void **state)
{
    struct dry_socket *datagrams = dry_socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(dry_sendfile(datagrams, file, 0, -1, NULL), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR);
    assert_string_equal(dry_last_error()->message, "only SOCK_STREAM type sockets are supported");
    dry_close(datagrams);
    assert_int_equal(dry_sendfile(pair[0], file, 0, 0, NULL), -1);
    assert_string_equal(dry_last_error()->message, "count must be a positive integer (got 0)");
    dry_setblocking(pair[0], false);
    assert_int_equal(dry_sendfile(pair[0], file, 0, -1, NULL), -1);
    assert_string_equal(dry_last_error()->message, "non-blocking sockets are not supported");
}

static void pipe__cannot_sendfile__sent_by_send(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], content, 20), 20);
    close(ends[1]);
    assert_int_equal(dry_sendfile(pair[0], ends[0], 0, 15, &sent), 0);
    assert_int_equal(sent, 15);
    arrives(content, 15);
    assert_int_equal(read(ends[0], content, 20), 5);
    close(ends[0]);
}

static void system_refuses__fallback_sends_from_offset__position_follows(void **state)
{
    PLAY({STEP_SENDFILE, .gives = -EINVAL}, {STEP_SEND, .bytes = 30, .gives = 12},
         {STEP_SEND, .bytes = 18, .gives = 18});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_sendfile(s, file, 200, 30, &sent), 0);
    assert_int_equal(sent, 30);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 230);
    double_finish();
    double_free(s);
}

static void error_after_some_bytes__no_fallback__position_tells(void **state)
{
    PLAY({STEP_SENDFILE, .bytes = 1000, .gives = 300}, {STEP_SENDFILE, .bytes = 1000, .gives = -EPIPE});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_sendfile(s, file, 0, -1, &sent), -1);
    expect_error(DRY_ERROR_OS, EPIPE);
    assert_int_equal(sent, 300);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 300);
    double_finish();
    double_free(s);
}

static void timeout__each_piece_has_its_own__position_tells(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 40 * MS, .gives = 1, .events = POLLOUT},
         {STEP_SENDFILE, .bytes = 600, .gives = 100},
         {STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 20 * MS, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 30 * MS, .takes_ns = 30 * MS, .gives = 0});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_sendfile(s, file, 0, 600, &sent), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    assert_int_equal(sent, 100);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 100);
    double_finish();
    double_free(s);
}

static void timeout__before_the_first_byte__no_fallback(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 50 * MS, .gives = 0});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_sendfile(s, file, 0, -1, &sent), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 5);
    double_finish();
    double_free(s);
}

static void descriptor_made_nonblocking__full__waits_instead_of_spinning(void **state)
{
    PLAY({STEP_SENDFILE, .gives = 10}, {STEP_SENDFILE, .gives = -EAGAIN},
         {STEP_POLL, .timeout_ns = FOREVER, .gives = 1}, {STEP_SENDFILE, .gives = 90});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_sendfile(s, file, 0, 100, &sent), 0);
    assert_int_equal(sent, 100);
    double_finish();
    double_free(s);
}

static void check_stops__midway__interrupted_and_counted(void **state)
{
    PLAY({STEP_SENDFILE, .gives = 10}, {STEP_SENDFILE, .gives = -EINTR}, {STEP_CHECK, .gives = 4});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_sendfile(s, file, 0, -1, &sent), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 4);
    assert_int_equal(sent, 10);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 10);
    double_finish();
    double_free(s);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(whole_file__sent_from_its_beginning__position_at_the_end),
        WITH_FILE(offset_and_count__sent__position_behind_the_part),
        WITH_FILE(count_beyond_the_end__sent__what_there_is),
        WITH_FILE(empty_file__sent__nothing_even_without_blocking),
        WITH_FILE(parameters__wrong__value_errors_with_pythons_words),
        WITH_FILE(pipe__cannot_sendfile__sent_by_send),
        WITH_FILE(system_refuses__fallback_sends_from_offset__position_follows),
        WITH_FILE(error_after_some_bytes__no_fallback__position_tells),
        WITH_FILE(timeout__each_piece_has_its_own__position_tells),
        WITH_FILE(timeout__before_the_first_byte__no_fallback),
        WITH_FILE(descriptor_made_nonblocking__full__waits_instead_of_spinning),
        WITH_FILE(check_stops__midway__interrupted_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
