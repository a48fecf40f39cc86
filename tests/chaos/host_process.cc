// Descriptors, children, threads, signals, the heap and the stack: what is not a mapping of the host's own.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "host.h"
#include "os/uapi.h"

namespace damon::test {
namespace {

int64_t answer(int result) { return result < 0 ? -errno : result; }

std::atomic<uint64_t> nr_signals{0};
void count_signal(int) { ++nr_signals; }

// A userfaultfd with `features`, or a negative error number.
int open_userfaultfd(uint64_t features) {
    const auto fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | uapi::kUffdUserModeOnly));
    if (fd < 0) return -errno;
    uapi::UffdApi api{.features = features};
    if (ioctl(fd, uapi::kUffdioApi, &api) == 0) return fd;
    const int error = errno;
    close(fd);
    return -error;
}

void* loop_until_cancelled(void* data) {
    auto* counter = static_cast<volatile uint64_t*>(data);
    for (;;) {
        *counter = *counter + 1;
        pthread_testcancel();
    }
}

__attribute__((noinline)) uint64_t sum_of_stack(unsigned depth) {
    volatile char frame[4096];
    frame[depth % sizeof frame] = static_cast<char>(depth);
    const uint64_t below = depth == 0 ? 0 : sum_of_stack(depth - 1);
    return below + static_cast<unsigned char>(frame[depth % sizeof frame]);
}

}  // namespace

void Host::own_userfaultfd(Place& place) {
    if (!place.is_private() || place.protection != PROT_READ + PROT_WRITE) return;
    const int fd = open_userfaultfd(0);
    if (fd < 0) return note(fd);
    const bool away = may_leave_excluded();
    keep_away(place, away);
    constexpr uint64_t kMissing = 1;
    uapi::UffdRegister registration{.range = {place.start(), place.bytes}, .mode = kMissing};
    int64_t result = answer(ioctl(fd, uapi::kUffdioRegister, &registration));
    if (result == -EBUSY && embedding_ != nullptr && !away) {
        known(Known::kOwnRegistration);
        result = 0;
    }
    note(result);
    uapi::UffdRange range = registration.range;
    ioctl(fd, uapi::kUffdioUnregister, &range);
    close(fd);
    come_back(place, away);
    place.whole = false;  // what was registered apart need not merge again
}

// A runtime that resets its guests by what they wrote. Excluded: the library's marks would be taken for its own.
void Host::own_written_pages(Place& place) {
    if (place.kind != PlaceKind::kPrivate || place.protection != PROT_READ + PROT_WRITE) return;
    const int fd = open_userfaultfd(uapi::kFeatureWpAsync);
    if (fd < 0) return note(fd);
    keep_away(place, true);
    uapi::UffdRegister registration{.range = {place.start(), place.bytes}, .mode = uapi::kRegisterModeWp};
    note(answer(ioctl(fd, uapi::kUffdioRegister, &registration)));
    for (uint64_t at = 0; at < place.bytes; at += 4096) (void)*reinterpret_cast<volatile char*>(place.data(at));
    uapi::UffdProtect protect{.range = registration.range, .mode = 1};
    note(answer(ioctl(fd, uapi::kUffdioWriteprotect, &protect)));
    for (int count = 0; count < 3; ++count) fill(place, piece(place));
    const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    static uapi::PageRegion regions[256];
    uapi::ScanArguments scan;
    scan.start = place.start();
    scan.end = place.start() + place.bytes;
    scan.vec = reinterpret_cast<uintptr_t>(regions);
    scan.vec_len = std::size(regions);
    scan.category_mask = uapi::kPageWritten | uapi::kPagePresent;
    scan.return_mask = uapi::kPageWritten;
    const int64_t nr = answer(ioctl(pagemap, uapi::kPagemapScan, &scan));
    uint64_t written = 0;
    for (int64_t index = 0; index < nr; ++index) written = written * 31 + (regions[index].end - regions[index].start);
    note(nr, written);
    close(pagemap);
    uapi::UffdRange range = registration.range;
    ioctl(fd, uapi::kUffdioUnregister, &range);
    close(fd);
    come_back(place, true);
    place.whole = false;
}

// A child sees what its parent had, changes it for itself, and ends.
void Host::fork_child(Place&) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    const pid_t child = fork();
    if (child == 0) {
        uint64_t sum = 0;
        for (Place& place : places_) {
            if (!place.mapped() || !place.readable()) continue;
            sum = sum * 31 + digest(place);
            if (place.is_private() && place.writable()) fill(place, {0, 8192});
        }
        const bool fine = embedding_ == nullptr || embedding_->in_child();
        const bool told = ::write(ends[1], &sum, sizeof sum) == sizeof sum;
        _exit(fine && told ? 0 : 1);
    }
    close(ends[1]);
    uint64_t sum = 0;
    int status = 0;
    const int64_t told = answer(static_cast<int>(::read(ends[0], &sum, sizeof sum)));
    close(ends[0]);
    waitpid(child, &status, 0);
    note(told * 1000 + status, sum);
}

void Host::exec_child(Place&) {
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    char name[] = "/proc/self/exe";
    char flag[] = "--gtest_list_tests";
    char* words[] = {name, flag, nullptr};
    pid_t child = 0;
    int status = posix_spawn(&child, name, &quiet, nullptr, words, environ);
    posix_spawn_file_actions_destroy(&quiet);
    if (status == 0) waitpid(child, &status, 0);
    note(status);
}

void Host::close_all(Place&) { note(answer(static_cast<int>(syscall(SYS_close_range, 3u, ~0u, 0)))); }

// The program's files lie under numbers of its own choice, and stay its own.
void Host::take_numbers(Place&) {
    const auto first = static_cast<int>(random_.between(3, 40));
    const auto last = first + static_cast<int>(random_.between(1, 30));
    for (int number = first; number < last; ++number) {
        const int file = memfd_create("number", MFD_CLOEXEC);
        if (file < 0) return note(-errno);
        const bool wrote = ::write(file, &number, sizeof number) == sizeof number;
        if (file != number) {
            // Another thread is just opening a file there: as in every program with threads.
            while (dup2(file, number) < 0 && errno == EBUSY) {
            }
            close(file);
        }
        if (!wrote) note(-1);
    }
    usleep(static_cast<useconds_t>(random_.between(0, 3000)));
    uint64_t sum = 0;
    for (int number = first; number < last; ++number) {
        int content = 0;
        int64_t got = answer(static_cast<int>(pread(number, &content, sizeof content, 0)));
        const bool is_its_own = got == sizeof content && content == number;
        // Closed; or closed and given to a file of the library, which has its mark.
        if (got == -EBADF || (!is_its_own && fcntl(number, F_GETSIG) > 0)) {
            known(Known::kNumberClosed);
            got = sizeof content;
            content = number;
        }
        sum = sum * 31 + static_cast<uint64_t>(got * 1000 + content);
        close(number);
    }
    note(last - first, sum);
}

void Host::cancel_thread(Place& place) {
    if (!place.mapped() || !place.writable() || !place.readable()) return;
    pthread_t thread{};
    uint64_t counter = 0;
    void* result = nullptr;
    int64_t error = pthread_create(&thread, nullptr, loop_until_cancelled, &counter);
    if (error == 0) {
        fill(place, piece(place));
        error = pthread_cancel(thread);
        pthread_join(thread, &result);
    }
    note(error * 10 + (result == PTHREAD_CANCELED ? 1 : 0));
}

// Signals reach the program, interrupt it, and are counted to the last one.
void Host::interrupt(Place& place) {
    struct sigaction action = {};
    action.sa_handler = count_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    sigaction(SIGALRM, &action, nullptr);
    const itimerval often = {{0, 200}, {0, 200}};
    const itimerval never = {};
    setitimer(ITIMER_REAL, &often, nullptr);
    if (place.mapped() && place.writable() && place.readable()) {
        for (int count = 0; count < 20; ++count) fill(place, piece(place));
        note(0, digest(place));
    }
    setitimer(ITIMER_REAL, &never, nullptr);
    const uint64_t before = nr_signals;
    for (int count = 0; count < 5; ++count) {
        const uint64_t now = nr_signals;
        kill(getpid(), SIGUSR1);
        while (nr_signals == now) usleep(50);
    }
    note(nr_signals - before >= 5 ? 5 : 0);
}

void Host::allocate(Place&) {
    uint64_t sum = 0;
    unsigned char* blocks[16] = {};
    size_t sizes[16] = {};
    for (int count = 0; count < 64; ++count) {
        const size_t which = random_.between(0, std::size(blocks));
        const size_t bytes = random_.between(16, 400'000);
        auto* block = static_cast<unsigned char*>(std::realloc(blocks[which], bytes));
        if (block == nullptr) return note(-ENOMEM);
        if (blocks[which] != nullptr) sum = sum * 31 + block[std::min(bytes, sizes[which]) - 1];
        blocks[which] = block;
        sizes[which] = bytes;
        std::memset(block, count + 1, bytes);
    }
    for (unsigned char* block : blocks) std::free(block);
    note(0, sum);
}

void Host::deep_stack(Place&) { note(0, sum_of_stack(static_cast<unsigned>(random_.between(10, 800)))); }

}  // namespace damon::test
