// How the samples of an interval are looked at and answered.
#include <algorithm>

#include "base/arithmetic.h"
#include "ops/linux/access/access_check_table.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/access/page_batch.h"
#include "ops/linux/access/watch.h"
#include "ops/linux/registration/uffd.h"

namespace damon {

void AccessChecker::look(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) {
            set_unknown(sample, UnknownReason::kForked);
            answer(sample, 0);
        }
        return;
    }
    if (!tools_.scan.is_open()) {
        for (Sample& sample : samples) set_unknown(sample, UnknownReason::kLostFile);
    }
    // Where it was lost the marks are gone: what looks accessed may be that.
    if (has_uffd_) (void)uffd_verify();
    disturbed_ = uffd_epoch() != epoch_;
    looked_us_ = now_us_;
    forget();
    armed_.clear();  // what is left of it comes back below
    for (size_t done = 0; done < samples.size(); done += PageBatch::kMax) {
        look_batch(samples.subspan(done, std::min(PageBatch::kMax, samples.size() - done)));
    }
    tools_.page_states.sort();
    // After the last answer, for two samples may be of one page.
    lift_armed(armed_.size());
    tools_.ledger.end_interval();
}

void AccessChecker::give_up(std::span<Sample> samples, AddressRange range, uint64_t grown) {
    if (grown == 0) return;
    epoch_ += grown;
    forget();
    for (Sample& sample : samples) {
        if (range.contains(sample.addr) && is_watched(sample)) set_unknown(sample, UnknownReason::kOtherContext);
    }
}

// nullptr: it is not watched by a check.
const AccessCheckRow* AccessChecker::row_of(const Sample& sample) const {
    return is_watched_by_check(sample) ? by_id_[check_of(sample)] : nullptr;
}

// The samples of the checks that look in the same way are looked at together.
void AccessChecker::look_batch(std::span<Sample> samples) {
    using Look = void (*)(CheckTools&, std::span<const uint64_t>, std::span<uint32_t>);
    const auto look_of = [this](const Sample& sample) -> Look {
        const AccessCheckRow* row = row_of(sample);
        return row == nullptr ? nullptr : row->look;
    };
    Look looks[kNrAccessChecks + 1] = {nullptr};  // nullptr: a plain look
    size_t nr_looks = 1;
    const ExclusionScope scope(tools_.exclusion);
    for (Sample& sample : samples) {
        if (tools_.exclusion.contains(align_down(sample.addr, tools_.sizes.base_bytes))) {
            set_unknown(sample, UnknownReason::kExcluded);
        }
        if (!is_watched(sample)) {
            answer(sample, 0);
        } else if (std::find(looks, looks + nr_looks, look_of(sample)) == looks + nr_looks) {
            looks[nr_looks++] = look_of(sample);
        }
    }
    for (size_t i = 0; i < nr_looks; ++i) {
        PageBatch batch;
        for (size_t at = 0; at < samples.size(); ++at) {
            if (!is_watched(samples[at]) || look_of(samples[at]) != looks[i]) continue;
            batch.add(align_down(samples[at].addr, tools_.sizes.base_bytes), at);
        }
        if (looks[i] == nullptr) {
            tools_.scan.look({batch.pages, batch.size}, {batch.states, batch.size});
        } else {
            looks[i](tools_, {batch.pages, batch.size}, {batch.states, batch.size});
        }
        for (size_t at = 0; at < batch.size; ++at) answer(samples[batch.sample_idx[at]], batch.states[at]);
    }
}

UnknownReason AccessChecker::judge(const Sample& sample, uint32_t state, bool& accessed) {
    if (!is_watched(sample)) return unknown_reason_of(sample);
    UnknownReason unknown = UnknownReason::kNone;
    const uint64_t page = align_down(sample.addr, tools_.sizes.base_bytes);
    if (const AccessCheckRow* row = row_of(sample)) {
        unknown = row->judge(state, accessed);
        const bool is_marked = unknown == UnknownReason::kNone ? !accessed : unknown == UnknownReason::kFailed;
        if (is_marked && row->lift != nullptr) note_armed(*row, page);
        if (row->register_mode != 0 && disturbed_) return UnknownReason::kOtherContext;
    } else {
        if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
        if ((state & PageScan::kMapped) == 0) return UnknownReason::kUnmapped;
        accessed = (state & uapi::kPagePresent) != 0;
    }
    if (unknown != UnknownReason::kNone) return unknown;
    return tools_.ledger.judge(ArmedPageLedger::unit_of(page, tools_.sizes.huge_bytes, was_huge(sample)), accessed);
}

void AccessChecker::answer(Sample& sample, uint32_t state) {
    bool accessed = false;
    const UnknownReason unknown = judge(sample, state, accessed);
    AccessStatistics& statistics = tools_.statistics;
    sample.writes_only = false;
    sample.unknown = public_reason(unknown);
    if (unknown != UnknownReason::kNone) {
        sample.seen = Seen::kUnknown;
        ++statistics.unknown[static_cast<unsigned>(unknown)];
        return;
    }
    sample.seen = accessed ? Seen::kYes : Seen::kNo;
    const AccessCheckRow* row = row_of(sample);
    sample.writes_only = row != nullptr && !row->sees_reads;
    ++(accessed ? statistics.yes : statistics.no);
}

}  // namespace damon
