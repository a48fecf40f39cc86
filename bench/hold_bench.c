/* SPDX-License-Identifier: MIT */
/* How long the library's own calls hold the address space: every ioctl, madvise and pread that it makes in this program
 * is timed, by what it does. The processor time of a call is what another thread's mmap() or munmap() waits for at
 * least. Limits: 50 us where the call locks for writing, 100 us for reading. One line of JSON for each kind of call.
 *
 *     hold_bench [MiB, default 1024] [seconds, default 5]
 */
#define _GNU_SOURCE
#include <damon_c.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CALLS = 1 << 18 };
enum kind { LOOK, ARM_SCAN, ARM_RWP, LIFT, REGISTER, UNREGISTER, MAPS_QUERY, ADVICE, PAGEMAP_READ, NR_KINDS };

static const struct {
    const char* name;
    double limit_us;
} kinds[NR_KINDS] = {
    {"look (PAGEMAP_SCAN)", 100},
    {"arm (PAGEMAP_SCAN)", 100},
    {"arm (UFFDIO_RWPROTECT)", 100},
    {"lift", 100},
    {"register", 50},
    {"unregister", 50},
    {"PROCMAP_QUERY", 100},
    {"madvise", 100},
    {"read of pagemap", 100},
};

static struct {
    _Atomic size_t nr;
    _Atomic uint64_t max_bytes;
    float us[MAX_CALLS];
} calls[NR_KINDS];

static double now_us(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void note(enum kind kind, uint64_t bytes, double begin_us) {
    const double us = now_us(CLOCK_THREAD_CPUTIME_ID) - begin_us;
    const size_t i = atomic_fetch_add(&calls[kind].nr, 1);
    if (i < MAX_CALLS) calls[kind].us[i] = (float)us;
    uint64_t seen = atomic_load(&calls[kind].max_bytes);
    while (bytes > seen && !atomic_compare_exchange_weak(&calls[kind].max_bytes, &seen, bytes)) {
    }
}

/* These stand before the C library's, so that the shared library calls them. */
int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    uint64_t* words = va_arg(arguments, void*);
    va_end(arguments);
    int kind = -1;
    uint64_t bytes = 0;
    switch (request & 0xffff) {
        case 'f' << 8 | 16: /* PAGEMAP_SCAN: size, flags, start, end */
            kind = (words[1] & 1) != 0 ? ARM_SCAN : LOOK;
            bytes = words[3] - words[2];
            break;
        case 'f' << 8 | 17:
            kind = MAPS_QUERY;
            break;
        case 0xaa00:
            kind = REGISTER;
            bytes = words[1];
            break;
        case 0xaa01:
            kind = UNREGISTER;
            bytes = words[1];
            break;
        case 0xaa06: /* start, length, mode */
        case 0xaa09:
            kind = (words[2] & 1) != 0 ? ARM_RWP : LIFT;
            bytes = words[1];
            break;
        default:
            break;
    }
    const double begin_us = now_us(CLOCK_THREAD_CPUTIME_ID);
    const long result = syscall(SYS_ioctl, fd, request, words);
    if (kind >= 0) note((enum kind)kind, bytes, begin_us);
    return (int)result;
}

int madvise(void* address, size_t bytes, int advice) {
    const double begin_us = now_us(CLOCK_THREAD_CPUTIME_ID);
    const long result = syscall(SYS_madvise, address, bytes, advice);
    note(ADVICE, bytes, begin_us);
    return (int)result;
}

ssize_t pread(int fd, void* buffer, size_t bytes, off_t offset) {
    const double begin_us = now_us(CLOCK_THREAD_CPUTIME_ID);
    const long result = syscall(SYS_pread64, fd, buffer, bytes, offset);
    if (bytes % 8 == 0 && result == (long)bytes) note(PAGEMAP_READ, bytes / 8 * 4096, begin_us);
    return result;
}
ssize_t pread64(int fd, void* buffer, size_t bytes, off_t offset) { return pread(fd, buffer, bytes, offset); }

static int compare(const void* a, const void* b) {
    const float x = *(const float*)a;
    const float y = *(const float*)b;
    return (x > y) - (x < y);
}

static void print(const char* during) {
    for (int kind = 0; kind < NR_KINDS; ++kind) {
        size_t nr = atomic_load(&calls[kind].nr);
        if (nr > MAX_CALLS) nr = MAX_CALLS;
        if (nr == 0) continue;
        float* us = calls[kind].us;
        qsort(us, nr, sizeof *us, compare);
        printf(
            "{\"bench\": \"hold\", \"during\": \"%s\", \"call\": \"%s\", \"calls\": %zu, \"largest_kib\": %llu, "
            "\"p50_us\": "
            "%.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"limit_us\": %.0f}\n",
            during, kinds[kind].name, nr, (unsigned long long)(atomic_load(&calls[kind].max_bytes) >> 10),
            (double)us[nr / 2], (double)us[nr - 1 - nr / 100], (double)us[nr - 1], kinds[kind].limit_us);
        atomic_store(&calls[kind].nr, 0);
        atomic_store(&calls[kind].max_bytes, 0);
    }
    fflush(stdout);
}

static void sleep_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static void must(int error, const damon_ctx* ctx) {
    char why[256] = "";
    if (error >= 0) return;
    damon_ctx_errmsg(ctx, why, sizeof why);
    printf("{\"bench\": \"hold\", \"skipped\": \"%s: %s\"}\n", damon_strerror(error), why);
    exit(0);
}

static void touch(unsigned char* memory, size_t bytes, size_t every) {
    for (size_t at = 0; at < bytes; at += every) memory[at] = 1;
}

int main(int argc, char** argv) {
    const size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) << 20;
    const long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    unsigned char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    touch(memory, bytes, 4096);
    damon_ctx* ctx = damon_ctx_new();
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.min_nr_regions = 500;
    attrs.max_overhead_permil = 0;
    must(damon_ctx_set_attrs(ctx, &attrs), ctx);
    must(damon_ctx_add_range(ctx, memory, bytes, 0), ctx);
    atomic_store(&calls[ADVICE].nr, 0);

    must(damon_start(&ctx, 1, 0), ctx);
    sleep_ms(500);
    print("start");
    for (long i = 0; i < seconds * 10; ++i) {
        touch(memory, bytes / 8, 4096 * 3);
        sleep_ms(100);
    }
    print("samples");
    for (long i = 0; i < seconds * 10; ++i) {
        must(damon_set_pause(ctx, 1), ctx);
        sleep_ms(20);
        must(damon_set_pause(ctx, 0), ctx);
        sleep_ms(20);
    }
    print("pauses");
    must(damon_exclude(memory + bytes / 2, bytes / 4), ctx);
    must(damon_include(memory + bytes / 2, bytes / 4), ctx);
    print("exclusion");
    must(damon_stop(&ctx, 1), ctx);
    must(damon_ctx_remove_range(ctx, memory, bytes), ctx);
    sleep_ms(500);
    print("stop");

    must(damon_ctx_add_range(ctx, memory, bytes, DAMON_RANGE_TRACKED), ctx);
    print("tracked: added");
    struct damon_range_query query;
    damon_range_query_init(&query);
    for (int i = 0; i < 20; ++i) must(damon_query_range(ctx, memory, bytes, &query), ctx);
    print("tracked: cold");
    touch(memory, bytes, 4096 * 2);
    must(damon_query_range(ctx, memory, bytes, &query), ctx);
    print("tracked: every other page");
    touch(memory, bytes, 4096);
    must(damon_query_range(ctx, memory, bytes, &query), ctx);
    print("tracked: all of it");
    damon_ctx_free(ctx);
    print("tracked: given back");
    return 0;
}
