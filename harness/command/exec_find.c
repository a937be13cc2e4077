/* Which file a command is, and whether the world can hold what it runs.
 * SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec.h"

enum {
    HEAD_BYTES = 256,      /* LINUX: BINPRM_BUF_SIZE */
    MOST_INTERPRETERS = 5, /* LINUX: of scripts that name scripts */
    MOST_SEGMENTS = 64,
};

struct finding {
    char *sentence;
    size_t bytes;
};

__attribute__((format(printf, 3, 4))) static int no(const struct finding *finding, int status,
                                                    const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->sentence, finding->bytes, format, arguments);
    va_end(arguments);
    return status;
}

/* ---- what a file is ----------------------------------------------------------------------------- */

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
    Elf64_Phdr segments[MOST_SEGMENTS];
    const size_t count = header->e_phnum < MOST_SEGMENTS ? header->e_phnum : MOST_SEGMENTS;
    const size_t bytes = count * sizeof *segments;
    if (pread(fd, segments, bytes, (off_t)header->e_phoff) != (ssize_t)bytes) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type == PT_INTERP) {
            return true;
        }
    }
    return false;
}

static int judge_program(const struct finding *finding, const char *path, int fd, const char *head)
{
    Elf64_Ehdr header;
    memcpy(&header, head, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
        return no(finding, EXEC_NOT_RUNNABLE, "%s: a program for another kind of machine", path);
    }
    if (!has_interpreter(fd, &header)) {
        return no(finding, EXEC_NOT_RUNNABLE,
                  "%s: linked statically, so nothing can be put into it: use a dynamic build", path);
    }
    return 0;
}

static int judge(const struct finding *finding, const char *path, int depth);

/* "#!/path/to/interpreter argument" */
static int judge_script(const struct finding *finding, const char *path, char *head, int depth)
{
    char *interpreter = head + 2;
    interpreter[strcspn(interpreter, "\n")] = 0;
    interpreter += strspn(interpreter, " \t");
    interpreter[strcspn(interpreter, " \t")] = 0;
    if (access(interpreter, F_OK) != 0) {
        return no(finding, EXEC_NOT_FOUND, "%s: its interpreter \"%s\" does not exist", path,
                  interpreter);
    }
    if (depth >= MOST_INTERPRETERS) {
        return no(finding, EXEC_NOT_RUNNABLE, "%s: scripts that name scripts, too many", path);
    }
    return judge(finding, interpreter, depth + 1);
}

static int judge(const struct finding *finding, const char *path, int depth)
{
    struct stat status;
    char head[HEAD_BYTES + 1] = "";
    if (stat(path, &status) != 0) {
        return no(finding, errno == ENOENT || errno == ENOTDIR ? EXEC_NOT_FOUND : EXEC_NOT_RUNNABLE,
                  "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || access(path, X_OK) != 0) {
        return no(finding, EXEC_NOT_RUNNABLE, "%s: %s", path,
                  S_ISDIR(status.st_mode) ? "a folder" : "not an executable file");
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return no(finding, EXEC_NOT_RUNNABLE, "%s: cannot be read: %s", path, strerror(errno));
    }
    const ssize_t length = read(fd, head, HEAD_BYTES);
    int result;
    if (length >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) {
        result = judge_program(finding, path, fd, head);
    } else if (length > 2 && memcmp(head, "#!", 2) == 0) {
        result = judge_script(finding, path, head, depth);
    } else {
        result = no(finding, EXEC_NOT_RUNNABLE, "%s: neither a program nor a script with \"#!\"", path);
    }
    close(fd);
    return result;
}

/* ---- where it is -------------------------------------------------------------------------------- */

int exec_find(const char *command, char *path, size_t path_bytes, char *sentence, size_t bytes)
{
    const struct finding finding = {sentence, bytes};
    const char *folders = getenv("PATH");
    if (strchr(command, '/')) {
        snprintf(path, path_bytes, "%s", command);
        return judge(&finding, path, 0);
    }
    folders = folders ? folders : "/bin:/usr/bin";
    while (*command) {
        const size_t length = strcspn(folders, ":");
        snprintf(path, path_bytes, "%.*s%s%s", (int)length, folders, length > 0 ? "/" : "", command);
        struct stat status;
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0) {
            return judge(&finding, path, 0);
        }
        if (!folders[length]) {
            break;
        }
        folders += length + 1;
    }
    return no(&finding, EXEC_NOT_FOUND, "%s: there is no such command", command);
}

bool exec_library(char *path, size_t path_bytes, char *sentence, size_t bytes)
{
    /* Beside a build's drysock; then where it is installed. */
    static const char *const places[] = {"/../preload/libdrysock-preload.so", NULL};
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = 0;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char tried[PATH_MAX + 64];
        snprintf(tried, sizeof tried, "%s%s", places[i] ? self : "",
                 places[i] ? places[i] : EXEC_INSTALLED_LIBRARY);
        char whole[PATH_MAX];
        if (realpath(tried, whole) && strlen(whole) < path_bytes) {
            strcpy(path, whole);
            return true;
        }
    }
    snprintf(sentence, bytes, "libdrysock-preload.so is not installed beside drysock");
    return false;
}
