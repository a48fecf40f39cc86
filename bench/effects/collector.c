/* A collector of our own (bump allocation, free lists, mark and sweep) that pauses the monitor round its collections,
 * and moves cold objects together where the monitor calls it (DAMOS_CALLBACK):
 *
 *     collector [none|running|paused] [seconds]
 *
 * The heap has 128 MiB of objects of 256 bytes. Seven of ten die after a load phase, all over the heap, so that the
 * rest keeps every page resident. From then on the program writes the objects of the first tenth of the heap, and makes
 * and drops short-lived ones, while a collection each half second marks every live object, by a write to it. `none`:
 * without a monitor; `running`: with one that sees the collections; `paused`: with one that is paused during them.
 *
 * A compaction moves the live objects of blocks that are cold together and gives the blocks' pages back. Prints one
 * line of JSON. */
#define _GNU_SOURCE
#include <damon_c.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    OBJECT = 256,
    BLOCK = 64 << 10,
    PER_BLOCK = BLOCK / OBJECT,
    NR_BLOCKS = 2048,
    NR_OBJECTS = NR_BLOCKS * PER_BLOCK
};
enum { HOT_BLOCKS = NR_BLOCKS / 10, SHORT_LIVED = 4096 };

struct object {
    uint32_t number; /* of its handle */
    uint32_t mark;
    unsigned char data[OBJECT - 8];
};

static unsigned char* heap;     /* NR_BLOCKS blocks, and behind them as much room for compactions */
static struct object** handles; /* NULL: a dead object */
static unsigned char* used;     /* of each slot */
static unsigned nr_used[2 * NR_BLOCKS];
static _Atomic unsigned char is_cold[NR_BLOCKS]; /* 1: told by the monitor; 2: compacted */
static uint32_t free_slots[SHORT_LIVED], nr_free_slots;
static uint32_t next_cold = (uint32_t)NR_OBJECTS; /* bump allocation of the compacted space */
static uint32_t epoch;
static uint64_t moved_bytes, released_blocks;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct object* at(uint32_t slot) { return (struct object*)(heap + (size_t)slot * OBJECT); }
static uint32_t slot_of(const struct object* object) {
    return (uint32_t)(((const unsigned char*)object - heap) / OBJECT);
}

static void put(uint32_t slot, uint32_t number) {
    used[slot] = 1;
    nr_used[slot / PER_BLOCK]++;
    handles[number] = at(slot);
    at(slot)->number = number;
}

static void drop(uint32_t number) {
    const uint32_t slot = slot_of(handles[number]);
    used[slot] = 0;
    nr_used[slot / PER_BLOCK]--;
    handles[number] = NULL;
}

static uint32_t draw(uint64_t* state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* On the monitor's thread: only notes; the program compacts at its next collection. */
static uint64_t note_cold(void* data, damon_ctx* ctx, const struct damon_region_info* r, size_t scheme_idx) {
    uint64_t noted = 0;
    for (uint64_t address = r->start; address + BLOCK <= r->end; address += BLOCK) {
        const size_t block = (address - (uintptr_t)heap) / BLOCK;
        unsigned char not_yet = 0;
        if (block < NR_BLOCKS && atomic_compare_exchange_strong(&is_cold[block], &not_yet, 1)) noted += BLOCK;
    }
    (void)data, (void)ctx, (void)scheme_idx;
    return noted;
}

static damon_ctx* start_monitor(void) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    struct damon_addr_range range = {(uintptr_t)heap, (uintptr_t)heap + (uint64_t)2 * NR_BLOCKS * BLOCK};
    struct damos_params p;
    damos_params_init(&p);
    p.action = DAMOS_CALLBACK;
    p.action_fn = note_cold;
    p.pattern.max_nr_accesses = 0;
    p.min_age_us = 1500000;
    damos* scheme = damos_new(&p);
    if (ctx != NULL && damon_target_set_regions(target, &range, 1) == 0 &&
        damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR) == 0 && damon_ctx_set_min_region_sz(ctx, BLOCK) == 0 &&
        damon_ctx_add_target(ctx, target) == 0 && damon_ctx_add_scheme(ctx, scheme) == 0 &&
        damon_start(&ctx, 1, 0) == 0)
        return ctx;
    char why[200] = "out of memory";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "no monitor: %s\n", why);
    exit(1);
}

static void compact_block(uint32_t block) {
    for (uint32_t slot = block * PER_BLOCK; slot < (block + 1) * PER_BLOCK; slot++) {
        if (!used[slot]) continue;
        const uint32_t number = at(slot)->number, to = next_cold++;
        memcpy(at(to), at(slot), OBJECT);
        drop(number);
        put(to, number);
        moved_bytes += OBJECT;
    }
    madvise(heap + (size_t)block * BLOCK, BLOCK, MADV_DONTNEED);
    released_blocks++;
}

/* Marks by a write to each live object, and makes the free list anew from the first blocks that have room. */
static void collect(void) {
    epoch++;
    for (uint32_t number = 0; number < NR_OBJECTS; number++)
        if (handles[number] != NULL) handles[number]->mark = epoch;
    nr_free_slots = 0;
    for (uint32_t slot = 0; slot < HOT_BLOCKS * PER_BLOCK && nr_free_slots < SHORT_LIVED; slot++)
        if (!used[slot]) free_slots[nr_free_slots++] = slot;
    for (uint32_t block = HOT_BLOCKS; block < NR_BLOCKS; block++)
        if (atomic_load(&is_cold[block]) == 1) {
            compact_block(block);
            atomic_store(&is_cold[block], 2);
        }
}

/* Writes hot objects, and makes and drops short-lived ones. Operations done. */
static uint64_t mutate(double end, uint64_t* state, const uint32_t* hot, uint32_t nr_hot) {
    uint64_t done = 0;
    for (; now_s() < end; done += 256)
        for (int i = 0; i < 256; i++) {
            struct object* object = handles[hot[draw(state) % nr_hot]];
            object->data[draw(state) % sizeof object->data]++;
            if (nr_free_slots != 0) memset(at(free_slots[draw(state) % nr_free_slots])->data, i, 64);
        }
    return done;
}

static double resident_mib(void) {
    static unsigned char in_core[BLOCK / 4096];
    uint64_t pages = 0;
    for (size_t block = 0; block < 2 * NR_BLOCKS; block++) {
        if (mincore(heap + block * BLOCK, BLOCK, in_core) != 0) return -1;
        for (size_t k = 0; k < sizeof in_core; k++) pages += in_core[k] & 1;
    }
    return (double)pages / 256;
}

static void load(uint64_t* state) {
    for (uint32_t number = 0; number < NR_OBJECTS; number++) put(number, number);
    for (uint32_t number = 0; number < NR_OBJECTS; number++) {
        memset(at(number)->data, 1, sizeof at(number)->data);
        if (draw(state) % 10 < 7) drop(number);
    }
}

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "paused";
    const double seconds = argc > 2 ? atof(argv[2]) : 10;
    const int watched = strcmp(mode, "none") != 0, pauses = strcmp(mode, "paused") == 0;
    const size_t bytes = (size_t)2 * NR_BLOCKS * BLOCK;
    uint64_t state = 1, done = 0, nr_collections = 0;
    double collecting = 0, pausing = 0, longest_pause = 0;
    heap = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handles = calloc(NR_OBJECTS, sizeof *handles);
    used = calloc((size_t)2 * NR_OBJECTS, 1);
    uint32_t* hot = calloc(NR_OBJECTS, sizeof *hot);
    uint32_t nr_hot = 0;
    if (heap == MAP_FAILED || handles == NULL || used == NULL || hot == NULL) return 1;
    madvise(heap, bytes, MADV_NOHUGEPAGE);
    load(&state);
    for (uint32_t number = 0; number < HOT_BLOCKS * PER_BLOCK; number++)
        if (handles[number] != NULL) hot[nr_hot++] = number;
    const double before = resident_mib();
    damon_ctx* ctx = watched ? start_monitor() : NULL;
    for (const double end = now_s() + seconds; now_s() < end; nr_collections++) {
        done += mutate(now_s() + 0.5, &state, hot, nr_hot);
        const double begin = now_s();
        if (pauses) damon_set_pause(ctx, 1);
        const double marking = now_s();
        collect();
        const double marked = now_s();
        if (pauses) damon_set_pause(ctx, 0);
        const double paused = now_s() - marked + marking - begin;
        collecting += marked - marking;
        pausing += paused;
        if (paused > longest_pause) longest_pause = paused;
    }
    struct damon_ctx_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    if (watched) damon_ctx_get_stats(ctx, &stats);
    printf(
        "{\"mode\": \"%s\", \"seconds\": %g, \"resident_before_mib\": %.1f, \"resident_after_mib\": %.1f, "
        "\"released_mib\": %.1f, \"moved_mib\": %.1f, \"collections\": %llu, \"collection_ms\": %.2f, "
        "\"pause_and_resume_us\": %.1f, \"longest_us\": %.1f, \"operations_per_second\": %.0f, \"monitor_cpu_ms\": "
        "%.1f}\n",
        mode, seconds, before, resident_mib(), (double)(released_blocks * BLOCK) / (1 << 20),
        (double)moved_bytes / (1 << 20), (unsigned long long)nr_collections, 1e3 * collecting / (double)nr_collections,
        1e6 * pausing / (double)nr_collections, 1e6 * longest_pause, (double)done / (0.5 * (double)nr_collections),
        (double)stats.cpu_ns / 1e6);
    if (watched) damon_stop(&ctx, 1);
    damon_ctx_free(ctx);
    return 0;
}
