/* Capture files, by libpcap.
 * SPDX-License-Identifier: MIT */
#include "capture.h"

#include <assert.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

enum { SNAPSHOT_BYTES = 262144 }; /* no packet is longer */

static const uint64_t SECOND_NS = 1000000000;

struct sim_capture {
    pcap_t *format;
    pcap_dumper_t *dumper;
};

int sim_capture_open(const char *path, struct sim_capture **capture)
{
    /* Opened here, not by libpcap, whose errors are sentences without an errno. */
    FILE *file = fopen(path, "wbe");
    if (!file) {
        return -errno;
    }
    struct sim_capture *made = calloc(1, sizeof *made);
    pcap_t *format = pcap_open_dead_with_tstamp_precision(DLT_RAW, SNAPSHOT_BYTES,
                                                          PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *dumper = made && format ? pcap_dump_fopen(format, file) : NULL;
    if (!dumper) {
        if (format) {
            pcap_close(format);
        }
        free(made);
        fclose(file);
        return -ENOMEM;
    }
    made->format = format;
    made->dumper = dumper;
    *capture = made;
    return 0;
}

void sim_capture_write(struct sim_capture *capture, uint64_t at_ns, const void *bytes, size_t length)
{
    assert(length <= SNAPSHOT_BYTES);
    const struct pcap_pkthdr header = {
        /* With this precision tv_usec holds nanoseconds. */
        .ts = {.tv_sec = (time_t)(at_ns / SECOND_NS), .tv_usec = (long)(at_ns % SECOND_NS)},
        .caplen = (bpf_u_int32)length,
        .len = (bpf_u_int32)length,
    };
    pcap_dump((u_char *)capture->dumper, &header, bytes);
}

int sim_capture_flush(struct sim_capture *capture)
{
    return pcap_dump_flush(capture->dumper) < 0 ? -errno : 0;
}

int sim_capture_close(struct sim_capture *capture)
{
    if (!capture) {
        return 0;
    }
    int result = sim_capture_flush(capture);
    if (result == 0 && ferror(pcap_dump_file(capture->dumper))) {
        result = -EIO;
    }
    pcap_dump_close(capture->dumper);
    pcap_close(capture->format);
    free(capture);
    return result;
}
