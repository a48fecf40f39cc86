/* SPDX-License-Identifier: MIT */
/* The first thread ends; another one writes 16 MiB for a minute. */
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

enum { BYTES = 16 << 20 };
static volatile char memory[BYTES];

static void* work(void* unused) {
    (void)unused;
    for (int i = 0; i < 6000; i++) {
        for (size_t at = 0; at < BYTES; at += 4096) memory[at]++;
        usleep(10000);
    }
    _exit(0);
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;
    pthread_exit(NULL);
}
