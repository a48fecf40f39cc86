// How the samples of an interval are armed.
#include <algorithm>

#include "base/arithmetic.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/access/page_batch.h"
#include "ops/linux/access/uffd.h"
#include "ops/linux/access/uffd_mapping.h"
#include "ops/linux/access/uffd_rwp.h"
#include "ops/linux/access/uffd_wp.h"
#include "ops/linux/access/watch.h"

namespace damon {
namespace {

// How long, in microseconds, what was read at the end of one interval serves to arm for the next one: mostly it is less
// than a tenth of it, but for schemes and calls in between.
constexpr uint64_t kMaxStateAgeUs = 100'000;

}  // namespace

void AccessChecker::arm(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_unknown(sample, UnknownReason::kForked);
        return;
    }
    keep_files();
    marks_.begin_interval();
    mappings_.begin_interval();
    if (!use_page_states()) forget();
    epoch_ = uffd_epoch();
    base_block_ = kNoBlock;
    Zapper zapper(mappings_.maps(), sizes_);
    for (size_t done = 0; done < samples.size(); done += PageBatch::kMax) {
        arm_batch(samples.subspan(done, std::min(PageBatch::kMax, samples.size() - done)), zapper);
    }
}

void AccessChecker::arm_batch(std::span<Sample> samples, Zapper& zapper) {
    PageBatch batch;
    for (size_t i = 0; i < samples.size(); ++i) {
        samples[i].seen = Seen::kUnknown;
        samples[i].writes_only = false;
        const uint64_t page = align_down(samples[i].addr, sizes_.base_bytes);
        if (!arm_unseen(samples[i], page)) batch.add(page, i);
    }
    look_before_arming({batch.pages, batch.size}, {batch.states, batch.size});
    for (size_t i = 0; i < batch.size; ++i) {
        arm_seen(samples[batch.sample_idx[i]], {batch.pages[i], batch.states[i]}, zapper);
    }
}

// Read-write protection leaves marks that must be told from pages of a mapping that is not registered.
void AccessChecker::look_at(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    if (enabled(AccessCheck::kUffdRwp)) {
        scan_.look_marked(pages, states);
    } else {
        scan_.look(pages, states);
    }
}

// A page that is present and not accessed is taken for armed already where the mapping was registered. Should that not
// be so any more, the look at the end of the interval finds out.
void AccessChecker::look_before_arming(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    if (!enabled(AccessCheck::kUffdRwp)) return scan_.look(pages, states);
    if (marks_.crowded()) return scan_.look_marked(pages, states);
    scan_.look(pages, states);
    for (size_t i = 0; i < pages.size(); ++i) {
        if ((states[i] & (PageScan::kFailed | uapi::kPagePresent)) != uapi::kPagePresent) continue;
        const bool accessed = (states[i] & uapi::kPageAccessed) != 0;
        note_armed(!accessed);
        if (accessed) continue;
        const CachedMapping* mapping = mappings_.find(pages[i]);
        if (mapping != nullptr && mapping->is_owned(AccessCheck::kUffdRwp)) states[i] |= PageScan::kMarked;
    }
}

// Whether what the last look saw can be trusted: a moment ago, and all marks were this context's.
bool AccessChecker::use_page_states() const {
    return enabled(AccessCheck::kUffdRwp) && !marks_.crowded() && !disturbed_ && uffd_epoch() == epoch_ &&
           now_us_ - looked_us_ <= kMaxStateAgeUs;
}

// Read-write protection where the last look saw the page too. False: look at it first.
bool AccessChecker::arm_as_last_seen(Sample& sample, uint64_t page) {
    const PageStateCache::Page seen = page_states_.find(page);
    if (seen == PageStateCache::Page::kNotRead) return false;
    if (seen == PageStateCache::Page::kAbsent) {
        set_watch(sample, Watch::kPresence, false);
        return true;
    }
    CachedMapping* mapping = mappings_.find(page);
    if (mapping == nullptr || !mapping->is_owned(AccessCheck::kUffdRwp)) return false;
    note_armed(seen == PageStateCache::Page::kMarked);
    if (seen == PageStateCache::Page::kPresent) {
        if (mapping->page_bytes > sizes_.base_bytes || !is_base_block(page)) return false;
        if (rwp_arm(*mapping, {page, page + sizes_.base_bytes}, statistics_) != ArmResult::kArmed) return false;
    }
    set_watch(sample, Watch::kUffdRwp, false);
    return true;
}

// Whether the block around a page is mapped by base pages, so that arming the page splits nothing.
bool AccessChecker::is_base_block(uint64_t page) {
    const uint64_t block = align_down(page, sizes_.huge_bytes);
    if (block == base_block_) return true;
    if (!page_states_.is_partly_marked({block, block + sizes_.huge_bytes})) {
        uint32_t state = PageScan::kFailed;
        scan_.look({&page, 1}, {&state, 1});
        const uint32_t wanted = PageScan::kFailed | uapi::kPageHuge | uapi::kPagePresent;
        if ((state & wanted) != uapi::kPagePresent) return false;
    }
    base_block_ = block;
    return true;
}

// Arms without looking at the page before. False: not its case.
bool AccessChecker::arm_unseen(Sample& sample, uint64_t page) {
    if (enabled(AccessCheck::kUffdRwp)) return arm_as_last_seen(sample, page);
    // Write protection looks and arms in one call.
    if (!enabled(AccessCheck::kUffdWp)) return false;
    CachedMapping* mapping = mappings_.find(page);
    if (mapping == nullptr || !mapping->is_owned(AccessCheck::kUffdWp)) return false;
    if (!mapping->writable || (mapping->shared && enabled(AccessCheck::kZap))) return false;
    bool nothing = false;
    if (arm_wp(*mapping, page, nothing) != UnknownReason::kNone || nothing) return false;
    set_watch(sample, Watch::kUffdWp, false);
    return true;
}

void AccessChecker::arm_seen(Sample& sample, Page page, Zapper& zapper) {
    if ((page.state & PageScan::kFailed) != 0) return set_unknown(sample, UnknownReason::kFailed);
    if ((page.state & uapi::kPagePresent) == 0) {
        if (marks_.crowded()) marks_.note_absent(page.address);
        return set_watch(sample, Watch::kPresence, false);
    }
    CachedMapping* mapping = mappings_.find(page.address);
    // Before the first registration too: what is registered must be the whole mapping as it is now.
    bool stale = mapping == nullptr || (mapping->owned == 0 && has_uffd_ && !mappings_.is_fresh(*mapping));
    for (int reads_left = 2;; stale = true) {
        if (stale && reads_left-- > 0) mapping = mappings_.reread(page.address, statistics_);
        if (mapping == nullptr) return set_unknown(sample, UnknownReason::kGone);
        const UnknownReason unknown = arm_present(sample, *mapping, page, zapper);
        if (unknown == UnknownReason::kNone) return;
        // What is known of the mapping may be old (fact 4).
        const bool may_be_old = unknown == UnknownReason::kGone || unknown == UnknownReason::kNotWritable ||
                                unknown == UnknownReason::kForeign;
        if (!may_be_old || reads_left <= 0 || mappings_.is_fresh(*mapping)) return set_unknown(sample, unknown);
    }
}

// Makes sure that the mapping is registered with our userfaultfd.
UnknownReason AccessChecker::own(CachedMapping& mapping, AccessCheck way) {
    if (mapping.is_owned(way)) return UnknownReason::kNone;
    switch (register_mapping(mapping, way, statistics_)) {
        case ArmResult::kArmed:
            return UnknownReason::kNone;
        case ArmResult::kUnknown:
            return mapping.unknown;
        default:
            return UnknownReason::kGone;
    }
}

UnknownReason AccessChecker::arm_present(Sample& sample, CachedMapping& mapping, Page page, Zapper& zapper) {
    UnknownReason why = UnknownReason::kNoWay;
    for (const AccessCheck way : kBestFirst) {
        if (!enabled(way)) continue;
        UnknownReason unknown = mapping.unknown;
        if (mapping.failed(way)) {
        } else if (way == AccessCheck::kUffdRwp) {
            unknown = own(mapping, way);
            if (unknown == UnknownReason::kNone) unknown = arm_rwp(mapping, page);
        } else if (way == AccessCheck::kZap) {
            unknown = arm_zap(mapping, page, zapper);
        } else if (!mapping.writable) {
            unknown = UnknownReason::kNotWritable;
        } else if (page.huge()) {
            unknown = UnknownReason::kHuge;
        } else {
            bool nothing = false;
            unknown = own(mapping, way);
            if (unknown == UnknownReason::kNone) unknown = arm_wp(mapping, page.address, nothing);
            if (nothing) unknown = UnknownReason::kGone;  // it was present a moment ago
        }
        if (unknown == UnknownReason::kNone) {
            if (way == AccessCheck::kUffdRwp && lost_its_entry(mapping, page)) {
                if (marks_.crowded()) marks_.note_absent(page.address);
                set_watch(sample, Watch::kPresence, false);
            } else {
                set_watch(sample, watch_by(way), page.huge());
            }
            return unknown;
        }
        // That the range was not declared matters only where nothing else was possible either.
        if (why == UnknownReason::kNoWay || unknown != UnknownReason::kNotDeclared) why = unknown;
    }
    return why;
}

// True: another context has the page armed; its state has then been read once more.
bool AccessChecker::begin_marking(Page& page, AccessCheck way) {
    if (!marks_.crowded()) return false;
    if (!marks_.begin(ArmedPageLedger::unit_of(page.address, sizes_.huge_bytes, page.huge()), way)) return false;
    look_at({&page.address, 1}, {&page.state, 1});
    return true;
}

void AccessChecker::end_marking(Page page, UnknownReason unknown, bool wiped) {
    if (!marks_.crowded()) return;
    const uint64_t unit = ArmedPageLedger::unit_of(page.address, sizes_.huge_bytes, page.huge());
    if (unknown == UnknownReason::kNone) {
        marks_.finish(unit, wiped);
    } else {
        marks_.abandon(unit);
    }
}

UnknownReason AccessChecker::arm_rwp(CachedMapping& mapping, Page page) {
    AddressRange unit{page.address, page.address + sizes_.base_bytes};
    if (page.huge()) {
        const uint64_t bytes = std::max(mapping.page_bytes, sizes_.huge_bytes);
        unit.start = align_down(page.address, bytes);
        unit.end = unit.start + bytes;
        if (!mapping.range.covers(unit)) return UnknownReason::kHuge;
    }
    const uint32_t huge = page.state & uapi::kPageHuge;
    begin_marking(page, AccessCheck::kUffdRwp);
    UnknownReason unknown = UnknownReason::kNone;
    const bool wiped = (page.state & uapi::kPageAccessed) != 0;
    if ((page.state & PageScan::kFailed) != 0) {
        unknown = UnknownReason::kFailed;
    } else if ((page.state & PageScan::kMarked) == 0) {  // else armed before, and not accessed since
        const ArmResult result = rwp_arm(mapping, unit, statistics_);
        if (result != ArmResult::kArmed) unknown = result == ArmResult::kGone ? UnknownReason::kGone : mapping.unknown;
    }
    end_marking({page.address, huge}, unknown, wiped);
    return unknown;
}

// Linux 7.3 protects a huge page of shared memory by dropping its page table entry: there is no mark, and whether it is
// back tells whether it was accessed.
bool AccessChecker::lost_its_entry(const CachedMapping& mapping, Page page) {
    if (!page.huge() || !mapping.shared) return false;
    uint32_t state = PageScan::kFailed;
    look_at({&page.address, 1}, {&state, 1});
    return (state & (PageScan::kFailed | PageScan::kMarked | uapi::kPagePresent)) == 0;
}

UnknownReason AccessChecker::arm_zap(CachedMapping& mapping, Page page, Zapper& zapper) {
    if (!mapping.shared || !zapper.may_zap(page.address)) return UnknownReason::kNotDeclared;
    const uint32_t huge = page.state & uapi::kPageHuge;
    begin_marking(page, AccessCheck::kZap);
    UnknownReason unknown = UnknownReason::kNone;
    // Another context may have zapped it meanwhile: absent, it is armed for both.
    const bool present = (page.state & uapi::kPagePresent) != 0;
    if ((page.state & PageScan::kFailed) != 0) {
        unknown = UnknownReason::kFailed;
    } else if (present) {
        unknown = zapper.zap(page.address, huge != 0);
        if (unknown == UnknownReason::kNone) ++statistics_.armed[static_cast<unsigned>(AccessCheck::kZap)];
    }
    end_marking({page.address, huge}, unknown, present);
    return unknown;
}

// `nothing`: not present, or huge.
UnknownReason AccessChecker::arm_wp(CachedMapping& mapping, uint64_t page, bool& nothing) {
    if (marks_.crowded()) marks_.begin(page, AccessCheck::kUffdWp);
    bool written = false;
    UnknownReason unknown = UnknownReason::kNone;
    switch (wp_arm(scan_, mapping, page, statistics_, written)) {
        case ArmResult::kArmed:
            break;
        case ArmResult::kNothing:
            nothing = true;
            break;
        case ArmResult::kGone:
            unknown = UnknownReason::kGone;
            break;
        case ArmResult::kUnknown:
            unknown = mapping.unknown;
            break;
    }
    end_marking({page, 0}, nothing ? UnknownReason::kGone : unknown, written);
    return unknown;
}

}  // namespace damon
