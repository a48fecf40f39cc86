/* SPDX-License-Identifier: MIT */
/* A program that uses the first fifth of its memory all the time, and the rest never. What every page holds is known.
 */
#ifndef DAMON_BENCH_RECLAIM_PROGRAM_H
#define DAMON_BENCH_RECLAIM_PROGRAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum program_memory {
    PROGRAM_ANON, /* private, in small pages, read and written: paging it out needs swap */
    PROGRAM_FILE  /* a shared mapping of a nameless file below TMPDIR or /tmp, only read: it comes back from the file */
};

struct program {
    enum program_memory kind;
    unsigned char* memory;
    size_t bytes;
    size_t hot_bytes;
    pthread_t thread;
    atomic_bool quit;
    _Atomic uint64_t nr_accesses; /* pages touched so far */
};

/* Ends the process, after saying why, where the machine has not got what it takes. */
void program_start(struct program* program, enum program_memory kind, size_t bytes);
/* Ends the thread. Returns how many pages of all the memory no longer hold what they should; they are read for it. */
uint64_t program_stop(struct program* program);
/* Makes every page present again. */
void program_populate(const struct program* program);

uint64_t program_now_ns(void);
/* CPU time of the program's thread: what it computes, page faults included. */
uint64_t program_cpu_ns(const struct program* program);
/* Bytes of the memory in the page tables, in [start, end) of it. */
uint64_t program_present_bytes(const struct program* program, size_t start, size_t end);
/* Resident bytes of the whole process. */
uint64_t program_rss_bytes(void);
void program_sleep_ms(uint64_t ms);

#endif
