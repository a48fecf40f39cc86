#include "ops/linux/access_checker.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/syscalls.h"
#include "ops/linux/uffd.h"
#include "ops/linux/uffd_mapping.h"
#include "ops/linux/uffd_rwp.h"
#include "ops/linux/uffd_wp.h"
#include "ops/linux/watch.h"

namespace damon {
namespace {

constexpr AccessCheck kBestFirst[] = {AccessCheck::kUffdRwp, AccessCheck::kZap, AccessCheck::kUffdWp};

// A batch that the kernel is asked about in one go: addresses, their states, and whose they are.
struct Pages {
    static constexpr size_t kMax = 128;

    uint64_t pages[kMax];
    uint32_t states[kMax];
    uint32_t sample_idx[kMax];
    size_t size = 0;

    void add(uint64_t page, size_t index) {
        pages[size] = page;
        sample_idx[size++] = static_cast<uint32_t>(index);
    }
};

}  // namespace

// --- life
// -------------------------------------------------------------------------------------------------------------

int AccessChecker::open(size_t max_samples) {
    if (const int error = scan_.open(sizes_.base_bytes)) return error;
    if (const int error = mappings_.open()) return error;
    return marks_.join(max_samples, sizes_.huge_bytes);
}

Status AccessChecker::start(AccessCheck choice, size_t max_samples) {
    stop();
    statistics_ = {};
    sizes_ = read_page_sizes();
    if (const int error = open(max_samples)) {
        stop();
        return Status::fail(error, "cannot open this process's pagemap and maps, or no memory: errno %d", -error);
    }
    AccessCheckProbe last;
    for (const AccessCheck way : kBestFirst) {
        if (choice != AccessCheck::kAuto && choice != way) continue;
        last = access_check_probe(static_cast<int32_t>(way));
        if (last.available) enabled_ |= 1u << static_cast<unsigned>(way);
    }
    if (!scan_.can_scan()) enabled_ &= 1u << static_cast<unsigned>(AccessCheck::kZap);
    UffdFeatures features;
    if (enabled(AccessCheck::kUffdWp) || enabled(AccessCheck::kUffdRwp)) has_uffd_ = uffd_acquire(features) == 0;
    if (!has_uffd_) enabled_ &= 1u << static_cast<unsigned>(AccessCheck::kZap);
    if (enabled_ == 0) {
        stop();
        return Status::fail(last.error == 0 ? -EIO : -last.error, "no access check works here; the last one: %s",
                            last.reason);
    }
    if (enabled(AccessCheck::kUffdRwp)) scan_.ask_for_accessed();
    owner_ = sys::getpid();
    refresh();
    return {};
}

void AccessChecker::stop() {
    if (owner_ != 0) disarm();
    if (has_uffd_) uffd_release();
    has_uffd_ = false;
    enabled_ = 0;
    owner_ = 0;
    marks_.leave();
    mappings_.close();
    scan_.close();
}

// The open files describe the process that opened them, so a child would look at, and act on, its parent (fact 9).
bool AccessChecker::forked() const { return sys::getpid() != owner_; }

void AccessChecker::refresh() {
    if (!forked()) mappings_.reload(statistics_);
}

void AccessChecker::disarm() {
    if (forked()) return;
    // Registrations live on in the remains of mappings that were split or grew since the last reading.
    mappings_.reload(statistics_);
    for (CachedMapping& mapping : mappings_.all()) unregister_mapping(mapping);
}

// --- arming
// -----------------------------------------------------------------------------------------------------------

void AccessChecker::arm(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_blind(sample, Blind::kForked);
        return;
    }
    epoch_ = uffd_epoch();
    marks_.begin_interval();
    mappings_.begin_interval();
    Zapper zapper(mappings_.maps(), sizes_);
    for (size_t done = 0; done < samples.size(); done += Pages::kMax) {
        arm_batch(samples.subspan(done, std::min(Pages::kMax, samples.size() - done)), zapper);
    }
}

void AccessChecker::arm_batch(std::span<Sample> samples, Zapper& zapper) {
    Pages batch;
    for (size_t i = 0; i < samples.size(); ++i) {
        samples[i].seen = Seen::kUnknown;
        samples[i].writes_only = false;
        const uint64_t page = align_down(samples[i].addr, sizes_.base_bytes);
        if (!arm_unseen(samples[i], page)) batch.add(page, i);
    }
    look_at({batch.pages, batch.size}, {batch.states, batch.size});
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

// Write protection looks and arms in one call, so where it is the way, the page need not be looked at before. False:
// not its case.
bool AccessChecker::arm_unseen(Sample& sample, uint64_t page) {
    if (enabled(AccessCheck::kUffdRwp) || !enabled(AccessCheck::kUffdWp)) return false;
    CachedMapping* mapping = mappings_.find(page);
    if (mapping == nullptr || !mapping->is_owned(AccessCheck::kUffdWp)) return false;
    if (!mapping->writable || (mapping->shared && enabled(AccessCheck::kZap))) return false;
    bool nothing = false;
    if (arm_wp(*mapping, page, nothing) != Blind::kNot || nothing) return false;
    set_watch(sample, Watch::kUffdWp, false);
    return true;
}

void AccessChecker::arm_seen(Sample& sample, Page page, Zapper& zapper) {
    if ((page.state & PageScan::kFailed) != 0) return set_blind(sample, Blind::kFailed);
    if ((page.state & uapi::kPagePresent) == 0) {
        if (marks_.crowded()) marks_.note_absent(page.address);
        return set_watch(sample, Watch::kPresence, false);
    }
    CachedMapping* mapping = mappings_.find(page.address);
    // Before the first registration too: what is registered must be the whole mapping as it is now.
    bool stale = mapping == nullptr || (mapping->owned == 0 && has_uffd_ && !mappings_.is_fresh(*mapping));
    for (int reads_left = 2;; stale = true) {
        if (stale && reads_left-- > 0) mapping = mappings_.reread(page.address, statistics_);
        if (mapping == nullptr) return set_blind(sample, Blind::kGone);
        const Blind blind = arm_present(sample, *mapping, page, zapper);
        if (blind == Blind::kNot) return;
        // What is known of the mapping may be old (fact 4).
        const bool may_be_old = blind == Blind::kGone || blind == Blind::kNotWritable || blind == Blind::kForeign;
        if (!may_be_old || reads_left <= 0 || mappings_.is_fresh(*mapping)) return set_blind(sample, blind);
    }
}

// Makes sure that the mapping is registered with our userfaultfd.
Blind AccessChecker::own(CachedMapping& mapping, AccessCheck way) {
    if (mapping.is_owned(way)) return Blind::kNot;
    switch (register_mapping(mapping, way, statistics_)) {
        case ArmResult::kArmed:
            return Blind::kNot;
        case ArmResult::kBlind:
            return mapping.blind;
        default:
            return Blind::kGone;
    }
}

Blind AccessChecker::arm_present(Sample& sample, CachedMapping& mapping, Page page, Zapper& zapper) {
    Blind why = Blind::kNoWay;
    for (const AccessCheck way : kBestFirst) {
        if (!enabled(way)) continue;
        Blind blind = mapping.blind;
        if (mapping.failed(way)) {
        } else if (way == AccessCheck::kUffdRwp) {
            blind = own(mapping, way);
            if (blind == Blind::kNot) blind = arm_rwp(mapping, page);
        } else if (way == AccessCheck::kZap) {
            blind = arm_zap(mapping, page, zapper);
        } else if (!mapping.writable) {
            blind = Blind::kNotWritable;
        } else if (page.huge()) {
            blind = Blind::kHuge;
        } else {
            bool nothing = false;
            blind = own(mapping, way);
            if (blind == Blind::kNot) blind = arm_wp(mapping, page.address, nothing);
            if (nothing) blind = Blind::kGone;  // it was present a moment ago
        }
        if (blind == Blind::kNot) {
            if (way == AccessCheck::kUffdRwp && lost_its_entry(mapping, page)) {
                if (marks_.crowded()) marks_.note_absent(page.address);
                set_watch(sample, Watch::kPresence, false);
            } else {
                set_watch(sample, watch_by(way), page.huge());
            }
            return blind;
        }
        // That the range was not declared matters only where nothing else was possible either.
        if (why == Blind::kNoWay || blind != Blind::kNotDeclared) why = blind;
    }
    return why;
}

// True: another context has the page armed; its state has then been read once more.
bool AccessChecker::begin_marking(Page& page, AccessCheck way) {
    if (!marks_.crowded()) return false;
    if (!marks_.begin(SharedMarks::unit_of(page.address, sizes_.huge_bytes, page.huge()), way)) return false;
    look_at({&page.address, 1}, {&page.state, 1});
    return true;
}

void AccessChecker::end_marking(Page page, Blind blind, bool wiped) {
    if (!marks_.crowded()) return;
    const uint64_t unit = SharedMarks::unit_of(page.address, sizes_.huge_bytes, page.huge());
    if (blind == Blind::kNot) {
        marks_.finish(unit, wiped);
    } else {
        marks_.abandon(unit);
    }
}

Blind AccessChecker::arm_rwp(CachedMapping& mapping, Page page) {
    AddressRange unit{page.address, page.address + sizes_.base_bytes};
    if (page.huge()) {
        const uint64_t bytes = std::max(mapping.page_bytes, sizes_.huge_bytes);
        unit.start = align_down(page.address, bytes);
        unit.end = unit.start + bytes;
        if (!mapping.range.covers(unit)) return Blind::kHuge;
    }
    const uint32_t huge = page.state & uapi::kPageHuge;
    begin_marking(page, AccessCheck::kUffdRwp);
    Blind blind = Blind::kNot;
    const bool wiped = (page.state & uapi::kPageAccessed) != 0;
    if ((page.state & PageScan::kFailed) != 0) {
        blind = Blind::kFailed;
    } else if ((page.state & PageScan::kMarked) == 0) {  // else armed before, and not accessed since
        const ArmResult result = rwp_arm(mapping, unit, statistics_);
        if (result != ArmResult::kArmed) blind = result == ArmResult::kGone ? Blind::kGone : mapping.blind;
    }
    end_marking({page.address, huge}, blind, wiped);
    return blind;
}

// Linux 7.3 protects a huge page of shared memory by dropping its page table entry: there is no mark, and whether it is
// back tells whether it was accessed.
bool AccessChecker::lost_its_entry(const CachedMapping& mapping, Page page) {
    if (!page.huge() || !mapping.shared) return false;
    uint32_t state = PageScan::kFailed;
    look_at({&page.address, 1}, {&state, 1});
    return (state & (PageScan::kFailed | PageScan::kMarked | uapi::kPagePresent)) == 0;
}

Blind AccessChecker::arm_zap(CachedMapping& mapping, Page page, Zapper& zapper) {
    if (!mapping.shared || !zapper.may_zap(page.address)) return Blind::kNotDeclared;
    const uint32_t huge = page.state & uapi::kPageHuge;
    begin_marking(page, AccessCheck::kZap);
    Blind blind = Blind::kNot;
    // Another context may have zapped it meanwhile: absent, it is armed for both.
    const bool present = (page.state & uapi::kPagePresent) != 0;
    if ((page.state & PageScan::kFailed) != 0) {
        blind = Blind::kFailed;
    } else if (present) {
        blind = zapper.zap(page.address, huge != 0);
        if (blind == Blind::kNot) ++statistics_.armed[static_cast<unsigned>(AccessCheck::kZap)];
    }
    end_marking({page.address, huge}, blind, present);
    return blind;
}

// `nothing`: not present, or huge.
Blind AccessChecker::arm_wp(CachedMapping& mapping, uint64_t page, bool& nothing) {
    if (marks_.crowded()) marks_.begin(page, AccessCheck::kUffdWp);
    bool written = false;
    Blind blind = Blind::kNot;
    switch (wp_arm(scan_, mapping, page, statistics_, written)) {
        case ArmResult::kArmed:
            break;
        case ArmResult::kNothing:
            nothing = true;
            break;
        case ArmResult::kGone:
            blind = Blind::kGone;
            break;
        case ArmResult::kBlind:
            blind = mapping.blind;
            break;
    }
    end_marking({page, 0}, nothing ? Blind::kGone : blind, written);
    return blind;
}

// --- looking
// ----------------------------------------------------------------------------------------------------------

void AccessChecker::look(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_blind(sample, Blind::kForked);
    }
    disturbed_ = uffd_epoch() != epoch_;
    for (size_t done = 0; done < samples.size(); done += Pages::kMax) {
        look_batch(samples.subspan(done, std::min(Pages::kMax, samples.size() - done)));
    }
}

void AccessChecker::look_batch(std::span<Sample> samples) {
    Pages plain;
    Pages marked;
    for (size_t i = 0; i < samples.size(); ++i) {
        const Watch watch = watch_of(samples[i]);
        const uint64_t page = align_down(samples[i].addr, sizes_.base_bytes);
        if (watch == Watch::kBlind) {
            answer(samples[i], 0);
        } else {
            (watch == Watch::kUffdRwp ? marked : plain).add(page, i);
        }
    }
    scan_.look({plain.pages, plain.size}, {plain.states, plain.size});
    if (marked.size != 0) scan_.look_marked({marked.pages, marked.size}, {marked.states, marked.size});
    for (const Pages* batch : {&plain, &marked}) {
        for (size_t i = 0; i < batch->size; ++i) answer(samples[batch->sample_idx[i]], batch->states[i]);
    }
}

Blind AccessChecker::judge(const Sample& sample, uint32_t state, bool& accessed) {
    const Watch watch = watch_of(sample);
    if (watch == Watch::kBlind) return blind_of(sample);
    accessed = (state & uapi::kPagePresent) != 0;
    Blind blind = Blind::kNot;
    if (watch == Watch::kPresence || watch == Watch::kZap) {
        if ((state & PageScan::kFailed) != 0) return Blind::kFailed;
        if (watch == Watch::kZap && (state & PageScan::kMapped) == 0) return Blind::kGone;
    } else {
        if (disturbed_) return Blind::kOtherContext;
        blind = watch == Watch::kUffdRwp ? rwp_judge(state, accessed) : wp_judge(state, accessed);
    }
    if (blind != Blind::kNot) return blind;
    const uint64_t page = align_down(sample.addr, sizes_.base_bytes);
    return marks_.judge(SharedMarks::unit_of(page, sizes_.huge_bytes, was_huge(sample)), accessed);
}

void AccessChecker::answer(Sample& sample, uint32_t state) {
    bool accessed = false;
    const Blind blind = judge(sample, state, accessed);
    sample.seen = accessed ? Seen::kYes : Seen::kNo;
    sample.writes_only = watch_of(sample) == Watch::kUffdWp;
    if (blind == Blind::kNot) {
        ++(accessed ? statistics_.yes : statistics_.no);
        return;
    }
    sample.seen = Seen::kUnknown;
    sample.writes_only = false;
    ++statistics_.unknown[static_cast<unsigned>(blind)];
}

}  // namespace damon
