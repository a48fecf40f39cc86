/* SPDX-License-Identifier: MIT */
/* Numbers that the kernel tells in small files. */
#ifndef PROC_FILE_H
#define PROC_FILE_H

#include <stdint.h>

/* The number that the file begins with: 1; 0: it cannot be read. */
int proc_file_number(const char* path, uint64_t* value);
/* CPU time of a thread so far, from /proc/PATH/schedstat; 0: cannot be read. */
uint64_t thread_cpu_ns(const char* path);

#endif
