/* Writes 8 MiB of 64 MiB all the time, or with an argument reads them; with "apart" they are a mapping of their own.
 * Prints where both begin, and ends when its input does. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const int reads = argc > 1;
    volatile char seen = 0;
    const size_t all = (size_t)64 << 20, skipped = (size_t)16 << 20, hot = (size_t)8 << 20;
    char* memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    madvise(memory, all, MADV_NOHUGEPAGE);
    memset(memory, 1, all);
    if (reads && strcmp(argv[1], "apart") == 0) {
        mprotect(memory + skipped - 4096, 4096, PROT_NONE);
        mprotect(memory + skipped + hot, 4096, PROT_NONE);
    }
    printf("%llu %llu\n", (unsigned long long)memory, (unsigned long long)(memory + skipped));
    fflush(stdout);
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    do {
        for (size_t at = skipped; at < skipped + hot; at += 4096) {
            if (reads)
                seen += memory[at];
            else
                memory[at]++;
        }
    } while (poll(&input, 1, 1) == 0);
    (void)argv;
    return 0;
}
