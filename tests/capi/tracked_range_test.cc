// damon_query_range(): exact against what the test itself writes, whoever else samples or asks.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "support/declared_skip.h"
#include "support/heap_fault.h"
#include "toy.h"

namespace damon::test {
namespace {

const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));

// A context over memory of its own, of which the last eighth is never touched before a test does.
class Tracked {
public:
    explicit Tracked(size_t nr_pages) : nr_pages_(nr_pages), ctx_(damon_ctx_new()) {
        void* memory = mmap(nullptr, nr_pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT_NE(memory, MAP_FAILED);
        data_ = static_cast<volatile char*>(memory);
        madvise(memory, nr_pages * page, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < nr_pages - nr_pages / 8; ++i) write(i);
    }
    ~Tracked() {
        damon_ctx_free(ctx_);
        munmap(const_cast<char*>(data_), nr_pages_ * page);
    }
    Tracked(const Tracked&) = delete;
    Tracked& operator=(const Tracked&) = delete;

    damon_ctx* ctx() const { return ctx_; }
    void* at(size_t index) const { return const_cast<char*>(data_) + index * page; }
    void write(size_t index) { data_[index * page] = 1; }
    char read(size_t index) const { return data_[index * page]; }
    int track() const { return damon_ctx_add_range(ctx_, at(0), nr_pages_ * page, DAMON_RANGE_TRACKED); }

private:
    size_t nr_pages_;
    volatile char* data_ = nullptr;
    damon_ctx* ctx_;
};

std::string errmsg(const damon_ctx* ctx) {
    char text[256];
    damon_ctx_errmsg(ctx, text, sizeof text);
    return text;
}

// False, and the test is skipped, where this system cannot.
bool tracked(const Tracked& memory) {
    const int error = memory.track();
    if (error == -EOPNOTSUPP) declared_skip("uffd-wp", errmsg(memory.ctx()));
    EXPECT_TRUE(error == 0 || error == -EOPNOTSUPP) << errmsg(memory.ctx());
    return error == 0;
}

damon_ctx* watcher_of(const Tracked& memory, size_t nr_pages) {
    damon_ctx* ctx = damon_ctx_new();
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = 500;
    attrs.aggr_us = 5000;
    attrs.min_nr_regions = 200;
    attrs.max_overhead_permil = 0;
    EXPECT_EQ(damon_ctx_set_attrs(ctx, &attrs), 0);
    EXPECT_EQ(damon_ctx_add_range(ctx, memory.at(0), nr_pages * page, 0), 0);
    EXPECT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg(ctx);
    return ctx;
}

struct Question {
    size_t first = 0;
    size_t nr_pages = 0;
    std::vector<uint64_t> bits;
    damon_range_query query;

    // All of it, so that the next question begins now.
    int begin(const Tracked& memory, size_t pages) {
        nr_pages = pages;
        return ask(memory);
    }
    int ask(const Tracked& memory) {
        bits.assign((nr_pages + 63) / 64, 0);
        damon_range_query_init(&query);
        query.touched = bits.data();
        query.nr_units = nr_pages;
        return damon_query_range(memory.ctx(), memory.at(first), nr_pages * page, &query);
    }
    bool sees_reads() const { return (query.sees & DAMON_SEES_READS) != 0; }
    bool touched(size_t index) const { return (bits[(index - first) / 64] >> (index - first) % 64 & 1) != 0; }
};

class TrackedRange : public testing::TestWithParam<int> {};

// The parameter: how many other contexts sample the same memory meanwhile.
TEST_P(TrackedRange, RandomWritesAndQuestionsAgreeWithAPlainList) {
    constexpr size_t kPages = 10'000;  // three pieces
    Tracked memory(kPages);
    if (!tracked(memory)) return;
    std::vector<damon_ctx*> watchers;
    for (int i = 0; i < GetParam(); ++i) watchers.push_back(watcher_of(memory, kPages));
    const uint32_t seed = std::random_device()();
    std::mt19937 random(seed);
    std::vector<bool> written(kPages);
    std::vector<bool> present(kPages);
    std::fill(present.begin(), present.begin() + kPages - kPages / 8, true);
    Question whole;
    ASSERT_EQ(whole.begin(memory, kPages), 0) << errmsg(memory.ctx());
    const bool sees_reads = whole.sees_reads();
    const int nr_rounds = sees_reads ? 10 : 300;  // the kernels that see reads are emulated
    for (int round = 0; round < nr_rounds && !testing::Test::HasFailure(); ++round) {
        const size_t around = random() % kPages;
        const size_t spread = 1 + random() % kPages;
        for (size_t nr = random() % 300; nr > 0; --nr) {
            const size_t index = (around + random() % spread) % kPages;
            if (present[index] && random() % 2 == 0) {
                (void)memory.read(index);
                if (sees_reads) written[index] = true;
            } else {
                memory.write(index);
                written[index] = present[index] = true;
            }
        }
        if (random() % 4 == 0) usleep(1000);
        Question question;
        if (random() % 3 != 0) question.first = random() % kPages;
        question.nr_pages = random() % 3 == 0 ? kPages - question.first : 1 + random() % (kPages - question.first);
        ASSERT_EQ(question.ask(memory), 0) << errmsg(memory.ctx());
        size_t nr_touched = 0;
        size_t nr_present = 0;
        for (size_t i = question.first; i < question.first + question.nr_pages; ++i) {
            ASSERT_EQ(question.touched(i), written[i]) << "page " << i << ", round " << round << ", seed " << seed;
            nr_touched += written[i];
            nr_present += present[i];
            written[i] = false;
        }
        ASSERT_EQ(question.query.touched_bytes, nr_touched * page);
        ASSERT_EQ(question.query.present_bytes, nr_present * page);
        ASSERT_EQ(question.query.unseen_bytes, 0u) << question.query.unseen_reason;
    }
    for (damon_ctx* watcher : watchers) {
        damon_stop(&watcher, 1);
        damon_ctx_free(watcher);
    }
}

INSTANTIATE_TEST_SUITE_P(, TrackedRange, testing::Values(0, 1, 2));

TEST(TrackedRanges, TheAnswerSaysWhatItSeesAndSinceWhen) {
    Tracked memory(512);
    if (!tracked(memory)) return;
    Question question;
    question.nr_pages = 512;
    ASSERT_EQ(question.ask(memory), 0);
    const uint64_t first_ns = question.query.since_ns;
    EXPECT_NE(question.query.sees & DAMON_SEES_WRITES, 0u);
    EXPECT_GT(first_ns, 0u);
    memory.write(7);
    damon_wss_result result;
    damon_wss_result_init(&result);
    ASSERT_EQ(damon_wss(memory.ctx(), &result), 0) << errmsg(memory.ctx());
    EXPECT_EQ(result.touched_bytes, page);
    EXPECT_EQ(result.present_bytes, (512 - 64) * page);
    EXPECT_EQ(result.sees, question.query.sees);
    ASSERT_EQ(question.ask(memory), 0);
    EXPECT_GT(question.query.since_ns, first_ns);
    EXPECT_FALSE(question.touched(7));
}

TEST(TrackedRanges, IdleTimesGrowUntilAWrite) {
    Tracked memory(64);
    if (!tracked(memory)) return;
    usleep(100'000);
    memory.write(5);
    std::vector<uint8_t> idle(64);
    damon_range_query query;
    damon_range_query_init(&query);
    query.idle = idle.data();
    query.nr_units = idle.size();
    ASSERT_EQ(damon_query_range(memory.ctx(), memory.at(0), 64 * page, &query), 0);
    EXPECT_EQ(idle[5], 0);
    EXPECT_GE(idle[6], 24);  // 2^(24/4) = 64 ms
}

TEST(TrackedRanges, WrongQuestionsNameWhatIsWrong) {
    Tracked memory(64);
    damon_range_query query;
    damon_range_query_init(&query);
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), page, &query), -ENOENT);
    damon_wss_result result;
    damon_wss_result_init(&result);
    EXPECT_EQ(damon_wss(memory.ctx(), &result), -ENOENT);
    if (!tracked(memory)) return;
    EXPECT_EQ(memory.track(), -EINVAL);  // twice
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), page, &query), 0);
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(63), 2 * page, &query), -ENOENT);
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), 0, &query), -EINVAL);
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), 100, &query), -EINVAL);
    uint64_t bits = 0;
    query.touched = &bits;
    query.nr_units = 63;
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), 64 * page, &query), -EINVAL);
    EXPECT_NE(errmsg(memory.ctx()).find("nr_units is 63"), std::string::npos) << errmsg(memory.ctx());
    query.unit_bytes = 3;
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), 64 * page, &query), -EINVAL);
    EXPECT_NE(errmsg(memory.ctx()).find("unit_bytes is 3"), std::string::npos) << errmsg(memory.ctx());
    EXPECT_EQ(damon_ctx_remove_range(memory.ctx(), memory.at(0), 64 * page), 0);
    damon_range_query_init(&query);
    EXPECT_EQ(damon_query_range(memory.ctx(), memory.at(0), page, &query), -ENOENT);
}

TEST(TrackedRanges, WithoutMemoryForOneNothingIsTrackedAndNothingIsHeld) {
    Tracked memory(64);
    if (!tracked(memory)) return;
    ASSERT_EQ(damon_ctx_remove_range(memory.ctx(), memory.at(0), 64 * page), 0);
    int refused = 0;
    for (uint64_t fail_at = 0;; ++fail_at) {
        const HeapFault fault(fail_at);
        const int error = memory.track();
        if (!fault.hit()) {
            EXPECT_EQ(error, 0);
            break;
        }
        EXPECT_TRUE(error == 0 || error == -ENOMEM) << error;
        refused += error == -ENOMEM;
        if (error != 0) continue;
        EXPECT_EQ(damon_ctx_remove_range(memory.ctx(), memory.at(0), 64 * page), 0);
    }
    EXPECT_GE(refused, 5);
    Question question;
    question.nr_pages = 64;
    EXPECT_EQ(question.ask(memory), 0);
}

// By what the kernel tells of each page.
size_t nr_marked(const Tracked& memory, size_t nr_pages) {
    constexpr uint64_t kMarked = uint64_t{1} << 57;
    std::vector<uint64_t> entries(nr_pages);
    const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    const auto offset = static_cast<off_t>(reinterpret_cast<uintptr_t>(memory.at(0)) / page * 8);
    const auto wanted = static_cast<ssize_t>(nr_pages * 8);
    EXPECT_EQ(pread(fd, entries.data(), nr_pages * 8, offset), wanted);
    close(fd);
    return static_cast<size_t>(
        std::count_if(entries.begin(), entries.end(), [](uint64_t e) { return (e & kMarked) != 0; }));
}

// Within the time that the header states, and more on a busy machine.
// A question that was under way may arm a piece once more where nothing was marked any more, or not yet.
size_t nr_marked_in_the_end(const Tracked& memory, size_t nr_pages) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    size_t marked = 0;
    for (int nr_quiet = 0; nr_quiet < 20 && std::chrono::steady_clock::now() < end; usleep(1000)) {
        marked = nr_marked(memory, nr_pages);
        nr_quiet = marked == 0 ? nr_quiet + 1 : 0;
    }
    return marked;
}

void set_manual(damon_ctx* ctx) { ASSERT_EQ(damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL), 0); }

class PausedTracking : public testing::TestWithParam<bool> {};  // whether the context is driven by hand

TEST_P(PausedTracking, NothingIsArmedDuringAPauseAndTheNextQuestionSaysSo) {
    constexpr size_t kPages = 16'384;  // 64 MiB
    Tracked memory(kPages);
    if (!tracked(memory)) return;
    damon_ctx* ctx = memory.ctx();
    if (GetParam()) set_manual(ctx);
    ASSERT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg(ctx);
    EXPECT_GT(nr_marked(memory, kPages), kPages / 2);
    for (int round = 0; round < 2; ++round) {
        Question question;
        ASSERT_EQ(question.begin(memory, kPages), 0);
        ASSERT_EQ(question.ask(memory), 0);
        EXPECT_EQ(question.query.unseen_bytes, 0u) << round;
        const uint64_t present_bytes = question.query.present_bytes;
        ASSERT_EQ(damon_set_pause(ctx, 1), 0) << errmsg(ctx);
        ASSERT_EQ(question.ask(memory), 0);
        EXPECT_EQ(question.query.unseen_bytes, kPages * page);
        EXPECT_EQ(question.query.unseen_reason, DAMON_UNKNOWN_PAUSED);
        EXPECT_EQ(question.query.touched_bytes, 0u);
        EXPECT_EQ(question.query.present_bytes, present_bytes);
        EXPECT_TRUE(question.touched(5));
        EXPECT_EQ(nr_marked_in_the_end(memory, kPages), 0u);
        memory.write(5);
        ASSERT_EQ(damon_set_pause(ctx, 0), 0) << errmsg(ctx);
        ASSERT_EQ(question.ask(memory), 0);
        EXPECT_EQ(question.query.unseen_bytes, kPages * page);
        EXPECT_EQ(question.query.unseen_reason, DAMON_UNKNOWN_PAUSED);
        memory.write(6);
        ASSERT_EQ(question.ask(memory), 0);
        EXPECT_EQ(question.query.unseen_bytes, 0u);
        EXPECT_TRUE(question.touched(6));
        EXPECT_EQ(question.query.touched_bytes, page);
    }
    // Stopped while it was paused: questions are answered again.
    ASSERT_EQ(damon_set_pause(ctx, 1), 0);
    ASSERT_EQ(damon_stop(&ctx, 1), 0);
    Question question;
    ASSERT_EQ(question.begin(memory, kPages), 0);
    EXPECT_EQ(question.query.unseen_reason, DAMON_UNKNOWN_PAUSED);
    memory.write(7);
    ASSERT_EQ(question.ask(memory), 0);
    EXPECT_EQ(question.query.touched_bytes, page);
    EXPECT_TRUE(question.touched(7));
}

TEST_P(PausedTracking, AContextThatStartsPausedLiftsWhatWasArmedBefore) {
    constexpr size_t kPages = 4096;
    Tracked memory(kPages);
    if (!tracked(memory)) return;
    damon_ctx* ctx = memory.ctx();
    if (GetParam()) set_manual(ctx);
    ASSERT_EQ(damon_set_pause(ctx, 1), 0);
    EXPECT_GT(nr_marked(memory, kPages), 0u);
    ASSERT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg(ctx);
    EXPECT_EQ(nr_marked_in_the_end(memory, kPages), 0u);
    damon_stop(&ctx, 1);
}

INSTANTIATE_TEST_SUITE_P(, PausedTracking, testing::Bool(), [](const testing::TestParamInfo<bool>& param) {
    return std::string(param.param ? "manual" : "thread");
});

TEST(TrackedRanges, APauseLeavesNothingArmedOfWhatTheContextOnlySamples) {
    constexpr size_t kPages = 4096;
    Tracked memory(64);
    if (!tracked(memory)) return;
    damon_ctx* ctx = memory.ctx();
    const Tracked sampled(kPages);
    ASSERT_EQ(damon_ctx_add_range(ctx, sampled.at(0), kPages * page, 0), 0) << errmsg(ctx);
    ASSERT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg(ctx);
    for (int i = 0; i < 5; ++i) {
        // Something is armed that the pause must lift; between a look and the next arm nothing may be.
        size_t marked = 0;
        for (int tries = 0; marked == 0 && tries < 100'000; ++tries, usleep(100)) marked = nr_marked(sampled, kPages);
        ASSERT_GT(marked, 0u);
        ASSERT_EQ(damon_set_pause(ctx, 1), 0);
        EXPECT_EQ(nr_marked_in_the_end(sampled, kPages), 0u);
        EXPECT_EQ(nr_marked_in_the_end(memory, 64), 0u);
        ASSERT_EQ(damon_set_pause(ctx, 0), 0);
    }
}

// A question that is under way when the context is paused arms no more, or what it armed is lifted.
TEST(TrackedRanges, APauseInTheMidstOfQuestionsLeavesNothingArmed) {
    constexpr size_t kPages = 16'384;
    Tracked memory(kPages);
    if (!tracked(memory)) return;
    damon_ctx* ctx = memory.ctx();
    ASSERT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg(ctx);
    std::atomic<bool> ends{false};
    std::atomic<int> refused{0};
    std::atomic<int> asked{0};
    std::thread asker([&] {
        while (!ends) {
            for (size_t i = 0; i < kPages / 2; i += 7) memory.write(i);
            Question question;
            ++asked;
            refused += question.begin(memory, kPages) != 0;
        }
    });
    for (int i = 0; i < 5; ++i) {
        for (const int before = asked; asked == before;) std::this_thread::yield();
        EXPECT_EQ(damon_set_pause(ctx, 1), 0);
        EXPECT_EQ(nr_marked_in_the_end(memory, kPages), 0u);
        EXPECT_EQ(damon_set_pause(ctx, 0), 0);
    }
    ends = true;
    asker.join();
    EXPECT_EQ(refused, 0);  // the worker's lifting is no other question
    damon_stop(&ctx, 1);
}

TEST(TrackedRanges, OneQuestionAtATimeAndRemovalWaits) {
    constexpr size_t kPages = 20'000;
    Tracked memory(kPages);
    if (!tracked(memory)) return;
    std::atomic<bool> ends{false};
    std::atomic<int> answers{0};
    const auto asks = [&] {
        while (!ends) {
            Question question;
            question.nr_pages = kPages;
            const int error = question.ask(memory);
            EXPECT_TRUE(error == 0 || error == -EBUSY || error == -ENOENT) << error;
            answers += error == 0;
        }
    };
    std::thread one(asks);
    std::thread two(asks);
    // An emulated machine takes a second for each.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
    for (int i = 0; i < 20 && std::chrono::steady_clock::now() < end; ++i) {
        EXPECT_EQ(damon_ctx_remove_range(memory.ctx(), memory.at(0), kPages * page), 0);
        EXPECT_EQ(memory.track(), 0) << errmsg(memory.ctx());
        usleep(2000);
    }
    ends = true;
    one.join();
    two.join();
    EXPECT_GT(answers, 0);
}

}  // namespace
}  // namespace damon::test
