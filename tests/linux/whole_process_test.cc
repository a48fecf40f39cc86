// A program that is watched without ranges, default attributes: what is hot is found within seconds, whatever the
// address space looks like, and nothing that is hot is acted on.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "damon_c.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = size_t{1} << 30;
constexpr size_t kTiB = size_t{1} << 40;
constexpr size_t kHotBytes = 32 * kMiB;
using Clock = std::chrono::steady_clock;
// An emulated machine is slower by an order of magnitude, and takes what its host takes for CPU time of its own.
const bool kEmulated = getenv("DAMON_IN_VM") != nullptr;
const auto kPromised = std::chrono::seconds(kEmulated ? 40 : 4);
// A machine on which others are at work too may keep the worker waiting: best of so many.
constexpr int kAttempts = 4;

class Mapped {
public:
    explicit Mapped(size_t bytes, int protection = PROT_READ | PROT_WRITE)
        : bytes_(bytes), start_(mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
        EXPECT_NE(start_, MAP_FAILED);
        (void)madvise(start_, bytes, MADV_NOHUGEPAGE);
    }
    ~Mapped() { munmap(start_, bytes_); }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    char* data() const { return static_cast<char*>(start_); }
    uint64_t start() const { return reinterpret_cast<uint64_t>(start_); }
    uint64_t end() const { return start() + bytes_; }

private:
    size_t bytes_;
    void* start_;
};

// Writes to every page of 32 MiB again and again.
class Hot {
public:
    Hot() : memory_(kHotBytes), thread_([this] { write(); }) {}
    ~Hot() {
        done_ = true;
        thread_.join();
    }
    uint64_t start() const { return memory_.start(); }
    uint64_t end() const { return memory_.end(); }

private:
    void write() {
        while (!done_) {
            for (size_t at = 0; at < kHotBytes; at += 4096) ++memory_.data()[at];
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    Mapped memory_;
    std::atomic<bool> done_{false};
    std::thread thread_;
};

// Watches this process.
class Whole {
public:
    explicit Whole(const Hot* spare = nullptr) : ctx_(damon_ctx_new()), spare_(spare) {
        EXPECT_EQ(damon_ctx_add_target(ctx_, damon_target_new()), 0);
        if (kEmulated) raise_limit();
        if (spare != nullptr) add_scheme();
        started_ = damon_start(&ctx_, 1, 0) == 0;
    }
    ~Whole() { damon_ctx_free(ctx_); }
    Whole(const Whole&) = delete;
    Whole& operator=(const Whole&) = delete;
    bool started() const { return started_; }
    uint64_t hot_acted_on() const { return hot_acted_on_; }

    bool read() {
        damon_snapshot_info_init(&info_);
        (void)damon_snapshot_wait(ctx_, seq_, 500);
        const int nr = damon_snapshot_read(ctx_, regions_.data(), regions_.size(), &info_);
        nr_regions_ = nr < 0 ? 0 : static_cast<size_t>(nr);
        seq_ = info_.seq;
        return nr > 0;
    }
    uint64_t bytes_of(uint64_t start, uint64_t end, bool hot) const {
        uint64_t bytes = 0;
        for (size_t i = 0; i < nr_regions_; ++i) {
            const damon_region_info& region = regions_[i];
            if (hot && region.nr_accesses * 2 < info_.max_nr_accesses) continue;
            const uint64_t from = std::max(start, region.start);
            const uint64_t to = std::min(end, region.end);
            if (from < to) bytes += to - from;
        }
        return bytes;
    }
    uint64_t bytes() const { return bytes_of(0, UINT64_MAX, false); }
    // F1 of the hot bytes.
    double f1(const Hot& hot) const {
        const auto right = static_cast<double>(bytes_of(hot.start(), hot.end(), true));
        const auto found = static_cast<double>(bytes_of(0, UINT64_MAX, true));
        return 2 * right / (found + static_cast<double>(kHotBytes));
    }
    double best_f1(const Hot& hot, double enough) {
        double best = 0;
        const auto until = Clock::now() + kPromised;
        while (best < enough && Clock::now() < until) {
            if (read()) best = std::max(best, f1(hot));
        }
        return best;
    }

    std::string state() const {
        damon_state_info state;
        damon_state_info_init(&state);
        (void)damon_ctx_get_state(ctx_, &state);
        return std::to_string(state.cost_permil) + " permil of a CPU, windows of " + std::to_string(state.window_us) +
               " us: " + state.reason;
    }

private:
    void raise_limit() {
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.max_overhead_permil = 200;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
    }
    // What a scheme for cold memory would act on.
    void add_scheme() {
        damos_params params;
        damos_params_init(&params);
        params.action = DAMOS_CALLBACK;
        params.pattern.max_nr_accesses = 0;
        params.pattern.min_age = 5;
        params.action_data = this;
        params.action_fn = [](void* data, damon_ctx*, const damon_region_info* region, size_t) -> uint64_t {
            auto* self = static_cast<Whole*>(data);
            const uint64_t from = std::max(region->start, self->spare_->start());
            const uint64_t to = std::min(region->end, self->spare_->end());
            if (from < to) self->hot_acted_on_ += to - from;
            return region->end - region->start;
        };
        EXPECT_EQ(damon_ctx_add_scheme(ctx_, damos_new(&params)), 0);
    }

    damon_ctx* ctx_;
    const Hot* spare_;
    bool started_ = false;
    std::atomic<uint64_t> hot_acted_on_{0};
    std::vector<damon_region_info> regions_ = std::vector<damon_region_info>(8192);
    damon_snapshot_info info_{};
    uint64_t seq_ = 0;
    size_t nr_regions_ = 0;
};

double best_of_attempts(const Hot& hot, uint64_t& bytes, double enough) {
    double best = 0;
    for (int attempt = 0; attempt < kAttempts && best < enough; ++attempt) {
        Whole whole;
        if (!whole.started()) return -1;
        best = std::max(best, whole.best_f1(hot, enough));
        bytes = whole.bytes();
    }
    return best;
}

TEST(WholeProcess, FindsWhatIsHotBesideTebibytesOfNothing) {
    if (thread_sanitized()) return declared_skip("sanitizer", "no terabytes can be mapped");
    if (!undeclared_memory_can_be_seen()) return;
    std::vector<std::unique_ptr<Mapped>> reserved;
    reserved.push_back(std::make_unique<Mapped>(14 * kTiB));
    reserved.push_back(std::make_unique<Mapped>(2 * kTiB, PROT_NONE));
    for (int i = 0; i < 8; ++i) reserved.push_back(std::make_unique<Mapped>(16 * kGiB, PROT_NONE));
    *reserved[0]->data() = 1;
    const Hot hot;
    uint64_t bytes = 0;
    EXPECT_GE(best_of_attempts(hot, bytes, 0.8), 0.8);
    EXPECT_LE(bytes, 2 * kGiB) << "regions lie in memory";
}

TEST(WholeProcess, FindsWhatIsHotBesideManyMappings) {
    if (sanitized()) return declared_skip("sanitizer", "reading its shadow memory takes longer than the test lasts");
    if (!undeclared_memory_can_be_seen()) return;
    constexpr size_t kPieces = 28'000;
    const Mapped spread(2 * kPieces * 4096, PROT_NONE);
    for (size_t i = 0; i < kPieces; ++i) {
        if (mprotect(spread.data() + 2 * i * 4096, 4096, PROT_READ | PROT_WRITE) != 0) break;
        spread.data()[2 * i * 4096] = 1;
    }
    const Hot hot;
    uint64_t bytes = 0;
    EXPECT_GE(best_of_attempts(hot, bytes, 0.8), 0.8);
}

TEST(WholeProcess, NothingHotIsTakenForCold) {
    if (thread_sanitized()) return declared_skip("sanitizer", "no terabytes can be mapped");
    if (!undeclared_memory_can_be_seen()) return;
    const Mapped reserved(2 * kTiB);
    *reserved.data() = 1;
    const Mapped cold(64 * kMiB);
    memset(cold.data(), 1, 64 * kMiB);
    const Hot hot;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // it is populated by then
    Whole whole(&hot);
    if (!whole.started()) return;
    const auto watched = kEmulated ? kPromised / 4 : kPromised;
    for (const auto until = Clock::now() + watched; Clock::now() < until;) (void)whole.read();
    // A region that begins in what is cold may reach a little into what is hot until it is split there.
    EXPECT_LE(whole.hot_acted_on(), kHotBytes / 8);
}

TEST(WholeProcess, ANewHeapIsCoveredWithinTwoSeconds) {
    if (sanitized()) return declared_skip("sanitizer", "reading its shadow memory takes longer than the test lasts");
    Whole whole;
    if (!whole.started()) return;
    (void)whole.read();
    const Mapped late(64 * kMiB);
    memset(late.data(), 1, 64 * kMiB);
    const auto until = Clock::now() + kPromised / 2;
    uint64_t covered = 0;
    while (covered < 64 * kMiB && Clock::now() < until) {
        if (whole.read()) covered = whole.bytes_of(late.start(), late.end(), false);
    }
    EXPECT_EQ(covered, 64 * kMiB) << whole.state();
}

}  // namespace
}  // namespace damon::test
