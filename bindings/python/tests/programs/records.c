/* SPDX-License-Identifier: MIT */
/* Writes a record of three windows with damon_record.c; with "full", onto a disk that takes no more than so many bytes.
 */
#include <damon_record.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void expect(int is_right, const char* what) {
    if (is_right) return;
    printf("not so: %s\n", what);
    exit(1);
}

int main(int argc, char** argv) {
    struct damon_record record;
    static struct damon_region_info many[3000];
    struct damon_snapshot_info info = {
        .size = sizeof info, .seq = 1, .time_ns = 1000, .sample_us = 5000, .aggr_us = 100000};
    info.max_nr_accesses = 20;
    info.nr_targets = 2;
    info.window_us = 100500;
    info.flags = DAMON_SNAPSHOT_WRITES_ONLY | DAMON_SNAPSHOT_UNKNOWN;
    struct damon_region_info few[] = {
        {.start = 0x7f0000000000, .end = 0x7f0000100000, .nr_accesses = 20, .age = 3, .age_us = 300000, .idle_us = 0},
        {.start = 0x7f0000200000, .end = 0x7fffffff0000, .idle_us = 1ull << 40, .flags = DAMON_REGION_WRITES_ONLY},
        {.start = 0x10000,
         .end = 0x11000,
         .target_idx = 1,
         .idle_us = UINT64_MAX,
         .flags = DAMON_REGION_UNKNOWN,
         .unknown_reason = DAMON_UNKNOWN_HUGE_PAGE},
    };
    for (size_t i = 0; i < 3000; i++)
        many[i] = (struct damon_region_info){
            .start = i << 20, .end = (i << 20) + 4096 + (i << 8), .nr_accesses = (uint32_t)(i % 21)};
    expect(argc == 3, "two words");
    expect(damon_record_create(&record, argv[1], "service", NULL) == -EINVAL, "a label without a word is refused");
    expect(damon_record_write(&record, few, 3, &info) == -EINVAL, "nothing is written to what was not created");
    expect(damon_record_create(&record, argv[1], "service", "sea\"rch\n") == 0, "a record");
    if (strcmp(argv[2], "full") == 0) {
        const struct rlimit limit = {4096, 4096};
        signal(SIGXFSZ, SIG_IGN);
        expect(setrlimit(RLIMIT_FSIZE, &limit) == 0, "a limit");
        expect(damon_record_write(&record, few, 3, &info) == 0, "a small window fits");
        info.seq = 2;
        expect(damon_record_write(&record, many, 3000, &info) == -EFBIG, "a large one does not");
        info.seq = 3;
        expect(damon_record_write(&record, few, 3, &info) == 0, "the next one does");
        return -damon_record_close(&record);
    }
    info.seq = 0;
    expect(damon_record_write(&record, NULL, 0, &info) == 0, "no window has ended");
    info.seq = 1;
    expect(damon_record_write(&record, few, 3, &info) == 0, "the first window");
    expect(damon_record_write(&record, many, 3000, &info) == 0, "the same one is passed over");
    info.seq = 2;
    info.time_ns = 2000;
    expect(damon_record_write(&record, many, 3000, &info) == 0, "the second window");
    info.seq = 3;
    expect(damon_record_write(&record, NULL, 0, &info) == 0, "one without regions");
    info.seq = 4;
    few[1].start = 0x7f0000000000;
    expect(damon_record_write(&record, few, 3, &info) == -EINVAL, "regions that overlap are refused");
    expect(damon_record_close(&record) == 0 && damon_record_close(&record) == 0, "the end");
    return 0;
}
