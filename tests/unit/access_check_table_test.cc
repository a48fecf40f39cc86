// The table of access checks: every check has a row, and the table alone tells the checks apart.
#include "ops/linux/access/access_check_table.h"

#include <damon_c.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "ops/linux/vaddr.h"

namespace damon {
namespace {

TEST(AccessCheckTable, HasOneRowForEveryCheckAndNoOther) {
    for (int32_t id = 0; id < kNrAccessChecks; ++id) {
        const AccessCheckRow* row = access_check_row(id);
        ASSERT_NE(row, nullptr) << id;
        EXPECT_EQ(static_cast<int32_t>(row->id), id);
    }
    EXPECT_EQ(access_check_row(-1), nullptr);
    EXPECT_EQ(access_check_row(kNrAccessChecks), nullptr);
    EXPECT_EQ(DAMON_ACCESS_CHECK_REPORT, kNrAccessChecks - 1);
}

TEST(AccessCheckTable, NamesAreTheConstantsInSmallLetters) {
    for (const AccessCheckRow* row : access_check_rows()) {
        std::string expected = "DAMON_ACCESS_CHECK_";
        for (const char* letter = row->name; *letter != 0; ++letter) {
            expected += static_cast<char>(toupper(static_cast<unsigned char>(*letter)));
        }
        EXPECT_EQ(row->constant, expected);
    }
    EXPECT_STREQ(access_check_name(DAMON_ACCESS_CHECK_UFFD_MOVE), "uffd_move");
    EXPECT_STREQ(access_check_name(99), "unknown");
}

TEST(AccessCheckTable, ChecksOfPagesCanProbeArmAndJudge) {
    for (const AccessCheckRow* row : access_check_rows()) {
        const bool of_pages = row->source == AnswerSource::kPages;
        EXPECT_EQ(row->arm != nullptr, of_pages) << row->name;
        EXPECT_EQ(row->judge != nullptr, of_pages) << row->name;
        EXPECT_EQ(row->applies != nullptr, of_pages) << row->name;
        EXPECT_TRUE(!of_pages || row->probe != nullptr) << row->name;
    }
}

TEST(AccessCheckTable, RefusalsNameTheConstant) {
    VaddrOps ops;
    Params params;
    params.access_check = DAMON_ACCESS_CHECK_UFFD_MOVE;
    const Status later = ops.validate(params);
    EXPECT_EQ(later.error(), -EOPNOTSUPP);
    EXPECT_STREQ(later.text(), "access check DAMON_ACCESS_CHECK_UFFD_MOVE is not in this release");
    params.access_check = 99;
    EXPECT_EQ(ops.validate(params).error(), -EINVAL);
}

}  // namespace
}  // namespace damon
