/* Warm starts: what the monitor has learned, kept in a file for the program's next run. */
#ifndef DAMON_AGENT_WARM_H
#define DAMON_AGENT_WARM_H

#include <stddef.h>
#include <stdint.h>

#include "damon_c.h"

struct warm {
    char path[512];       /* empty: there is none */
    uint64_t every_ms;    /* how often it is saved */
    uint64_t saved_at_ms; /* monotonic; also of the start */
    uint64_t began_ms;
    /* What is to be taken over, until it was or cannot be. */
    unsigned char* bytes; /* mapped; NULL: nothing (any more) */
    size_t mapped;
    uint64_t wanted_rss; /* resident when it was saved */
    uint64_t looked_at_ms, seen_rss;
};

/* Takes the file's name from "PID:PATH", where PID is this process, or "-PID:PATH", where that is its parent: the
 * program's children have their own memory. */
void warm_name(struct warm* warm, const char* text);

/* Reads the file, before the monitor starts. `text` says what keeps it from being used, or what is waited for; it is
 * left alone where there is no file yet. */
void warm_load(struct warm* warm, char* text, size_t room);

/* Takes it over once the program has its memory back, and saves now and then. After each window. */
void warm_go_on(struct warm* warm, damon_ctx* ctx, uint64_t rss_bytes, char* text, size_t room);

/* Writes the file. 0; -EAGAIN: what there is has not been taken over yet, and stays; another negative errno. */
int warm_save(struct warm* warm, const damon_ctx* ctx, uint64_t rss_bytes, char* text, size_t room);

/* Gives back what warm_load() has mapped. */
void warm_forget(struct warm* warm);

#endif
