/* Becomes another user at once, as servers do that root starts, and holds 16 MiB. */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    const size_t bytes = (size_t)16 << 20;
    if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) return 1;
    char* memory = malloc(bytes);
    if (memory == NULL) return 1;
    for (int i = 0; i < 20000; i++) {
        memset(memory, i, bytes);
        usleep(1000);
    }
    return memory[bytes / 2] == 77;
}
