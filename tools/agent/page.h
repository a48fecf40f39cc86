/* The shared file (agent_page.h) as the agent writes it. One thread. */
#ifndef DAMON_AGENT_PAGE_WRITING_H
#define DAMON_AGENT_PAGE_WRITING_H

#include <stddef.h>
#include <stdint.h>

#include "agent_page.h"

/* What other processes of the user could change is kept here as well, and only written there. */
struct page {
    struct damon_agent_header* header; /* NULL: none is open. Start of the mapping. */
    struct damon_agent_mailbox* mailbox;
    struct damon_agent_snapshot* snapshot;
    struct damon_region_info* regions; /* behind *snapshot */
    unsigned char* ring;
    size_t bytes;
    size_t region_cap;
    uint64_t ring_bytes, ring_head, ring_tail, nr_records;
    uint32_t lock;
    int file; /* its descriptor, which holds the lock that tells that this process lives; -1: not kept */
    char path[512];
};

/* What the environment says of folders, as it was at the program's start; empty: nothing. */
struct page_folders {
    char first[240];   /* $DAMON_AGENT_DIR */
    char runtime[240]; /* $XDG_RUNTIME_DIR */
};

/* Makes the file in the first folder that is fit: `first`, `runtime`/damon, /dev/shm/damon-UID, /tmp/damon-UID. All of
 * it is allocated, so that no write to it can fail later. keeps_file: its descriptor stays open until page_unmap(), by
 * the same thread. 0 or a negative errno. */
int page_open(struct page* page, const struct page_folders* folders, size_t region_cap, uint64_t ring_bytes,
              int keeps_file);

/* Between these two the snapshot may be written. */
void page_begin(struct page* page);
void page_end(struct page* page);

/* Appends a window. bytes, kind and number of the record are filled in. */
void page_append(struct page* page, struct damon_agent_record* record, const struct damon_region_info* regions);

/* Tells tools that nothing comes any more, and removes the file or not. The mapping stays. */
void page_retire(struct page* page, int remove);
void page_unmap(struct page* page);

#endif
