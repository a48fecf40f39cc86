/* Forks when a line comes in; parent and child live until their input ends. Prints the child's process id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char* memory = malloc(1 << 20);
    memset(memory, 1, 1 << 20);
    setvbuf(stdin, NULL, _IONBF, 0);
    if (getchar() == EOF) return 1;
    pid_t child = fork();
    if (child < 0) return 1;
    if (child != 0) {
        printf("%d\n", (int)child);
        fflush(stdout);
    }
    while (getchar() != EOF) {
    }
    free(memory);
    int status = 0;
    if (child != 0 && (waitpid(child, &status, 0) != child || status != 0)) return 2;
    return 0;
}
