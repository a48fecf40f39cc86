/* The agent's context: made, changed by commands, and told to the shared file. One thread, but for damon_c.h's own
 * rules. */
#ifndef DAMON_AGENT_MONITOR_H
#define DAMON_AGENT_MONITOR_H

#include <stddef.h>
#include <stdint.h>

#include "damon_c.h"
#include "page.h"
#include "warm.h"

struct monitor {
    damon_ctx* ctx; /* NULL: none runs */
    int32_t phase;  /* enum damon_agent_phase */
    uint64_t seq;   /* of the snapshot that was told last */
    uint32_t coverage;
    uint32_t reserved;
    int statm; /* descriptor of /proc/thread-self/statm, of the thread that reads it, or -1 */
    struct damon_attrs attrs;
    unsigned char schemes[DAMON_AGENT_REQUEST_BYTES]; /* as in a request */
    size_t scheme_bytes;
    char message[232];
    struct warm warm;
};

/* Passes over accessed bits every `us`, unless the attributes have some already, where samples of private memory see
 * nothing (userfaultfd is refused, as in containers) and passes do. Nothing is split there, so that nothing is asked of
 * the program. */
void monitor_choose_passes(struct monitor* monitor, uint64_t us);

/* Makes a context of the monitor's attributes and schemes and starts it. 0, or a negative errno with `message` set. */
int monitor_start(struct monitor* monitor, int paused);

/* Stops and frees it. Returns when all that it held is given back. */
void monitor_stop(struct monitor* monitor);

/* Does what a command says. 0 or a negative errno; `answer` is filled in. The request is the agent's own copy. */
int monitor_obey(struct monitor* monitor, const struct page* page, uint32_t kind, const void* request, size_t bytes,
                 char* answer, size_t room);

/* Bytes of the process that are resident; 0: not known. */
uint64_t monitor_rss_bytes(struct monitor* monitor);

/* The same from any thread, whose file table is the program's. */
uint64_t monitor_own_rss_bytes(void);

/* Writes the latest into the page; a window that is new is appended to the ring. */
void monitor_publish(struct monitor* monitor, struct page* page);

#endif
