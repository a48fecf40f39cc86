/* Forks; parent and child live until their input ends. Prints the child's process id, and at the end how many threads and
 * open descriptors the program has, which the agent must not add to. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int open_descriptors = 0;
    pid_t child = fork();
    if (child < 0) return 1;
    if (child != 0) {
        DIR* folder = opendir("/proc/self/fd");
        while (folder != NULL && readdir(folder) != NULL) open_descriptors++;
        printf("%d %d\n", (int)child, open_descriptors);
        fflush(stdout);
    }
    char* memory = malloc(1 << 20);
    memset(memory, 1, 1 << 20);
    while (getchar() != EOF) {}
    free(memory);
    int status = 0;
    if (child != 0 && (waitpid(child, &status, 0) != child || status != 0)) return 2;
    return 0;
}
