// damon_report_access: what it answers in each state of a context.
#include "toy.h"

namespace damon::test {
namespace {

TEST(Reports, AreAnsweredByWhatTheContextCanDoWithThem) {
    Context context;
    damon_access_report report;
    damon_access_report_init(&report);
    report.addr = kToyRange.start;
    report.len = 8;
    EXPECT_EQ(damon_report_access(context, &report), -EOPNOTSUPP) << "another access check";
    ASSERT_EQ(damon_ctx_set_ops(context, DAMON_OPS_FVADDR), 0);
    ASSERT_EQ(damon_ctx_set_access_check(context, DAMON_ACCESS_CHECK_REPORT), 0);
    EXPECT_EQ(damon_report_access(context, &report), -ECANCELED) << "never started";
    ASSERT_EQ(damon_ctx_set_drive(context, DAMON_DRIVE_MANUAL), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(damon_report_access(context, &report), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damon_report_access(context, &report), -ECANCELED) << "paused";
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_report_access(context, &report), -ECANCELED) << "stopped";
    ASSERT_EQ(damon_ctx_set_access_check(context, DAMON_ACCESS_CHECK_AUTO), 0);
    EXPECT_EQ(damon_report_access(context, &report), -EOPNOTSUPP) << "another access check again";
    report.len = 0;
    EXPECT_EQ(damon_report_access(context, &report), -EINVAL);
}

}  // namespace
}  // namespace damon::test
