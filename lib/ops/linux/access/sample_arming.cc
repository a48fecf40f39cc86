// How the samples of an interval are armed.
#include <algorithm>

#include "base/arithmetic.h"
#include "ops/linux/access/access_check_table.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/access/page_batch.h"
#include "ops/linux/access/watch.h"
#include "ops/linux/registration/uffd.h"

namespace damon {
namespace {

// How long, in microseconds, what was read at the end of one interval serves to arm for the next one: mostly it is less
// than a tenth of it, but for schemes and calls in between.
constexpr uint64_t kMaxStateAgeUs = 100'000;

// Whether the rest of what was one mapping is there still: it was split, for example by an exclusion of this part.
bool is_a_part(AddressRange now, AddressRange before, ProcMaps& maps) {
    Mapping beside;
    if (now.end < before.end && maps.query(now.end, beside) == 0 && beside.usable()) return true;
    return before.start < now.start && maps.query(now.start - 1, beside) == 0 && beside.usable();
}

}  // namespace

void AccessChecker::arm(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_unknown(sample, UnknownReason::kForked);
        return;
    }
    keep_files();
    if (!armed_.empty()) lift_armed(armed_.size());  // nobody looked
    while (spans_left_) lift_left_span();
    tools_.ledger.begin_interval();
    tools_.mappings.begin_interval();
    if (!use_page_states()) forget();
    epoch_ = uffd_epoch();
    tools_.own_epochs = 0;
    tools_.base_block = CheckTools::kNoBlock;
    for (size_t done = 0; done < samples.size(); done += PageBatch::kMax) {
        arm_batch(samples.subspan(done, std::min(PageBatch::kMax, samples.size() - done)));
    }
    epoch_ += tools_.own_epochs;
    tools_.guard.release();
}

void AccessChecker::arm_batch(std::span<Sample> samples) {
    const ExclusionScope scope(tools_.exclusion);
    tools_.mappings.doubt_registrations(tools_.exclusion.take_included());
    tools_.ledger.notice_joins();
    PageBatch batch;
    for (size_t i = 0; i < samples.size(); ++i) {
        samples[i].seen = Seen::kUnknown;
        samples[i].writes_only = false;
        const uint64_t page = align_down(samples[i].addr, tools_.sizes.base_bytes);
        if (tools_.exclusion.contains(page)) {
            set_unknown(samples[i], UnknownReason::kExcluded);
        } else if (!arm_unseen(samples[i], page)) {
            batch.add(page, i);
        }
    }
    if (look_before_ != nullptr) {
        look_before_(tools_, {batch.pages, batch.size}, {batch.states, batch.size});
    } else {
        tools_.look({batch.pages, batch.size}, {batch.states, batch.size});
    }
    for (size_t i = 0; i < batch.size; ++i) {
        arm_seen(samples[batch.sample_idx[i]], {batch.pages[i], batch.states[i]});
    }
}

// Whether what the last look saw can be trusted: a moment ago, and all marks were this context's.
bool AccessChecker::use_page_states() const {
    return keeps_page_states_ && !tools_.ledger.crowded() && !disturbed_ && uffd_epoch() == epoch_ &&
           now_us_ - looked_us_ <= kMaxStateAgeUs;
}

// Arms without looking at the page before: only by the best check of its mapping. False: look first.
bool AccessChecker::arm_unseen(Sample& sample, uint64_t page) {
    for (const AccessCheckRow* row : enabled()) {
        if (row->arm_unseen == nullptr || row->inapplicable != UnknownReason::kNone) {
            const CachedMapping* mapping = tools_.mappings.find(page);
            if (mapping == nullptr) return false;
            if (!row->applies(*mapping)) continue;
            if (row->arm_unseen == nullptr) return false;
        }
        const Unseen unseen = row->arm_unseen(tools_, page);
        if (unseen == Unseen::kAbsent) watch_absence(sample);
        if (unseen == Unseen::kArmed) {
            watch_by_check(sample, row->id, false);
            note_armed(*row, page);
        }
        return unseen != Unseen::kLookFirst;
    }
    return false;
}

void AccessChecker::note_armed(const AccessCheckRow& row, uint64_t page) {
    if (row.register_mode == 0) return;
    if (!tools_.spans.empty() && tools_.spans.contains(page)) return;  // whose look lifts it
    // There is room since grow; beyond, all marks are found by a sweep.
    const bool kept = row.lift != nullptr && armed_.size() < armed_.capacity() &&
                      armed_.push_back(page | static_cast<uint64_t>(row.id));
    if (!kept) swept_ = false;
}

// The last of the pages that were armed and not looked at.
void AccessChecker::lift_armed(size_t max_pages) {
    uint64_t pages[PageBatch::kMax];
    tools_.proves_marks = uffd_epoch() != epoch_;
    while (max_pages != 0 && !armed_.empty()) {
        const uint64_t check = armed_.back() % tools_.sizes.base_bytes;
        size_t nr_pages = 0;
        for (; nr_pages < std::min(PageBatch::kMax, max_pages) && !armed_.empty(); ++nr_pages) {
            if (armed_.back() % tools_.sizes.base_bytes != check) break;
            pages[nr_pages] = align_down(armed_.back(), tools_.sizes.base_bytes);
            armed_.truncate(armed_.size() - 1);
        }
        std::reverse(pages, pages + nr_pages);  // they were armed in address order
        const ExclusionScope scope(tools_.exclusion);
        by_id_[check]->lift(tools_, {pages, nr_pages});
        max_pages -= nr_pages;
    }
}

void AccessChecker::watch_absence_of(Sample& sample, uint64_t page) {
    if (tools_.ledger.crowded()) tools_.ledger.note_absent(page);
    watch_absence(sample);
}

// A mapping that has become smaller, or another one that is not registered as it was, has been replaced: by one that is
// perhaps growing. Registering what the old one was known for would tear it.
CachedMapping* AccessChecker::read_again(CachedMapping* known, Page page) {
    // Of read-write protection a protected page does not tell whether it is registered.
    const bool unregistered = known != nullptr && known->registrable.contains(page.address) && tools_.scan.can_scan() &&
                              !known->is_registered(uapi::kRegisterModeRwp) &&
                              (page.state & (uapi::kPageWpAllowed | uapi::kPageAccessed)) == 0;
    if (!unregistered) return tools_.mappings.reread(page.address, tools_.statistics);
    const AddressRange before = known->range;
    const bool was_registered = known->is_registered(uapi::kRegisterModeWp);
    CachedMapping* now = tools_.mappings.reread(page.address, tools_.statistics);
    if (now == nullptr || now->range == before) return now;
    const bool covers = now->range.intersection(before) == before;
    // Parts that were known each, and are one again: their registrations were given back by an exclusion.
    if (covers && now->registrable == now->range) return now;
    if (was_registered || !covers) {
        if (!is_a_part(now->range, before, tools_.mappings.maps())) tools_.mappings.renew(*now);
    }
    return now;
}

void AccessChecker::arm_seen(Sample& sample, Page page) {
    if ((page.state & PageScan::kFailed) != 0) return set_unknown(sample, UnknownReason::kFailed);
    if ((page.state & PageScan::kMapped) == 0) return set_unknown(sample, UnknownReason::kUnmapped);
    CachedMapping* mapping = tools_.mappings.find(page.address);
    if ((page.state & uapi::kPagePresent) == 0) {
        // Without PAGEMAP_SCAN the page tables do not show what is mapped.
        const bool asks = mapping == nullptr && !tools_.scan.can_scan();
        if (asks) mapping = tools_.mappings.reread(page.address, tools_.statistics);
        if (asks && mapping == nullptr) return set_unknown(sample, UnknownReason::kUnmapped);
        if (mapping != nullptr && mapping->reserved && mapping->owned == 0) own_ahead(page.address);
        return watch_absence_of(sample, page.address);
    }
    // Before the first registration too: what is registered must be the whole mapping as it is now.
    bool stale = mapping == nullptr || (mapping->owned == 0 && has_uffd_ && !tools_.mappings.is_fresh(*mapping) &&
                                        (mapping->registrable.contains(page.address) || mapping->is_settling()));
    for (int reads_left = 2;; stale = true) {
        if (stale && reads_left-- > 0) mapping = read_again(mapping, page);
        if (mapping == nullptr) return set_unknown(sample, UnknownReason::kUnmapped);
        // Committed in a reservation that was registered ahead: all of it is registered.
        const bool registered = (page.state & (uapi::kPageWpAllowed | uapi::kPageAccessed)) != 0;
        if (registered && mapping->registered != 0) mapping->registrable = mapping->range;
        const UnknownReason unknown = arm_present(sample, *mapping, page);
        if (unknown == UnknownReason::kNone) return;
        // What is known of the mapping may be old (fact 4).
        const bool may_be_old = unknown == UnknownReason::kGone || unknown == UnknownReason::kNotWritable ||
                                unknown == UnknownReason::kForeign;
        if (!may_be_old || reads_left <= 0 || tools_.mappings.is_fresh(*mapping)) return set_unknown(sample, unknown);
    }
}

// A reservation is registered before the program commits parts of it by mprotect: those then merge as without it.
void AccessChecker::own_ahead(uint64_t page) {
    CachedMapping* mapping = tools_.mappings.find(page);
    if (!mapping->registrable.contains(page) || mapping->failed_modes != 0) return;
    mapping = tools_.mappings.reread(page, tools_.statistics);
    if (mapping == nullptr || !mapping->reserved || mapping->shared) return;
    for (const AccessCheckRow* row : enabled()) {
        if (row->register_mode == 0) continue;
        (void)tools_.own(*mapping, row->register_mode, page);
        return;
    }
}

// By the first check that can; else why the better ones cannot.
UnknownReason AccessChecker::arm_present(Sample& sample, CachedMapping& mapping, Page page) {
    UnknownReason why = UnknownReason::kNoWay;
    for (const AccessCheckRow* row : enabled()) {
        Armed armed;
        if (mapping.failed(row->register_mode)) {
            armed.unknown = mapping.unknown;
        } else if (!row->applies(mapping)) {
            armed.unknown = row->inapplicable;
        } else {
            armed = row->arm(tools_, mapping, page);
        }
        if (armed.unknown == UnknownReason::kNone) {
            if (armed.dropped_entry) {
                watch_absence_of(sample, page.address);
            } else {
                watch_by_check(sample, row->id, page.huge());
                note_armed(*row, page.address);
            }
            return UnknownReason::kNone;
        }
        // That the range was not declared matters only where nothing else was possible either.
        if (why == UnknownReason::kNoWay || armed.unknown != UnknownReason::kNotDeclared) why = armed.unknown;
    }
    return why;
}

}  // namespace damon
