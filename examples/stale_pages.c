/* SPDX-License-Identifier: MIT */
/*
 * An allocator of huge pages that breaks one up only where that pays (damon_query_range()).
 *
 * The page heap hands out pages of 4 KiB from blocks of 2 MiB. Free pages of a block stay resident, because most are
 * taken again within moments; those that are free and have not been touched for a while are memory for nothing. Once a
 * period each block gets one question, which answers with a bit map of the pages that were touched since the last one
 * and the idle time of every page; what is free and stale in it is given back. The program goes on taking and freeing
 * pages meanwhile.
 *
 *     stale_pages [seconds, default 3]
 */
#define _GNU_SOURCE
#include <damon_c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 2 << 20, NR_BLOCKS = 64, MAX_PAGES = BLOCK / 4096, STALE_MS = 1000, PERIOD_MS = 100 };

static unsigned char* heap;
static size_t page, nr_pages; /* of a block */
static uint64_t is_free[NR_BLOCKS][MAX_PAGES / 64], is_given_back[NR_BLOCKS][MAX_PAGES / 64];

static int bit(const uint64_t* bits, size_t i) { return (int)(bits[i / 64] >> i % 64 & 1); }
static void set(uint64_t* bits, size_t i, int on) {
    bits[i / 64] = (bits[i / 64] & ~(UINT64_C(1) << i % 64)) | (uint64_t)on << i % 64;
}
static unsigned char* address(size_t block, size_t i) { return heap + block * BLOCK + i * page; }

/* Byte n of an answer says idle for 2^(n/4) ms. */
static uint8_t idle_byte(unsigned ms) {
    uint8_t n = 0;
    for (double reached = 1; reached * 1.189207115 <= ms; reached *= 1.189207115) ++n;
    return n;
}

/* One question, and the answer put to use: bytes given back, or a negative errno. */
static long subrelease(damon_ctx* ctx, size_t block) {
    uint64_t touched[MAX_PAGES / 64];
    uint8_t idle[MAX_PAGES];
    struct damon_range_query query;
    damon_range_query_init(&query);
    query.unit_bytes = page;
    query.touched = touched;
    query.idle = idle;
    query.nr_units = nr_pages;
    const int error = damon_query_range(ctx, address(block, 0), BLOCK, &query);
    if (error != 0) return error;
    const uint8_t stale = idle_byte(STALE_MS);
    long bytes = 0;
    for (size_t i = 0; i < nr_pages; ++i) {
        const int keep = !bit(is_free[block], i) || bit(is_given_back[block], i) || bit(touched, i) || idle[i] < stale;
        if (keep || madvise(address(block, i), page, MADV_DONTNEED) != 0) continue;
        set(is_given_back[block], i, 1);
        bytes += (long)page;
    }
    return bytes;
}

/* What the program does with its heap: the last block of four is long freed; of the others every other page is taken
 * and freed, over and over, in the first half, and rests in the second. */
static void use(size_t block, unsigned turn) {
    if (block % 4 == 3) return;
    for (size_t i = turn % 2; i < nr_pages / 2; i += 2) {
        set(is_free[block], i, 0);
        set(is_given_back[block], i, 0);
        *address(block, i) = (unsigned char)turn;
        set(is_free[block], i, 1);
    }
}

static long resident_bytes(void) {
    static unsigned char in_core[NR_BLOCKS * MAX_PAGES];
    long pages = 0;
    if (mincore(heap, (size_t)NR_BLOCKS * BLOCK, in_core) != 0) return -1;
    for (size_t i = 0; i < NR_BLOCKS * nr_pages; ++i) pages += in_core[i] & 1;
    return pages * (long)page;
}

static void begin(void) {
    page = (size_t)sysconf(_SC_PAGESIZE);
    nr_pages = BLOCK / page;
    if (posix_memalign((void**)&heap, BLOCK, (size_t)NR_BLOCKS * BLOCK) != 0) exit(1);
    madvise(heap, (size_t)NR_BLOCKS * BLOCK, MADV_NOHUGEPAGE); /* written huge pages tell nothing below Linux 7.3 */
    for (size_t block = 0; block < NR_BLOCKS; ++block) {
        for (size_t i = 0; i < nr_pages; ++i) {
            *address(block, i) = 1;
            set(is_free[block], i, block % 4 == 3 || i < nr_pages / 2); /* the rest is in use, and rests */
        }
    }
}

int main(int argc, char** argv) {
    const long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 3;
    begin();
    damon_ctx* ctx = damon_ctx_new(); /* need not run */
    const int added = damon_ctx_add_range(ctx, heap, (size_t)NR_BLOCKS * BLOCK, DAMON_RANGE_TRACKED);
    if (added != 0) {
        char why[256] = "";
        damon_ctx_errmsg(ctx, why, sizeof why);
        printf("SKIP uffd-wp: %s (%s)\n", damon_strerror(added), why);
        return 77;
    }
    printf("%4ld MiB of %d MiB are resident when the program begins\n", resident_bytes() >> 20,
           NR_BLOCKS * BLOCK >> 20);
    long given_back = 0, left = 0;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const long faults = usage.ru_minflt;
    for (unsigned turn = 0; turn < (unsigned)seconds * 1000 / PERIOD_MS; ++turn) {
        for (size_t block = 0; block < NR_BLOCKS; ++block) use(block, turn);
        nanosleep(&(struct timespec){0, PERIOD_MS * 1000000L}, NULL);
        for (size_t block = 0; block < NR_BLOCKS; ++block) {
            const long bytes = subrelease(ctx, block);
            if (bytes < 0) return 1;
            given_back += bytes;
        }
        left = resident_bytes();
        if (turn % 10 == 9)
            printf("%4ld MiB after %u s, %ld MiB given back\n", left >> 20, (turn + 1) / 10, given_back >> 20);
    }
    getrusage(RUSAGE_SELF, &usage);
    const long expected = (long)NR_BLOCKS / 4 * BLOCK;
    printf("nobody came to %ld MiB; %ld page faults, most of them the first touch of a page after a question\n",
           expected >> 20, usage.ru_minflt - faults);
    damon_ctx_free(ctx);
    free(heap);
    return given_back >= expected ? 0 : 1; /* more: a page was due, but this process had no processor for a second */
}
