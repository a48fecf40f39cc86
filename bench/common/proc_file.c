/* SPDX-License-Identifier: MIT */
#include "proc_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int proc_file_number(const char* path, uint64_t* value) {
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

uint64_t thread_cpu_ns(const char* path) {
    char name[64];
    uint64_t value = 0;
    snprintf(name, sizeof name, "/proc/%s/schedstat", path);
    return proc_file_number(name, &value) ? value : 0;
}
