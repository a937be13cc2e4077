/* Is a pointer of the program good? A bad one is answered as a kernel would: EFAULT, never a crash.
 * SPDX-License-Identifier: MIT
 *
 * The kernel itself is asked, page by page, by a transfer of one byte from the program to itself;
 * what it said is remembered until the program changes its memory. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "preload.h"

enum {
    PAGE_BITS = 12,
    PAGE_BYTES = 1 << PAGE_BITS,
    REMEMBERED = 1024,
    MAY_READ = 1,
    MAY_WRITE = 2,
};

/* A page in bits 12 and up, what it may in the lowest. */
static uint64_t remembered[REMEMBERED];

void preload_memory_changed(void)
{
    memset(remembered, 0, sizeof remembered);
}

static bool ask(uintptr_t at, unsigned wanted)
{
    static int64_t cannot_ask;
    char byte;
    const struct iovec local = {&byte, 1};
    const struct iovec remote = {(void *)at, 1};
    const int64_t pid = preload_kernel(SYS_getpid);
    int64_t result = preload_kernel(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0);
    if (result == 1 && wanted == MAY_WRITE) {
        result = preload_kernel(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0);
    }
    cannot_ask = result == -ENOSYS || result == -EPERM;
    return result == 1 || cannot_ask;
}

static bool good(uintptr_t start, size_t length, unsigned wanted)
{
    if (length == 0) {
        return true;
    }
    if (start < PAGE_BYTES || start + length < start || start + length > (UINT64_C(1) << 47)) {
        return false;
    }
    const uintptr_t last = (start + length - 1) >> PAGE_BITS;
    for (uintptr_t page = start >> PAGE_BITS; page <= last; page++) {
        uint64_t *memory = &remembered[page % REMEMBERED];
        const bool known = *memory >> PAGE_BITS == page;
        if (known && (*memory & wanted)) {
            continue;
        }
        const uintptr_t at = page << PAGE_BITS;
        if (!ask(at < start ? start : at, wanted)) {
            return false;
        }
        *memory = at | (known ? *memory & (PAGE_BYTES - 1) : 0) | MAY_READ | wanted;
    }
    return true;
}

bool preload_readable(const void *start, size_t length)
{
    return good((uintptr_t)start, length, MAY_READ);
}

bool preload_writable(const void *start, size_t length)
{
    return good((uintptr_t)start, length, MAY_WRITE);
}

int64_t preload_string(const char *string)
{
    for (size_t length = 0; length < PATH_MAX; length++) {
        const bool first_of_page = ((uintptr_t)(string + length) & (PAGE_BYTES - 1)) == 0;
        if ((length == 0 || first_of_page) && !preload_readable(string + length, 1)) {
            return -EFAULT;
        }
        if (!string[length]) {
            return (int64_t)length + 1;
        }
    }
    return -ENAMETOOLONG;
}
