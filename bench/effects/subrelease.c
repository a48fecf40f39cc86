/* Which free pages does an allocator give back? jemalloc from the distribution, by its own decay, and over a range
 * whose touched pages damon_query_range() tells: free pages that nobody has written to for a second go.
 *
 *     subrelease decay MILLISECONDS [seconds]      jemalloc's dirty_decay_ms: 10000 is its default, 0 gives back at
 * once subrelease query MILLISECONDS [seconds]      idle for so long; jemalloc hands every free extent to this program
 *
 * The program is a churn of 16 bytes to 16 KiB over 48 MiB of live objects; each six seconds 256 MiB more are made,
 * live for a second and are dropped. Prints one line of JSON: mean resident memory of the process, its page faults,
 * operations a second, the process's CPU time. Link with -ljemalloc, run with MALLOC_CONF=retain:false. */
#define _GNU_SOURCE
#include <damon_c.h>
#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, NR_PAGES = 1 << 18 };
enum { CLEAN, DIRTY, USED };
enum { LIVE = 16384, BURST = 65536, PERIOD_MS = 6000, LIVE_MS = 1000 };

static unsigned char* base; /* 1 GiB of addresses */
static unsigned char state[NR_PAGES + 1];
static size_t hint; /* no free page below it */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static damon_ctx* ctx;
static uint8_t stale; /* as damon_range_query.idle has it: for 2^(n/4) ms */
static _Atomic int is_over;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char* what) {
    char why[200] = "";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* First fit: what is free and resident lies low. */
static void* extent_alloc(extent_hooks_t* hooks, void* wanted, size_t size, size_t alignment, bool* zero, bool* commit,
                          unsigned arena) {
    const size_t nr = size / PAGE, step = alignment < PAGE ? 1 : alignment / PAGE;
    void* found = NULL;
    (void)hooks, (void)arena;
    if (wanted != NULL) return NULL;
    pthread_mutex_lock(&lock);
    while (hint < NR_PAGES && state[hint] == USED) hint++;
    for (size_t at = (hint + step - 1) / step * step, run = 0; at + nr <= NR_PAGES && found == NULL;) {
        while (run < nr && state[at + run] != USED) run++;
        if (run < nr) {
            at = (at + run + step) / step * step;
            run = 0;
            continue;
        }
        if (*zero)
            for (size_t i = 0; i < nr; i++)
                if (state[at + i] == DIRTY) memset(base + (at + i) * PAGE, 0, PAGE);
        memset(state + at, USED, nr);
        found = base + at * PAGE;
    }
    pthread_mutex_unlock(&lock);
    *commit = true;
    return found;
}

static bool extent_dalloc(extent_hooks_t* hooks, void* address, size_t size, bool committed, unsigned arena) {
    const size_t at = (size_t)((unsigned char*)address - base) / PAGE;
    (void)hooks, (void)committed, (void)arena;
    pthread_mutex_lock(&lock);
    memset(state + at, DIRTY, size / PAGE);
    if (at < hint) hint = at;
    pthread_mutex_unlock(&lock);
    return false;
}

static bool extent_split(extent_hooks_t* hooks, void* address, size_t size, size_t a, size_t b, bool committed,
                         unsigned arena) {
    (void)hooks, (void)address, (void)size, (void)a, (void)b, (void)committed, (void)arena;
    return false;
}

static bool extent_merge(extent_hooks_t* hooks, void* a, size_t size_a, void* b, size_t size_b, bool committed,
                         unsigned arena) {
    (void)hooks, (void)size_b, (void)committed, (void)arena;
    return (unsigned char*)a + size_a != (unsigned char*)b;
}

static extent_hooks_t hooks = {
    .alloc = extent_alloc, .dalloc = extent_dalloc, .split = extent_split, .merge = extent_merge};

/* Gives back the free pages among `nr` that are stale. The lock is not held for longer than an allocation may wait. */
static void release(size_t first, const uint8_t* idle, size_t nr) {
    pthread_mutex_lock(&lock);
    for (size_t at = first; at < first + nr; at++) {
        size_t run = 0;
        while (at + run < first + nr && state[at + run] == DIRTY && idle[at + run] >= stale) run++;
        if (run == 0) continue;
        madvise(base + at * PAGE, run * PAGE, MADV_DONTNEED);
        memset(state + at, CLEAN, run);
        at += run;
    }
    pthread_mutex_unlock(&lock);
}

static void* subrelease(void* unused) {
    static uint8_t idle[NR_PAGES];
    while (!atomic_load(&is_over)) {
        struct damon_range_query query;
        usleep(500000);
        damon_range_query_init(&query);
        query.unit_bytes = PAGE;
        query.idle = idle;
        query.nr_units = NR_PAGES;
        if (damon_query_range(ctx, base, (size_t)NR_PAGES * PAGE, &query) != 0) die("no answer");
        for (size_t first = 0; first < NR_PAGES; first += 256) release(first, idle, 256);
    }
    return unused;
}

static unsigned make_arena(int is_query, long decay_ms) {
    unsigned arena = 0;
    size_t size = sizeof arena;
    extent_hooks_t* own = &hooks;
    char name[64];
    ssize_t ms = is_query ? 200 : decay_ms;
    if (is_query) {
        base = mmap(NULL, (size_t)NR_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
        if (base == MAP_FAILED) die("no memory");
        madvise(base, (size_t)NR_PAGES * PAGE, MADV_NOHUGEPAGE);
        state[NR_PAGES] = USED;
        ctx = damon_ctx_new();
        if (ctx == NULL || damon_ctx_add_range(ctx, base, (size_t)NR_PAGES * PAGE, DAMON_RANGE_TRACKED) != 0)
            die("no range");
    }
    if (mallctl("arenas.create", &arena, &size, is_query ? (void*)&own : NULL, is_query ? sizeof own : 0) != 0)
        die("no arena");
    for (int muzzy = 0; muzzy < 2; muzzy++) {
        ssize_t value = muzzy ? 0 : ms;
        snprintf(name, sizeof name, "arena.%u.%s_decay_ms", arena, muzzy ? "muzzy" : "dirty");
        if (mallctl(name, NULL, NULL, &value, sizeof value) != 0) die(name);
    }
    return arena;
}

static double rss_mib(void) {
    char text[64];
    unsigned long size, resident = 0;
    FILE* file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL || sscanf(text, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file != NULL) fclose(file);
    return (double)resident * PAGE / (1 << 20);
}

static size_t draw_size(uint64_t* seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    const unsigned bits = 4 + (unsigned)(*seed >> 60) % 10; /* 16 bytes to 8 KiB, and up to twice as much */
    return ((size_t)1 << bits) + (*seed >> 33) % ((size_t)1 << bits);
}

static void* make(uint64_t* seed, int flags) {
    const size_t size = draw_size(seed);
    void* one = mallocx(size, flags);
    if (one == NULL) die("out of memory");
    memset(one, 1, size);
    return one;
}

int main(int argc, char** argv) {
    static void *live[LIVE], *burst[BURST];
    if (argc < 3) return 2;
    const int is_query = strcmp(argv[1], "query") == 0;
    const double seconds = argc > 3 ? atof(argv[3]) : 18;
    for (uint64_t ms = strtoull(argv[2], NULL, 10), n = 4; n <= 250 && stale == 0; n++)
        if ((uint64_t)1 << n / 4 >= ms) stale = (uint8_t)n;
    const int flags = MALLOCX_ARENA(make_arena(is_query, atol(argv[2]))) | MALLOCX_TCACHE_NONE;
    pthread_t thread;
    if (is_query && pthread_create(&thread, NULL, subrelease, NULL) != 0) return 1;
    uint64_t seed = 1, done = 0, nr_samples = 0;
    double sum = 0, most = 0, in_burst = 0;
    for (int i = 0; i < LIVE; i++) live[i] = make(&seed, flags);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    const double begin = now_s();
    double next_sample = begin, next_burst = begin + 1, burst_ends = 0;
    for (double now = begin; now < begin + seconds; now = now_s()) {
        for (int i = 0; i < 500; i++, done++) {
            void** slot = &live[(seed >> 20) % LIVE];
            dallocx(*slot, flags);
            *slot = make(&seed, flags);
        }
        if (now >= next_burst) {
            for (int i = 0; i < BURST; i++) burst[i] = make(&seed, flags);
            in_burst = 1, burst_ends = now_s() + LIVE_MS / 1e3, next_burst += PERIOD_MS / 1e3;
        } else if (in_burst != 0 && now >= burst_ends) {
            for (int i = 0; i < BURST; i++) dallocx(burst[i], flags);
            in_burst = 0;
        }
        if (now < next_sample) continue;
        const double rss = rss_mib();
        sum += rss, nr_samples++, next_sample = now + 0.05;
        if (rss > most) most = rss;
    }
    const double took = now_s() - begin;
    getrusage(RUSAGE_SELF, &after);
    atomic_store(&is_over, 1);
    if (is_query) pthread_join(thread, NULL);
    printf(
        "{\"mode\": \"%s %s\", \"seconds\": %.1f, \"mean_mib\": %.1f, \"most_mib\": %.1f, \"operations_per_second\": "
        "%.0f, "
        "\"faults_per_second\": %.0f, \"cpu_seconds\": %.2f}\n",
        argv[1], argv[2], took, sum / (double)nr_samples, most, (double)done / took,
        (double)(after.ru_minflt - before.ru_minflt) / took,
        (double)(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec - before.ru_stime.tv_sec) +
            1e-6 * (double)(after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
                            before.ru_stime.tv_usec));
    damon_ctx_free(ctx);
    return 0;
}
