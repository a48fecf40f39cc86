/* SPDX-License-Identifier: MIT */
/*
 * Writes what a context finds down as a record, which `damon report`, `damon export` and the Python package read;
 * docs/records.md describes the file. To be compiled into a program: damon_record.c needs damon_c.h and the C library.
 *
 *   struct damon_record record;
 *   int error = damon_record_create(&record, "run.rec", "service", "search");
 *   while (error == 0 && damon_snapshot_wait(ctx, info.seq, 1000) == 0) {
 *       int nr = damon_snapshot_read(ctx, regions, CAP, &info);
 *       if (nr >= 0) error = damon_record_write(&record, regions, (size_t)nr, &info);
 *   }
 *   damon_record_close(&record);
 *
 * Functions give 0 or a negative errno. A record belongs to one thread at a time. Nothing is allocated. Whole windows
 * are written: a program that is killed, and a full disk, lose the last one at most.
 */
#ifndef DAMON_RECORD_H
#define DAMON_RECORD_H

#include <damon_c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Members are private. */
struct damon_record {
    int fd;
    uint32_t is_begun;
    uint64_t seq;
    uint64_t last_ns;
    uint64_t wall_ns; /* of the moment at which the snapshots' clock was 0 */
    uint64_t end;     /* bytes of the file that are whole */
    char label[64];
    char word[64];
};

/* A new file with mode 0600, in the place of one that is there; never through a link (-ELOOP). `label` and `word`: a
 * label of the record, such as "service" and "search", each shorter than 64 bytes, else -EINVAL; or NULL. */
int damon_record_create(struct damon_record* record, const char* path, const char* label, const char* word);

/* Writes a window, as damon_snapshot_read() gave it. The one that was written last, and info->seq 0 (no window has
 * ended yet), are passed over. -ENOSPC and the like: nothing of it is left in the file, and the next one may be tried.
 * -EINVAL: regions that are not sorted within their target. -E2BIG: more than 1,048,576 regions. */
int damon_record_write(struct damon_record* record, const struct damon_region_info* regions, size_t nr_regions,
                       const struct damon_snapshot_info* info);

/* Says in the record that this is its end, and closes it. A record that was closed, or not created, is passed over. */
int damon_record_close(struct damon_record* record);

#ifdef __cplusplus
}
#endif

#endif
