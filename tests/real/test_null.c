/* Every call of socket.h that takes a socket, given none: as a closed one, whichever system is below.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "all_calls.h"

static void no_socket__any_call__as_on_a_closed_one(void **state)
{
    static const char *const do_nothing_well[] = {"dry_close", "dry_close_keep", NULL};
    int taking_sockets = 0;
    the_socket = NULL;
    for (int i = 0; i < ALL_CALLS; i++) {
        const struct call *call = &all_calls[i];
        if (!call->takes_socket) {
            continue;
        }
        taking_sockets++;
        renew_arguments();
        dry_socket(AF_INET, 77, 0); /* another error comes before */
        const int64_t result = call->make();
        if (is_one_of(call->name, do_nothing_well)) {
            assert_int_equal(result, 0);
            continue;
        }
        const int64_t expected = strcmp(call->name, "dry_connect_ex") == 0 ? EBADF
                                 : call->result == RESULT_POINTER || call->result == RESULT_TRUTH ? 0
                                                                                                  : -1;
        if (result != expected) {
            fail_msg("%s: %lld", call->name, (long long)result);
        }
        if (expected != EBADF &&
            (dry_last_error()->kind != DRY_ERROR_OS || dry_last_error()->code != EBADF)) {
            fail_msg("%s: kind %d code %d", call->name, dry_last_error()->kind, dry_last_error()->code);
        }
    }
    assert_true(taking_sockets > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_socket__any_call__as_on_a_closed_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
