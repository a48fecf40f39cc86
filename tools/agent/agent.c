/* libdamon_agent.so, for LD_PRELOAD: monitors the program that it is loaded into, without a change to it.
 *
 * The constructor makes one thread, which sleeps until the delay is over. Then that thread opens the shared file
 * (agent_page.h), starts the monitor (whose worker is the second and last thread), publishes each window, and obeys
 * commands; while the monitor is paused it sleeps on the command word and nothing wakes up at all.
 *
 * Both end when the program's threads have: a process whose first thread ends before others goes on until the last.
 *
 * Nothing is started in a set-uid program, in one that is excluded by its name (options.c), and in a forked child,
 * unless follow_fork says so. The thread has all signals blocked and a file table of its own: the program's descriptors
 * are neither seen nor changed, and its own cannot be closed by the program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"
#include "options.h"
#include "page.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* The thread that keeps the program's files, where its first thread ends before the others. */
enum keeper { KEEPER_NONE = 0, KEEPER_WAITS = 1, KEEPER_EXITS = 2, KEEPER_ENDS = 3 };

enum {
    LOOK_MS = 250,
    READY_S = 1,
    EARLY_WINDOWS = 50,
    GROWN_BYTES = 1 << 20,
    FUTEX_SIZE_U32 = 2,
    SYS_FUTEX_WAITV = 449
};

/* In front what the constructor and the destructor touch: each page more is a page fault of every program. */
static struct {
    int32_t opened_by;            /* process id, once the page is there */
    uint32_t is_filtered;         /* 1: the program's first thread has forbidden itself system calls since it began */
    pthread_mutex_t lock;         /* of the context, against the program's exit */
    const uint32_t* first_thread; /* its id, which the kernel sets to 0 and wakes when it ends; NULL: not known */
    int status;                   /* descriptor of /proc/self/status, or -1 */
    uint32_t filters;             /* of the agent's own thread, which began with those of the program */
    uint64_t looked_ms;
    int32_t begun_in;  /* process id, once the agent's thread is there */
    uint32_t keeper;   /* enum keeper: a futex word */
    uint32_t is_ready; /* 1: the monitor runs, or cannot: a futex word */
    uint32_t reserved;
    struct agent_options options;
    struct page_folders folders;
    struct page page;
    struct monitor monitor;
    unsigned char request[DAMON_AGENT_REQUEST_BYTES]; /* a copy: the shared one may change while it is checked */
} agent = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The number in a line of such a file, such as "\nThreads:"; 0: there is none. */
static uint32_t number_in(const char* status, const char* name) {
    const char* at = strstr(status, name);
    return at == NULL ? 0 : (uint32_t)strtoul(at + strlen(name), NULL, 10);
}

static uint32_t filters_in(const char* status) {
    const uint32_t nr = number_in(status, "\nSeccomp_filters:"); /* since Linux 5.9 */
    return nr != 0 ? nr : number_in(status, "\nSeccomp:");
}

static int read_status(int file, char* text, size_t room) {
    const ssize_t length = file < 0 ? -1 : pread(file, text, room - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* A file table of this thread's own, without the program's files. 0: before Linux 5.9 the program's stays; descriptors
 * are then open in it, as few and as short as can be. */
static int leave_files_alone(void) {
    if (syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) != 0) return 0;
    for (int i = 0; i < 3; i++) /* else a message of the C library's would be written into another file */
        if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0) return 1;
    agent.monitor.statm = open("/proc/thread-self/statm", O_RDONLY | O_CLOEXEC);
    agent.status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[8192];
    const int own = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    if (read_status(own, text, sizeof text)) agent.filters = filters_in(text);
    if (own >= 0) close(own);
    return 1;
}

/* Looks, now and then, at what the program has done to itself. 1: its threads have all ended, but for those of the
 * agent, without which the process would have. */
static int program_has_ended(void) {
    char text[8192];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (now_ms - agent.looked_ms < LOOK_MS) return 0;
    agent.looked_ms = now_ms;
    if (!read_status(agent.status, text, sizeof text)) return 0;
    if (filters_in(text) != agent.filters) __atomic_store_n(&agent.is_filtered, 1, __ATOMIC_RELEASE);
    const char* state = strstr(text, "\nState:\t");
    const int is_kept = __atomic_load_n(&agent.keeper, __ATOMIC_ACQUIRE) == KEEPER_WAITS;
    const uint32_t own = (agent.monitor.ctx != NULL ? 2u : 1u) + (is_kept ? 1u : 0u);
    return state != NULL && state[8] == 'Z' && number_in(text, "\nThreads:") <= own + 1;
}

/* Sleeps until the command word is not `seen` any more, or for `ms`. */
static void wait_command(uint32_t seen, uint64_t ms) {
    struct timespec timeout = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    syscall(SYS_futex, &agent.page.mailbox->command, FUTEX_WAIT, seen, &timeout, NULL, 0);
}

/* The same for ever, or until the program's first thread ends. */
static void wait_for_ever(uint32_t seen) {
    const struct { /* struct futex_waitv, which is younger than some systems' headers */
        uint64_t value, word;
        uint32_t flags, reserved;
    } words[] = {{seen, (uintptr_t)&agent.page.mailbox->command, FUTEX_SIZE_U32, 0},
                 {(uint32_t)getpid(), (uintptr_t)agent.first_thread, FUTEX_SIZE_U32, 0}};
    if (agent.first_thread != NULL && __atomic_load_n(agent.first_thread, __ATOMIC_ACQUIRE) != (uint32_t)getpid())
        wait_command(seen, LOOK_MS); /* it has ended: others may follow */
    else if (agent.first_thread == NULL || (syscall(SYS_FUTEX_WAITV, words, 2, 0, NULL, 0) < 0 && errno == ENOSYS))
        syscall(SYS_futex, &agent.page.mailbox->command, FUTEX_WAIT, seen, NULL, NULL, 0); /* before Linux 5.16 */
}

static int obey_locked(uint32_t* seen) {
    struct damon_agent_mailbox* box = agent.page.mailbox;
    const uint32_t command = __atomic_load_n(&box->command, __ATOMIC_ACQUIRE);
    char answer[sizeof box->answer];
    if (command == *seen) return 0;
    const uint32_t kind = box->kind, bytes = box->bytes;
    int result = -EINVAL;
    snprintf(answer, sizeof answer, "the request has %u bytes; it may have %zu", bytes, sizeof agent.request);
    if (bytes <= sizeof agent.request) {
        memcpy(agent.request, box->request, bytes);
        result = monitor_obey(&agent.monitor, &agent.page, kind, agent.request, bytes, answer, sizeof answer);
    }
    *seen = command;
    const int is_last = agent.monitor.phase == DAMON_AGENT_STOPPED;
    monitor_publish(&agent.monitor, &agent.page);
    memcpy(box->answer, answer, sizeof answer);
    box->result = result;
    __atomic_store_n(&box->answered, command, __ATOMIC_RELEASE);
    return is_last;
}

/* Obeys a command that came since `seen`. 1: it was the last. */
static int obey(uint32_t* seen) {
    pthread_mutex_lock(&agent.lock);
    const int is_last = obey_locked(seen);
    pthread_mutex_unlock(&agent.lock);
    return is_last;
}

/* By the thread when it ends, or by the program's exit while the thread goes on: whoever comes first. */
static void close_page(int unmap) {
    int32_t own = (int32_t)getpid();
    if (!__atomic_compare_exchange_n(&agent.opened_by, &own, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
    /* A recorder may come to read only after the end of a program that ran for a moment. */
    page_retire(&agent.page, unmap || agent.options.reader != (uint64_t)getppid());
    if (!unmap) return;
    damon_include(agent.page.header, agent.page.bytes);
    page_unmap(&agent.page);
}

/* The exit code of the first thread, which ended by the bare system call: that of the process, but for the agent. */
static int first_code(void) {
    char text[1024];
    const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    const int is_read = read_status(file, text, sizeof text);
    const char* last = is_read ? strrchr(text, ' ') : NULL;
    if (file >= 0) close(file);
    return last == NULL ? 0 : (int)(strtol(last, NULL, 10) >> 8) & 0xff;
}

static void tell_keeper(uint32_t word) {
    uint32_t waits = KEEPER_WAITS;
    if (__atomic_compare_exchange_n(&agent.keeper, &waits, word, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        syscall(SYS_futex, &agent.keeper, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* What was learned is saved, and the process ends as it would have: by exit() where the C library would have called it,
 * in a thread that has the program's files. */
static void end_with_program(void) {
    pthread_mutex_lock(&agent.lock);
    monitor_stop(&agent.monitor);
    pthread_mutex_unlock(&agent.lock);
    if (__atomic_load_n(&agent.keeper, __ATOMIC_ACQUIRE) == KEEPER_WAITS) {
        tell_keeper(KEEPER_EXITS);
        for (;;) pause();
    }
    close_page(0);
    syscall(SYS_exit_group, first_code());
}

/* Until the program is as large as it has to be. 1: stopped meanwhile. */
static int wait_size(uint32_t* seen) {
    const uint64_t wanted = agent.options.min_rss_bytes;
    uint64_t ms = 100;
    while (agent.monitor.statm >= 0 && monitor_rss_bytes(&agent.monitor) < wanted) {
        snprintf(agent.monitor.message, sizeof agent.monitor.message, "waits until %llu KiB are resident",
                 (unsigned long long)(wanted >> 10));
        monitor_publish(&agent.monitor, &agent.page);
        wait_command(*seen, ms);
        if (obey(seen)) return 1;
        if (program_has_ended()) {
            end_with_program();
            return 1;
        }
        if (ms < 1600) ms *= 2;
    }
    agent.monitor.message[0] = '\0';
    return 0;
}

/* The context has ended by itself. */
static void give_up(void) {
    char* text = agent.monitor.message;
    if (damon_ctx_errmsg(agent.monitor.ctx, text, sizeof agent.monitor.message) <= 0)
        strcpy(text, "the monitor has ended");
    damon_ctx_free(agent.monitor.ctx);
    agent.monitor.ctx = NULL;
    agent.monitor.phase = DAMON_AGENT_FAILED;
}

/* Publishes windows and obeys until the last command, or the program's end. */
static void follow(uint32_t* seen) {
    while (!obey(seen)) {
        damon_ctx* ctx = agent.monitor.ctx;
        if (program_has_ended()) {
            end_with_program();
            return;
        }
        if (ctx == NULL || damon_is_paused(ctx) == 1) {
            wait_for_ever(*seen);
            continue;
        }
        int error = damon_snapshot_wait(ctx, agent.monitor.seq, 250);
        pthread_mutex_lock(&agent.lock);
        if (error == -ECANCELED || (error == 0 && !damon_is_running(ctx))) give_up();
        warm_go_on(&agent.monitor.warm, agent.monitor.ctx, monitor_rss_bytes(&agent.monitor), agent.monitor.message,
                   sizeof agent.monitor.message);
        pthread_mutex_unlock(&agent.lock);
        if (error != -ETIMEDOUT) monitor_publish(&agent.monitor, &agent.page);
    }
}

static void sleep_ms(uint64_t ms) {
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

static void tell_ready(void) {
    __atomic_store_n(&agent.is_ready, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &agent.is_ready, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void* run(void* unused) {
    struct agent_options* options = &agent.options;
    uint32_t seen = 0;
    sleep_ms(options->delay_ms); /* first: a program that ends sooner pays for nothing else */
    agent.monitor.statm = agent.status = -1;
    agent.monitor.warm.every_ms = options->warm_every_ms;
    prctl(PR_SET_NAME, "damon_agent");
    const int has_own_files = leave_files_alone();
    size_t cap = options->attrs.max_nr_regions > 2048 ? options->attrs.max_nr_regions * 2 : 4096;
    if (cap > 1 << 18) cap = 1 << 18;
    if (page_open(&agent.page, &agent.folders, cap, options->ring_bytes, has_own_files) != 0) {
        tell_ready();
        tell_keeper(KEEPER_ENDS);
        agent.begun_in = 0;
        return unused;
    }
    __atomic_store_n(&agent.opened_by, (int32_t)getpid(), __ATOMIC_RELEASE);
    damon_exclude(agent.page.header, agent.page.bytes);
    agent.monitor.attrs = options->attrs;
    agent.monitor.coverage = (uint32_t)options->coverage;
    if (options->error[0] != '\0') {
        snprintf(agent.monitor.message, sizeof agent.monitor.message, "%s", options->error);
        agent.monitor.phase = DAMON_AGENT_FAILED;
    } else if (!wait_size(&seen)) {
        monitor_choose_passes(&agent.monitor, options->auto_passes_us);
        pthread_mutex_lock(&agent.lock);
        monitor_start(&agent.monitor, options->paused != 0);
        pthread_mutex_unlock(&agent.lock);
    }
    tell_ready();
    if (agent.monitor.phase != DAMON_AGENT_STOPPED) {
        monitor_publish(&agent.monitor, &agent.page);
        follow(&seen);
    }
    close_page(1);
    tell_keeper(KEEPER_ENDS);
    return unused;
}

/* A detached thread with all signals blocked. */
static int begin_thread(void* (*run_it)(void*), size_t stack_bytes) {
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0) return -1;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, stack_bytes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it */
    int error = pthread_create(&thread, &attr, run_it, NULL);
    if (error == EINVAL) { /* more static thread-local memory than stack */
        pthread_attr_setstacksize(&attr, 8 << 20);
        error = pthread_create(&thread, &attr, run_it, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

/* If asked for, the monitor is there before the program's first instruction: what it changes then, such as its user,
 * does not keep the agent's files from being opened. */
static void start_thread(void) {
    const struct timespec most = {READY_S, 0};
    if (begin_thread(run, 256 << 10) != 0) return;
    agent.begun_in = (int32_t)getpid();
    if (!agent.options.at_once) return;
    while (__atomic_load_n(&agent.is_ready, __ATOMIC_ACQUIRE) == 0)
        if (syscall(SYS_futex, &agent.is_ready, FUTEX_WAIT_PRIVATE, 0, &most, NULL, 0) != 0 && errno == ETIMEDOUT)
            return;
}

static void* keep(void* unused) {
    uint32_t word;
    prctl(PR_SET_NAME, "damon_keeper");
    while ((word = __atomic_load_n(&agent.keeper, __ATOMIC_ACQUIRE)) == KEEPER_WAITS)
        syscall(SYS_futex, &agent.keeper, FUTEX_WAIT_PRIVATE, KEEPER_WAITS, NULL, NULL, 0);
    if (word == KEEPER_EXITS) exit(0);
    return unused;
}

/* In the place of the C library's. The thread that ends last calls exit(), which must be one with the program's files:
 * the agent's threads are none. So where the first thread ends before the others, one more stays for that. */
__attribute__((visibility("default"), noreturn)) void pthread_exit(void* value) {
    void (*real)(void*) __attribute__((noreturn));
    void* found = dlsym(RTLD_NEXT, "pthread_exit");
    uint32_t none = KEEPER_NONE;
    memcpy(&real, &found, sizeof real);
    if (agent.begun_in == (int32_t)getpid() && syscall(SYS_gettid) == getpid() &&
        __atomic_compare_exchange_n(&agent.keeper, &none, KEEPER_WAITS, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) &&
        begin_thread(keep, 64 << 10) != 0)
        __atomic_store_n(&agent.keeper, KEEPER_NONE, __ATOMIC_RELEASE);
    real(value);
}

/* By the first thread of a process. */
static void learn_first_thread(void) {
    if (prctl(PR_GET_TID_ADDRESS, &agent.first_thread, 0, 0, 0) != 0) agent.first_thread = NULL;
}

/* In a forked child that is to be monitored: the parent's file is not mapped, its context cannot be used. In any other
 * nothing looks at what belongs to the parent: opened_by tells. */
static void forget(void) {
    memset(&agent.page, 0, sizeof agent.page);
    agent.monitor.ctx = NULL;
    agent.monitor.phase = DAMON_AGENT_WAITING;
    agent.monitor.seq = 0;
    agent.opened_by = 0;
    agent.is_filtered = agent.filters = agent.keeper = agent.is_ready = 0;
    learn_first_thread();
    agent.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    agent.monitor.warm = (struct warm){.path = ""};
    start_thread();
}

static void copy(char* to, size_t room, const char* name) {
    const char* value = getenv(name);
    if (value != NULL && strlen(value) < room) strcpy(to, value);
}

static const char* base_name(const char* path) {
    const char* slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

__attribute__((constructor)) static void begin(void) {
    const char* path = (const char*)getauxval(AT_EXECFN);
    const char* schemes = getenv("DAMON_AGENT_SCHEMES");
    if (getauxval(AT_SECURE) != 0) return;
    options_read(&agent.options, getenv("DAMON_AGENT"));
    if (options_exclude(&agent.options, program_invocation_short_name)) return;
    if (path != NULL && options_exclude(&agent.options, base_name(path))) return;
    /* Copied now: programs write over their environment. */
    copy(agent.folders.first, sizeof agent.folders.first, "DAMON_AGENT_DIR");
    copy(agent.folders.runtime, sizeof agent.folders.runtime, "XDG_RUNTIME_DIR");
    warm_name(&agent.monitor.warm, getenv("DAMON_AGENT_WARM"));
    if (schemes != NULL) {
        long bytes = options_bytes(schemes, agent.monitor.schemes, sizeof agent.monitor.schemes);
        if (bytes < 0)
            strcpy(agent.options.error, "DAMON_AGENT_SCHEMES is no list of schemes in hexadecimal, or too long");
        else
            agent.monitor.scheme_bytes = (size_t)bytes;
    }
    if (agent.options.follow_fork) pthread_atfork(NULL, NULL, forget);
    learn_first_thread();
    start_thread();
}

/* At the program's exit. The agent's thread holds the lock for as long as a command or a save takes. */
static void save_at_exit(void) {
    const int is_own = __atomic_load_n(&agent.opened_by, __ATOMIC_ACQUIRE) == (int32_t)getpid();
    char text[sizeof agent.monitor.message];
    if (!is_own || agent.monitor.warm.path[0] == '\0') return;
    for (int ms = 0; pthread_mutex_trylock(&agent.lock) != 0; ms++) {
        if (ms == 500) return;
        sleep_ms(1);
    }
    if (agent.monitor.ctx != NULL)
        warm_save(&agent.monitor.warm, agent.monitor.ctx, monitor_own_rss_bytes(), text, sizeof text);
    pthread_mutex_unlock(&agent.lock);
}

/* In a thread of the program's. Where it has forbidden itself system calls, one of these could be its death; the file
 * is left to the next agent or tool then. */
__attribute__((destructor)) static void end(void) {
    if (__atomic_load_n(&agent.is_filtered, __ATOMIC_ACQUIRE)) return;
    save_at_exit();
    close_page(0);
}
