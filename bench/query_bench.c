/* SPDX-License-Identifier: MIT */
/* What exact questions cost (damon_query_range()): processor time of the asking thread, and wall time, medians. One
 * line of JSON for each question about a tracked GiB, or as many MiB as are given; and for the kernel's calls alone.
 *
 *     query_bench [MiB, default 1024] [repeats, default 15]
 */
#include <damon_c.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MAX_REPEATS = 1000, BLOCK = 2 << 20 };

static unsigned char* memory;
static size_t bytes, page, nr_repeats;
static uint64_t* touched;
static uint8_t* idle;

static double now_us(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void* a, const void* b) {
    const double x = *(const double*)a;
    const double y = *(const double*)b;
    return (x > y) - (x < y);
}

static double median(double* of) {
    qsort(of, nr_repeats, sizeof *of, compare);
    return of[nr_repeats / 2];
}

/* Touched pages, at random; each once, since the multiplier is odd and the number of pages a power of two. */
static void touch(size_t nr_pages) {
    for (size_t i = 0; i < nr_pages; ++i) memory[i * 2654435761u % (bytes / page) * page] = 1;
}

struct question {
    const char* name;
    size_t len, nr_touched; /* of `len` bytes a call; so many pages are written before each round */
    int with_bits, with_idle;
};

/* What reading the processor time twice takes, which is a good part of a short question. */
static double clock_us(void) {
    double cpu_us[MAX_REPEATS];
    for (size_t repeat = 0; repeat < nr_repeats; ++repeat) {
        const double begin = now_us(CLOCK_THREAD_CPUTIME_ID);
        cpu_us[repeat] = now_us(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
    return median(cpu_us);
}

/* One round asks about all of the memory, or about its first block only. */
static void ask(damon_ctx* ctx, const struct question* asks) {
    double cpu_us[MAX_REPEATS];
    double wall_us[MAX_REPEATS];
    struct damon_range_query query;
    damon_range_query_init(&query);
    uint64_t touched_bytes = 0;
    const size_t nr_calls = asks->len == BLOCK ? 1 : bytes / asks->len;
    for (size_t repeat = 0; repeat < nr_repeats; ++repeat) {
        touch(asks->nr_touched);
        touched_bytes = 0;
        const double begin_cpu = now_us(CLOCK_THREAD_CPUTIME_ID);
        const double begin_wall = now_us(CLOCK_MONOTONIC);
        for (size_t i = 0; i < nr_calls; ++i) {
            query.touched = asks->with_bits ? touched : NULL;
            query.idle = asks->with_idle ? idle : NULL;
            query.nr_units = asks->len / page;
            if (damon_query_range(ctx, memory + i * asks->len, asks->len, &query) != 0) abort();
            touched_bytes += query.touched_bytes;
        }
        cpu_us[repeat] = now_us(CLOCK_THREAD_CPUTIME_ID) - begin_cpu;
        wall_us[repeat] = now_us(CLOCK_MONOTONIC) - begin_wall;
    }
    const double middle_us = median(cpu_us);
    printf("{\"bench\": \"query\", \"question\": \"%s\", \"mib\": %zu, \"bytes_a_call\": %zu, \"calls\": %zu, ",
           asks->name, bytes >> 20, asks->len, nr_calls);
    printf("\"sees_reads\": %d, \"touched_pages\": %llu, \"unseen_bytes\": %llu, ",
           (query.sees & DAMON_SEES_READS) != 0, (unsigned long long)(touched_bytes / page),
           (unsigned long long)query.unseen_bytes);
    printf("\"cpu_us\": %.1f, \"cpu_least_us\": %.1f, \"wall_us\": %.1f, ", middle_us, cpu_us[0], median(wall_us));
    printf("\"clock_us\": %.1f}\n", clock_us());
    fflush(stdout);
}

/* PAGEMAP_SCAN, whose header may be older than the kernel. */
struct page_region {
    uint64_t start, end, categories;
};
struct scan_arguments {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN_CALL _IOWR('f', 16, struct scan_arguments)
enum { WP_ALLOWED = 1, WRITTEN = 2, PRESENT = 8, SWAPPED = 16, HUGE = 64, WP_MATCHING = 1, CHECK_WPASYNC = 2 };
enum { SCAN_BYTES = 16 << 20, NR_RUNS = 256 };

/* The kernel's part: the same calls in a loop, by pieces of 16 MiB, and nothing else. */
static void ask_kernel(const char* prefix, const char* name, size_t nr_touched, struct scan_arguments asks) {
    static struct page_region runs[NR_RUNS];
    double cpu_us[MAX_REPEATS];
    const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    asks.size = sizeof asks;
    asks.vec = (uint64_t)(uintptr_t)runs;
    asks.vec_len = asks.max_pages == 1 ? 1 : NR_RUNS;
    const uint64_t begin = (uint64_t)(uintptr_t)memory;
    for (size_t repeat = 0; repeat < nr_repeats; ++repeat) {
        touch(nr_touched);
        const double begin_cpu = now_us(CLOCK_THREAD_CPUTIME_ID);
        for (uint64_t at = begin; at < begin + bytes; at = asks.walk_end) {
            asks.start = at;
            asks.end = at - (at - begin) % SCAN_BYTES + SCAN_BYTES;
            if (ioctl(pagemap, PAGEMAP_SCAN_CALL, &asks) < 0 || asks.walk_end <= at) abort();
        }
        cpu_us[repeat] = now_us(CLOCK_THREAD_CPUTIME_ID) - begin_cpu;
    }
    close(pagemap);
    const double middle_us = median(cpu_us);
    printf("{\"bench\": \"query\", \"kernel_alone\": \"%s %s\", \"mib\": %zu, ", prefix, name, bytes >> 20);
    printf("\"cpu_us\": %.1f, \"cpu_least_us\": %.1f}\n", middle_us, cpu_us[0]);
    fflush(stdout);
}

static void measure_kernel(const char* prefix, int with_holes) {
    const struct scan_arguments first = {.max_pages = 1, .category_mask = WRITTEN, .return_mask = WRITTEN};
    const struct scan_arguments absent = {
        .category_inverted = PRESENT | WP_ALLOWED,
        .category_anyof_mask = PRESENT | WP_ALLOWED | WRITTEN | HUGE | SWAPPED,
        .return_mask = PRESENT | WP_ALLOWED | WRITTEN | HUGE | SWAPPED,
    };
    const struct scan_arguments arm = {
        .flags = WP_MATCHING | CHECK_WPASYNC,
        .category_inverted = HUGE,
        .category_mask = WRITTEN | HUGE,
        .category_anyof_mask = PRESENT | SWAPPED,
        .return_mask = WRITTEN,
    };
    if (with_holes) return ask_kernel(prefix, "report of what is absent", 0, absent);
    ask_kernel(prefix, "first unprotected page", 0, first);
    ask_kernel(prefix, "protect 10000 pages", 10000, arm);
}

/* Of `hole_pages` * 8 pages so many are left out. */
static void measure(const char* prefix, size_t hole_pages) {
    const int with_holes = hole_pages != 0;
    madvise(memory, bytes, MADV_DONTNEED);
    for (size_t i = 0; i < bytes; i += page) {
        if (!with_holes || i / page % (hole_pages * 8) >= hole_pages) memory[i] = 1;
    }
    damon_ctx* ctx = damon_ctx_new();
    const double begin = now_us(CLOCK_THREAD_CPUTIME_ID);
    const int error = damon_ctx_add_range(ctx, memory, bytes, DAMON_RANGE_TRACKED);
    if (error != 0) {
        printf("{\"bench\": \"query\", \"skipped\": \"%s\"}\n", damon_strerror(error));
        exit(0);
    }
    printf("{\"bench\": \"query\", \"question\": \"%s add\", \"mib\": %zu, \"cpu_us\": %.1f}\n", prefix, bytes >> 20,
           now_us(CLOCK_THREAD_CPUTIME_ID) - begin);
    char name[64];
    const struct question questions[] = {
        {"cold, 16 MiB a call", 16 << 20, 0, 0, 0},
        {"cold, one call", bytes, 0, 0, 0},
        {"cold, bits, 16 MiB a call", 16 << 20, 0, 1, 0},
        {"10000 pages, one call", bytes, 10000, 0, 0},
        {"10000 pages, bits, one call", bytes, 10000, 1, 0},
        {"2 MiB cold", BLOCK, 0, 1, 0},
        {"2 MiB stale map", BLOCK, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; ++i) {
        struct question asks = questions[i];
        if (with_holes && asks.nr_touched != 0) continue;
        snprintf(name, sizeof name, "%s %s", prefix, asks.name);
        asks.name = name;
        ask(ctx, &asks);
    }
    measure_kernel(prefix, with_holes);
    damon_ctx_free(ctx);
}

int main(int argc, char** argv) {
    bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) << 20;
    nr_repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 15;
    page = (size_t)sysconf(_SC_PAGESIZE);
    if (bytes < (16 << 20) || nr_repeats == 0 || nr_repeats > MAX_REPEATS) return 1;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    touched = calloc(bytes / page / 64 + 1, sizeof *touched);
    idle = malloc(bytes / page);
    if (memory == MAP_FAILED || touched == NULL || idle == NULL) return 1;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    measure("holes of 64 KiB:", 65536 / page);
    measure("holes of a page:", 1);
    measure("present:", 0);
    return 0;
}
