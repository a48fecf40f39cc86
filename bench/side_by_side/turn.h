/* SPDX-License-Identifier: MIT */
/* One monitor, or none, watching one pattern for a while. Prints one JSON object a line:
 *   {"kind": "snapshot", ...}  each window that was read, compared with the truth
 *   {"kind": "turn", ...}      what the monitor cost, and how many accesses the program got done
 */
#ifndef DAMON_BENCH_TURN_H
#define DAMON_BENCH_TURN_H

#include "monitor.h"
#include "program.h"

struct turn {
    const char* pattern;
    const struct monitor* monitor; /* NULL: none */
    struct monitor_attrs attrs;
    uint64_t run_ms;
    unsigned repeat;
};

/* 0, or a negative errno after saying on stderr what is wrong. */
int turn_run(struct program* program, const struct turn* turn);

#endif
