/* What a range costs that comes and goes while a context runs: damon_ctx_add_range() and damon_ctx_remove_range() with
 * 100 to 100,000 ranges, and what the worker then pays for a sample. Prints a table in Markdown. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "damon_c.h"

enum { PAGE = 4096, ROUNDS = 2000 };

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int ascending(const void* left, const void* right) {
    const double a = *(const double*)left, b = *(const double*)right;
    return (a > b) - (a < b);
}

static void show(const char* name, double* us) {
    qsort(us, ROUNDS, sizeof *us, ascending);
    printf(" %s %.1f / %.1f / %.0f |", name, us[ROUNDS / 2], us[ROUNDS * 99 / 100], us[ROUNDS - 1]);
}

static int measure(size_t nr_ranges) {
    static double add_us[ROUNDS], remove_us[ROUNDS];
    const size_t bytes = 2 * (nr_ranges + 1) * PAGE;
    char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    damon_ctx* ctx = damon_ctx_new();
    struct damon_attrs attrs;
    struct damon_ctx_stats before, after;
    char text[256] = "";
    if (memory == MAP_FAILED || ctx == NULL) return 1;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    memset(memory, 1, bytes);
    damon_attrs_init(&attrs);
    attrs.max_overhead_permil = 0;
    damon_ctx_set_attrs(ctx, &attrs);
    for (size_t i = 0; i < nr_ranges; i++) {
        if (damon_ctx_add_range(ctx, memory + 2 * i * PAGE, PAGE, 0) != 0) return 1;
    }
    if (damon_start(&ctx, 1, 0) != 0) {
        damon_ctx_errmsg(ctx, text, sizeof text);
        fprintf(stderr, "start: %s\n", text);
        return 1;
    }
    damon_snapshot_wait(ctx, 2, 10000);
    damon_ctx_stats_init(&before);
    damon_ctx_stats_init(&after);
    damon_ctx_get_stats(ctx, &before);
    damon_snapshot_wait(ctx, 12, 10000);
    damon_ctx_get_stats(ctx, &after);
    const double sample_us =
        (double)(after.cpu_ns - before.cpu_ns) / 1e3 / (double)(after.nr_samples - before.nr_samples);
    for (int i = 0; i < ROUNDS; i++) {
        const double begin = now_us();
        if (damon_ctx_add_range(ctx, memory + 2 * nr_ranges * PAGE, PAGE, 0) != 0) return 1;
        const double added = now_us();
        /* In every phase of an interval. */
        while (now_us() - added < (double)(rand() % 1000)) {
        }
        const double removing = now_us();
        if (damon_ctx_remove_range(ctx, memory + 2 * nr_ranges * PAGE, PAGE) != 0) return 1;
        remove_us[i] = now_us() - removing;
        add_us[i] = added - begin;
    }
    printf("| %zu |", nr_ranges);
    show("", add_us);
    show("", remove_us);
    printf(" %.2f |\n", sample_us);
    fflush(stdout);
    damon_ctx_free(ctx);
    munmap(memory, bytes);
    return 0;
}

int main(void) {
    printf("| ranges | add, us: p50 / p99 / most | remove, us: p50 / p99 / most | worker's CPU a sample, us |\n");
    printf("| --- | --- | --- | --- |\n");
    for (size_t nr_ranges = 100; nr_ranges <= 100000; nr_ranges *= 10) {
        if (measure(nr_ranges) != 0) return 1;
    }
    return 0;
}
