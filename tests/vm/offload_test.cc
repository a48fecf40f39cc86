// Contexts whose monitor is the running kernel's DAMON. Runs inside the virtual machine only: it takes the machine's
// DAMON for itself, and turns the kernel's own users of it on and off.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "damon_c.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

constexpr const char* kKdamonds = "/sys/kernel/mm/damon/admin/kdamonds";
constexpr const char* kStatSwitch = "/sys/module/damon_stat/parameters/enabled";
const std::string kState = std::string(kKdamonds) + "/0/state";
const std::string kFolder = std::string(kKdamonds) + "/0/contexts/0/";
constexpr size_t kMegabyte = 1 << 20;

// The kernel lets nobody read some of its files while it is busy with a command: then it is asked again.
std::string content_of(const std::string& path) {
    for (;;) {
        const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        char text[4096];
        const ssize_t length = read(fd, text, sizeof text);
        const int error = errno;
        close(fd);
        if (length < 0 && error == EBUSY) continue;
        std::string content(text, static_cast<size_t>(std::max<ssize_t>(length, 0)));
        while (!content.empty() && content.back() == '\n') content.pop_back();
        return content;
    }
}

bool write_to(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
    return file.good();
}

void touch(char* byte) {
    auto* seen = static_cast<volatile char*>(byte);
    *seen = static_cast<char>(*seen + 1);
}

// A child with a heap of which the first tenth is read and written all the time, until its end.
class Program {
public:
    explicit Program(size_t bytes = 64 * kMegabyte) : bytes_(bytes) {
        memory_ = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work();
        }
    }
    ~Program() {
        end();
        munmap(memory_, bytes_);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void end() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    int32_t pid() const { return pid_; }
    uint64_t start() const { return reinterpret_cast<uintptr_t>(memory_); }
    uint64_t hot_end() const { return start() + bytes_ / 10; }
    uint64_t end_address() const { return start() + bytes_; }

private:
    [[noreturn]] void work() const {
        madvise(memory_, bytes_, MADV_NOHUGEPAGE);
        memset(memory_, 1, bytes_);  // pages of its own
        void* other =
            mmap(nullptr, kMegabyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        for (bool writable = true;; writable = !writable) {
            for (size_t at = 0; at < bytes_ / 10; at += 4096) touch(memory_ + at);
            // An emulated processor may keep translations for ever, and then nobody sees accesses. A change of this
            // size flushes all of them.
            mprotect(other, kMegabyte, writable ? PROT_READ : PROT_READ | PROT_WRITE);
        }
    }

    size_t bytes_;
    char* memory_ = nullptr;
    int32_t pid_ = 0;
};

class Context {
public:
    explicit Context(int32_t ops) : ctx_(damon_ctx_new()) { EXPECT_EQ(damon_ctx_set_ops(ctx_, ops), 0) << error(); }
    ~Context() { damon_ctx_free(ctx_); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    operator damon_ctx*() const { return ctx_; }
    void watch(int32_t pid, std::vector<damon_addr_range> ranges = {}) {
        damon_target* target = damon_target_new();
        EXPECT_EQ(damon_target_set_pid(target, pid), 0);
        EXPECT_EQ(damon_target_set_regions(target, ranges.data(), ranges.size()), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx_, target), 0) << error();
    }
    void watch(const Program& program) { watch(program.pid(), {{program.start(), program.end_address()}}); }
    int start() { return damon_start(&ctx_, 1, 0); }
    int stop() { return damon_stop(&ctx_, 1); }
    std::string error() const {
        char text[256];
        damon_ctx_errmsg(ctx_, text, sizeof text);
        return text;
    }
    std::vector<damon_region_info> snapshot(damon_snapshot_info* info = nullptr) const {
        std::vector<damon_region_info> regions(4096);
        damon_snapshot_info own;
        damon_snapshot_info_init(&own);
        const int nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &own);
        EXPECT_GE(nr, 0) << error();
        regions.resize(static_cast<size_t>(std::max(nr, 0)));
        if (info != nullptr) *info = own;
        return regions;
    }
    // The next snapshot after `nr` more of them.
    std::vector<damon_region_info> later(unsigned nr) const {
        damon_snapshot_info info;
        snapshot(&info);
        for (unsigned i = 0; i < nr; ++i) {
            EXPECT_EQ(damon_snapshot_wait(ctx_, info.seq, 30'000), 0) << error();
            snapshot(&info);
        }
        return snapshot();
    }

private:
    damon_ctx* ctx_;
};

uint64_t bytes_of(const std::vector<damon_region_info>& regions) {
    uint64_t bytes = 0;
    for (const damon_region_info& region : regions) bytes += region.end - region.start;
    return bytes;
}

// The F1 of "hot": regions that were accessed in at least half of the samples, against the truth.
double f1_of_hot(const std::vector<damon_region_info>& regions, const Program& program, uint32_t max_nr_accesses) {
    double hot = 0;
    double right = 0;
    for (const damon_region_info& region : regions) {
        if (region.nr_accesses * 2 < max_nr_accesses) continue;
        hot += static_cast<double>(region.end - region.start);
        const uint64_t start = std::max(region.start, program.start());
        const uint64_t end = std::min(region.end, program.hot_end());
        if (start < end) right += static_cast<double>(end - start);
    }
    const auto truth = static_cast<double>(program.hot_end() - program.start());
    return 2 * right / (hot + truth);
}

// Nothing here may run where somebody else needs the kernel's DAMON.
class InMachine : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_NE(getenv("DAMON_IN_VM"), nullptr) << "takes the kernel's DAMON for itself: for a virtual machine only";
    }
};

// Skips where the kernel has no DAMON that can be driven, and checks that it is left as it was found.
class Offload : public InMachine {
protected:
    static bool kernel_has_damon() { return std::filesystem::exists(kKdamonds); }
    void SetUp() override {
        InMachine::SetUp();
        if (!HasFatalFailure() && !kernel_has_damon()) declared_skip("kernel-damon", kKdamonds);
    }
    void TearDown() override {
        if (IsSkipped() || HasFatalFailure() || !kernel_has_damon()) return;
        EXPECT_EQ(content_of(std::string(kKdamonds) + "/nr_kdamonds"), "0");
        EXPECT_EQ(content_of(kStatSwitch), "N");
    }
};

TEST_F(InMachine, KernelsWithoutDamonAreNamed) {
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(0);
    const int expected = std::filesystem::exists(kKdamonds) ? 0 : -EOPNOTSUPP;
    EXPECT_EQ(context.start(), expected) << context.error();
    EXPECT_EQ(context.error().find(kKdamonds) != std::string::npos, expected != 0) << context.error();
}

TEST_F(Offload, FindsTheHotTenthOfAChild) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    EXPECT_EQ(content_of(kState), "on");
    double best = 0;
    damon_snapshot_info info{};
    for (int i = 0; i < 60 && best < 0.9; ++i) {
        context.later(1);
        const std::vector<damon_region_info> regions = context.snapshot(&info);
        EXPECT_EQ(bytes_of(regions), program.end_address() - program.start());
        best = std::max(best, f1_of_hot(regions, program, info.max_nr_accesses));
    }
    EXPECT_GE(best, 0.9) << "after " << info.seq << " snapshots";
    RecordProperty("snapshots", static_cast<int>(info.seq));
    RecordProperty("f1_permil", static_cast<int>(best * 1000));
    EXPECT_EQ(context.stop(), 0);
}

TEST_F(Offload, FollowsTheMappingsOfAnyProcess) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(program.pid());
    ASSERT_EQ(context.start(), 0) << context.error();
    const std::vector<damon_region_info> regions = context.later(3);
    const auto inside = [&](const damon_region_info& region) {
        return region.start < program.end_address() && program.start() < region.end;
    };
    EXPECT_TRUE(std::any_of(regions.begin(), regions.end(), inside));
    EXPECT_EQ(context.stop(), 0);
    EXPECT_EQ(context.start(), 0) << context.error();
    EXPECT_GT(context.later(1).size(), 0u);
}

TEST_F(Offload, TwoTargetsKeepTheirRegionsApart) {
    const Program one(16 * kMegabyte);
    const Program two(32 * kMegabyte);
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(two);
    context.watch(one);
    ASSERT_EQ(context.start(), 0) << context.error();
    uint64_t bytes[2] = {};
    for (const damon_region_info& region : context.later(2)) bytes[region.target_idx] += region.end - region.start;
    EXPECT_EQ(bytes[0], 32 * kMegabyte);
    EXPECT_EQ(bytes[1], 16 * kMegabyte);
}

TEST_F(Offload, WatchesPhysicalMemory) {
    Context context(DAMON_OPS_KERNEL_PADDR);
    context.watch(0);
    ASSERT_EQ(context.start(), 0) << context.error();
    const std::vector<damon_region_info> regions = context.later(2);
    EXPECT_GE(regions.size(), 10u);
    EXPECT_GE(bytes_of(regions), 512 * kMegabyte);
    EXPECT_EQ(damon_set_pause(context, 1), 0) << context.error();
    EXPECT_EQ(damon_set_pause(context, 0), 0) << context.error();
    EXPECT_EQ(bytes_of(context.later(2)), bytes_of(regions));
}

TEST_F(Offload, ProbesTellOfPhysicalMemory) {
    const Program program(256 * kMegabyte);
    Context context(DAMON_OPS_KERNEL_PADDR);
    context.watch(0);
    const auto probe = [](uint8_t matching) {
        damon_probe* made = damon_probe_new();
        damon_probe_filter filter;
        damon_probe_filter_init(&filter);
        filter.type = DAMON_PROBE_FILTER_ANON;
        filter.matching = matching;
        filter.allow = 1;
        EXPECT_EQ(damon_probe_add_filter(made, &filter), 0);
        return made;
    };
    ASSERT_EQ(damon_ctx_add_probe(context, probe(1)), 0);
    ASSERT_EQ(damon_ctx_add_probe(context, probe(0)), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    std::vector<damon_region_info> regions(4096);
    std::vector<damon_probe_hits> hits(4096);
    uint64_t anonymous = 0;
    for (int i = 0; i < 60 && anonymous == 0; ++i) {
        context.later(1);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read_probes(context, regions.data(), hits.data(), regions.size(), &info);
        ASSERT_GT(nr, 0) << context.error();
        for (int j = 0; j < nr; ++j) {
            EXPECT_LE(hits[j].hits[0], info.max_nr_accesses);
            // A page is anonymous or it is not; a window that was split in its course rounds.
            EXPECT_NEAR(hits[j].hits[0] + hits[j].hits[1], info.max_nr_accesses, 2);
            anonymous += hits[j].hits[0];
        }
    }
    EXPECT_GT(anonymous, 0u) << "an eighth of the memory is the program's";
}

TEST_F(Offload, CommitsOnline) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    const size_t nr_before = context.later(5).size();
    Context other(DAMON_OPS_KERNEL_FVADDR);
    other.watch(program.pid());
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = 10'000;
    attrs.aggr_us = 50'000;
    attrs.max_nr_regions = 20;
    ASSERT_EQ(damon_ctx_set_attrs(other, &attrs), 0);
    ASSERT_EQ(damon_commit_ctx(context, other), 0) << context.error();
    EXPECT_EQ(content_of(kFolder + "monitoring_attrs/intervals/sample_us"), "10000");
    damon_snapshot_info info;
    const size_t nr_after = context.later(10).size();
    const std::vector<damon_region_info> regions = context.snapshot(&info);
    EXPECT_LE(nr_after, 20u) << "of " << nr_before;
    EXPECT_EQ(info.max_nr_accesses, 5u);
    EXPECT_EQ(bytes_of(regions), program.end_address() - program.start())
        << "a commit without ranges keeps the regions";
}

TEST_F(Offload, ARefusedCommitChangesNothing) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    Context other(DAMON_OPS_KERNEL_FVADDR);
    other.watch(program.pid());
    damos_params params;
    damos_params_init(&params);
    damos* scheme = damos_new(&params);
    damos_filter filter;
    damos_filter_init(&filter);
    filter.type = DAMOS_FILTER_MEMCG;
    filter.memcg_id = UINT64_MAX;  // there is no such group
    ASSERT_EQ(damos_add_filter(scheme, &filter), 0);
    ASSERT_EQ(damon_ctx_add_scheme(other, scheme), 0);
    EXPECT_EQ(damon_commit_ctx(context, other), -ENOENT);
    EXPECT_NE(context.error().find("memcg_id"), std::string::npos) << context.error();
    EXPECT_EQ(damon_ctx_nr_schemes(context), 0u);
    EXPECT_EQ(content_of(kFolder + "schemes/nr_schemes"), "1");
    EXPECT_EQ(bytes_of(context.later(2)), program.end_address() - program.start());
}

TEST_F(Offload, PausesAndResumesWithAllThatWasLearnt) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    const auto highest_age = [](const std::vector<damon_region_info>& regions) {
        uint32_t age = 0;
        for (const damon_region_info& region : regions) age = std::max(age, region.age);
        return age;
    };
    const uint32_t before = highest_age(context.later(20));
    EXPECT_GT(before, 5u);
    ASSERT_EQ(damon_set_pause(context, 1), 0) << context.error();
    EXPECT_EQ(damon_is_paused(context), 1);
    EXPECT_EQ(content_of(kFolder + "pause"), "Y");
    damon_snapshot_info info;
    const size_t nr = context.snapshot(&info).size();
    EXPECT_EQ(damon_snapshot_wait(context, info.seq, 500), -ETIMEDOUT) << "nothing is monitored while paused";
    ASSERT_EQ(damon_set_pause(context, 0), 0) << context.error();
    EXPECT_EQ(content_of(kFolder + "pause"), "N");
    const std::vector<damon_region_info> after = context.later(1);
    EXPECT_GE(highest_age(after), before) << "of " << nr << " regions";
}

TEST_F(Offload, CanBeginPausedAndBeStoppedSo) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    ASSERT_EQ(damon_set_pause(context, 1), 0) << "waits until it is so";
    EXPECT_EQ(content_of(kFolder + "pause"), "Y");
    EXPECT_EQ(context.stop(), 0);
}

damos* stat_scheme(uint32_t max_nr_accesses) {
    damos_params params;
    damos_params_init(&params);
    params.pattern.max_nr_accesses = max_nr_accesses;
    return damos_new(&params);
}

damos_stat stat_of(damon_ctx* ctx, size_t scheme) {
    damos_stat stat;
    damos_stat_init(&stat);
    EXPECT_EQ(damon_ctx_get_scheme_stat(ctx, scheme, &stat), 0);
    return stat;
}

TEST_F(Offload, StatisticsOfSchemesGoOnOverCommitsAndRuns) {
    const Program program;
    const uint64_t bytes = program.end_address() - program.start();
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(damon_ctx_add_scheme(context, stat_scheme(UINT32_MAX)), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    while (stat_of(context, 0).nr_snapshots < 50) context.later(1);
    const damos_stat first = stat_of(context, 0);
    EXPECT_EQ(first.sz_tried, first.nr_snapshots * bytes);
    // A second scheme takes the place in the kernel that the library's own one had.
    Context other(DAMON_OPS_KERNEL_FVADDR);
    other.watch(program.pid());
    ASSERT_EQ(damon_ctx_add_scheme(other, stat_scheme(UINT32_MAX)), 0);
    ASSERT_EQ(damon_ctx_add_scheme(other, stat_scheme(UINT32_MAX)), 0);
    ASSERT_EQ(damon_commit_ctx(context, other), 0) << context.error();
    context.later(1);
    const damos_stat second = stat_of(context, 1);
    EXPECT_GT(second.nr_snapshots, 0u);
    EXPECT_LT(second.nr_snapshots, 50u) << "began at its commit";
    EXPECT_EQ(bytes_of(context.snapshot()), bytes);
    const damos_stat before_stop = stat_of(context, 0);
    EXPECT_GT(before_stop.nr_snapshots, first.nr_snapshots);
    ASSERT_EQ(context.stop(), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    context.later(2);
    EXPECT_GE(stat_of(context, 0).nr_snapshots, before_stop.nr_snapshots + 2);
}

struct Walked {
    uint64_t bytes[2] = {};
    uint64_t nr[2] = {};
};

void walked(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t) {
    auto& sum = *static_cast<Walked*>(data);
    sum.bytes[scheme_idx] += region->end - region->start;
    ++sum.nr[scheme_idx];
}

TEST_F(Offload, AWalkReportsWhatEverySchemeWasTriedOn) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(damon_ctx_add_scheme(context, stat_scheme(UINT32_MAX)), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, stat_scheme(0)), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    context.later(10);
    Walked sum;
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.walk_fn = walked;
    control.data = &sum;
    ASSERT_EQ(damos_walk(context, &control), 0) << context.error();
    EXPECT_EQ(sum.bytes[0], program.end_address() - program.start());
    EXPECT_GT(sum.nr[1], 0u);
    EXPECT_LT(sum.bytes[1], sum.bytes[0]) << "the hot part is not among the cold regions";
}

TEST_F(Offload, CallsRunOnTheWorker) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    context.later(1);
    struct Look {
        damon_ctx* ctx;
        int nr_regions;
    } look = {context, 0};
    damon_call_control control;
    damon_call_control_init(&control);
    control.data = &look;
    control.fn = [](void* data) {
        auto& given = *static_cast<Look*>(data);
        std::vector<damon_region_info> regions(4096);
        given.nr_regions = damon_live_read(given.ctx, regions.data(), regions.size(), nullptr);
        return 7;
    };
    ASSERT_EQ(damon_call(context, &control), 0) << context.error();
    EXPECT_EQ(control.return_code, 7);
    EXPECT_GE(look.nr_regions, 10);
}

TEST_F(Offload, TunedIntervalsAreRead) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.intervals_goal.access_bp = 10;  // far less than there is: longer intervals come from fewer accesses only
    attrs.intervals_goal.aggrs = 1;
    attrs.intervals_goal.min_sample_us = 1'000;
    attrs.intervals_goal.max_sample_us = 100'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    damon_snapshot_info info;
    context.later(8);
    context.snapshot(&info);
    EXPECT_LT(info.sample_us, 5'000u);
    EXPECT_GE(info.sample_us, 1'000u);
    EXPECT_EQ(info.aggr_us, info.sample_us * 20);
    ASSERT_EQ(damon_ctx_get_attrs(context, &attrs), 0);
    EXPECT_LT(attrs.sample_us, 5'000u);
    // A pause is a commit to the kernel: it must not bring the untuned intervals back.
    ASSERT_EQ(damon_set_pause(context, 1), 0) << context.error();
    ASSERT_EQ(damon_set_pause(context, 0), 0) << context.error();
    context.later(1);
    context.snapshot(&info);
    EXPECT_LT(info.sample_us, 5'000u);
}

TEST_F(Offload, AQuotaAndItsGoalReachTheKernel) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    damos_params params;
    damos_params_init(&params);
    params.quota.sz = 8 * kMegabyte;
    params.quota.reset_interval_ms = 1'000;
    params.quota.goal_tuner = DAMOS_QUOTA_GOAL_TUNER_TEMPORAL;
    damos* scheme = damos_new(&params);
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.target_value = 100;
    goal.current_value = 10;
    ASSERT_EQ(damos_add_quota_goal(scheme, &goal), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    context.later(3);
    EXPECT_EQ(stat_of(context, 0).esz, 8 * kMegabyte) << "far from the goal: all that the quota allows";
    ASSERT_EQ(damon_ctx_set_quota_goal_value(context, 0, 0, 200), 0);
    for (int i = 0; i < 60 && stat_of(context, 0).esz != 0; ++i) context.later(1);
    EXPECT_EQ(stat_of(context, 0).esz, 0u) << "the goal is reached: nothing more";
}

// From the line of /proc/PID/status, in kB.
uint64_t resident_kb(int32_t pid) {
    const std::string status = content_of("/proc/" + std::to_string(pid) + "/status");
    const size_t line = status.find("VmRSS:");
    return line == std::string::npos ? 0 : std::stoull(status.substr(line + 6));
}

TEST_F(Offload, PagesOutTheColdMemoryOfAnotherProcess) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.pattern.min_age = 5;
    ASSERT_EQ(damon_ctx_add_scheme(context, damos_new(&params)), 0);
    while (resident_kb(program.pid()) < 60 * 1024) usleep(10'000);
    const uint64_t before_kb = resident_kb(program.pid());
    ASSERT_EQ(context.start(), 0) << context.error();
    for (int i = 0; i < 100 && stat_of(context, 0).sz_applied < 32 * kMegabyte; ++i) context.later(1);
    EXPECT_GE(stat_of(context, 0).sz_applied, 32 * kMegabyte);
    EXPECT_LT(resident_kb(program.pid()), before_kb - 32 * 1024);
    RecordProperty("resident_kb_before", static_cast<int>(before_kb));
    RecordProperty("resident_kb_after", static_cast<int>(resident_kb(program.pid())));
}

TEST_F(Offload, PresetsAreWhatTheKernelsModulesAre) {
    for (int (*preset)(damon_ctx*) : {+[](damon_ctx* ctx) { return damon_preset_stat(ctx); },
                                      +[](damon_ctx* ctx) { return damon_preset_reclaim(ctx, nullptr); },
                                      +[](damon_ctx* ctx) { return damon_preset_lru_sort(ctx, nullptr); }}) {
        Context context(DAMON_OPS_KERNEL_PADDR);
        context.watch(0);
        ASSERT_GE(preset(context), 0) << context.error();
        ASSERT_EQ(context.start(), 0) << context.error();
        EXPECT_EQ(context.stop(), 0);
    }
    Context context(DAMON_OPS_KERNEL_PADDR);
    context.watch(0);
    ASSERT_EQ(damon_preset_stat(context), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    context.later(2);
    damon_stat_result result;
    damon_stat_result_init(&result);
    ASSERT_EQ(damon_stat_read(context, &result), 0) << context.error();
    EXPECT_EQ(result.unknown_bytes, 0u);
    EXPECT_EQ(result.known_bytes, bytes_of(context.snapshot()));
}

TEST_F(Offload, AgesThatAreMeantAsTimeFollowTheTunedWindows) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.intervals_goal.access_bp = 10;
    attrs.intervals_goal.aggrs = 1;
    attrs.intervals_goal.min_sample_us = 1'000;
    attrs.intervals_goal.max_sample_us = 100'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    damos_params params;
    damos_params_init(&params);
    params.min_age_us = 1'000'000;
    ASSERT_EQ(damon_ctx_add_scheme(context, damos_new(&params)), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    EXPECT_EQ(content_of(kFolder + "schemes/0/access_pattern/age/min"), "10");
    damon_snapshot_info info;
    for (int i = 0; i < 60; ++i) {
        context.later(1);
        context.snapshot(&info);
        if (info.sample_us == 1'000) break;
    }
    EXPECT_EQ(info.aggr_us, 20'000u) << "as short as it may be: there it stays";
    EXPECT_EQ(content_of(kFolder + "schemes/0/access_pattern/age/min"), "50");
    EXPECT_EQ(bytes_of(context.later(2)), program.end_address() - program.start());
}

TEST_F(Offload, SleepsWhereAllSchemesWaitForTheirWatermarks) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    damos_params params;
    damos_params_init(&params);
    params.wmarks.metric = DAMOS_WMARK_FREE_MEM_RATE;
    params.wmarks.interval_us = 20'000;
    params.wmarks.high = params.wmarks.mid = params.wmarks.low = 1;  // there is always more
    ASSERT_EQ(damon_ctx_add_scheme(context, damos_new(&params)), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    damon_snapshot_info info;
    context.snapshot(&info);
    EXPECT_EQ(damon_snapshot_wait(context, info.seq, 1'000), -ETIMEDOUT) << context.error();
    EXPECT_EQ(stat_of(context, 0).nr_tried, 0u);
    // A commit from outside wakes it.
    Context other(DAMON_OPS_KERNEL_FVADDR);
    other.watch(program.pid());
    ASSERT_EQ(damon_commit_ctx(context, other), 0) << context.error();
    EXPECT_GT(context.later(1).size(), 0u);
}

TEST_F(Offload, GroupsAreHandedOnByTheirPath) {
    ASSERT_EQ(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr), 0) << strerror(errno);
    ASSERT_TRUE(write_to("/sys/fs/cgroup/cgroup.subtree_control", "+memory"));
    ASSERT_EQ(mkdir("/sys/fs/cgroup/toys", 0755), 0);
    struct stat facts;
    ASSERT_EQ(stat("/sys/fs/cgroup/toys", &facts), 0);
    {
        Context context(DAMON_OPS_KERNEL_PADDR);
        context.watch(0);
        damos* scheme = stat_scheme(UINT32_MAX);
        damos_filter filter;
        damos_filter_init(&filter);
        filter.type = DAMOS_FILTER_MEMCG;
        filter.memcg_id = facts.st_ino;
        filter.matching = filter.allow = 1;
        ASSERT_EQ(damos_add_filter(scheme, &filter), 0);
        ASSERT_EQ(damon_ctx_add_scheme(context, scheme), 0);
        ASSERT_EQ(context.start(), 0) << context.error();
        EXPECT_EQ(content_of(kFolder + "schemes/0/ops_filters/0/memcg_path"), "/toys");
        context.later(2);
        EXPECT_GT(stat_of(context, 0).sz_tried, 0u);
        EXPECT_EQ(stat_of(context, 0).sz_ops_filter_passed, 0u) << "the group is empty";
    }
    EXPECT_EQ(rmdir("/sys/fs/cgroup/toys"), 0) << strerror(errno);
    EXPECT_EQ(umount("/sys/fs/cgroup"), 0) << strerror(errno);
}

TEST_F(Offload, ManyRegionsAreReadWithinBounds) {
    Context context(DAMON_OPS_KERNEL_PADDR);
    context.watch(0);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.min_nr_regions = 900;
    attrs.max_nr_regions = 1'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0) << context.error();
    damon_snapshot_info first;
    damon_snapshot_info last;
    EXPECT_GE(context.later(1).size(), 900u);
    context.snapshot(&first);
    damon_ctx_stats before;
    damon_ctx_stats_init(&before);
    ASSERT_EQ(damon_ctx_get_stats(context, &before), 0);
    context.later(5);
    context.snapshot(&last);
    damon_ctx_stats after;
    damon_ctx_stats_init(&after);
    ASSERT_EQ(damon_ctx_get_stats(context, &after), 0);
    const uint64_t look_us = (after.cpu_ns - before.cpu_ns) / 1000 / (last.seq - first.seq);
    RecordProperty("look_us", static_cast<int>(look_us));
    RecordProperty("window_us", static_cast<int>((last.time_ns - first.time_ns) / 1000 / (last.seq - first.seq)));
}

TEST_F(Offload, BeginsAndEndsManyTimes) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(program.pid());
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(context.start(), 0) << i << ": " << context.error();
        ASSERT_EQ(context.stop(), 0);
        ASSERT_EQ(content_of(std::string(kKdamonds) + "/nr_kdamonds"), "0") << i;
    }
}

// Start in a child with a context over the child itself; the child then does `after`.
pid_t child_that_starts(void (*after)(int result)) {
    const pid_t child = fork();
    if (child != 0) return child;
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(0);
    after(context.start());
    _exit(0);
}

TEST_F(Offload, AnotherProcessIsRefusedToo) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    const pid_t child = child_that_starts([](int result) { _exit(result == -EBUSY ? 0 : 1); });
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_GT(context.later(1).size(), 0u);
}

TEST_F(Offload, WhatAKilledProgramLeftBehindIsNotTaken) {
    const pid_t child = child_that_starts([](int result) {
        if (result != 0) _exit(1);
        kill(getpid(), SIGKILL);
    });
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(0);
    EXPECT_EQ(context.start(), -EBUSY);
    EXPECT_NE(context.error().find("nr_kdamonds is 1"), std::string::npos) << context.error();
    // Its only target has ended, and with that the kernel's worker: now anybody may tidy up.
    while (content_of(kState) == "on") usleep(10'000);
    ASSERT_TRUE(write_to(std::string(kKdamonds) + "/nr_kdamonds", "0"));
    EXPECT_EQ(context.start(), 0) << context.error();
}

TEST_F(Offload, ASecondUserIsRefused) {
    const Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    Context second(DAMON_OPS_KERNEL_VADDR);
    second.watch(program.pid());
    EXPECT_EQ(second.start(), -EBUSY);
    EXPECT_NE(second.error().find("another context"), std::string::npos) << second.error();
    EXPECT_GT(context.later(1).size(), 0u) << "the first one goes on";
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(second.start(), 0) << second.error();
}

TEST_F(Offload, WhatSomebodyElseMadeIsLeftAlone) {
    ASSERT_TRUE(write_to(std::string(kKdamonds) + "/nr_kdamonds", "2"));
    ASSERT_TRUE(write_to(std::string(kKdamonds) + "/1/contexts/nr_contexts", "1"));
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(0);
    EXPECT_EQ(context.start(), -EBUSY);
    EXPECT_NE(context.error().find("nr_kdamonds is 2"), std::string::npos) << context.error();
    EXPECT_EQ(content_of(std::string(kKdamonds) + "/1/contexts/nr_contexts"), "1");
    ASSERT_TRUE(write_to(std::string(kKdamonds) + "/nr_kdamonds", "0"));
}

TEST_F(Offload, TheKernelsOwnUsersAreNamed) {
    ASSERT_TRUE(write_to(kStatSwitch, "Y"));
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(0);
    EXPECT_EQ(context.start(), -EBUSY);
    EXPECT_NE(context.error().find("DAMON_STAT"), std::string::npos) << context.error();
    EXPECT_EQ(content_of(std::string(kKdamonds) + "/nr_kdamonds"), "0");
    ASSERT_TRUE(write_to(kStatSwitch, "N"));
    EXPECT_EQ(context.start(), 0) << context.error();
}

TEST_F(Offload, EndsWithItsTarget) {
    Program program;
    Context context(DAMON_OPS_KERNEL_FVADDR);
    context.watch(program);
    ASSERT_EQ(context.start(), 0) << context.error();
    context.later(2);
    program.end();
    while (damon_is_running(context) == 1) usleep(10'000);
    EXPECT_NE(context.error().find("none of its 1 targets is valid"), std::string::npos) << context.error();
    EXPECT_EQ(content_of(std::string(kKdamonds) + "/nr_kdamonds"), "0") << "also before damon_stop()";
}

TEST_F(Offload, AProcessThatIsNotThereIsNamed) {
    Program program(kMegabyte);
    const int32_t pid = program.pid();
    program.end();
    Context context(DAMON_OPS_KERNEL_VADDR);
    context.watch(pid);
    EXPECT_EQ(context.start(), -ESRCH);
    EXPECT_NE(context.error().find(std::to_string(pid)), std::string::npos) << context.error();
}

TEST_F(Offload, NeedsRoot) {
    const pid_t child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(100);
        damon_ctx* ctx = damon_ctx_new();
        damon_target* target = damon_target_new();
        if (damon_ctx_set_ops(ctx, DAMON_OPS_KERNEL_VADDR) != 0 || damon_ctx_add_target(ctx, target) != 0) _exit(101);
        _exit(damon_start(&ctx, 1, 0) == -EPERM ? 0 : 102);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace damon::test
