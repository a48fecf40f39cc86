#include "ops/linux/access/access_checker.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/access/page_batch.h"
#include "ops/linux/access/uffd.h"
#include "ops/linux/access/uffd_mapping.h"
#include "ops/linux/access/uffd_rwp.h"
#include "ops/linux/access/uffd_wp.h"
#include "ops/linux/access/watch.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {

int AccessChecker::open(size_t max_samples) {
    if (const int error = scan_.open(sizes_.base_bytes)) return error;
    if (const int error = mappings_.open()) return error;
    page_states_.clear();
    armed_share_ = 0;
    return marks_.join(max_samples, sizes_.huge_bytes);
}

Status AccessChecker::start(AccessCheck choice, size_t max_samples) {
    stop();
    statistics_ = {};
    sizes_ = read_page_sizes();
    if (const int error = open(max_samples)) {
        stop();
        if (error == -EUSERS) {
            return Status::fail(error, "%zu contexts of this process watch memory already, and no more can",
                                ArmedPageLedger::kMaxContexts);
        }
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
    if (enabled(AccessCheck::kUffdRwp)) {
        scan_.ask_for_accessed();
        (void)page_states_.reserve(max_samples);  // without it arming takes more calls
    }
    owner_ = process_id();
    generation_ = uffd_generation();
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
bool AccessChecker::forked() const { return process_id() != owner_; }

// Opens again what the program closed. What cannot be opened is tried again in the next interval.
void AccessChecker::keep_files() {
    if (!scan_.is_open() && scan_.open(sizes_.base_bytes) == 0 && enabled(AccessCheck::kUffdRwp)) {
        scan_.ask_for_accessed();
    }
    mappings_.keep_file();
    if (!has_uffd_) return;
    (void)uffd_verify();
    if (uffd_generation() == generation_) return;
    generation_ = uffd_generation();
    mappings_.forget_registrations();
}

bool AccessChecker::refresh(ProcMaps::Visit visit, void* context) {
    return !forked() && mappings_.reload(statistics_, visit, context);
}

void AccessChecker::disarm() {
    if (forked()) return;
    forget();
    // Registrations live on in the remains of mappings that were split or grew since the last reading.
    mappings_.reload(statistics_);
    for (CachedMapping& mapping : mappings_.all()) unregister_mapping(mapping);
}

void AccessChecker::look(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_unknown(sample, UnknownReason::kForked);
    } else if (!scan_.is_open()) {
        for (Sample& sample : samples) set_unknown(sample, UnknownReason::kLostFile);
    }
    // Where it was lost the marks are gone: what looks accessed may be that.
    if (has_uffd_ && !forked()) (void)uffd_verify();
    disturbed_ = uffd_epoch() != epoch_;
    looked_us_ = now_us_;
    forget();
    for (size_t done = 0; done < samples.size(); done += PageBatch::kMax) {
        look_batch(samples.subspan(done, std::min(PageBatch::kMax, samples.size() - done)));
    }
    page_states_.sort();
}

void AccessChecker::look_batch(std::span<Sample> samples) {
    PageBatch plain;
    PageBatch read_write_protected;
    for (size_t i = 0; i < samples.size(); ++i) {
        const Watch watch = watch_of(samples[i]);
        const uint64_t page = align_down(samples[i].addr, sizes_.base_bytes);
        if (watch == Watch::kNone) {
            answer(samples[i], 0);
        } else {
            (watch == Watch::kUffdRwp ? read_write_protected : plain).add(page, i);
        }
    }
    scan_.look({plain.pages, plain.size}, {plain.states, plain.size});
    look_protected({read_write_protected.pages, read_write_protected.size},
                   {read_write_protected.states, read_write_protected.size});
    for (const PageBatch* batch : {&plain, &read_write_protected}) {
        for (size_t i = 0; i < batch->size; ++i) answer(samples[batch->sample_idx[i]], batch->states[i]);
    }
}

// As look_at does, with fewer calls: a page of a registered mapping that is present and not accessed is marked.
void AccessChecker::look_protected(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    if (pages.empty()) return;
    if (marks_.crowded()) return scan_.look_marked(pages, states);
    ++nr_scans_;
    // The cost model, measured in the emulator of docs/side-by-side.md: a call 5.5 us, a page that is passed over 0.10
    // us if it is protected and 0.25 us if not, and the next sample that falls on it is spared a scan of 5.9 us.
    const uint64_t max_gap_pages = 48 + 96 * uint64_t{armed_share_} / 1024;
    const RunSink sink = {&page_states_, PageStateCache::add_to};
    scan_.look_protected(pages, states, max_gap_pages, &sink);
    for (size_t i = 0; i < pages.size(); ++i) {
        if ((states[i] & (PageScan::kFailed | uapi::kPageAccessed)) != 0) continue;
        if ((states[i] & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) continue;
        CachedMapping* mapping = mappings_.find(pages[i]);
        const bool present = (states[i] & uapi::kPagePresent) != 0;
        if (present && mapping != nullptr && marks_hold(*mapping, pages[i])) {
            states[i] |= PageScan::kMarked;
            continue;
        }
        scan_.look_marked({&pages[i], 1}, {&states[i], 1});
        const bool marked = (states[i] & PageScan::kMarked) != 0;
        if (!marked && mapping != nullptr) mapping->owned = 0;  // to be read and registered anew
    }
}

// Whether the whole of `mapping` has been registered since it was armed, up to the last scan: it is in one mapping
// still, and a page of it is marked, which no other mapping in its place would be. `page` was armed.
bool AccessChecker::marks_hold(CachedMapping& mapping, uint64_t page) {
    if (mapping.verified_scan == nr_scans_) return true;
    if (!mapping.is_owned(AccessCheck::kUffdRwp)) return false;
    Mapping now;
    const bool found = mappings_.maps().query(mapping.range.start, now) == 0;
    if (!found || !now.range.covers(mapping.range)) {
        mapping.owned = 0;  // to be read anew before the next arming
        return false;
    }
    uint32_t state = PageScan::kFailed;
    scan_.look_marked({&page, 1}, {&state, 1});
    if ((state & PageScan::kMarked) == 0) return false;
    mapping.verified_scan = nr_scans_;
    return true;
}

UnknownReason AccessChecker::judge(const Sample& sample, uint32_t state, bool& accessed) {
    const Watch watch = watch_of(sample);
    if (watch == Watch::kNone) return unknown_reason_of(sample);
    accessed = (state & uapi::kPagePresent) != 0;
    UnknownReason unknown = UnknownReason::kNone;
    if (watch == Watch::kPresence || watch == Watch::kZap) {
        if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
        if (watch == Watch::kZap && (state & PageScan::kMapped) == 0) return UnknownReason::kGone;
    } else {
        if (disturbed_) return UnknownReason::kOtherContext;
        unknown = watch == Watch::kUffdRwp ? rwp_judge(state, accessed) : wp_judge(state, accessed);
    }
    if (unknown != UnknownReason::kNone) return unknown;
    const uint64_t page = align_down(sample.addr, sizes_.base_bytes);
    return marks_.judge(ArmedPageLedger::unit_of(page, sizes_.huge_bytes, was_huge(sample)), accessed);
}

void AccessChecker::answer(Sample& sample, uint32_t state) {
    bool accessed = false;
    const UnknownReason unknown = judge(sample, state, accessed);
    sample.seen = accessed ? Seen::kYes : Seen::kNo;
    sample.writes_only = watch_of(sample) == Watch::kUffdWp;
    if (unknown == UnknownReason::kNone) {
        ++(accessed ? statistics_.yes : statistics_.no);
        return;
    }
    sample.seen = Seen::kUnknown;
    sample.writes_only = false;
    ++statistics_.unknown[static_cast<unsigned>(unknown)];
}

}  // namespace damon
