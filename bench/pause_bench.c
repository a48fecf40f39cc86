/* SPDX-License-Identifier: MIT */
/* What a pause costs, whatever the size of the memory: the time until damon_set_pause() returns and until nothing is
 * armed any more, the worker's processor time for a pause and a resume, and how long another thread's mmap + munmap
 * waits meanwhile; the same for the start and the end of a run. One line of JSON for each size, kind of memory and
 * access check.
 *
 *     pause_bench [largest size in MiB, default 4096] [pauses, default 100] [smallest size, default 64]
 */
#include <damon_c.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NR_REGIONS = 1000, MAX_STALLS = 1 << 21 };

static double stalls[MAX_STALLS];
static size_t nr_stalls;
static atomic_int quit;

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void sleep_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int compare(const void* a, const void* b) {
    const double x = *(const double*)a;
    const double y = *(const double*)b;
    return (x > y) - (x < y);
}

static double at(const double* sorted, size_t nr, double share) {
    const size_t i = (size_t)((double)nr * share);
    return nr == 0 ? 0 : sorted[i < nr ? i : nr - 1];
}

static void* map_and_unmap(void* unused) {
    (void)unused;
    while (!atomic_load(&quit) && nr_stalls < MAX_STALLS) {
        const double begin = now_us();
        char* memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *memory = 1;
        munmap(memory, 65536);
        stalls[nr_stalls++] = now_us() - begin;
        if (nr_stalls % 64 == 0) sched_yield();
    }
    return NULL;
}

static pthread_t begin_stalls(void) {
    pthread_t thread;
    nr_stalls = 0;
    atomic_store(&quit, 0);
    if (pthread_create(&thread, NULL, map_and_unmap, NULL) != 0) abort();
    return thread;
}

static void end_stalls(pthread_t thread, const char* name) {
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);
    qsort(stalls, nr_stalls, sizeof *stalls, compare);
    printf(", \"%s_p50_us\": %.1f, \"%s_p999_us\": %.1f, \"%s_max_us\": %.1f", name, at(stalls, nr_stalls, 0.5), name,
           at(stalls, nr_stalls, 0.999), name, at(stalls, nr_stalls, 1));
}

/* PAGEMAP_SCAN, by its numbers: the headers may be older than the kernel. */
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, wanted;
};
enum { WRITTEN = 1 << 1, PRESENT = 1 << 3, ACCESSED = 1 << 9 };
#define PAGEMAP_SCAN _IOWR('f', 16, struct scan)

/* Whether any present page is protected. */
static int any_armed(int pagemap, const char* memory, size_t bytes, int32_t check) {
    const uint64_t told = check == DAMON_ACCESS_CHECK_UFFD_RWP ? ACCESSED : WRITTEN;
    uint64_t region[3];
    struct scan scan = {sizeof scan,
                        0,
                        (uintptr_t)memory,
                        (uintptr_t)memory + bytes,
                        0,
                        (uintptr_t)region,
                        1,
                        1,
                        told,
                        told | PRESENT,
                        0,
                        PRESENT};
    return ioctl(pagemap, PAGEMAP_SCAN, &scan) > 0;
}

static void time_to_unarmed(damon_ctx* ctx, const char* memory, size_t bytes, int32_t check) {
    enum { TIMES = 15 };
    double times[TIMES];
    const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < TIMES; ++i) {
        sleep_ms(21 + i % 7);
        damon_set_pause(ctx, 1);
        const double begin = now_us();
        while (any_armed(pagemap, memory, bytes, check)) sleep_ms(1);
        times[i] = now_us() - begin;
        damon_set_pause(ctx, 0);
    }
    close(pagemap);
    qsort(times, TIMES, sizeof *times, compare);
    printf(", \"unarmed_p50_us\": %.0f, \"unarmed_max_us\": %.0f", at(times, TIMES, 0.5), at(times, TIMES, 1));
}

static uint64_t worker_cpu_ns(const damon_ctx* ctx) {
    struct damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    damon_ctx_get_stats(ctx, &stats);
    return stats.cpu_ns;
}

static damon_ctx* context_of(char* memory, size_t bytes, int32_t check) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.min_nr_regions = NR_REGIONS / 2;
    attrs.max_nr_regions = NR_REGIONS;
    attrs.max_overhead_permil = 0;
    const struct damon_addr_range range = {(uintptr_t)memory, (uintptr_t)memory + bytes};
    if (damon_ctx_set_attrs(ctx, &attrs) != 0 || damon_target_set_regions(target, &range, 1) != 0 ||
        damon_ctx_add_target(ctx, target) != 0 || damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR) != 0 ||
        damon_ctx_set_access_check(ctx, check) != 0) {
        abort();
    }
    return ctx;
}

/* Pauses of 20 ms; `latencies` gets the times until they had returned. Processor time of the pauses and resumes alone.
 */
static void pause_often(damon_ctx* ctx, size_t nr_pauses, double* latencies) {
    double cpu_us = 0;
    for (size_t i = 0; i < nr_pauses; ++i) {
        sleep_ms(21 + (long)(i % 7));
        const double begin = now_us();
        damon_set_pause(ctx, 1);
        latencies[i] = now_us() - begin;
        const uint64_t paused_ns = worker_cpu_ns(ctx);
        sleep_ms(20);
        cpu_us += (double)(worker_cpu_ns(ctx) - paused_ns) / 1e3;
        damon_set_pause(ctx, 0);
    }
    qsort(latencies, nr_pauses, sizeof *latencies, compare);
    printf(", \"pause_p50_us\": %.0f, \"pause_p90_us\": %.0f, \"pause_max_us\": %.0f, \"cpu_while_paused_us\": %.0f",
           at(latencies, nr_pauses, 0.5), at(latencies, nr_pauses, 0.9), at(latencies, nr_pauses, 1),
           cpu_us / (double)nr_pauses);
}

static void pause_under_load(damon_ctx* ctx, size_t nr_pauses) {
    for (size_t i = 0; i < nr_pauses; ++i) {
        damon_set_pause(ctx, 1);
        sleep_ms(20);
        damon_set_pause(ctx, 0);
        sleep_ms(20);
    }
}

static void measure(size_t mib, int shared, int32_t check, size_t nr_pauses) {
    const size_t bytes = mib << 20;
    struct damon_access_check_info info;
    damon_access_check_info_init(&info);
    damon_access_check_probe(check, &info);
    if (!info.available) {
        printf("{\"bench\": \"pause\", \"check\": \"%s\", \"skipped\": \"%s\"}\n", info.name, info.reason);
        return;
    }
    char* memory = shared ? damon_shared_map(bytes)
                          : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double* latencies = calloc(nr_pauses, sizeof *latencies);
    if (memory == NULL || memory == MAP_FAILED || latencies == NULL) abort();
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    memset(memory, 1, bytes);
    damon_ctx* ctx = context_of(memory, bytes, check);
    printf("{\"bench\": \"pause\", \"check\": \"%s\", \"memory\": \"%s\", \"mib\": %zu", info.name,
           shared ? "shared" : "private", mib);
    pthread_t other = begin_stalls();
    sleep_ms(1000);
    end_stalls(other, "unwatched");
    double begin = now_us();
    if (damon_start(&ctx, 1, 0) != 0) abort();
    printf(", \"start_us\": %.0f", now_us() - begin);
    sleep_ms(500);
    other = begin_stalls();
    sleep_ms(1000);
    end_stalls(other, "watched");
    pause_often(ctx, nr_pauses, latencies);
    if (check != DAMON_ACCESS_CHECK_ZAP) time_to_unarmed(ctx, memory, bytes, check);
    other = begin_stalls();
    pause_under_load(ctx, nr_pauses / 4 + 1);
    end_stalls(other, "pausing");
    other = begin_stalls();
    begin = now_us();
    damon_stop(&ctx, 1);
    printf(", \"stop_us\": %.0f", now_us() - begin);
    damon_ctx_free(ctx);
    printf(", \"free_ms\": %.1f", (now_us() - begin) / 1e3);
    sleep_ms(20);
    end_stalls(other, "ending");
    printf("}\n");
    fflush(stdout);
    free(latencies);
    if (shared) {
        damon_shared_unmap(memory, bytes);
    } else {
        munmap(memory, bytes);
    }
}

int main(int argc, char** argv) {
    const size_t largest = argc > 1 ? strtoul(argv[1], NULL, 10) : 4096;
    const size_t nr_pauses = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    const size_t smallest = argc > 3 ? strtoul(argv[3], NULL, 10) : 64;
    for (size_t mib = smallest; mib != 0 && mib <= largest; mib *= 4) {
        measure(mib, 0, DAMON_ACCESS_CHECK_UFFD_WP, nr_pauses);
        measure(mib, 0, DAMON_ACCESS_CHECK_UFFD_RWP, nr_pauses);
        measure(mib, 1, DAMON_ACCESS_CHECK_UFFD_WP, nr_pauses);
        measure(mib, 1, DAMON_ACCESS_CHECK_ZAP, nr_pauses);
    }
    return 0;
}
