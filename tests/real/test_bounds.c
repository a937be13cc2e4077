/* What lies just inside and just outside of the library's own limits.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <drysock/socket.h>

static struct dry_socket *pair[2];

static int begin(void **state)
{
    return dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int end(void **state)
{
    dry_close(pair[0]);
    dry_close(pair[1]);
    return 0;
}

/* What has come at the other end and not been read yet, as text. */
static const char *arrived(void)
{
    static char text[256];
    ssize_t count = dry_recv(pair[1], text, sizeof text - 1, MSG_DONTWAIT);
    text[count > 0 ? count : 0] = 0;
    return text;
}

static void getsockopt__each_length__1_to_1024_are_asked(void **state)
{
    static const struct {
        size_t bytes;
        bool asked;
    } rows[] = {{0, false}, {1, true}, {3, true}, {4, true}, {1023, true}, {1024, true}, {1025, false}};
    char buffer[1100];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ssize_t got = dry_getsockopt(pair[0], SOL_SOCKET, SO_TYPE, buffer, rows[i].bytes);
        if (rows[i].asked) {
            assert_int_equal(got, rows[i].bytes < sizeof(int) ? rows[i].bytes : sizeof(int));
        } else {
            assert_int_equal(got, -1);
            assert_int_equal(dry_last_error()->kind, DRY_ERROR_OS);
            assert_int_equal(dry_last_error()->code, 0);
            assert_string_equal(dry_last_error()->message, "getsockopt buflen out of range");
        }
    }
}

/* When what is written goes out: `first` before any flush, by mode and buffering. */
static void makefile__each_buffering__goes_out_when_it_should(void **state)
{
    static const struct {
        const char *mode;
        int buffering;
        const char *first, *rest; /* of "a\nb" */
    } rows[] = {
        {"wb", -1, "", "a\nb"}, {"wb", 0, "a\nb", ""},   {"w", -1, "", "a\nb"},
        {"w", 1, "a\n", "b"},   {"wb", 256, "", "a\nb"}, {"w", 256, "", "a\nb"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *file = dry_makefile(pair[0], rows[i].mode, rows[i].buffering, NULL, NULL, NULL);
        assert_non_null(file);
        assert_int_equal(fwrite("a\nb", 1, 3, file), 3);
        if (strcmp(arrived(), rows[i].first) != 0) {
            fail_msg("%s, %d: not \"%s\" before the flush", rows[i].mode, rows[i].buffering,
                     rows[i].first);
        }
        assert_int_equal(fflush(file), 0);
        assert_string_equal(arrived(), rows[i].rest);
        fclose(file);
    }
    /* A buffer of one byte is no buffering by lines: nothing waits for a line's end. */
    FILE *file = dry_makefile(pair[0], "wb", 1, NULL, NULL, NULL);
    assert_int_equal(fwrite("abc", 1, 3, file), 3);
    assert_int_equal(fwrite("d", 1, 1, file), 1);
    const char *came = arrived();
    assert_true(strlen(came) >= 3);
    fclose(file);
    assert_null(dry_makefile(pair[0], "w", 0, NULL, NULL, NULL));
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
}

static void cmsg_lengths__at_their_ends__as_python_takes_them(void **state)
{
    assert_int_equal(dry_cmsg_len(0), CMSG_LEN(0));
    assert_int_equal(dry_cmsg_len(0x7fffffff - 16), 0x7fffffff);
    assert_int_equal(dry_cmsg_len(0x7fffffff - 15), -1);
    assert_int_equal(dry_cmsg_len(-1), -1);
    assert_int_equal(dry_cmsg_space(0), CMSG_SPACE(0));
    assert_int_equal(dry_cmsg_space(1), CMSG_SPACE(1));
    assert_int_equal(dry_cmsg_space(8), CMSG_SPACE(8));
    assert_int_equal(dry_cmsg_space(9), CMSG_SPACE(9));
    assert_int_equal(dry_cmsg_space(-1), -1);
    assert_int_equal(dry_last_error()->code, DRY_VALUE_OVERFLOW);
}

static void recv_into__each_size__up_to_the_buffer(void **state)
{
    char buffer[4] = "....";
    dry_send(pair[1], "abcdefgh", 8, 0);
    assert_int_equal(dry_recv_into(pair[0], buffer, 4, 1, 0), 1);
    assert_memory_equal(buffer, "a...", 4);
    assert_int_equal(dry_recv_into(pair[0], buffer, 4, 4, 0), 4);
    assert_memory_equal(buffer, "bcde", 4);
    assert_int_equal(dry_recv_into(pair[0], buffer, 4, 5, 0), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
    assert_int_equal(dry_recv_into(pair[0], buffer, 4, 0, 0), 3);
    assert_memory_equal(buffer, "fghe", 4);
}

static void durations__of_the_header__are_nanoseconds(void **state)
{
    assert_int_equal(DRY_MICROSECOND, 1000);
    assert_int_equal(DRY_MILLISECOND, 1000000);
    assert_int_equal(90 * DRY_MINUTE, INT64_C(5400000000000));
    assert_int_equal(DRY_HOUR, 60 * DRY_MINUTE);
    assert_int_equal(dry_settimeout(pair[0], 3 * DRY_SECOND), 0);
    assert_int_equal(dry_gettimeout(pair[0]), 3000 * DRY_MILLISECOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(getsockopt__each_length__1_to_1024_are_asked),
        TEST(makefile__each_buffering__goes_out_when_it_should),
        TEST(cmsg_lengths__at_their_ends__as_python_takes_them),
        TEST(recv_into__each_size__up_to_the_buffer),
        TEST(durations__of_the_header__are_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
