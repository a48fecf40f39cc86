#include "ops/linux/access/access_check_table.h"

#include <cerrno>
#include <cstdio>
#include <iterator>

#include "ops/linux/access/checks/referenced.h"
#include "ops/linux/access/checks/report.h"
#include "ops/linux/access/checks/uffd_rwp.h"
#include "ops/linux/access/checks/uffd_wp.h"
#include "ops/linux/access/checks/zap.h"
#include "os/own_file.h"

namespace damon {
namespace {

constexpr AccessCheckRow kAutoRow = {
    .id = AccessCheck::kAuto, .name = "auto", .constant = "DAMON_ACCESS_CHECK_AUTO", .source = AnswerSource::kBest};

// Not in this release.
constexpr AccessCheckRow kUffdMoveRow = {
    .id = AccessCheck::kUffdMove, .name = "uffd_move", .constant = "DAMON_ACCESS_CHECK_UFFD_MOVE"};
constexpr AccessCheckRow kMprotectRow = {
    .id = AccessCheck::kMprotect, .name = "mprotect", .constant = "DAMON_ACCESS_CHECK_MPROTECT"};
constexpr AccessCheckRow kPageIdleRow = {
    .id = AccessCheck::kPageIdle, .name = "page_idle", .constant = "DAMON_ACCESS_CHECK_PAGE_IDLE"};

// What ordinary private memory gets: the first check that works there. The reason names the check that was chosen, and
// why each better one was not.
AccessCheckProbe probe_best() {
    CachedMapping memory;
    memory.writable = true;
    AccessCheckProbe answer;
    char tried[80] = "";
    char better[160] = "";
    size_t nr_tried = 0;
    size_t nr_better = 0;
    for (const AccessCheckRow* row : access_check_rows()) {
        if (row->source != AnswerSource::kPages || !row->applies(memory)) continue;
        const AccessCheckProbe probe = probe_row(*row);
        answer = probe;
        if (probe.available) {
            snprintf(answer.reason, sizeof answer.reason, "%s: %.80s%.110s", row->name, probe.reason, better);
            return answer;
        }
        nr_tried += static_cast<size_t>(
            snprintf(tried + nr_tried, sizeof tried - nr_tried, "%s%s", nr_tried == 0 ? "" : ", ", row->name));
        nr_better += static_cast<size_t>(
            snprintf(better + nr_better, sizeof better - nr_better, "; %s: %.80s", row->name, probe.reason));
        if (nr_tried >= sizeof tried || nr_better >= sizeof better) break;
    }
    const AccessCheckProbe last = answer;
    snprintf(answer.reason, sizeof answer.reason, "%s: %.100s", tried, last.reason);
    return answer;
}

}  // namespace

constinit const AccessCheckRow* const kAccessCheckRows[] = {
    &kUffdRwpRow,    &kZapRow,      &kUffdWpRow,   &kAutoRow,     &kReportRow,
    &kReferencedRow, &kUffdMoveRow, &kMprotectRow, &kPageIdleRow,
};
static_assert(std::size(kAccessCheckRows) == kNrAccessChecks);

AccessCheckProbe probe_row(const AccessCheckRow& row) {
    AccessCheckProbe probe;
    probe.error = EOPNOTSUPP;
    snprintf(probe.reason, sizeof probe.reason, "%s is not in this release", row.constant);
    // Again where it may have failed because the program closed the descriptors meanwhile.
    for (int tries = 0; row.probe != nullptr && tries < kTriesToOpen; ++tries) {
        probe = row.probe();
        if (probe.available || probe.error == ENOTSUP || probe.error == EPERM || probe.error == EACCES) break;
    }
    return probe;
}

const AccessCheckRow* access_check_row(int32_t id) {
    for (const AccessCheckRow* row : kAccessCheckRows) {
        if (static_cast<int32_t>(row->id) == id) return row;
    }
    return nullptr;
}

const char* access_check_name(int32_t id) {
    const AccessCheckRow* row = access_check_row(id);
    return row == nullptr ? "unknown" : row->name;
}

AccessCheckProbe access_check_probe(int32_t id) {
    const AccessCheckRow* row = access_check_row(id);
    if (row != nullptr) return row->source == AnswerSource::kBest ? probe_best() : probe_row(*row);
    AccessCheckProbe probe;
    probe.error = EINVAL;
    snprintf(probe.reason, sizeof probe.reason, "%d is no access check", id);
    return probe;
}

}  // namespace damon
