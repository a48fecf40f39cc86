// What the interface says in words, and the refusals whose words name both sides.
#include <sys/mman.h>
#include <unistd.h>

#include <set>

#include "toy.h"

namespace damon::test {
namespace {

TEST(Texts, EveryErrorOfTheHeaderHasWordsOfItsOwnForBothSigns) {
    std::set<std::string> texts = {damon_strerror(0), "unknown error"};
    EXPECT_EQ(texts.size(), 2u);
    for (const int error : {EINVAL, ENOMEM, EBUSY, ECANCELED, EDEADLK, E2BIG, ENOSPC, ENOENT, ETIMEDOUT, EAGAIN,
                            EOPNOTSUPP, ECHILD, ESRCH, EPERM, EACCES, ENOSYS}) {
        EXPECT_TRUE(texts.insert(damon_strerror(-error)).second) << error << ": " << damon_strerror(-error);
        EXPECT_STREQ(damon_strerror(error), damon_strerror(-error));
    }
    EXPECT_STREQ(damon_strerror(-12345), "unknown error");
}

TEST(Texts, TheVersionIsThatOfTheHeader) {
    const uint32_t version = damon_version();
    EXPECT_EQ(version, DAMON_VERSION_MAJOR << 16 | DAMON_VERSION_MINOR << 8 | DAMON_VERSION_PATCH);
    const std::string text =
        std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) + "." + std::to_string(version & 255);
    EXPECT_EQ(text, damon_version_string());
}

TEST(Texts, EveryReasonToSkipHasWordsOfItsOwn) {
    std::set<std::string> texts = {"unknown"};
    for (int32_t skip = 0; skip <= DAMOS_SKIP_BACKED_OFF; ++skip) {
        EXPECT_TRUE(texts.insert(damos_skip_text(skip)).second) << skip << ": " << damos_skip_text(skip);
    }
    EXPECT_STREQ(damos_skip_text(-1), "unknown");
    EXPECT_STREQ(damos_skip_text(DAMOS_SKIP_BACKED_OFF + 1), "unknown");
}

void expect_words(damon_ctx* ctx, std::initializer_list<const char*> words) {
    for (const char* word : words) {
        EXPECT_NE(errmsg_of(ctx).find(word), std::string::npos) << errmsg_of(ctx) << " should name " << word;
    }
}

TEST(Refused, ACommitOfOtherOperationsIntoARunNamesBoth) {
    const std::pair<int32_t, const char*> others[] = {{DAMON_OPS_VADDR, "DAMON_OPS_VADDR"},
                                                      {DAMON_OPS_FVADDR, "DAMON_OPS_FVADDR"},
                                                      {DAMON_OPS_PADDR, "DAMON_OPS_PADDR"},
                                                      {DAMON_OPS_KERNEL_VADDR, "DAMON_OPS_KERNEL_VADDR"},
                                                      {DAMON_OPS_KERNEL_FVADDR, "DAMON_OPS_KERNEL_FVADDR"},
                                                      {DAMON_OPS_KERNEL_PADDR, "DAMON_OPS_KERNEL_PADDR"}};
    Context running(true);
    ASSERT_EQ(running.start(), 0);
    for (const auto& [ops_id, name] : others) {
        damon_ctx* source = damon_ctx_new();
        EXPECT_EQ(damon_ctx_set_ops(source, ops_id), 0) << name;
        EXPECT_EQ(damon_commit_ctx(running, source), -EINVAL) << name;
        expect_words(running, {name, "DAMON_OPS_CUSTOM", "stop it"});
        damon_ctx_free(source);
    }
    EXPECT_EQ(running.stop(), 0);
}

TEST(Refused, ASchemeThatIsInAContextIsNotAddedAgain) {
    Context first, second;
    damos* scheme = scheme_of();
    ASSERT_EQ(damon_ctx_add_scheme(first, scheme), 0);
    EXPECT_EQ(damon_ctx_add_scheme(first, scheme), -EINVAL);
    expect_words(first, {"this context"});
    EXPECT_EQ(damon_ctx_add_scheme(second, scheme), -EINVAL);
    expect_words(second, {"another context"});
    EXPECT_EQ(damon_ctx_nr_schemes(first), 1u);
    EXPECT_EQ(damon_ctx_nr_schemes(second), 0u);
}

TEST(Refused, AFilterWhoseSwitchesAreNoSwitches) {
    Context context;
    damos* scheme = scheme_of();
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme), 0);
    for (const bool matching : {false, true}) {
        damos_filter filter;
        damos_filter_init(&filter);
        (matching ? filter.matching : filter.allow) = 2;
        EXPECT_EQ(damos_add_filter(scheme, &filter), -EINVAL);
        expect_words(context, {matching ? "matching is 2" : "allow is 2"});
    }
}

TEST(Refused, AMaskOfMoreProcessorsThanThereCanBe) {
    Context context;
    const std::vector<uint64_t> words(1025, 1);
    damon_worker_attr attr;
    damon_worker_attr_init(&attr);
    attr.cpu_mask = words.data();
    attr.nr_cpu_words = words.size();
    EXPECT_EQ(damon_ctx_set_worker_attr(context, &attr), -EINVAL);
    expect_words(context, {"nr_cpu_words is 1025"});
}

TEST(Refused, ASurveyOfMoreThanOneCpuAndOneThatTheOperationsCannotServe) {
    Context context(true);
    damon_attrs attrs = quick_attrs();
    attrs.survey_bp = 10'001;
    EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), -EINVAL);
    expect_words(context, {"survey_bp 10001", "DAMON_SURVEY_DEFAULT"});
    attrs.survey_bp = 5;
    EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    EXPECT_EQ(context.start(), -EOPNOTSUPP);
    expect_words(context, {"survey_bp is 5", "cannot serve surveys"});
    attrs.survey_bp = DAMON_SURVEY_DEFAULT;
    EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    EXPECT_EQ(context.start(), 0);
    EXPECT_EQ(context.stop(), 0);
}

TEST(Refused, CoverageThatIsUnknownOrContradictsItselfOrComesInARun) {
    Context context(true);
    EXPECT_EQ(damon_ctx_set_coverage(context, 8), -EINVAL);
    expect_words(context, {"0x8", "DAMON_COVER_FILES"});
    EXPECT_EQ(damon_ctx_set_coverage(context, DAMON_COVER_FILES | DAMON_COVER_THREE_AREAS), -EINVAL);
    expect_words(context, {"0x3", "leave out _FILES"});
    EXPECT_EQ(damon_ctx_set_coverage(context, DAMON_COVER_FILES | DAMON_COVER_STABLE), 0);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damon_ctx_set_coverage(context, 0), -EBUSY);
    EXPECT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_ctx_set_coverage(context, 0), 0);
    EXPECT_EQ(damon_ctx_set_coverage(nullptr, 0), -EINVAL);
}

// Pages of this process, nothing beside them.
class Pages {
public:
    explicit Pages(int flags)
        : addr_(static_cast<char*>(mmap(nullptr, bytes(4), PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0))) {}
    ~Pages() { munmap(addr_, bytes(4)); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    static size_t bytes(size_t nr_pages) { return nr_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
    char* at(size_t page) const { return addr_ + bytes(page); }

private:
    char* addr_;
};

TEST(Refused, ExclusionsAreWholePagesAndCountedForEachRange) {
    const Pages pages(MAP_PRIVATE);
    const size_t two = Pages::bytes(2);
    EXPECT_EQ(damon_exclude(pages.at(0) + 1, two), -EINVAL);
    EXPECT_EQ(damon_exclude(pages.at(0), two + 1), -EINVAL);
    EXPECT_EQ(damon_exclude(pages.at(0), 0), -EINVAL);
    EXPECT_EQ(damon_exclude(pages.at(0), SIZE_MAX), -EINVAL);
    EXPECT_EQ(damon_include(pages.at(0), two), -ENOENT);
    EXPECT_EQ(damon_exclude(pages.at(0), two), 0);
    EXPECT_EQ(damon_exclude(pages.at(0), two), 0);
    EXPECT_EQ(damon_include(pages.at(0), Pages::bytes(1)), -ENOENT);
    EXPECT_EQ(damon_include(pages.at(0), two), 0);
    EXPECT_EQ(damon_include(pages.at(0), two), 0);
    EXPECT_EQ(damon_include(pages.at(0), two), -ENOENT);
}

TEST(Refused, ARangeThatIsNotSharedOrDeclaredAlready) {
    const Pages own(MAP_PRIVATE), shared(MAP_SHARED);
    damon_ctx* contexts[] = {damon_ctx_new(), damon_ctx_new()};
    EXPECT_EQ(damon_ctx_add_range(contexts[0], own.at(0), Pages::bytes(4), DAMON_RANGE_SHARED), -EINVAL);
    expect_words(contexts[0], {"DAMON_RANGE_SHARED", "no shared mapping"});
    EXPECT_EQ(damon_ctx_add_range(contexts[0], shared.at(0), Pages::bytes(4), DAMON_RANGE_SHARED), 0);
    EXPECT_EQ(damon_ctx_add_range(contexts[1], shared.at(0), Pages::bytes(4), DAMON_RANGE_SHARED), -EINVAL);
    expect_words(contexts[1], {"DAMON_RANGE_SHARED", "declared already"});
    EXPECT_EQ(damon_ctx_remove_range(contexts[0], shared.at(0), Pages::bytes(4)), 0);
    EXPECT_EQ(damon_ctx_add_range(contexts[1], shared.at(0), Pages::bytes(4), DAMON_RANGE_SHARED), 0);
    for (damon_ctx* ctx : contexts) damon_ctx_free(ctx);
}

TEST(Refused, AStableRangeOverAnotherOne) {
    const Pages pages(MAP_PRIVATE);
    damon_ctx* ctx = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_range(ctx, pages.at(0), Pages::bytes(2), DAMON_RANGE_STABLE), 0);
    EXPECT_EQ(damon_ctx_add_range(ctx, pages.at(1), Pages::bytes(2), DAMON_RANGE_STABLE), -EINVAL);
    expect_words(ctx, {"DAMON_RANGE_STABLE", "overlaps"});
    EXPECT_EQ(damon_ctx_add_range(ctx, pages.at(2), Pages::bytes(2), DAMON_RANGE_STABLE), 0);
    damon_ctx_free(ctx);
}

}  // namespace
}  // namespace damon::test
