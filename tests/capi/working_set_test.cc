// damon_wss(): what it refuses, and what it answers.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "os/accessed_bits.h"
#include "toy.h"

namespace damon::test {
namespace {

damon_wss_result process_in(uint64_t interval_us) {
    damon_wss_result result;
    damon_wss_result_init(&result);
    result.mode = 1;
    result.interval_us = interval_us;
    return result;
}

std::string errmsg(const damon_ctx* ctx) {
    char text[256];
    damon_ctx_errmsg(ctx, text, sizeof text);
    return text;
}

TEST(WorkingSet, TheWholeProcessIsMeasuredWithoutAWorker) {
    constexpr size_t kBytes = 32 << 20;
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    memset(memory, 1, kBytes);
    Context context;
    damon_wss_result result = process_in(1000);
    ASSERT_EQ(damon_wss(context, &result), 0) << errmsg(context);
    EXPECT_EQ(result.sees, uint32_t{DAMON_SEES_READS | DAMON_SEES_WRITES});
    EXPECT_GE(result.present_bytes, kBytes);
    EXPECT_GT(result.touched_bytes, 0u);
    EXPECT_LE(result.touched_bytes + kBytes, result.present_bytes);
    munmap(memory, kBytes);
}

TEST(WorkingSet, AContextThatRunsGoesOnSampling) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    damon_wss_result result = process_in(20'000);
    const uint64_t before = context.ops().nr_checked;
    EXPECT_EQ(damon_wss(context, &result), 0);
    while (context.ops().nr_checked == before) {
    }
    EXPECT_EQ(context.stop(), 0);
}

TEST(WorkingSet, WrongQuestionsNameWhatIsWrong) {
    Context context;
    damon_wss_result result = process_in(0);
    EXPECT_EQ(damon_wss(context, &result), -EINVAL);
    EXPECT_NE(errmsg(context).find("interval_us is 0"), std::string::npos) << errmsg(context);
    result = process_in(1);
    result.mode = 2;
    EXPECT_EQ(damon_wss(context, &result), -EINVAL);
    EXPECT_NE(errmsg(context).find("mode 2"), std::string::npos) << errmsg(context);
    result = process_in(1);
    result.reserved = 1;
    EXPECT_EQ(damon_wss(context, &result), -EINVAL);
    EXPECT_EQ(damon_wss(context, nullptr), -EINVAL);
    EXPECT_EQ(damon_wss(nullptr, &result), -EINVAL);
}

TEST(WorkingSet, PassesOverTheSameBitsAreNamed) {
    Context context;
    AccessedBitsTurn passes;
    ASSERT_TRUE(passes.take());
    damon_wss_result result = process_in(1);
    EXPECT_EQ(damon_wss(context, &result), -EBUSY);
    EXPECT_NE(errmsg(context).find("referenced_us"), std::string::npos) << errmsg(context);
    passes.release();
    EXPECT_EQ(damon_wss(context, &result), 0) << errmsg(context);
}

TEST(WorkingSet, TheWorkerDoesNotSleepOverIt) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    damon_wss_result result = process_in(1000);
    std::pair<damon_ctx*, damon_wss_result*> asked{context, &result};
    damon_call_control control{};
    control.size = sizeof control;
    control.data = &asked;
    control.fn = [](void* data) {
        const auto* pair = static_cast<std::pair<damon_ctx*, damon_wss_result*>*>(data);
        return damon_wss(pair->first, pair->second);
    };
    EXPECT_EQ(damon_call(context, &control), 0);
    EXPECT_EQ(control.return_code, -EDEADLK);
    EXPECT_EQ(context.stop(), 0);
}

}  // namespace
}  // namespace damon::test
