/* Verbs by name, and which parameter each argument fills; constants by name.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"
#include "harness/language/constant.h"
#include "harness/language/verb.h"

static void a_verb__is_found__by_what_it_is_called_on(void **state)
{
    assert_non_null(verb_find(VERB_FUNCTION, "socket"));
    assert_non_null(verb_find(VERB_SOCKET, "recv"));
    assert_non_null(verb_find(VERB_FILE, "readline"));
    assert_non_null(verb_find(VERB_EPOLL, "register"));
    assert_non_null(verb_find(VERB_ATTRIBUTE, "family"));
    assert_null(verb_find(VERB_FUNCTION, "recv"));
    assert_null(verb_find(VERB_SOCKET, "socket"));
    assert_null(verb_find(VERB_SOCKET, ""));
}

static void a_method__is_known__of_any_object(void **state)
{
    assert_true(verb_is_method("recv", false));
    assert_true(verb_is_method("readline", false));
    assert_true(verb_is_method("register", false));
    assert_true(verb_is_method("family", true));
    assert_false(verb_is_method("family", false));
    assert_false(verb_is_method("recv", true));
    assert_false(verb_is_method("getaddrinfo", false));
}

static void arguments__fill_parameters__by_place_or_by_name(void **state)
{
    static const struct verb two = {.name = "v", .parameters = "first second?"};
    static const struct verb rest = {.name = "v", .parameters = "first *items"};
    uint32_t required;
    size_t length;
    assert_int_equal(verb_parameters(&two, &required), 2);
    assert_int_equal(required, 1);
    assert_int_equal(verb_parameter(&two, 0, NULL), 0);
    assert_int_equal(verb_parameter(&two, 1, NULL), 1);
    assert_int_equal(verb_parameter(&two, 2, NULL), -1);
    assert_int_equal(verb_parameter(&two, 0, "second"), 1); /* without its mark */
    assert_int_equal(verb_parameter(&two, 0, "sec"), -1);
    assert_int_equal(verb_parameter(&two, 0, "second?"), -1);
    assert_memory_equal(verb_parameter_name(&two, 1, &length), "second?", 7);
    assert_int_equal(length, 7);
    assert_null(verb_parameter_name(&two, 2, &length));

    assert_int_equal(verb_parameters(&rest, &required), 2);
    assert_int_equal(required, 1);
    assert_int_equal(verb_parameter(&rest, 1, NULL), 1);
    assert_int_equal(verb_parameter(&rest, 7, NULL), 1);
    assert_int_equal(verb_parameter(&rest, 0, "items"), -1);
}

static void a_constant__is_found__in_each_of_its_lists(void **state)
{
    int64_t number = -1;
    assert_int_equal(constant_number("AF_INET", &number), 0);
    assert_int_equal(number, AF_INET);
    assert_int_equal(constant_number("POLLRDHUP", &number), 0);
    assert_int_equal(number, 0x2000);
    assert_int_equal(constant_number("ECONNREFUSED", &number), 0);
    assert_int_equal(number, 111);
    assert_int_equal(constant_number("EWOULDBLOCK", &number), 0);
    assert_int_equal(number, 11);
    assert_int_equal(constant_number("STOP", &number), 0);
    assert_int_equal(number, 1);
    assert_int_equal(constant_number("AF_NOWHERE", &number), -1);
    assert_string_equal(constant_name("IPPROTO_", 6), "IPPROTO_TCP");
    assert_null(constant_name("IPPROTO_", 253));
}

static void bits__are_printed__by_name_or_number(void **state)
{
    struct text text = {0};
    constant_print_bits(&text, "POLL", 0x1 | 0x4 | 0x400000);
    assert_string_equal(text.bytes, "POLLIN | POLLOUT | 0x400000");
    text_free(&text);
    constant_print_bits(&text, "MSG_", 0);
    assert_string_equal(text.bytes, "0");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verb__is_found__by_what_it_is_called_on),
        cmocka_unit_test(a_method__is_known__of_any_object),
        cmocka_unit_test(arguments__fill_parameters__by_place_or_by_name),
        cmocka_unit_test(a_constant__is_found__in_each_of_its_lists),
        cmocka_unit_test(bits__are_printed__by_name_or_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
