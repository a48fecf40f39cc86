/* SPDX-License-Identifier: MIT */
/* The kernel's DAMON through its sysfs files, as its documentation says. For one user at a time; needs root. */
#ifndef KERNEL_DAMON_H
#define KERNEL_DAMON_H

#include <stddef.h>
#include <stdint.h>

/* A file below /sys/kernel/mm/damon/admin/kdamonds, and what to write there. */
struct kernel_damon_setting {
    const char* name;
    const char* value; /* NULL: `number` */
    uint64_t number;
};

/* 0, or a negative errno; kernel_damon_failure() then names the file, the value and the reason. */
int kernel_damon_set(const struct kernel_damon_setting* setting);
/* The same, up to the first that fails, which kernel_damon_failure() names; earlier ones are forgotten. */
int kernel_damon_set_all(const struct kernel_damon_setting* settings, size_t nr_settings);
/* 1; 0: no such file. */
int kernel_damon_get(const char* name, uint64_t* value);
/* "off", and no kdamond. */
void kernel_damon_stop(void);
/* Of the last call that failed; "": none has. */
const char* kernel_damon_failure(void);

#endif
