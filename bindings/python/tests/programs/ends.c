/* Ends as few programs do, when it has held 16 MiB for a second: "thread": the first thread by pthread_exit(), and the
 * last one after it; "bare CODE": by the bare system call; "filtered": by exit(), where a filter of system calls allows
 * little more than that. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOWED(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void at_exit(void) { puts("exit"); }

static void* last(void* unused) {
    usleep(500000);
    puts("last thread");
    return unused;
}

static int filter(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOWED(SYS_write),
        ALLOWED(SYS_clock_nanosleep),
        ALLOWED(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int main(int argc, char** argv) {
    const size_t bytes = (size_t)16 << 20;
    char* memory = malloc(bytes);
    pthread_t thread;
    if (argc < 2 || memory == NULL) return 1;
    memset(memory, 1, bytes);
    printf("begin%c\n", memory[bytes / 2]); /* is still in the buffer at the end */
    usleep(1000000);
    atexit(at_exit);
    if (strcmp(argv[1], "bare") == 0) syscall(SYS_exit, atoi(argv[2]));
    if (strcmp(argv[1], "filtered") == 0) {
        if (filter() != 0) return 1;
        usleep(1000000);
        return 0;
    }
    if (pthread_create(&thread, NULL, last, NULL) != 0) return 1;
    pthread_exit(NULL);
}
