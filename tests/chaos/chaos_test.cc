// A host with the library in it, and its twin without: the same calls, and every answer the same, but for the few
// differences that damon_c.h names, which are counted. See README.md.
#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "controller.h"
#include "host.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Of each access check; `./dev chaos MINUTES` sets it.
uint64_t seconds() { return number_from_environment("CHAOS_SECONDS", 5); }
uint64_t seed() { return number_from_environment("CHAOS_SEED", 1); }

double now() {
    timespec time = {};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

uint32_t entries_of(const char* folder) {
    DIR* open = opendir(folder);
    uint32_t nr = 0;
    while (open != nullptr && readdir(open) != nullptr) ++nr;
    if (open != nullptr) closedir(open);
    return nr;
}

// The log of one host, kept outside of it.
class SharedLog {
public:
    SharedLog()
        : log_(static_cast<HostLog*>(mmap(nullptr, sizeof(HostLog), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {}
    ~SharedLog() { munmap(log_, sizeof(HostLog)); }
    SharedLog(const SharedLog&) = delete;
    SharedLog& operator=(const SharedLog&) = delete;
    HostLog& operator*() const { return *log_; }
    HostLog* operator->() const { return log_; }

private:
    HostLog* log_;
};

// How many calls, or until when.
struct Length {
    double seconds = 0;
    uint64_t calls = UINT64_MAX;
};

// In an emulator a few calls take seconds: there it goes on until they say something.
bool is_long_enough(const HostLog& log, const Length& length, double passed) {
    if (length.seconds == 0 || passed < length.seconds) return false;
    return (log.nr_calls > 300 && log.nr_seen > 0) || passed > 8 * length.seconds;
}

// In a process of its own. `access_check`: of the library; none: the twin.
void live(uint64_t seed, const Length& length, std::optional<int32_t> access_check, HostLog& log) {
    std::unique_ptr<Controller> controller;
    if (access_check.has_value()) controller = std::make_unique<Controller>(seed, *access_check, log);
    Host host(seed, log, controller.get());
    const double begin = now();
    while (log.nr_calls < length.calls && !is_long_enough(log, length, now() - begin)) {
        host.step();
        ++log.nr_calls;
    }
    log.nr_mappings = Host::count_mappings();
    host.finish();
    controller.reset();
    log.nr_descriptors = entries_of("/proc/self/fd");
    log.nr_threads = entries_of("/proc/self/task");
    log.finished = 1;
}

int run_host(uint64_t seed, const Length& length, std::optional<int32_t> access_check, HostLog& log) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(static_cast<unsigned>(length.seconds * 16 + 120));
        signal(SIGALRM, SIG_DFL);
        live(seed, length, access_check, log);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

// The last calls on the place of an answer, so that a difference can be understood.
std::string story_of(const HostLog& log, uint64_t at) {
    std::string story;
    for (uint64_t before = at > 400 ? at - 400 : 0; before <= at; ++before) {
        const HostEntry& entry = log.entries[before];
        if (entry.place != log.entries[at].place) continue;
        story += std::string("\n  ") + host_call_name(entry.call) + " " + std::to_string(entry.result);
    }
    return story;
}

void expect_same(const HostLog& host, const HostLog& twin) {
    const uint64_t nr = std::min(host.nr_entries.load(), twin.nr_entries.load());
    for (uint64_t at = 0; at < nr; ++at) {
        const HostEntry& left = host.entries[at];
        const HostEntry& right = twin.entries[at];
        ASSERT_TRUE(left.call == right.call && left.result == right.result && left.digest == right.digest)
            << "answer " << at << " of " << nr << ": " << host_call_name(left.call) << " gave " << left.result
            << ", read " << std::hex << left.digest << "; without the library " << host_call_name(right.call)
            << " gave " << std::dec << right.result << ", read " << std::hex << right.digest << story_of(host, at);
    }
    EXPECT_EQ(host.nr_entries.load(), twin.nr_entries.load());
}

void compare(const char* check_name, int32_t access_check) {
    SharedLog host;
    SharedLog twin;
    const uint64_t used_seed = seed();
    ASSERT_EQ(run_host(used_seed, {.seconds = static_cast<double>(seconds())}, access_check, *host), 0)
        << "the host died in call " << host->nr_calls << ", " << host_call_name(host->current) << ", seed " << used_seed
        << "; " << host->problem;
    EXPECT_STREQ(host->problem, "");
    ASSERT_EQ(run_host(used_seed, {.calls = host->nr_calls}, std::nullopt, *twin), 0);
    expect_same(*host, *twin);
    // Nothing of the library is left.
    EXPECT_EQ(host->nr_threads, twin->nr_threads);
    EXPECT_EQ(host->nr_descriptors, twin->nr_descriptors);
    // It watched meanwhile, and saw.
    EXPECT_GT(host->nr_snapshots, 0u);
    EXPECT_GT(host->nr_seen, 0u);
    // The library opens files all the time here, and the program takes their numbers.
    EXPECT_LE(host->known[static_cast<size_t>(Known::kNumberClosed)], 2 + host->nr_calls / 1000);
    std::printf("chaos %s: seed %lu, %lu calls, %lu answers, %lu controls, %lu snapshots; mappings %u (twin %u)",
                check_name, used_seed, host->nr_calls.load(), host->nr_entries.load(), host->nr_controls.load(),
                host->nr_snapshots.load(), host->nr_mappings.load(), twin->nr_mappings.load());
    for (size_t which = 0; which < kNrKnown; ++which) {
        std::printf("; %s %u times", kKnownNames[which], host->known[which].load());
        EXPECT_EQ(twin->known[which], 0u);
    }
    std::printf("\n");
}

bool available(int32_t access_check, std::string& why) {
    damon_access_check_info info;
    damon_access_check_info_init(&info);
    damon_access_check_probe(access_check, &info);
    why = info.reason;
    return info.available == 1;
}

TEST(Chaos, AHostIsAsItsTwinWithoutTheLibrary) { compare("auto", DAMON_ACCESS_CHECK_AUTO); }

TEST(Chaos, AHostOfDeclaredMemoryIsAsItsTwin) { compare("zap", DAMON_ACCESS_CHECK_ZAP); }

TEST(Chaos, AHostUnderWriteProtectionIsAsItsTwin) {
    std::string why;
    if (!available(DAMON_ACCESS_CHECK_UFFD_WP, why)) return declared_skip("uffd-wp", why);
    compare("uffd_wp", DAMON_ACCESS_CHECK_UFFD_WP);
}

TEST(Chaos, AHostUnderReadWriteProtectionIsAsItsTwin) {
    std::string why;
    if (!available(DAMON_ACCESS_CHECK_UFFD_RWP, why)) return declared_skip("uffd-rwp", why);
    compare("uffd_rwp", DAMON_ACCESS_CHECK_UFFD_RWP);
}

}  // namespace
}  // namespace damon::test
