/* The clock functions that the kernel maps into each program: made to lead to the library.
 * SPDX-License-Identifier: MIT
 *
 * They read the machine's clock without a system call, so no trap sees them. Each is overwritten at its
 * beginning with a jump; the pages are the process's own copy. */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "preload.h"

/* A call of the program by way of the table, as the trap makes it. */
static int64_t call(int64_t number, int64_t first, int64_t second, int64_t third)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {first, second, third};
    const bool was_inside = preload_enter();
    const int saved_errno = errno;
    const int64_t result = was_inside ? preload_pass(number, arguments)
                                      : preload_call(number, arguments);
    errno = saved_errno;
    if (!was_inside) {
        preload_leave();
    }
    return result;
}

static int64_t vdso_clock_gettime(clockid_t clock, struct timespec *now)
{
    return call(SYS_clock_gettime, clock, (int64_t)(uintptr_t)now, 0);
}

static int64_t vdso_clock_getres(clockid_t clock, struct timespec *resolution)
{
    return call(SYS_clock_getres, clock, (int64_t)(uintptr_t)resolution, 0);
}

static int64_t vdso_gettimeofday(struct timeval *now, void *zone)
{
    return call(SYS_gettimeofday, (int64_t)(uintptr_t)now, (int64_t)(uintptr_t)zone, 0);
}

static int64_t vdso_time(time_t *now)
{
    return call(SYS_time, (int64_t)(uintptr_t)now, 0, 0);
}

static const struct {
    const char *name;
    uintptr_t function;
} replacements[] = {
    {"__vdso_clock_gettime", (uintptr_t)vdso_clock_gettime},
    {"__vdso_clock_getres", (uintptr_t)vdso_clock_getres},
    {"__vdso_gettimeofday", (uintptr_t)vdso_gettimeofday},
    {"__vdso_time", (uintptr_t)vdso_time},
};

struct image {
    uintptr_t base; /* of its addresses */
    const ElfW(Sym) * symbols;
    const char *strings;
    size_t symbol_count;
    uintptr_t end;
};

static bool read_image(uintptr_t start, struct image *image)
{
    const ElfW(Ehdr) *header = (const void *)start;
    const ElfW(Phdr) *segments = (const void *)(start + header->e_phoff);
    const ElfW(Dyn) *dynamic = NULL;
    memset(image, 0, sizeof *image);
    for (int i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD) {
            image->base = start - segments[i].p_vaddr + segments[i].p_offset;
            image->end = start + segments[i].p_memsz;
        } else if (segments[i].p_type == PT_DYNAMIC) {
            dynamic = (const void *)(start + segments[i].p_offset);
        }
    }
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        const uintptr_t at = image->base + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_SYMTAB) {
            image->symbols = (const void *)at;
        } else if (dynamic->d_tag == DT_STRTAB) {
            image->strings = (const void *)at;
        }
    }
    /* The strings follow the symbols, as linkers lay them out. */
    if (!image->symbols || !image->strings || (const char *)image->symbols >= image->strings) {
        return false;
    }
    image->symbol_count = (size_t)(image->strings - (const char *)image->symbols) / sizeof(ElfW(Sym));
    return true;
}

/* movabs $function, %r11; jmp *%r11 */
static void overwrite(uintptr_t at, uintptr_t function)
{
    uint8_t code[13] = {0x49, 0xbb, [10] = 0x41, [11] = 0xff, [12] = 0xe3};
    memcpy(code + 2, &function, sizeof function);
    memcpy((void *)at, code, sizeof code);
}

void preload_vdso_patch(void)
{
    const uintptr_t start = getauxval(AT_SYSINFO_EHDR);
    struct image image;
    if (!start || !read_image(start, &image)) {
        return;
    }
    const size_t bytes = (image.end - start + 4095) & ~(size_t)4095;
    if (preload_kernel(SYS_mprotect, start, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) < 0) {
        preload_fail("the kernel's clock functions cannot be replaced");
    }
    for (size_t i = 0; i < image.symbol_count; i++) {
        const char *name = image.strings + image.symbols[i].st_name;
        for (size_t k = 0; k < sizeof replacements / sizeof replacements[0]; k++) {
            if (strcmp(name, replacements[k].name) == 0) {
                overwrite(image.base + image.symbols[i].st_value, replacements[k].function);
            }
        }
    }
    preload_kernel(SYS_mprotect, start, bytes, PROT_READ | PROT_EXEC);
}
