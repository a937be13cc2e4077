/* A planted data race: how much is lost depends on the order of threads, and on nothing else.
 * SPDX-License-Identifier: MIT
 *
 * Run by repeats.py, which reads what it prints. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { THREADS = 4, ROUNDS = 6 };

static volatile int count;
static char order[THREADS * ROUNDS + 1];
static int written;

static void *add(void *name)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int seen = count;
        sched_yield();
        count = seen + 1;
        order[written++] = *(const char *)name;
    }
    return NULL;
}

int main(void)
{
    static char names[] = "abcd";
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, add, &names[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%d %s\n", count, order);
    return 0;
}
