/* SPDX-License-Identifier: MIT */
#include "kernel_damon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc_file.h"

#define ADMIN "/sys/kernel/mm/damon/admin/kdamonds/"

static char failure[200];

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
    return proc_file_number(path, value);
}

void kernel_damon_stop(void) {
    (void)kernel_damon_set(&(struct kernel_damon_setting){"0/state", "off", 0});
    (void)kernel_damon_set(&(struct kernel_damon_setting){"nr_kdamonds", NULL, 0});
}

const char* kernel_damon_failure(void) { return failure; }
