/* Capture files, read back by libpcap.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "sim/net/capture.h"

static void packets_written__file_read__has_their_bytes_and_nanoseconds(void **state)
{
    char path[] = "/tmp/drysock-capture-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    struct sim_capture *capture = NULL;
    assert_int_equal(sim_capture_open(path, &capture), 0);
    sim_capture_write(capture, 5 * SECOND + 123456789, "first", 5);
    sim_capture_write(capture, 5 * SECOND + 123456790, "packet two", 10);
    assert_int_equal(sim_capture_close(capture), 0);

    char message[PCAP_ERRBUF_SIZE];
    pcap_t *file = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, message);
    assert_non_null(file);
    assert_int_equal(pcap_datalink(file), DLT_RAW);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    assert_int_equal(pcap_next_ex(file, &header, &bytes), 1);
    assert_int_equal(header->ts.tv_sec, 5);
    assert_int_equal(header->ts.tv_usec, 123456789);
    assert_int_equal(header->caplen, 5);
    assert_memory_equal(bytes, "first", 5);
    assert_int_equal(pcap_next_ex(file, &header, &bytes), 1);
    assert_int_equal(header->ts.tv_usec, 123456790);
    assert_memory_equal(bytes, "packet two", 10);
    assert_int_equal(pcap_next_ex(file, &header, &bytes), PCAP_ERROR_BREAK);
    pcap_close(file);
    unlink(path);
}

static void no_such_directory__opened__tells_the_errno(void **state)
{
    struct sim_capture *capture = NULL;
    assert_int_equal(sim_capture_open("/no/such/directory/file", &capture), -ENOENT);
    assert_null(capture);
    assert_int_equal(sim_capture_close(NULL), 0);
}

static void full_disk__closed__tells_that_the_file_is_not_whole(void **state)
{
    struct sim_capture *capture = NULL;
    if (access("/dev/full", W_OK) < 0) {
        skip();
    }
    assert_int_equal(sim_capture_open("/dev/full", &capture), 0);
    sim_capture_write(capture, 0, "lost", 4);
    assert_int_equal(sim_capture_close(capture), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_written__file_read__has_their_bytes_and_nanoseconds),
        cmocka_unit_test(no_such_directory__opened__tells_the_errno),
        cmocka_unit_test(full_disk__closed__tells_that_the_file_is_not_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
