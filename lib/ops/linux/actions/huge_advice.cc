#include "ops/linux/actions/huge_advice.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/actions/advise.h"
#include "ops/linux/registration/uffd_mapping.h"

namespace damon {
namespace {

constexpr uint64_t kLookBytes = 64u << 20;

// What there is where one huge page could be.
struct HugeSlot {
    uint64_t present = 0;
    uint64_t huge = 0;
    bool passes = true;  // the page-level filters let every page of it pass
};

bool look_at_slot(const ActionPass& pass, AddressRange range, HugeSlot& slot) {
    PageRun runs[Chunk::kMaxRuns];
    const bool filtered = !pass.request.scheme->ops_filters.empty();
    while (!range.empty()) {
        uint64_t until = 0;
        const int nr_runs = pass.subject.scan().look(range, runs, until);
        if (nr_runs < 0) return false;
        for (int i = 0; i < nr_runs; ++i) {
            const PageRun& run = runs[i];
            if (run.present()) slot.present += run.range.size();
            if (run.huge()) slot.huge += run.range.size();
            if (filtered && page_is_considered(pass.request, run.state)) {
                slot.passes &= page_passes(pass.request, pass.view(run.state));
            }
        }
        range.start = until;
    }
    return true;
}

// Where the next page may be, from `at` on: holes are passed over in large steps.
uint64_t after_hole(const ActionPass& pass, AddressRange range) {
    for (uint64_t step = kLookBytes; !range.empty(); step = std::min(step * 2, uint64_t{64} << 30)) {
        PageRun run;
        uint64_t until = 0;
        const AddressRange window{range.start, std::min(range.start + std::min(step, range.size()), range.end)};
        if (pass.subject.scan().look(window, {&run, 1}, until) < 1 || run.state != 0) break;
        range.start = until;
    }
    return range.start;
}

Skip refusal_of_huge(const ActionPass& pass, const Mapping& mapping, AddressRange range, int error) {
    switch (error) {
        case -EINVAL:
            return Skip::kUnfit;
        case -ENOMEM:
            return pass.request.scheme->action == DamosAction::kCollapse ? Skip::kNoRoom : Skip::kUnmapped;
        default:
            return refusal_of(pass, mapping, range, error);
    }
}

int advise(ActionPass& pass, AddressRange range, int advice) {
    uint64_t done = 0;
    ++pass.statistics.nr_calls;
    const int error = pass.subject.advise({&range, 1}, advice, done);
    if (error != 0) ++pass.statistics.nr_failed_calls;
    return error;
}

// Advice on a part of a huge page makes small pages of it.
void split_huge_pages(ActionPass& pass, AddressRange range) {
    for (uint64_t at = range.start; at < range.end; at += pass.sizes.huge_bytes) {
        HugeSlot slot;
        const AddressRange page{at, at + pass.sizes.base_bytes};
        if (!look_at_slot(pass, {at, at + pass.sizes.huge_bytes}, slot) || slot.huge == 0) continue;
        (void)advise(pass, page, uapi::kAdviseCold);
    }
}

// Where the monitor sees writes to small pages only, huge pages cannot be looked at: without this, memory that was made
// huge once would stay unknown, and no scheme could make it known again.
bool hides_huge_pages(const ActionPass& pass, const Mapping& mapping, AddressRange range) {
    uint64_t until = 0;
    return pass.checker != nullptr && pass.checker->visibility(mapping, range.start, until) == Visibility::kWritesOnly;
}

void set_flag_anew(ActionPass& pass, const Mapping& mapping, AddressRange range) {
    if (range.empty()) return;
    const bool wanted = pass.request.scheme->action == DamosAction::kHugepage;
    if (const int error = advise(pass, range, pass.advice)) {
        pass.statistics.skip(refusal_of_huge(pass, mapping, range, error), range.size());
        return;
    }
    pass.outcome.applied += range.size();
    if (pass.advised != nullptr) pass.advised->add(range, wanted);
    if (!wanted && hides_huge_pages(pass, mapping, range)) split_huge_pages(pass, range);
}

void set_flag(ActionPass& pass, const Mapping& mapping, AddressRange range) {
    pass.outcome.filter_passed += range.size();
    while (!range.empty()) {
        AddressRange told{range.end, range.end};
        if (pass.advised != nullptr) {
            told = pass.advised->next(range, pass.request.scheme->action == DamosAction::kHugepage);
        }
        set_flag_anew(pass, mapping, {range.start, told.start});
        if (!told.empty()) pass.spare(Skip::kAlreadySo, told.size());
        range.start = told.end;
    }
}

// Slots that the filters let pass, neighbours in one call.
void set_flags(ActionPass& pass, const Mapping& mapping, AddressRange range) {
    if (pass.request.scheme->ops_filters.empty() || pass.request.core_filters_allowed) {
        set_flag(pass, mapping, range);
        return;
    }
    AddressRange pending{range.start, range.start};
    for (uint64_t at = range.start; at < range.end; at += pass.sizes.huge_bytes) {
        HugeSlot slot;
        const bool passes =
            look_at_slot(pass, {at, at + pass.sizes.huge_bytes}, slot) && slot.present != 0 && slot.passes;
        if (!passes) {
            set_flag(pass, mapping, pending);
            pending.start = at + pass.sizes.huge_bytes;
        }
        pending.end = at + pass.sizes.huge_bytes;
    }
    set_flag(pass, mapping, pending);
}

void collapse_slot(ActionPass& pass, const Mapping& mapping, AddressRange range, const HugeSlot& before) {
    pass.wanted += before.present;
    int error = advise(pass, range, pass.advice);
    if (error != 0 && lift_marks(range, pass.sizes.base_bytes)) {
        error = advise(pass, range, pass.advice);
    }
    HugeSlot after;
    uint64_t applied = 0;
    if (!pass.subject.sees_huge()) {
        applied = error == 0 ? range.size() : 0;
    } else if (look_at_slot(pass, range, after) && after.huge > before.huge) {
        applied = after.huge - before.huge;
    }
    pass.outcome.applied += applied;
    const Skip why = error == 0 ? Skip::kKept : refusal_of_huge(pass, mapping, range, error);
    pass.statistics.skip(why, range.size() - applied);
}

void collapse(ActionPass& pass, const Mapping& mapping, AddressRange range) {
    const uint64_t huge_bytes = pass.sizes.huge_bytes;
    while (!range.empty()) {
        const AddressRange slot_range{range.start, range.start + huge_bytes};
        HugeSlot slot;
        if (!look_at_slot(pass, slot_range, slot)) {
            pass.statistics.skip(Skip::kFailed, range.size());
            return;
        }
        range.start = slot_range.end;
        if (slot.present == 0) {
            const uint64_t next = align_down(after_hole(pass, range), huge_bytes);
            pass.statistics.skip(Skip::kAbsent, next - slot_range.start);
            range.start = next;
        } else if (slot.passes) {
            pass.outcome.filter_passed += slot.present;
            if (slot.huge == huge_bytes) {
                pass.spare(Skip::kAlreadySo, huge_bytes);
            } else {
                collapse_slot(pass, mapping, slot_range, slot);
            }
        }
    }
}

}  // namespace

void advise_huge_range(ActionPass& pass) {
    const uint64_t calls_before = pass.statistics.nr_calls;
    MappingWalk mappings(pass, pass.range());
    Mapping mapping;
    AddressRange part;
    while (mappings.next(mapping, part)) {
        if (mapping.page_bytes > pass.sizes.base_bytes) {
            pass.statistics.skip(Skip::kHugetlb, part.size());
            continue;
        }
        AddressRange whole{align_up(part.start, pass.sizes.huge_bytes), align_down(part.end, pass.sizes.huge_bytes)};
        if (whole.empty()) whole = {part.start, part.start};
        pass.statistics.skip(Skip::kUnfit, part.size() - whole.size());
        if (pass.request.scheme->action == DamosAction::kCollapse) {
            collapse(pass, mapping, whole);
        } else {
            set_flags(pass, mapping, whole);
        }
    }
    // Ends that no huge page fits into are nothing that was tried.
    pass.any_tried = pass.statistics.nr_calls != calls_before;
}

}  // namespace damon
