// Memory that is only read looks cold where reads cannot be seen: actions that presume coldness leave it alone, mapping
// by mapping, unless the scheme says otherwise (S-38).
#include <gtest/gtest.h>

#include "acted_on.h"
#include "ops/linux/registration/declared_ranges.h"
#include "scheme_run.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

bool works(AccessCheck check) { return access_check_probe(static_cast<int32_t>(check)).available; }

bool only_writes_are_seen() {
    if (access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp)).available) return true;
    declared_skip("uffd-wp", "no write protection");
    return false;
}

class UnseenReads : public testing::TestWithParam<int32_t> {
protected:
    static constexpr size_t kPages = 512;

    // Eight windows of a scheme on private memory that is read all the time.
    void run(SchemeRun& run, int32_t action, uint32_t flags) {
        ASSERT_EQ(damon_ctx_set_access_check(run, GetParam()), 0);
        run.add([=](damos_params& params) {
            params.action = action;
            params.pattern.max_nr_accesses = 0;
            params.pattern.min_age = 3;
            params.flags = flags;
            params.target_nid = 0;
        });
        memory_.fill();
        ASSERT_EQ(run.start(), 0) << run.errmsg();
        run.windows(8, [this] {
            for (size_t page = 0; page < kPages; ++page) memory_.read(page);
        });
    }

    // Where reads are seen the memory is hot, and no scheme for cold memory tries it.
    bool reads_are_seen() const { return GetParam() == DAMON_ACCESS_CHECK_AUTO && works(AccessCheck::kUffdRwp); }
    void expect_hot(int32_t action, uint32_t flags) {
        SchemeRun run(memory_.range());
        UnseenReads::run(run, action, flags);
        EXPECT_EQ(run.stat().sz_tried, 0u) << action;
        EXPECT_EQ(run.actions().skipped_bytes[DAMOS_SKIP_UNSEEN_READS], 0u) << action;
    }

    Memory memory_{kPages};
};

TEST_P(UnseenReads, NothingIsTriedOnMemoryThatMayBeReadAllTheTime) {
    if (reads_are_seen()) return expect_hot(DAMOS_PAGEOUT, 0);
    if (!only_writes_are_seen()) return;
    for (const int32_t action : {DAMOS_PAGEOUT, DAMOS_COLD, DAMOS_LRU_DEPRIO, DAMOS_MIGRATE_COLD}) {
        SchemeRun run(memory_.range());
        UnseenReads::run(run, action, 0);
        EXPECT_EQ(run.stat().nr_tried, 0u) << action;
        EXPECT_EQ(run.stat().sz_tried, 0u) << action;
        EXPECT_EQ(run.stat().sz_applied, 0u) << action;
        EXPECT_GE(run.actions().skipped_bytes[DAMOS_SKIP_UNSEEN_READS], memory_.bytes()) << action;
        EXPECT_EQ(run.actions().nr_calls, 0u) << action;
    }
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(UnseenReads, TheFlagOfTheSchemeActsOnItAllTheSame) {
    if (reads_are_seen()) return expect_hot(DAMOS_COLD, DAMOS_ALLOW_UNSEEN_READS);
    if (!only_writes_are_seen()) return;
    SchemeRun run(memory_.range());
    UnseenReads::run(run, DAMOS_COLD, DAMOS_ALLOW_UNSEEN_READS);
    EXPECT_GE(run.stat().sz_applied, memory_.bytes() / 2);
    EXPECT_EQ(run.actions().skipped_bytes[DAMOS_SKIP_UNSEEN_READS], 0u);
}

TEST_P(UnseenReads, ActionsThatPresumeNothingAct) {
    if (reads_are_seen()) return expect_hot(DAMOS_WILLNEED, 0);
    if (!only_writes_are_seen()) return;
    SchemeRun run(memory_.range());
    UnseenReads::run(run, DAMOS_WILLNEED, 0);
    EXPECT_GE(run.stat().sz_tried, memory_.bytes() / 2);
    EXPECT_EQ(run.actions().skipped_bytes[DAMOS_SKIP_UNSEEN_READS], 0u);
}

INSTANTIATE_TEST_SUITE_P(Checks, UnseenReads,
                         testing::Values<int32_t>(DAMON_ACCESS_CHECK_AUTO, DAMON_ACCESS_CHECK_UFFD_WP));

// One range: private memory, a declared shared mapping of which the middle was withdrawn.
class MixedRange : public testing::Test {
protected:
    static constexpr size_t kPages = 64;

    void SetUp() override {
        reads_are_seen_ = works(AccessCheck::kUffdRwp);
        checker_works_ =
            checker_.works() && works(AccessCheck::kZap) && (reads_are_seen_ || works(AccessCheck::kUffdWp));
        if (!checker_works_) return declared_skip("uffd-wp", "needs write protection and zap");
        const int flags = MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS;
        ASSERT_EQ(mmap(memory_.data(kPages), kPages * page_bytes(), PROT_READ | PROT_WRITE, flags, -1, 0),
                  memory_.data(kPages));
        memory_.fill();
        const AddressRange shared{memory_.address(kPages), memory_.range().end};
        ASSERT_EQ(shared_declare(shared), 0);
        ASSERT_EQ(shared_withdraw({memory_.address(kPages + 16), memory_.address(kPages + 32)}), 0);
        checker_->refresh();
        if (!reads_are_seen_) return;
        // What nobody has looked at yet is not seen.
        auto samples = memory_.samples({4, 40, kPages + 20});
        checker_->arm(samples);
        checker_->look(samples);
    }
    void TearDown() override {
        if (!checker_works_) return;
        EXPECT_EQ(shared_withdraw({memory_.address(kPages), memory_.address(kPages + 16)}), 0);
        EXPECT_EQ(shared_withdraw({memory_.address(kPages + 32), memory_.range().end}), 0);
    }
    Outcome apply(UnseenRule rule) {
        ActionRequest request;
        request.scheme = &acting_.scheme;
        request.range = memory_.range();
        request.unseen = rule;
        acting_.executor.new_interval();
        return acting_.executor.apply(request, 0, &*checker_);
    }

    Memory memory_{2 * kPages};
    Checker checker_{AccessCheck::kAuto};
    Acting acting_{DamosAction::kCold};
    bool checker_works_ = false;
    bool reads_are_seen_ = false;  // of private and of undeclared memory too
};

TEST_F(MixedRange, OnlyPagesWhoseReadsAreUnseenAreLeftAlone) {
    if (!checker_works_) return;
    const uint64_t unseen = reads_are_seen_ ? 0 : 80 * page_bytes();
    const Outcome outcome = apply(UnseenRule::kSpareUnseenReads);
    EXPECT_EQ(outcome.applied, 128 * page_bytes() - unseen);
    EXPECT_EQ(outcome.spared, unseen);
    EXPECT_EQ(outcome.unseen, unseen);
    EXPECT_EQ(acting_.skipped(Skip::kUnseenReads), unseen);
}

TEST_F(MixedRange, IsActedOnAsAWholeWhereTheSchemeAllowsIt) {
    if (!checker_works_) return;
    const Outcome outcome = apply(UnseenRule::kSpareUnknown);
    EXPECT_EQ(outcome.applied, 128 * page_bytes());
    EXPECT_EQ(outcome.spared, 0u);
}

// Nothing could be written to it, so nothing would be seen.
TEST_F(MixedRange, AMappingThatCannotBeLookedAtIsLeftAloneWithTheFlagToo) {
    if (!checker_works_) return;
    ASSERT_EQ(mprotect(memory_.data(0), 8 * page_bytes(), PROT_READ), 0);
    const Outcome outcome = apply(UnseenRule::kSpareUnknown);
    const uint64_t unknown = reads_are_seen_ ? 0 : 8 * page_bytes();
    EXPECT_EQ(outcome.applied, 128 * page_bytes() - unknown);
    EXPECT_EQ(acting_.skipped(Skip::kUnknown), unknown);
    ASSERT_EQ(mprotect(memory_.data(0), 8 * page_bytes(), PROT_READ | PROT_WRITE), 0);
}

}  // namespace
}  // namespace damon::test
