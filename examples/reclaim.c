/* A program with a 256 MiB file mapping, of which it uses 20 %, and a scheme that pages the rest out: memory that was
 * not accessed for a second, at most 64 MiB a second of it, and at most 5 % of the time.
 *
 * File-backed memory needs no swap: what is paged out is read back from the file when it is needed again. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "damon_c.h"

enum { FILE_BYTES = 256 << 20, HOT_BYTES = FILE_BYTES / 5, PAGE = 4096 };

static volatile unsigned char* memory;
static atomic_bool quit;

static void must(const damon_ctx* ctx, int result, const char* what) {
    if (result >= 0) return;
    char why[256] = "";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "%s: %s (%s)\n", what, damon_strerror(result), why);
    exit(1);
}

/* The program uses the first fifth of its memory. */
static void* program(void* sum_out) {
    uint64_t sum = 0;
    while (!atomic_load(&quit)) {
        for (size_t at = 0; at < HOT_BYTES; at += PAGE) sum += memory[at];
    }
    *(uint64_t*)sum_out = sum;
    return NULL;
}

/* Resident file-backed memory of this process, MiB. */
static long rss_file_mib(void) {
    long kib = 0;
    char line[128];
    FILE* status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) sscanf(line, "RssFile: %ld kB", &kib);
    if (status != NULL) fclose(status);
    return kib >> 10;
}

static void map_file(void) {
    char name[] = "reclaim-example-XXXXXX", block[PAGE];
    int file = mkstemp(name);
    if (file < 0) exit((perror(name), 1));
    unlink(name);
    for (int i = 0; i < FILE_BYTES / PAGE; ++i) {
        memset(block, i, sizeof block);
        if (write(file, block, sizeof block) != PAGE) exit((perror("write"), 1));
    }
    fsync(file); /* only what is on the disk can leave memory at once */
    memory = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) exit((perror("mmap"), 1));
    for (size_t at = 0; at < FILE_BYTES; at += PAGE) (void)memory[at];
}

int main(void) {
    map_file();
    /* "A shared mapping that stays until it is withdrawn": its reads can be seen on any kernel. */
    must(NULL, damon_shared_declare((const void*)memory, FILE_BYTES), "damon_shared_declare");
    uint64_t sum = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, program, &sum);

    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    struct damon_addr_range range = {(uintptr_t)memory, (uintptr_t)memory + FILE_BYTES};
    must(ctx, damon_target_set_regions(target, &range, 1), "damon_target_set_regions");
    must(ctx, damon_ctx_add_target(ctx, target), "damon_ctx_add_target");
    must(ctx, damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR), "damon_ctx_set_ops");

    struct damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.pattern.min_age = 10; /* windows of 100 ms */
    params.quota.reset_interval_ms = 1000;
    params.quota.sz = 64 << 20;
    params.quota.ms = 50;
    params.quota.weight_age = 1; /* coldest first */
    must(ctx, damon_ctx_add_scheme(ctx, damos_new(&params)), "damon_ctx_add_scheme");

    printf("6. Reclaim: 256 MiB of a file are mapped, 20 %% of them are in use\n");
    printf("   resident before: %ld MiB\n", rss_file_mib());
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    struct damos_stat stat;
    damos_stat_init(&stat);
    for (int second = 1; second <= 8; ++second) {
        sleep(1);
        must(ctx, damon_ctx_get_scheme_stat(ctx, 0, &stat), "damon_ctx_get_scheme_stat");
        printf("   after %d s: %ld MiB resident, %" PRIu64 " MiB paged out, quota used up %" PRIu64 " times\n", second,
               rss_file_mib(), stat.sz_applied >> 20, stat.qt_exceeds);
    }
    must(ctx, damon_stop(&ctx, 1), "damon_stop");
    damon_ctx_free(ctx);
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);
    printf("   resident after:  %ld MiB; nothing was lost:", rss_file_mib());
    for (size_t at = 0; at < FILE_BYTES; at += PAGE) {
        if (memory[at] != (unsigned char)(at / PAGE)) return printf(" NO, page %zu changed\n", at / PAGE), 1;
    }
    printf(" every page still holds what was written\n");
    damon_shared_withdraw((const void*)memory, FILE_BYTES);
    return munmap((void*)memory, FILE_BYTES) == 0 ? 0 : 1;
}
