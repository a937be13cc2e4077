/* Runs a fuzz target: in AFL++'s persistent loop, or over the files named (or standard input).
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUT_BYTES = 1 << 20 };

#ifdef __AFL_FUZZ_TESTCASE_LEN

__AFL_FUZZ_INIT();

int main(void)
{
    __AFL_INIT();
    uint8_t *shared = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(100000)) {
        /* A copy of the exact size, so that the sanitizers see reads behind its end. */
        size_t size = (size_t)__AFL_FUZZ_TESTCASE_LEN;
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, shared, size);
        fuzz_one(copy, size);
        free(copy);
    }
    return 0;
}

#else

static int run_file(FILE *file, const char *name)
{
    if (!file) {
        perror(name);
        return 1;
    }
    uint8_t *input = malloc(INPUT_BYTES);
    size_t size = fread(input, 1, INPUT_BYTES, file);
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, input, size);
    free(input);
    fuzz_one(copy, size);
    free(copy);
    return 0;
}

int main(int count, char **names)
{
    int status = 0;
    if (count < 2) {
        return run_file(stdin, "standard input");
    }
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        status |= run_file(file, names[i]);
        if (file) {
            fclose(file);
        }
    }
    return status;
}

#endif
