/* exec: the new program is put into the world as this one was, or refused where that cannot be.
 * SPDX-License-Identifier: MIT
 *
 * The library goes along by the environment, whatever environment the program gives; the world is told
 * by the new program itself, so an exec that fails has changed nothing. */
#include "execute.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "preload.h"
#include "world.h"

enum {
    HEAD_BYTES = 256, /* LINUX: BINPRM_BUF_SIZE */
    MOST_SEGMENTS = 64,
    MOST_SCRIPTS = 5,     /* LINUX: of scripts that name scripts */
    MOST_WORDS = 1 << 20, /* of an environment */
};

static char library[PATH_MAX]; /* this one */
static const char preload_name[] = "LD_PRELOAD=", place_name[] = PRELOAD_PLACE "=";

/* ---- the start ---------------------------------------------------------------------------------- */

/* The environment as the program would have it without the library. */
void preload_environment_start(void)
{
    const char *all = getenv("LD_PRELOAD");
    const char *rest = all ? strchr(all, ':') : NULL;
    const size_t length = all ? strcspn(all, ":") : 0;
    if (all && length < sizeof library) {
        memcpy(library, all, length);
    }
    unsetenv(PRELOAD_PLACE);
    if (rest) {
        memmove(strstr(all, library), rest + 1, strlen(rest)); /* in its own place: no allocation */
    } else {
        unsetenv("LD_PRELOAD");
    }
}

/* ---- may it be executed? ------------------------------------------------------------------------ */

static void refuse(const char *path, const char *why)
{
    char line[PATH_MAX + 128];
    const int length = snprintf(line, sizeof line, "drysock: %s: %s\n", path, why);
    preload_kernel(SYS_write, STDERR_FILENO, line, length);
}

static bool has_interpreter(int64_t fd, const Elf64_Ehdr *header)
{
    Elf64_Phdr segments[MOST_SEGMENTS];
    const size_t count = header->e_phnum < MOST_SEGMENTS ? header->e_phnum : MOST_SEGMENTS;
    const int64_t bytes = (int64_t)(count * sizeof *segments);
    if (preload_kernel(SYS_pread64, fd, segments, bytes, header->e_phoff) != bytes) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type == PT_INTERP) {
            return true;
        }
    }
    return false;
}

/* A program that the library cannot enter would run on the machine unseen. 0 for all others, and for
 * what the kernel will refuse by itself. */
static int64_t judge(const char *path, int64_t fd, int depth)
{
    char head[HEAD_BYTES + 1] = "";
    struct stat status;
    Elf64_Ehdr header;
    const int64_t length = preload_kernel(SYS_pread64, fd, head, HEAD_BYTES, 0);
    preload_kernel(SYS_fstat, fd, &status);
    if ((status.st_mode & S_ISUID) && status.st_uid != geteuid()) {
        refuse(path, "sets the user's identity, so nothing can be put into it");
        return -EACCES;
    }
    if (length >= (int64_t)sizeof header && memcmp(head, ELFMAG, SELFMAG) == 0) {
        memcpy(&header, head, sizeof header);
        const bool ours = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64;
        if (ours && !has_interpreter(fd, &header)) {
            refuse(path, "linked statically, so nothing can be put into it");
            return -EACCES;
        }
        return ours ? 0 : -ENOEXEC;
    }
    if (length > 2 && memcmp(head, "#!", 2) == 0 && depth < MOST_SCRIPTS) {
        char *interpreter = head + 2 + strspn(head + 2, " \t");
        interpreter[strcspn(interpreter, " \t\n")] = 0;
        const int64_t next = preload_kernel(SYS_openat, AT_FDCWD, interpreter, O_RDONLY | O_CLOEXEC);
        const int64_t result = next < 0 ? 0 : judge(interpreter, next, depth + 1);
        if (next >= 0) {
            preload_kernel(SYS_close, next);
        }
        return result;
    }
    return 0;
}

/* ---- the environment ---------------------------------------------------------------------------- */

static bool begins(const char *word, const char *name)
{
    return preload_string(word) > 0 && strncmp(word, name, strlen(name)) == 0;
}

/* How many words the list has; -EFAULT. */
static int64_t count_words(char *const *words)
{
    for (int64_t count = 0; words && count < MOST_WORDS; count++) {
        if (!preload_readable(&words[count], sizeof *words)) {
            return -EFAULT;
        }
        if (!words[count]) {
            return count;
        }
    }
    return words ? -E2BIG : 0;
}

/* Words that name the library and the program's place, before all others but those of the same
 * names. */
static void fill(const char **list, char *const *words, int64_t count, char *preload, char *place)
{
    const char *before = NULL;
    int64_t at = 2;
    for (int64_t i = 0; i < count; i++) {
        if (begins(words[i], preload_name)) {
            before = before ? before : words[i] + sizeof preload_name - 1;
        } else if (!begins(words[i], place_name)) {
            list[at++] = words[i];
        }
    }
    snprintf(preload, 3 * PATH_MAX, "%s%s%s%s", preload_name, library, before && *before ? ":" : "",
             before ? before : "");
    snprintf(place, PATH_MAX, "%s%d:%d:%d:1", place_name, preload_hidden(), preload_process(),
             preload_self.task);
    list[0] = preload;
    list[1] = place;
    list[at] = NULL;
}

static int64_t execute(int64_t number, const int64_t *a, int environment)
{
    char *const *words = preload_pointer(a[environment]);
    const int64_t count = count_words(words);
    if (count < 0) {
        return count;
    }
    const size_t bytes = (size_t)(count + 3) * sizeof(char *) + 4 * PATH_MAX;
    const int64_t memory = preload_kernel(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0) {
        return memory;
    }
    const char **list = preload_pointer(memory);
    char *texts = (char *)(list + count + 3);
    fill(list, words, count, texts, texts + 3 * PATH_MAX);
    int64_t arguments[PRELOAD_ARGUMENTS];
    memcpy(arguments, a, sizeof arguments);
    arguments[environment] = memory;
    const int64_t result = preload_pass(number, arguments);
    preload_kernel(SYS_munmap, memory, bytes);
    return result;
}

int64_t preload_do_execve(const int64_t *a)
{
    const char *path = preload_pointer(a[0]);
    const int64_t length = preload_string(path);
    if (length < 0) {
        return length;
    }
    const int64_t fd = preload_kernel(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    const int64_t wrong = fd < 0 ? 0 : judge(path, fd, 0);
    if (fd >= 0) {
        preload_kernel(SYS_close, fd);
    }
    return wrong < 0 ? wrong : execute(SYS_execve, a, 2);
}

int64_t preload_do_execveat(const int64_t *a)
{
    return execute(SYS_execveat, a, 3);
}
