#include "ops/linux/access_checker.h"

#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/syscalls.h"
#include "ops/linux/uffd.h"
#include "ops/linux/uffd_mapping.h"

namespace damon {
namespace {

// How a sample is watched between arm and look.
enum class Watch : uint8_t { kBlind, kPresence, kZap, kUffdWp, kUffdRwp };

uint16_t packed(Watch watch, Blind blind) {
    return static_cast<uint16_t>(static_cast<unsigned>(watch) | static_cast<unsigned>(blind) << 4);
}
Watch watch_of(const Sample& sample) { return static_cast<Watch>(sample.ops_private & 0xf); }
Blind blind_of(const Sample& sample) { return static_cast<Blind>(sample.ops_private >> 4 & 0xf); }

void set_watch(Sample& sample, Watch watch) { sample.ops_private = packed(watch, Blind::kNot); }
void set_blind(Sample& sample, Blind blind) { sample.ops_private = packed(Watch::kBlind, blind); }

Watch watch_by(AccessCheck way) {
    switch (way) {
        case AccessCheck::kUffdRwp:
            return Watch::kUffdRwp;
        case AccessCheck::kZap:
            return Watch::kZap;
        default:
            return Watch::kUffdWp;
    }
}

constexpr AccessCheck kBestFirst[] = {AccessCheck::kUffdRwp, AccessCheck::kZap, AccessCheck::kUffdWp};

}  // namespace

struct AccessChecker::Batch {
    uint64_t pages[kBatch];
    uint32_t states[kBatch];
    uint32_t sample_idx[kBatch];
    size_t size = 0;

    void add(uint64_t page, size_t index) {
        pages[size] = page;
        sample_idx[size++] = static_cast<uint32_t>(index);
    }
    void look(PageScan& scan) { scan.look({pages, size}, {states, size}); }
};

Status AccessChecker::start(AccessCheck choice) {
    stop();
    statistics_ = {};
    sizes_ = read_page_sizes();
    if (const int error = scan_.open(sizes_.base_bytes)) {
        return Status::fail(error, "cannot open /proc/self/pagemap (errno %d)", -error);
    }
    if (const int error = mappings_.open()) {
        scan_.close();
        return Status::fail(error, "cannot read /proc/self/maps (errno %d)", -error);
    }
    AccessCheckProbe last;
    for (const AccessCheck way : kBestFirst) {
        if (choice != AccessCheck::kAuto && choice != way) continue;
        last = access_check_probe(static_cast<int32_t>(way));
        if (last.available) enabled_ |= 1u << static_cast<unsigned>(way);
    }
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
    if (owner_ != 0 && !forked()) disarm();
    if (has_uffd_) uffd_release();
    has_uffd_ = false;
    enabled_ = 0;
    owner_ = 0;
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

void AccessChecker::arm(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_blind(sample, Blind::kForked);
        return;
    }
    epoch_ = uffd_epoch();
    Zapper zapper(mappings_.maps(), sizes_);
    for (size_t done = 0; done < samples.size(); done += kBatch) {
        arm_batch(samples.subspan(done, std::min(kBatch, samples.size() - done)), zapper);
    }
}

void AccessChecker::arm_batch(std::span<Sample> samples, Zapper& zapper) {
    Batch batch;
    for (size_t i = 0; i < samples.size(); ++i) {
        samples[i].seen = Seen::kUnknown;
        samples[i].writes_only = false;
        const uint64_t page = align_down(samples[i].addr, sizes_.base_bytes);
        if (!arm_unseen(samples[i], page)) batch.add(page, i);
    }
    batch.look(scan_);
    for (size_t i = 0; i < batch.size; ++i) {
        arm_seen(samples[batch.sample_idx[i]], batch.pages[i], batch.states[i], zapper);
    }
}

// Write protection looks and arms in one call, so where it is the way, the page need not be looked at before. False:
// not its case.
bool AccessChecker::arm_unseen(Sample& sample, uint64_t page) {
    if (enabled(AccessCheck::kUffdRwp) || !enabled(AccessCheck::kUffdWp)) return false;
    CachedMapping* mapping = mappings_.find(page);
    if (mapping == nullptr || !mapping->writable || mapping->failed(AccessCheck::kUffdWp)) return false;
    if (mapping->shared && enabled(AccessCheck::kZap)) return false;
    switch (wp_arm(scan_, *mapping, page, statistics_)) {
        case ArmResult::kArmed:
            set_watch(sample, Watch::kUffdWp);
            return true;
        case ArmResult::kNothing:
            return false;
        case ArmResult::kGone:
            mappings_.reread(page, statistics_);
            return false;
        case ArmResult::kBlind:
            break;
    }
    return false;
}

void AccessChecker::arm_seen(Sample& sample, uint64_t page, uint32_t state, Zapper& zapper) {
    if ((state & PageScan::kFailed) != 0) return set_blind(sample, Blind::kFailed);
    if ((state & uapi::kPagePresent) == 0) return set_watch(sample, Watch::kPresence);
    CachedMapping* mapping = mappings_.find(page);
    if (mapping == nullptr) mapping = mappings_.reread(page, statistics_);
    if (mapping == nullptr) return set_blind(sample, Blind::kGone);
    const Blind blind = arm_present(sample, *mapping, page, (state & uapi::kPageHuge) != 0, zapper);
    if (blind != Blind::kNot) set_blind(sample, blind);
}

Blind AccessChecker::arm_present(Sample& sample, CachedMapping& mapping, uint64_t page, bool huge, Zapper& zapper) {
    Blind why = Blind::kNoWay;
    for (const AccessCheck way : kBestFirst) {
        if (!enabled(way)) continue;
        bool gone = false;
        const Blind blind = arm_with(way, mapping, page, huge, zapper, gone);
        if (blind == Blind::kNot) {
            set_watch(sample, watch_by(way));
            return blind;
        }
        if (gone) {
            // The next interval finds the mapping as it is now.
            mappings_.reread(page, statistics_);
            return Blind::kGone;
        }
        // That the range was not declared matters only where nothing else was possible either.
        if (why == Blind::kNoWay || blind != Blind::kNotDeclared) why = blind;
    }
    return why;
}

Blind AccessChecker::arm_with(AccessCheck way, CachedMapping& mapping, uint64_t page, bool huge, Zapper& zapper,
                              bool& gone) {
    if (mapping.failed(way)) return mapping.blind;
    if (way == AccessCheck::kZap) {
        if (!mapping.shared || !zapper.may_zap(page)) return Blind::kNotDeclared;
        const Blind blind = zapper.zap(page, huge);
        if (blind == Blind::kNot) ++statistics_.armed[static_cast<unsigned>(way)];
        return blind;
    }
    if (way == AccessCheck::kUffdWp) {
        if (!mapping.writable) return Blind::kNotWritable;
        if (huge) return Blind::kHuge;
        const ArmResult result = wp_arm(scan_, mapping, page, statistics_);
        if (result == ArmResult::kArmed) return Blind::kNot;
        gone = result != ArmResult::kBlind;  // a page that was present is not there any more, or became huge
        return mapping.blind;
    }
    return Blind::kNoWay;
}

void AccessChecker::look(std::span<Sample> samples) {
    const bool child = forked();
    const bool disturbed = uffd_epoch() != epoch_;
    for (size_t done = 0; done < samples.size(); done += kBatch) {
        const auto part = samples.subspan(done, std::min(kBatch, samples.size() - done));
        Batch batch;
        for (size_t i = 0; i < part.size(); ++i) {
            if (child) set_blind(part[i], Blind::kForked);
            if (watch_of(part[i]) == Watch::kBlind) {
                answer(part[i], 0, disturbed);
            } else {
                batch.add(align_down(part[i].addr, sizes_.base_bytes), i);
            }
        }
        batch.look(scan_);
        for (size_t i = 0; i < batch.size; ++i) answer(part[batch.sample_idx[i]], batch.states[i], disturbed);
    }
}

// `disturbed`: marks were dropped by another context since arming.
void AccessChecker::answer(Sample& sample, uint32_t state, bool disturbed) {
    Blind blind = blind_of(sample);
    bool accessed = (state & uapi::kPagePresent) != 0;
    const Watch watch = watch_of(sample);
    if (watch == Watch::kPresence || watch == Watch::kZap) {
        if ((state & PageScan::kFailed) != 0) blind = Blind::kFailed;
        if (watch == Watch::kZap && state == 0) blind = Blind::kGone;
    } else if (watch == Watch::kUffdWp) {
        blind = disturbed ? Blind::kOtherContext : wp_judge(state, accessed);
        sample.writes_only = true;
    }
    if (blind != Blind::kNot) {
        sample.seen = Seen::kUnknown;
        sample.writes_only = false;
        ++statistics_.unknown[static_cast<unsigned>(blind)];
        return;
    }
    sample.seen = accessed ? Seen::kYes : Seen::kNo;
    ++(accessed ? statistics_.yes : statistics_.no);
}

}  // namespace damon
