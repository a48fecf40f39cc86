/* SPDX-License-Identifier: MIT */
/*
 * A program gives back as much memory as its own score allows (DAMOS_QUOTA_USER_INPUT).
 *
 * A store of records in a mapped file serves requests, most of them to a few records. How much of it must stay in
 * memory? Its owner cannot say, but can say what is bearable: of 1,000 requests TARGET may have to wait for the disk.
 * The program reports to the monitor four times a second how many did; the monitor pages out the coldest memory and
 * tunes how much, until the score is at its target, and holds it there. The program reports at most a quarter too many:
 * the quota then shrinks by at most a quarter at a time, where a single bad moment would else undo all that was
 * learned.
 */
#define _GNU_SOURCE
#include <damon_c.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TARGET 20 /* of 1,000 requests */
enum { PAGE = 4096, NR_PAGES = 16384, REQUESTS = 100, PERIOD_MS = 250, PERIODS = 160 };

static unsigned char* store;

static void* new_store(void) {
    char path[] = "score_goal_XXXXXX", page[PAGE];
    int fd = mkstemp(path);
    if (fd < 0) return NULL;
    unlink(path);
    for (int i = 0; i < NR_PAGES; ++i) {
        memset(page, i, sizeof page);
        if (write(fd, page, sizeof page) != PAGE) return NULL;
    }
    fsync(fd); /* clean pages can leave memory without being written */
    void* data = mmap(NULL, (size_t)NR_PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (data == MAP_FAILED) return NULL;
    madvise(data, (size_t)NR_PAGES * PAGE, MADV_RANDOM); /* one record a read */
    return data;
}

static damon_ctx* start_monitor(void) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    struct damon_addr_range range = {(uintptr_t)store, (uintptr_t)store + (uint64_t)NR_PAGES * PAGE};
    struct damos_params p;
    damos_params_init(&p);
    p.action = DAMOS_PAGEOUT;
    p.quota.reset_interval_ms = PERIOD_MS;
    p.quota.weight_nr_accesses = 1; /* the coldest first */
    p.quota.weight_age = 1;
    p.quota.fail_charge_num = 1; /* memory that is out already costs the quota nearly nothing */
    p.quota.fail_charge_denom = 1024;
    damos* scheme = damos_new(&p);
    struct damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.metric = DAMOS_QUOTA_USER_INPUT;
    goal.target_value = TARGET * 1000; /* in millionths of requests */
    /* Declared: reads of the file can be seen, and the mapping stays until the end. */
    if (ctx != NULL && damon_shared_declare(store, (size_t)NR_PAGES * PAGE) == 0 &&
        damon_target_set_regions(target, &range, 1) == 0 && damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR) == 0 &&
        damos_add_quota_goal(scheme, &goal) == 0 && damon_ctx_add_target(ctx, target) == 0 &&
        damon_ctx_add_scheme(ctx, scheme) == 0 && damon_start(&ctx, 1, 0) == 0) {
        return ctx;
    }
    char why[200] = "out of memory";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "no monitor: %s\n", why);
    exit(1);
}

/* Nine requests of ten go to a tenth of the records, nine of the rest to the next three tenths. */
static size_t next_record(void) {
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    const uint64_t kind = seed % 100, any = seed >> 32;
    if (kind < 90) return any % (NR_PAGES / 10);
    if (kind < 99) return NR_PAGES / 10 + any % (NR_PAGES * 3 / 10);
    return NR_PAGES * 4 / 10 + any % (NR_PAGES * 6 / 10);
}

/* Serves requests for one period. Returns how many millionths of them waited for the disk. */
static uint64_t serve(void) {
    struct rusage before, after;
    struct timespec next;
    unsigned sum = 0;
    getrusage(RUSAGE_THREAD, &before);
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int ms = 0; ms < PERIOD_MS; ++ms) {
        for (int i = 0; i < REQUESTS; ++i) sum += store[next_record() * PAGE + 64];
        next.tv_nsec += 1000000;
        if (next.tv_nsec >= 1000000000) next.tv_sec += 1, next.tv_nsec -= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    getrusage(RUSAGE_THREAD, &after);
    *(volatile unsigned*)&sum = sum;
    return (uint64_t)(after.ru_majflt - before.ru_majflt) * 1000000 / (PERIOD_MS * REQUESTS);
}

static int in_memory_mib(void) {
    static unsigned char pages[NR_PAGES];
    int count = 0;
    if (mincore(store, (size_t)NR_PAGES * PAGE, pages) != 0) return -1;
    for (int i = 0; i < NR_PAGES; ++i) count += pages[i] & 1;
    return count / 256;
}

int main(void) {
    store = new_store();
    if (store == NULL) return perror("no store"), 1;
    damon_ctx* ctx = start_monitor();
    uint64_t held = 0, nr_held = 0;
    for (int period = 0; period < PERIODS; ++period) {
        uint64_t score = serve();
        uint64_t most = TARGET * 1250;
        damon_ctx_set_quota_goal_value(ctx, 0, 0, score < most ? score : most);
        if (period >= PERIODS / 2) held += score, ++nr_held;
        if (period % 8 != 7) continue;
        struct damos_stat stat;
        damos_stat_init(&stat);
        damon_ctx_get_scheme_stat(ctx, 0, &stat);
        printf("%3d s: %5.1f of 1,000 requests waited (target %d), quota %6" PRIu64 " KiB, %2d of %d MiB in memory\n",
               (period + 1) * PERIOD_MS / 1000, (double)score / 1000, TARGET, stat.esz >> 10, in_memory_mib(),
               NR_PAGES / 256);
    }
    double reached = (double)held / (double)nr_held / 1000;
    printf("second half: target %d, reached %.1f\n", TARGET, reached);
    damon_stop(&ctx, 1);
    damon_ctx_free(ctx);
    return reached > TARGET * 0.5 && reached < TARGET * 1.5 ? 0 : 1;
}
