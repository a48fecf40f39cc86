/* SPDX-License-Identifier: MIT */
/**
 * @file agent_page.h
 * @brief The file that the agent (libdamon_agent.so) shares with the tools: what a program's monitor finds, and
 * commands.
 *
 * One file a monitored process, `DIRECTORY/PID.damon`, mode 0600, mapped shared by the agent and by each tool.
 * DIRECTORY is $XDG_RUNTIME_DIR/damon, /dev/shm/damon-UID or /tmp/damon-UID: a folder of the user's, mode 0700, that is
 * no link. Both sides check that before they open a file, and open it with O_NOFOLLOW.
 *
 *     0                       struct damon_agent_header      written once, but for `ended` and the ring's three words
 *     mailbox_offset          struct damon_agent_mailbox     written by tools, and by the agent as it answers
 *     snapshot_offset         struct damon_agent_snapshot    the latest; sequence lock
 *       + sizeof              struct damon_region_info[region_cap]
 *     ring_offset             records, ring_bytes in all
 *
 * The agent keeps byte 0 locked (F_OFD_SETLK) while its process lives: what is locked is not removed as left behind,
 * also by processes of other PID namespaces, for which the id in its name is another one's or nobody's.
 *
 * Numbers are those of the machine. Structures of damon_c.h are embedded as they are; the header tells their sizes, and
 * a tool that knows other sizes refuses the file: agent and tool must be of one release.
 *
 * **Sequence lock.** The writer makes `lock` odd, writes, makes it even. A reader copies between two reads of `lock`
 * and tries again unless both gave the same even number.
 *
 * **Ring.** A record is one window: struct damon_agent_record, then its regions, then padding to 8 bytes. Positions
 * count bytes ever written; a record at position P lies at ring_offset + P % ring_bytes and never wraps: where the rest
 * of the ring is too short, it holds one record of kind DAMON_AGENT_PADDING (of which only `bytes` and `kind` are
 * written). The agent moves ring_tail past what it is about to overwrite, then writes, then moves ring_head. A reader
 * begins at ring_tail, goes on to ring_head, and looks at ring_tail again after each copy: where it has passed the
 * record, the copy is void and the reader goes on from there. `number` has no gaps, so a gap tells how many were lost.
 *
 * **Commands.** A tool takes an exclusive flock() of the file, fills the request in, adds 1 to `command`, and wakes the
 * agent (FUTEX_WAKE, not private, on `command`). The agent answers when `answered` has reached the value of `command`.
 * It looks at the word after each window, at least four times a second, and at once while it is paused.
 */
#ifndef DAMON_AGENT_PAGE_H
#define DAMON_AGENT_PAGE_H

#include <stdint.h>

#include "damon_c.h"

#define DAMON_AGENT_MAGIC "DAMONAGT" /* 8 bytes, without the terminator */
#define DAMON_AGENT_VERSION 1
#define DAMON_AGENT_MAX_SCHEMES 16 /* that are published */
#define DAMON_AGENT_REQUEST_BYTES 8192

/* Sizes of the structures of damon_c.h that the file has. */
struct damon_agent_sizes {
    uint32_t region_info, snapshot_info, attrs, state_info, ctx_stats, params, stat, action_stats, filter, quota_goal;
};

struct damon_agent_header {
    char magic[8];
    uint32_t version;      /* DAMON_AGENT_VERSION */
    uint32_t header_bytes; /* sizeof(struct damon_agent_header) */
    uint64_t file_bytes;
    int32_t pid; /* in the process's own namespace of process ids */
    uint32_t uid;
    uint64_t start_ticks;  /* when the process began: field 22 of /proc/PID/stat. Tells a reused process id. */
    uint64_t made_ns;      /* CLOCK_MONOTONIC */
    uint64_t made_wall_ns; /* CLOCK_REALTIME */
    uint64_t mailbox_offset;
    uint64_t snapshot_offset;
    uint64_t region_cap;
    uint64_t ring_offset;
    uint64_t ring_bytes; /* a power of two */
    struct damon_agent_sizes sizes;
    char program[16];    /* name of the process, terminated */
    uint32_t ended;      /* 1: the monitor or the program has ended; nothing comes any more */
    uint32_t reserved;   /* 0 */
    uint64_t ring_head;  /* where the next record begins */
    uint64_t ring_tail;  /* the oldest record that is whole */
    uint64_t nr_records; /* written so far: the number of the last */
};

/* What damon_agent_record.kind can be. */
enum damon_agent_record_kind { DAMON_AGENT_PADDING = 0, DAMON_AGENT_WINDOW = 1 };

/* One window. struct damon_region_info[nr_regions] follow. */
struct damon_agent_record {
    uint32_t bytes;   /* all of it, a multiple of 8 */
    uint32_t kind;    /* enum damon_agent_record_kind */
    uint64_t number;  /* from 1, without gaps */
    uint64_t time_ns; /* CLOCK_MONOTONIC: when the window ended */
    uint64_t wall_ns; /* CLOCK_REALTIME of the same moment */
    uint64_t seq;     /* of the snapshot; seqs have gaps where the agent came late */
    uint64_t window_us, sample_us, aggr_us;
    uint64_t min_nr_regions, max_nr_regions;
    uint64_t total_bytes;                    /* of all regions */
    uint64_t accessed_bytes;                 /* of regions with an access; a lower bound where unknown_bytes is not 0 */
    uint64_t unknown_bytes;                  /* of regions that could not be looked at */
    uint64_t rss_bytes;                      /* resident, of the whole process */
    uint64_t cpu_ns;                         /* CPU time of the worker so far */
    uint64_t nr_samples, nr_unknown_samples; /* so far */
    uint32_t nr_regions, max_nr_accesses;
    uint32_t flags; /* enum damon_snapshot_flags */
    uint32_t nr_targets;
    int32_t state;        /* enum damon_state */
    uint32_t cost_permil; /* damon_state_info.cost_permil */
};

/* A scheme as it is, and what it has done. */
struct damon_agent_scheme {
    struct damos_params params; /* its pointers are NULL */
    struct damos_stat stat;
};

enum damon_agent_phase {
    DAMON_AGENT_WAITING = 0, /* for the program to be large enough: damon_agent_snapshot.message says for what */
    DAMON_AGENT_RUNNING = 1, /* or paused: damon_state_info.state */
    DAMON_AGENT_FAILED = 2,  /* the monitor could not start, or ended: message says why */
    DAMON_AGENT_STOPPED = 3  /* by a command, or because the program ends */
};

struct damon_agent_snapshot {
    uint32_t lock; /* of the sequence lock */
    int32_t phase; /* enum damon_agent_phase */
    uint64_t published_ns, published_wall_ns;
    uint64_t rss_bytes;
    uint64_t agent_cpu_ns; /* CPU time of the agent's own thread; the worker's is stats.cpu_ns */
    uint32_t nr_regions;   /* 0, with info.nr_regions more than region_cap: they did not fit */
    uint32_t nr_schemes;   /* at most DAMON_AGENT_MAX_SCHEMES of them follow */
    char message[240];
    struct damon_snapshot_info info;
    struct damon_attrs attrs;
    struct damon_state_info state;
    struct damon_ctx_stats stats;
    struct damon_action_stats action_stats;
    struct damon_agent_scheme schemes[DAMON_AGENT_MAX_SCHEMES];
};

enum damon_agent_command {
    DAMON_AGENT_PAUSE = 1,
    DAMON_AGENT_RESUME = 2,
    DAMON_AGENT_STOP = 3,    /* for good: the file is removed, the agent's threads end */
    DAMON_AGENT_TUNE = 4,    /* struct damon_attrs */
    DAMON_AGENT_SCHEMES = 5, /* these in the place of all that are there, see damon_agent_scheme_head; empty: none */
    DAMON_AGENT_REFRESH = 6, /* publish what there is now, also while paused */
    DAMON_AGENT_SAVE = 7     /* write what was learned to the file of the warm start */
};

/* In a request: one scheme. struct damos_filter[nr_filters] and struct damos_quota_goal[nr_goals] follow, then the
 * next. */
struct damon_agent_scheme_head {
    struct damos_params params; /* action_fn and action_data must be NULL */
    uint32_t nr_filters, nr_goals;
};

struct damon_agent_mailbox {
    uint32_t command;  /* a futex word; counts requests */
    uint32_t answered; /* the value of `command` that is answered */
    uint32_t kind;     /* enum damon_agent_command */
    uint32_t bytes;    /* of the request */
    int32_t result;    /* 0 or a negative errno */
    uint32_t reserved; /* 0 */
    char answer[232];  /* why, terminated */
    unsigned char request[DAMON_AGENT_REQUEST_BYTES];
};

#endif /* DAMON_AGENT_PAGE_H */
