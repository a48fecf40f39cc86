/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / sizeof(uint64_t) };

static void fail(const char* what) {
    perror(what);
    exit(1);
}

static uint64_t word_of(uint64_t page, uint64_t i) { return page * 1000003 + i; }

static void fill_page(uint64_t* words, uint64_t page) {
    for (uint64_t i = 0; i < WORDS; ++i) words[i] = word_of(page, i);
}

static unsigned char* map_anonymous(size_t bytes) {
    void* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (size_t page = 0; page < bytes / PAGE; ++page) fill_page((uint64_t*)memory + page * WORDS, page);
    return memory;
}

static unsigned char* map_file(size_t bytes) {
    const char* folder = getenv("TMPDIR");
    char name[256];
    snprintf(name, sizeof name, "%s/reclaim_XXXXXX", folder != NULL ? folder : "/tmp");
    const int file = mkstemp(name);
    if (file < 0) fail(name);
    unlink(name);
    uint64_t words[WORDS];
    for (size_t page = 0; page < bytes / PAGE; ++page) {
        fill_page(words, page);
        if (write(file, words, PAGE) != PAGE) fail("write");
    }
    if (fsync(file) != 0) fail("fsync"); /* clean pages leave memory without being written */
    void* memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) fail("mmap");
    close(file);
    return memory;
}

static void* run(void* data) {
    struct program* program = data;
    const int writes = program->kind == PROGRAM_ANON;
    while (!atomic_load_explicit(&program->quit, memory_order_relaxed)) {
        for (size_t at = 0; at < program->hot_bytes; at += PAGE) {
            volatile uint64_t* word = (volatile uint64_t*)(program->memory + at);
            const uint64_t value = *word;
            if (writes) *word = value;
        }
        atomic_fetch_add_explicit(&program->nr_accesses, program->hot_bytes / PAGE, memory_order_relaxed);
    }
    return NULL;
}

void program_start(struct program* program, enum program_memory kind, size_t bytes) {
    program->kind = kind;
    program->bytes = bytes;
    program->hot_bytes = bytes / 5 / PAGE * PAGE;
    program->memory = kind == PROGRAM_ANON ? map_anonymous(bytes) : map_file(bytes);
    program_populate(program);
    program->quit = 0;
    program->nr_accesses = 0;
    if (pthread_create(&program->thread, NULL, run, program) != 0) fail("pthread_create");
}

uint64_t program_stop(struct program* program) {
    program->quit = 1;
    pthread_join(program->thread, NULL);
    uint64_t nr_damaged = 0;
    for (size_t page = 0; page < program->bytes / PAGE; ++page) {
        uint64_t words[WORDS];
        fill_page(words, page);
        nr_damaged += memcmp(words, program->memory + page * PAGE, PAGE) != 0;
    }
    munmap(program->memory, program->bytes);
    return nr_damaged;
}

void program_populate(const struct program* program) {
    for (size_t at = 0; at < program->bytes; at += PAGE) (void)*(volatile unsigned char*)(program->memory + at);
}

uint64_t program_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t program_cpu_ns(const struct program* program) {
    clockid_t clock;
    struct timespec t;
    if (pthread_getcpuclockid(program->thread, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t program_present_bytes(const struct program* program, size_t start, size_t end) {
    const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap < 0) fail("/proc/self/pagemap");
    uint64_t entries[512], nr_present = 0;
    for (size_t at = start; at < end;) {
        size_t nr_pages = (end - at) / PAGE;
        if (nr_pages > 512) nr_pages = 512;
        const off_t place = (off_t)(((uintptr_t)program->memory + at) / PAGE * sizeof entries[0]);
        const ssize_t got = pread(pagemap, entries, nr_pages * sizeof entries[0], place);
        if (got <= 0) fail("/proc/self/pagemap");
        for (size_t i = 0; i < (size_t)got / sizeof entries[0]; ++i) nr_present += entries[i] >> 63;
        at += (size_t)got / sizeof entries[0] * PAGE;
    }
    close(pagemap);
    return nr_present * PAGE;
}

uint64_t program_rss_bytes(void) {
    unsigned long pages = 0;
    FILE* statm = fopen("/proc/self/statm", "re");
    if (statm == NULL || fscanf(statm, "%*u %lu", &pages) != 1) fail("/proc/self/statm");
    fclose(statm);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void program_sleep_ms(uint64_t ms) {
    const struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}
