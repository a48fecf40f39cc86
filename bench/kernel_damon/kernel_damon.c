/* SPDX-License-Identifier: MIT */
#include "kernel_damon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADMIN "/sys/kernel/mm/damon/admin/kdamonds/"

static char failure[200];

static int read_number(const char* path, uint64_t* value) {
    char text[80];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = '\0';
    *value = strtoull(text, NULL, 10);
    return 1;
}

int kernel_damon_set(const struct kernel_damon_setting* setting) {
    char path[200], text[24];
    snprintf(path, sizeof path, ADMIN "%s", setting->name);
    snprintf(text, sizeof text, "%" PRIu64, setting->number);
    const char* value = setting->value != NULL ? setting->value : text;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const int error = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    if (error != 0) snprintf(failure, sizeof failure, "%s = %s: %s", setting->name, value, strerror(error));
    return -error;
}

int kernel_damon_set_all(const struct kernel_damon_setting* settings, size_t nr_settings) {
    failure[0] = '\0';
    int error = 0;
    for (size_t i = 0; i < nr_settings && error == 0; ++i) error = kernel_damon_set(&settings[i]);
    return error;
}

int kernel_damon_get(const char* name, uint64_t* value) {
    char path[200];
    snprintf(path, sizeof path, ADMIN "%s", name);
    return read_number(path, value);
}

void kernel_damon_stop(void) {
    (void)kernel_damon_set(&(struct kernel_damon_setting){"0/state", "off", 0});
    (void)kernel_damon_set(&(struct kernel_damon_setting){"nr_kdamonds", NULL, 0});
}

const char* kernel_damon_failure(void) { return failure; }

uint64_t thread_cpu_ns(const char* path) {
    char name[64];
    uint64_t value = 0;
    snprintf(name, sizeof name, "/proc/%s/schedstat", path);
    return read_number(name, &value) ? value : 0;
}
