/* Numeric addresses and byte order: the C library's verdicts, CPython's errors.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <drysock/socket.h>

static void failed_with(int64_t result, enum dry_error_kind kind, int code, const char *message)
{
    assert_int_equal(result, -1);
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
    assert_string_equal(dry_last_error()->message, message);
}

static void text__is_packed__and_back(void **state)
{
    uint8_t packed[16];
    char text[DRY_INET_TEXT_BYTES];
    assert_int_equal(dry_inet_aton("127.1", packed), 0);
    assert_memory_equal(packed, "\x7f\0\0\1", 4);
    assert_int_equal(dry_inet_ntoa(packed, 4, text), 0);
    assert_string_equal(text, "127.0.0.1");
    assert_int_equal(dry_inet_pton(AF_INET, "10.0.0.1", packed), 4);
    assert_int_equal(dry_inet_ntop(AF_INET, packed, 4, text), 0);
    assert_string_equal(text, "10.0.0.1");
    assert_int_equal(dry_inet_pton(AF_INET6, "1:0:0::2", packed), 16);
    assert_int_equal(dry_inet_ntop(AF_INET6, packed, 16, text), 0);
    assert_string_equal(text, "1::2");
}

static void aton__meets_blanks__takes_what_the_c_library_takes(void **state)
{
    uint8_t packed[4];
    assert_int_equal(dry_inet_aton("1.2 3", packed), 0);
    assert_memory_equal(packed, "\1\0\0\2", 4);
}

static void wrong_text__is_packed__fails_as_python(void **state)
{
    uint8_t packed[16];
    failed_with(dry_inet_aton("x", packed), DRY_ERROR_OS, 0,
                "illegal IP address string passed to inet_aton");
    failed_with(dry_inet_pton(AF_INET, "1", packed), DRY_ERROR_OS, 0,
                "illegal IP address string passed to inet_pton");
    failed_with(dry_inet_pton(AF_INET6, "1.2.3.4", packed), DRY_ERROR_OS, 0,
                "illegal IP address string passed to inet_pton");
    failed_with(dry_inet_pton(99, "1.2.3.4", packed), DRY_ERROR_OS, EAFNOSUPPORT,
                "Address family not supported by protocol");
}

static void wrong_length__is_printed__fails_as_python(void **state)
{
    char text[DRY_INET_TEXT_BYTES];
    failed_with(dry_inet_ntoa("\1\2\3", 3, text), DRY_ERROR_OS, 0,
                "packed IP wrong length for inet_ntoa");
    failed_with(dry_inet_ntop(AF_INET, "\1\2\3", 3, text), DRY_ERROR_VALUE, DRY_VALUE_ERROR,
                "invalid length of packed IP address string");
    failed_with(dry_inet_ntop(AF_INET6, "\1\2\3\4", 4, text), DRY_ERROR_VALUE, DRY_VALUE_ERROR,
                "invalid length of packed IP address string");
    failed_with(dry_inet_ntop(99, "\1\2\3\4", 4, text), DRY_ERROR_VALUE, DRY_VALUE_ERROR,
                "unknown address family 99");
}

static void number_in_range__is_swapped__both_ways(void **state)
{
    assert_int_equal(dry_htons(0x1234), 0x3412);
    assert_int_equal(dry_ntohs(0x3412), 0x1234);
    assert_int_equal(dry_htonl(0x12345678), 0x78563412);
    assert_int_equal(dry_ntohl(UINT32_MAX), UINT32_MAX);
    assert_int_equal(dry_htons(0), 0);
}

static void number_out_of_range__is_swapped__overflows_as_python(void **state)
{
    const enum dry_error_kind kind = DRY_ERROR_VALUE;
    const int code = DRY_VALUE_OVERFLOW;
    failed_with(dry_ntohs(-1), kind, code,
                "ntohs: can't convert negative Python int to C 16-bit unsigned integer");
    failed_with(dry_htons(65536), kind, code,
                "htons: Python int too large to convert to C 16-bit unsigned integer");
    failed_with(dry_htons((int64_t)INT_MAX + 1), kind, code, "signed integer is greater than maximum");
    failed_with(dry_htons((int64_t)INT_MIN - 1), kind, code, "signed integer is less than minimum");
    failed_with(dry_ntohl(-1), kind, code, "can't convert negative value to unsigned int");
    failed_with(dry_htonl((int64_t)UINT32_MAX + 1), kind, code, "int larger than 32 bits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__is_packed__and_back),
        cmocka_unit_test(aton__meets_blanks__takes_what_the_c_library_takes),
        cmocka_unit_test(wrong_text__is_packed__fails_as_python),
        cmocka_unit_test(wrong_length__is_printed__fails_as_python),
        cmocka_unit_test(number_in_range__is_swapped__both_ways),
        cmocka_unit_test(number_out_of_range__is_swapped__overflows_as_python),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
