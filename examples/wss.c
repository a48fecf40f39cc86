/* How much memory does this program really use? It fills 256 MiB and then works on 40 MiB of them; the working set is
 * measured over longer and longer times, reads and writes alike, and drawn beside what the system says is resident.
 *
 * Measuring clears all accessed bits of the program, which stops it for some milliseconds a GiB: damon_c.h says the
 * price. Runs in about two seconds, needs no privileges. */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damon_c.h"

enum { HEAP = 256 << 20, USED = 40 << 20, PAGE = 4096 };

static unsigned char* heap;
static atomic_bool quit;

/* Mostly reads one object a page, a random one after the other. */
static void* program(void* unused) {
    uint64_t seed = 88172645463325252u, sum = 0;
    while (!atomic_load(&quit)) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        unsigned char* object = heap + seed % (USED / PAGE) * PAGE;
        if (seed >> 60 == 0) *object = (unsigned char)sum;
        sum += *object;
    }
    return unused;
}

int main(void) {
    heap = malloc(HEAP);
    if (heap == NULL) return 1;
    memset(heap, 1, HEAP);
    pthread_t thread;
    if (pthread_create(&thread, NULL, program, NULL) != 0) return 1;

    damon_ctx* ctx = damon_ctx_new(); /* need not run */
    const uint64_t interval_us[] = {100, 1000, 10000, 100000, 1000000};
    int result = 0;
    printf("interval      working set     present     unseen\n");
    for (size_t i = 0; i < sizeof interval_us / sizeof interval_us[0] && result == 0; ++i) {
        struct damon_wss_result set;
        damon_wss_result_init(&set);
        set.mode = 1; /* the whole process */
        set.interval_us = interval_us[i];
        result = damon_wss(ctx, &set);
        if (result != 0) break;
        printf("%7.1f ms %10.1f MiB %7.1f MiB %6.1f MiB\n", (double)set.interval_us / 1e3,
               (double)set.touched_bytes / (1 << 20), (double)set.present_bytes / (1 << 20),
               (double)set.unseen_bytes / (1 << 20));
    }
    if (result != 0) {
        char why[256] = "";
        damon_ctx_errmsg(ctx, why, sizeof why);
        fprintf(stderr, "damon_wss: %s (%s)\n", damon_strerror(result), why);
    }
    damon_ctx_free(ctx);
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);
    free(heap);
    return result == 0 ? 0 : 1;
}
