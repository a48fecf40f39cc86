/* SPDX-License-Identifier: MIT */
/* The kernel's DAMON and its pageout action, as the documentation of its sysfs files says. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reclaimer.h"

#define ADMIN "/sys/kernel/mm/damon/admin/kdamonds/"
#define CONTEXT "0/contexts/0/"
#define SCHEME CONTEXT "schemes/0/"

struct setting {
    const char* name;
    const char* value; /* NULL: `number` */
    uint64_t number;
};

static int put(const struct setting* setting) {
    char path[200], text[24];
    snprintf(path, sizeof path, ADMIN "%s", setting->name);
    snprintf(text, sizeof text, "%" PRIu64, setting->number);
    const char* value = setting->value != NULL ? setting->value : text;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const int error = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    if (error != 0) fprintf(stderr, "%s = %s: %s\n", setting->name, value, strerror(error));
    return -error;
}

static int put_all(const struct setting* settings, size_t nr_settings) {
    int error = 0;
    for (size_t i = 0; i < nr_settings && error == 0; ++i) error = put(&settings[i]);
    return error;
}

static uint64_t get(const char* name) {
    char path[200], text[32] = "";
    snprintf(path, sizeof path, ADMIN "%s", name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    return length > 0 ? strtoull(text, NULL, 10) : 0;
}

static int start(const void* memory, size_t bytes) {
    const uint64_t begin = (uint64_t)(uintptr_t)memory;
    const struct setting settings[] = {
        {"nr_kdamonds", NULL, 1},
        {"0/contexts/nr_contexts", NULL, 1},
        {CONTEXT "operations", "fvaddr", 0},
        {CONTEXT "monitoring_attrs/intervals/sample_us", NULL, 5000},
        {CONTEXT "monitoring_attrs/intervals/aggr_us", NULL, 100000},
        {CONTEXT "monitoring_attrs/nr_regions/min", NULL, 10},
        {CONTEXT "monitoring_attrs/nr_regions/max", NULL, 1000},
        {CONTEXT "targets/nr_targets", NULL, 1},
        {CONTEXT "targets/0/pid_target", NULL, (uint64_t)getpid()},
        {CONTEXT "targets/0/regions/nr_regions", NULL, 1},
        {CONTEXT "targets/0/regions/0/start", NULL, begin},
        {CONTEXT "targets/0/regions/0/end", NULL, begin + bytes},
        {CONTEXT "schemes/nr_schemes", NULL, 1},
        {SCHEME "action", "pageout", 0},
        {SCHEME "access_pattern/sz/max", NULL, UINT64_MAX},
        {SCHEME "access_pattern/nr_accesses/max", NULL, 0},
        {SCHEME "access_pattern/age/min", NULL, RECLAIM_AFTER_MS / 100},
        {SCHEME "access_pattern/age/max", NULL, UINT32_MAX},
        {"0/state", "on", 0},
    };
    return put_all(settings, sizeof settings / sizeof settings[0]);
}

static void read_stat(struct reclaimer_stat* stat) {
    char path[32];
    (void)put(&(struct setting){"0/state", "update_schemes_stats", 0});
    stat->sz_tried = get(SCHEME "stats/sz_tried");
    stat->sz_applied = get(SCHEME "stats/sz_applied");
    snprintf(path, sizeof path, "%" PRIu64, get("0/pid"));
    stat->cpu_ns = reclaimer_thread_cpu_ns(path);
}

static void stop(void) {
    const struct setting settings[] = {{"0/state", "off", 0}, {"nr_kdamonds", NULL, 0}};
    (void)put_all(settings, 2);
}

const struct reclaimer kernel_reclaimer = {"kernel", start, read_stat, stop};

uint64_t reclaimer_thread_cpu_ns(const char* path) {
    char name[64], text[80] = "";
    snprintf(name, sizeof name, "/proc/%s/schedstat", path);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    return length > 0 ? strtoull(text, NULL, 10) : 0;
}
