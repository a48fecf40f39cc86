/* What `damon run` tells the agent by the environment.
 *
 * - DAMON_AGENT: name=value,name=value...: see options.c; unknown names and wrong values keep the monitor from starting
 * - DAMON_AGENT_DIR: folder for the shared file, before the usual ones
 * - DAMON_AGENT_SCHEMES: schemes as in a request (agent_page.h), in hexadecimal
 * - DAMON_AGENT_WARM: [-]PID:PATH, the process that is meant (or its parent) and its file of a warm start (warm.h)
 */
#ifndef DAMON_AGENT_OPTIONS_H
#define DAMON_AGENT_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "damon_c.h"

struct agent_options {
    uint64_t delay_ms;      /* from the program's start; nothing but a sleeping thread is there before */
    uint64_t min_rss_bytes; /* wait until so much is resident */
    uint64_t ring_bytes;    /* a power of two */
    uint64_t follow_fork;   /* 1: a forked child is monitored as well, and not only after exec */
    uint64_t coverage;      /* enum damon_coverage_flags */
    uint64_t paused;        /* 1: start paused */
    uint64_t at_once;       /* 1: the program waits until the monitor has started; with delay_ms and min_rss_bytes 0 */
    uint64_t
        auto_passes_us; /* passes over accessed bits so often where samples see nothing of private memory; 0: never */
    uint64_t reader;    /* this process, if it is the parent, removes the file after the program's end */
    uint64_t warm_every_ms; /* how often the file of a warm start is written; 0: at the end alone */
    struct damon_attrs attrs;
    const char* exclude; /* names of programs to leave alone besides the usual ones, with ':' between; or NULL */
    size_t exclude_length;
    char error[200]; /* not empty: what is wrong */
};

/* Reads DAMON_AGENT. No call of the C library but string functions: it runs in a constructor. */
void options_read(struct agent_options* options, const char* text);

/* Whether the program of this name is to be left alone: one that changes users, namespaces or what it may do, for which
 * a second thread is a failure, or whose own children are the interesting ones. */
int options_exclude(const struct agent_options* options, const char* name);

/* Bytes from hexadecimal digits; -1: other characters, or more than room. */
long options_bytes(const char* text, unsigned char* out, size_t room);

#endif
