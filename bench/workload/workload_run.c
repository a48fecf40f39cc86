/* SPDX-License-Identifier: MIT */
/* Mapping the regions and making the accesses. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"
#include "workload_impl.h"

#define HUGE_PAGE_BYTES ((uint64_t)2 << 20)
#define ACCESSES_PER_WEIGHT 64

/* What the first word of each populated page holds, and what writes store: no access changes the content. */
static uint64_t mark_of(const unsigned char* address) { return (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15 | 1; }

static void* map_shared(uint64_t bytes) {
    const int fd = memfd_create("workload", MFD_CLOEXEC);
    if (fd < 0) return MAP_FAILED;
    void* mapping = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0) mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return mapping;
}

static int map_region(struct workload_region* region, enum workload_memory memory) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    region->mapping_bytes = region->length + (memory == WORKLOAD_HUGE ? HUGE_PAGE_BYTES : 0);
    void* mapping = memory == WORKLOAD_SHARED ? map_shared(region->mapping_bytes)
                                              : mmap(NULL, region->mapping_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mapping == MAP_FAILED) return -errno;
    region->mapping = mapping;
    region->memory = mapping;
    if (memory == WORKLOAD_HUGE) {
        const uint64_t past = (uint64_t)(uintptr_t)mapping % HUGE_PAGE_BYTES;
        if (past != 0) region->memory += HUGE_PAGE_BYTES - past;
        /* A kernel without huge pages refuses; the memory is then what it is. */
        (void)madvise(region->memory, region->length, MADV_HUGEPAGE);
    } else if (memory == WORKLOAD_ANON) {
        (void)madvise(region->memory, region->length, MADV_NOHUGEPAGE);
    }
    return 0;
}

static void unmap_all(struct workload* w) {
    for (size_t i = 0; i < w->nr_regions; i++) {
        struct workload_region* region = &w->regions[i];
        if (region->mapping != NULL) munmap(region->mapping, region->mapping_bytes);
        region->mapping = NULL;
        region->memory = NULL;
    }
}

int workload_map(struct workload* w, enum workload_memory memory, int populate) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < w->nr_regions; i++) {
        if (w->regions[i].mapping != NULL) return -EBUSY;
    }
    for (size_t i = 0; i < w->nr_regions; i++) {
        struct workload_region* region = &w->regions[i];
        const int error = map_region(region, memory);
        if (error != 0) {
            unmap_all(w);
            return error;
        }
        for (uint64_t at = 0; populate && at + 8 <= region->length; at += page) {
            *(volatile uint64_t*)(region->memory + at) = mark_of(region->memory + at);
        }
    }
    w->populated = populate;
    return 0;
}

static uint64_t next_random(struct workload* w) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static void touch(unsigned char* address, int is_write) {
    if (is_write) {
        *(volatile uint64_t*)address = mark_of(address);
    } else {
        (void)*(volatile uint64_t*)address;
    }
}

static void access_in_order(struct workload_entry* entry, unsigned char* part, uint64_t count) {
    const struct workload_access* access = &entry->access;
    uint64_t cursor = entry->cursor;
    for (; count > 0; count--) {
        touch(part + cursor, access->is_write);
        cursor += access->stride;
        if (cursor + 8 > access->length) cursor = 0;
    }
    entry->cursor = cursor;
}

static void access_at_random(struct workload* w, const struct workload_access* access, unsigned char* part,
                             uint64_t count) {
    const uint64_t nr_places = (access->length - 8) / access->stride + 1;
    for (; count > 0; count--) touch(part + next_random(w) % nr_places * access->stride, access->is_write);
}

static uint64_t run_round(struct workload* w, struct workload_phase* phase) {
    uint64_t made = 0;
    for (size_t i = 0; i < phase->nr_entries; i++) {
        struct workload_entry* entry = &phase->entries[i];
        const uint64_t count = (uint64_t)ACCESSES_PER_WEIGHT * entry->access.weight;
        unsigned char* part = w->regions[entry->access.region].memory + entry->access.offset;
        if (entry->access.order == WORKLOAD_SEQUENTIAL) {
            access_in_order(entry, part, count);
        } else {
            access_at_random(w, &entry->access, part, count);
        }
        made += count;
    }
    return made;
}

static void rest(uint64_t microseconds) {
    const struct timespec pause = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000 * 1000)};
    nanosleep(&pause, NULL);
}

uint64_t workload_run_rounds(struct workload* w, size_t phase, uint64_t rounds) {
    uint64_t made = 0;
    for (; rounds > 0; rounds--) {
        made += run_round(w, &w->phases[phase]);
        if (w->rest_us != 0) rest(w->rest_us);
    }
    return made;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t workload_run_phase(struct workload* w, size_t phase) {
    const uint64_t end_ns = now_ns() + w->phases[phase].duration_ms * 1000000;
    uint64_t made = 0;
    do {
        /* A phase that accesses nothing sleeps instead of burning time. */
        const uint64_t in_round = workload_run_rounds(w, phase, 16);
        if (in_round == 0) rest(1000);
        made += in_round;
    } while (now_ns() < end_ns);
    return made;
}

uint64_t workload_damaged_pages(const struct workload* w) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t damaged = 0;
    for (size_t i = 0; i < w->nr_regions && w->populated; i++) {
        const struct workload_region* region = &w->regions[i];
        for (uint64_t at = 0; at + 8 <= region->length; at += page) {
            damaged += *(volatile uint64_t*)(region->memory + at) != mark_of(region->memory + at);
        }
    }
    return damaged;
}
