/* SPDX-License-Identifier: MIT */
/* The kernel's DAMON through its sysfs files, as its documentation says. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

#define ADMIN "/sys/kernel/mm/damon/admin/kdamonds/"

static char failure[200];
static char kdamond_path[32]; /* below /proc */

/* 0, or a negative errno that is also kept in `failure`. */
static int put(const char* name, const char* value) {
    char path[200];
    snprintf(path, sizeof path, ADMIN "%s", name);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const ssize_t written = fd < 0 ? -1 : write(fd, value, strlen(value));
    const int error = written < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    if (error != 0) snprintf(failure, sizeof failure, "%s = %s: %s", name, value, strerror(error));
    return -error;
}

static int put_number(const char* name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return put(name, text);
}

/* False: no such file. */
static int get_number(const char* name, uint64_t* value) {
    char path[200], text[32];
    snprintf(path, sizeof path, ADMIN "%s", name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = '\0';
    *value = strtoull(text, NULL, 10);
    return 1;
}

/* Everything matches, so that each pass "tries", and tells, all regions. */
static int set_up_scheme(void) {
    static const char* const bounds[] = {"sz", "nr_accesses", "age"};
    int error = put("0/contexts/0/schemes/nr_schemes", "1");
    if (error == 0) error = put("0/contexts/0/schemes/0/action", "stat");
    for (int i = 0; i < 3 && error == 0; i++) {
        char name[80];
        snprintf(name, sizeof name, "0/contexts/0/schemes/0/access_pattern/%s/max", bounds[i]);
        error = put_number(name, i == 0 ? UINT64_MAX : UINT32_MAX);
    }
    return error;
}

static int set_up(const struct monitor_attrs* attrs) {
    const struct {
        const char* name;
        uint64_t value;
    } numbers[] = {
        {"0/contexts/0/monitoring_attrs/intervals/sample_us", attrs->sample_us},
        {"0/contexts/0/monitoring_attrs/intervals/aggr_us", attrs->aggr_us},
        {"0/contexts/0/monitoring_attrs/intervals/update_us", 60000000},
        {"0/contexts/0/monitoring_attrs/nr_regions/max", attrs->max_nr_regions},
        {"0/contexts/0/monitoring_attrs/nr_regions/min", attrs->min_nr_regions},
        {"0/contexts/0/targets/nr_targets", 1},
        {"0/contexts/0/targets/0/pid_target", (uint64_t)getpid()},
    };
    int error = put("nr_kdamonds", "1");
    if (error == 0) error = put("0/contexts/nr_contexts", "1");
    if (error == 0) error = put("0/contexts/0/operations", "vaddr");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && error == 0; i++) {
        error = put_number(numbers[i].name, numbers[i].value);
    }
    return error != 0 ? error : set_up_scheme();
}

static void stop(void) {
    (void)put("0/state", "off");
    (void)put("nr_kdamonds", "0");
}

static int start(const struct monitor_attrs* attrs) {
    failure[0] = '\0';
    int error = set_up(attrs);
    if (error == 0) error = put("0/state", "on");
    uint64_t pid = 0;
    if (error == 0 && !get_number("0/pid", &pid)) error = -ESRCH;
    if (error != 0) stop();
    snprintf(kdamond_path, sizeof kdamond_path, "%" PRIu64, pid);
    return error;
}

static int read_regions(struct monitor_region* regions, size_t cap) {
    /* Returns when the scheme's next pass is over, which is at the end of a window. */
    const int error = put("0/state", "update_schemes_tried_regions");
    if (error != 0) return error;
    size_t count = 0;
    for (; count < cap; count++) {
        static const char* const members[] = {"start", "end", "nr_accesses"};
        uint64_t values[3];
        for (int i = 0; i < 3; i++) {
            char name[100];
            snprintf(name, sizeof name, "0/contexts/0/schemes/0/tried_regions/%zu/%s", count, members[i]);
            if (!get_number(name, &values[i])) return (int)count;
        }
        regions[count] = (struct monitor_region){values[0], values[1], values[2]};
    }
    return (int)count;
}

static int cost(struct monitor_cost* out) {
    const int error = put("0/state", "update_schemes_stats");
    out->cpu_ns = monitor_thread_cpu_ns(kdamond_path);
    out->nr_windows = 0;
    out->nr_samples = 0;
    (void)get_number("0/contexts/0/schemes/0/stats/nr_snapshots", &out->nr_windows);
    return error;
}

static void describe(char* text, size_t bytes) {
    snprintf(text, bytes, "%s", failure[0] != '\0' ? failure : "accessed bits of page tables");
}

const struct monitor kernel_monitor = {"kernel", start, read_regions, cost, describe, stop};

uint64_t monitor_thread_cpu_ns(const char* path) {
    char name[64], text[80] = "";
    snprintf(name, sizeof name, "/proc/%s/schedstat", path);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    return length > 0 ? strtoull(text, NULL, 10) : 0;
}
