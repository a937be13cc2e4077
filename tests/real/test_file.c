/* File objects: streams over a socket, their buffers, their text, and what a timeout does to them.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "double.h"

static struct dry_socket *pair[2]; /* the stream is over the first */
static char data[20000];

static void expect_error(enum dry_error_kind kind, int code, const char *message)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
    assert_string_equal(dry_last_error()->message, message);
}

static int open_pair(void **state)
{
    memset(data, 0, sizeof data);
    return dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int close_pair(void **state)
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] != NULL) {
            dry_close(pair[i]);
        }
    }
    return 0;
}

static FILE *make(const char *mode, const char *encoding, const char *errors, const char *newline)
{
    FILE *file = dry_makefile(pair[0], mode, -1, encoding, errors, newline);
    assert_non_null(file);
    return file;
}

static void peer_sends(const char *bytes, size_t count)
{
    assert_int_equal(dry_sendall(pair[1], bytes, count, 0, NULL), 0);
}

static void peer_ends(void)
{
    assert_int_equal(dry_shutdown(pair[1], SHUT_WR), 0);
}

static void peer_receives(const char *bytes, size_t count)
{
    assert_int_equal(dry_recv(pair[1], data, sizeof data, MSG_DONTWAIT), count);
    assert_memory_equal(data, bytes, count);
}

/* What a text stream reads of these bytes, up to the end or an error. */
static void reads(const char *encoding, const char *errors, const char *newline, const char *bytes,
                  size_t count, const char *text, size_t text_count)
{
    assert_int_equal(dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    FILE *file = make("r", encoding, errors, newline);
    peer_sends(bytes, count);
    peer_ends();
    assert_int_equal(fread(data, 1, sizeof data, file), text_count);
    assert_memory_equal(data, text, text_count);
    fclose(file);
    close_pair(NULL);
    pair[0] = pair[1] = NULL;
}
#define READS(encoding, errors, newline, bytes, text) \
    reads(encoding, errors, newline, bytes, sizeof(bytes) - 1, text, sizeof(text) - 1)

/* What a text stream sends for this text, written in two pieces at each possible place. */
static void writes(const char *encoding, const char *errors, const char *newline, const char *text,
                   size_t text_count, const char *bytes, size_t count)
{
    for (size_t cut = 0; cut <= text_count; cut++) {
        assert_int_equal(dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        FILE *file = make("w", encoding, errors, newline);
        fwrite(text, 1, cut, file);
        fflush(file);
        fwrite(text + cut, 1, text_count - cut, file);
        fclose(file);
        peer_receives(bytes, count);
        close_pair(NULL);
    }
    pair[0] = pair[1] = NULL;
}
#define WRITES(encoding, errors, newline, text, bytes) \
    writes(encoding, errors, newline, text, sizeof(text) - 1, bytes, sizeof(bytes) - 1)

/* ---- binary ------------------------------------------------------------------------------- */

static void binary__lines__read_one_by_one_to_the_end(void **state)
{
    FILE *file = make("rb", NULL, NULL, NULL);
    peer_sends("one\r\ntwo\n\xff", 10);
    peer_ends();
    assert_string_equal(fgets(data, 99, file), "one\r\n");
    assert_string_equal(fgets(data, 99, file), "two\n");
    assert_int_equal(fgetc(file), 0xff);
    assert_int_equal(fgetc(file), EOF);
    assert_true(feof(file));
    fclose(file);
}

static void binary__written__buffered_until_flushed(void **state)
{
    FILE *file = make("wb", NULL, NULL, NULL);
    fputs("hello", file);
    assert_int_equal(dry_recv(pair[1], data, sizeof data, MSG_DONTWAIT), -1);
    fflush(file);
    peer_receives("hello", 5);
    fclose(file);
}

static void unbuffered__written__sent_at_once(void **state)
{
    FILE *file = dry_makefile(pair[0], "wb", 0, NULL, NULL, NULL);
    fputs("hello", file);
    peer_receives("hello", 5);
    fclose(file);
}

static void buffer_of_256__written__sent_when_full(void **state)
{
    FILE *file = dry_makefile(pair[0], "wb", 256, NULL, NULL, NULL);
    assert_int_equal(fwrite(data, 1, 200, file), 200);
    assert_int_equal(dry_recv(pair[1], data, sizeof data, MSG_DONTWAIT), -1);
    assert_int_equal(fwrite(data, 1, 100, file), 100);
    assert_int_equal(dry_recv(pair[1], data, sizeof data, MSG_DONTWAIT), 256);
    fclose(file);
}

static void text_by_lines__line_written__sent_without_a_flush(void **state)
{
    FILE *file = dry_makefile(pair[0], "w", 1, NULL, NULL, NULL);
    fputs("half", file);
    assert_int_equal(dry_recv(pair[1], data, sizeof data, MSG_DONTWAIT), -1);
    fputs(" a line\n", file);
    peer_receives("half a line\n", 12);
    fclose(file);
}

static void both_ways__turning_from_reading_to_writing__nothing_read_ahead_is_lost(void **state)
{
    FILE *file = make("rwb", NULL, NULL, NULL);
    peer_sends("first\nsecond\n", 13);
    assert_string_equal(fgets(data, 99, file), "first\n");
    fputs("answer\n", file);
    fflush(file);
    assert_string_equal(fgets(data, 99, file), "second\n");
    fclose(file);
    peer_receives("answer\n", 7);
}

static void large_data__written_and_read__all_of_it(void **state)
{
    FILE *in = make("rb", NULL, NULL, NULL);
    struct dry_socket *swap = pair[0];
    pair[0] = pair[1];
    FILE *out = make("wb", NULL, NULL, NULL);
    pair[1] = pair[0];
    pair[0] = swap;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)(i % 251);
    }
    assert_int_equal(fwrite(data, 1, sizeof data, out), sizeof data);
    fclose(out);
    memset(data, 0, sizeof data);
    assert_int_equal(fread(data, 1, sizeof data, in), sizeof data);
    for (size_t i = 0; i < sizeof data; i++) {
        assert_int_equal((unsigned char)data[i], i % 251);
    }
    fclose(in);
}

/* ---- the stream and the socket's life ----------------------------------------------------- */

static void closed_socket__with_a_stream_open__descriptor_lives_until_the_last_stream(void **state)
{
    int fd = dry_fileno(pair[0]);
    FILE *first = make("rb", NULL, NULL, NULL);
    FILE *second = make("wb", NULL, NULL, NULL);
    assert_int_equal(dry_close(pair[0]), 0);
    pair[0] = NULL;
    fputs("still", second);
    assert_int_equal(fclose(second), 0);
    peer_receives("still", 5);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_int_equal(fclose(first), 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(dry_recv(pair[1], data, 1, 0), 0);
}

static void kept_handle__closed_with_a_stream_open__works_until_the_stream_closes(void **state)
{
    FILE *file = make("rb", NULL, NULL, NULL);
    assert_int_equal(dry_close_keep(pair[0]), 0);
    assert_int_equal(dry_send(pair[0], "x", 1, 0), 1);
    fclose(file);
    assert_int_equal(dry_fileno(pair[0]), -1);
    assert_int_equal(dry_send(pair[0], "x", 1, 0), -1);
    expect_error(DRY_ERROR_OS, EBADF, "Bad file descriptor");
}

static void kept_handle__ended_with_streams_open__each_stream_still_counts(void **state)
{
    int fd = dry_fileno(pair[0]);
    FILE *first = make("rb", NULL, NULL, NULL);
    FILE *second = make("rb", NULL, NULL, NULL);
    dry_close_keep(pair[0]);
    dry_close(pair[0]);
    pair[0] = NULL;
    fclose(first);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    fclose(second);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void stream_closed__socket_stays_open(void **state)
{
    fclose(make("rb", NULL, NULL, NULL));
    assert_int_equal(dry_send(pair[0], "x", 1, 0), 1);
}

/* ---- timeouts ----------------------------------------------------------------------------- */

static void read_times_out__then_data_comes__reads_fail_from_then_on(void **state)
{
    dry_settimeout(pair[0], 5 * MS);
    FILE *file = make("rb", NULL, NULL, NULL);
    errno = 0;
    assert_int_equal(fgetc(file), EOF);
    assert_true(ferror(file));
    assert_int_equal(errno, EAGAIN);
    expect_error(DRY_ERROR_TIMEOUT, 0, "timed out");
    peer_sends("late", 4);
    clearerr(file);
    assert_int_equal(fgetc(file), EOF);
    expect_error(DRY_ERROR_OS, 0, "cannot read from timed out object");
    /* The socket itself is none the worse, and neither is another stream. */
    FILE *other = make("rb", NULL, NULL, NULL);
    assert_int_equal(fgetc(other), 'l');
    fclose(other);
    fclose(file);
}

static void nonblocking__nothing_there__eagain_and_later_data_is_read(void **state)
{
    dry_setblocking(pair[0], false);
    FILE *file = make("rb", NULL, NULL, NULL);
    assert_int_equal(fgetc(file), EOF);
    assert_int_equal(errno, EAGAIN);
    expect_error(DRY_ERROR_OS, EAGAIN, "Resource temporarily unavailable");
    peer_sends("x", 1);
    clearerr(file);
    assert_int_equal(fgetc(file), 'x');
    fclose(file);
}

static void write__each_send_has_the_whole_timeout(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 40 * MS, .gives = 1},
         {STEP_SEND, .bytes = 10, .gives = 4},
         {STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 40 * MS, .gives = 1},
         {STEP_SEND, .bytes = 6, .gives = 6});
    struct dry_socket *s = double_socket(50 * MS);
    FILE *file = dry_makefile(s, "wb", -1, NULL, NULL, NULL);
    fputs("0123456789", file);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(double_announced(), "makefile(77) send(77) send(77) ");
    double_finish();
    double_free(s);
}

static void read__signal_and_check_stops__eintr(void **state)
{
    PLAY({STEP_RECEIVE, .gives = -EINTR}, {STEP_CHECK, .gives = 2});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    FILE *file = dry_makefile(s, "rb", -1, NULL, NULL, NULL);
    assert_int_equal(fgetc(file), EOF);
    assert_int_equal(errno, EINTR);
    expect_error(DRY_ERROR_INTERRUPTED, 2, "interrupted");
    fclose(file);
    double_finish();
    double_free(s);
}

/* ---- text: what Python's codecs give for the same bytes ----------------------------------- */

static void text__utf8__read_with_each_handler(void **state)
{
    READS("utf-8", NULL, "",
          "gr\xc3\xbc\xc3\x9f"
          "e \xe2\x82\xac\xf0\x9f\x98\x80",
          "gr\xc3\xbc\xc3\x9f"
          "e \xe2\x82\xac\xf0\x9f\x98\x80");
    READS("utf-8", "replace", "",
          "a\xff"
          "b\xe2\x82"
          "c\xed\xa0\x80"
          "d\xf0\x9f\x98",
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd"
          "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
          "d\xef\xbf\xbd");
    READS("utf-8", "ignore", "",
          "a\xff"
          "b\xe2\x82"
          "c\xc3",
          "abc");
    READS("utf-8", "backslashreplace", "",
          "a\xff"
          "b\xe2\x82"
          "c\xc3",
          "a\\xffb\\xe2\\x82c\\xc3");
    READS("utf-8", "surrogateescape", "",
          "a\xff"
          "b\xe2\x82"
          "c",
          "a\xff"
          "b\xe2\x82"
          "c");
}

static void text__other_encodings__read(void **state)
{
    READS("latin-1", NULL, "",
          "gr\xfc\xdf"
          "e",
          "gr\xc3\xbc\xc3\x9f"
          "e");
    READS("utf-16-le", NULL, "", "a\0\xac\x20\x3d\xd8\x00\xde", "a\xe2\x82\xac\xf0\x9f\x98\x80");
    READS("cp1252", NULL, "", "\x80 100", "\xe2\x82\xac 100");
    READS("ascii", "replace", "", "a\xe9z", "a\xef\xbf\xbdz");
    READS("utf-16-be", "replace", "", "\0a\0", "a\xef\xbf\xbd");
    /* A wrong surrogate is one error of two bytes; an ASCII byte is never escaped. */
    READS("utf-16-be", "replace", "", "\xd8=\0a",
          "\xef\xbf\xbd"
          "a");
    READS("utf-16-be", "backslashreplace", "", "\0z\xdc\1\0a", "z\\xdc\\x01a");
    READS("utf-16-le", "surrogateescape", "", "z\0\1\xdc", "z");
}

static void text__newlines__translated_only_when_universal(void **state)
{
    READS("utf-8", NULL, NULL, "a\r\nb\rc\nd\r\r\n\r", "a\nb\nc\nd\n\n\n");
    READS("utf-8", NULL, "", "a\r\nb\rc\n", "a\r\nb\rc\n");
    READS("utf-8", NULL, "\n", "a\r\nb\rc\n", "a\r\nb\rc\n");
    READS("utf-8", NULL, "\r\n", "a\r\nb\rc\n", "a\r\nb\rc\n");
}

static void text__newline_and_character_cut_by_the_network__read_as_one(void **state)
{
    FILE *file = make("r", "utf-8", NULL, NULL);
    peer_sends("a\r", 2);
    assert_string_equal(fgets(data, 99, file), "a\n");
    peer_sends("\nb\xe2", 3);
    assert_int_equal(fgetc(file), 'b');
    peer_sends("\x82\xac\n", 3);
    assert_string_equal(fgets(data, 99, file), "\xe2\x82\xac\n");
    fclose(file);
}

static void text__wrong_bytes_when_strict__good_ones_first_then_unicode_error(void **state)
{
    FILE *file = make("r", "utf-8", NULL, NULL);
    peer_sends("ok\xff", 3);
    assert_int_equal(fgetc(file), 'o');
    assert_int_equal(fgetc(file), 'k');
    assert_int_equal(fgetc(file), EOF);
    assert_int_equal(errno, EILSEQ);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_UNICODE,
                 "'utf-8' codec can't decode byte 0xff: invalid data");
    fclose(file);
}

static void text__end_inside_a_character_when_strict__unicode_error(void **state)
{
    FILE *file = make("r", "utf-8", NULL, NULL);
    peer_sends("\xe2\x82", 2);
    peer_ends();
    assert_int_equal(fgetc(file), EOF);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_UNICODE,
                 "'utf-8' codec can't decode byte 0xe2: unexpected end of data");
    fclose(file);
}

static void text__written__encoded_with_each_handler(void **state)
{
    WRITES("utf-8", NULL, NULL, "\xe2\x82\xac\n", "\xe2\x82\xac\n");
    WRITES("latin-1", "replace", NULL, "\xc3\xbc\xe2\x82\xac!", "\xfc?!");
    WRITES("ascii", "ignore", NULL,
           "a\xc3\xbc"
           "b",
           "ab");
    WRITES("ascii", "backslashreplace", NULL, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
           "\\xfc\\u20ac\\U0001f600");
    WRITES("ascii", "xmlcharrefreplace", NULL, "\xc3\xbc\xe2\x82\xac", "&#252;&#8364;");
    WRITES("ascii", "surrogateescape", NULL,
           "a\xff"
           "b\xe2\x82",
           "a\xff"
           "b\xe2\x82");
    WRITES("utf-8", "surrogateescape", NULL, "\xe2\x82\xac\xe2", "\xe2\x82\xac\xe2");
    WRITES("utf-8", "backslashreplace", NULL, "a\xff", "a\\udcff");
    WRITES("utf-16-le", NULL, NULL, "a\xf0\x9f\x98\x80", "a\0\x3d\xd8\x00\xde");
}

static void text__newlines_written__as_asked(void **state)
{
    WRITES("utf-8", NULL, NULL, "a\nb\r\n", "a\nb\r\n");
    WRITES("utf-8", NULL, "", "a\nb\r\n", "a\nb\r\n");
    WRITES("utf-8", NULL, "\r", "a\n\nb", "a\r\rb");
    WRITES("utf-8", NULL, "\r\n", "a\n\n\xc3\xbc\n", "a\r\n\r\n\xc3\xbc\r\n");
    WRITES("utf-16-le", NULL, "\r\n", "a\n", "a\0\r\0\n\0");
}

static void text__character_that_is_not_in_the_encoding__error_after_the_good_ones(void **state)
{
    FILE *file = make("w", "ascii", NULL, NULL);
    fputs("good\xe2\x82\xac", file);
    assert_int_equal(fflush(file), EOF);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_UNICODE, "'ascii' codec can't encode character U+20AC");
    peer_receives("good", 4);
    fclose(file);
}

static void unknown_handler__needed__only_then_an_error(void **state)
{
    FILE *file = make("r", "utf-8", "no-such", NULL);
    peer_sends("a\xff", 2);
    assert_int_equal(fgetc(file), 'a');
    assert_int_equal(fgetc(file), EOF);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "unknown error handler name 'no-such'");
    fclose(file);
}

static void arguments__wrong__refused_with_pythons_words(void **state)
{
    assert_null(dry_makefile(pair[0], "x", -1, NULL, NULL, NULL));
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "invalid mode 'x' (only r, w, b allowed)");
    assert_null(dry_makefile(pair[0], "r", 0, NULL, NULL, NULL));
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "unbuffered streams must be binary");
    assert_null(dry_makefile(pair[0], "r", -1, "no-such", NULL, NULL));
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "unknown encoding: no-such");
    assert_null(dry_makefile(pair[0], "r", -1, "ascii//translit", NULL, NULL));
    assert_null(dry_makefile(pair[0], "r", -1, NULL, NULL, "x"));
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "illegal newline value: x");
    /* A refused stream holds nothing: close really closes. */
    int fd = dry_fileno(pair[0]);
    dry_close(pair[0]);
    pair[0] = NULL;
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(binary__lines__read_one_by_one_to_the_end),
        WITH_PAIR(binary__written__buffered_until_flushed),
        WITH_PAIR(unbuffered__written__sent_at_once),
        WITH_PAIR(buffer_of_256__written__sent_when_full),
        WITH_PAIR(text_by_lines__line_written__sent_without_a_flush),
        WITH_PAIR(both_ways__turning_from_reading_to_writing__nothing_read_ahead_is_lost),
        WITH_PAIR(large_data__written_and_read__all_of_it),
        WITH_PAIR(closed_socket__with_a_stream_open__descriptor_lives_until_the_last_stream),
        WITH_PAIR(kept_handle__closed_with_a_stream_open__works_until_the_stream_closes),
        WITH_PAIR(kept_handle__ended_with_streams_open__each_stream_still_counts),
        WITH_PAIR(stream_closed__socket_stays_open),
        WITH_PAIR(read_times_out__then_data_comes__reads_fail_from_then_on),
        WITH_PAIR(nonblocking__nothing_there__eagain_and_later_data_is_read),
        cmocka_unit_test(write__each_send_has_the_whole_timeout),
        cmocka_unit_test(read__signal_and_check_stops__eintr),
        cmocka_unit_test(text__utf8__read_with_each_handler),
        cmocka_unit_test(text__other_encodings__read),
        cmocka_unit_test(text__newlines__translated_only_when_universal),
        WITH_PAIR(text__newline_and_character_cut_by_the_network__read_as_one),
        WITH_PAIR(text__wrong_bytes_when_strict__good_ones_first_then_unicode_error),
        WITH_PAIR(text__end_inside_a_character_when_strict__unicode_error),
        cmocka_unit_test(text__written__encoded_with_each_handler),
        cmocka_unit_test(text__newlines_written__as_asked),
        WITH_PAIR(text__character_that_is_not_in_the_encoding__error_after_the_good_ones),
        WITH_PAIR(unknown_handler__needed__only_then_an_error),
        WITH_PAIR(arguments__wrong__refused_with_pythons_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
