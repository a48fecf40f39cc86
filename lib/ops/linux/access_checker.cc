#include "ops/linux/access_checker.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/page_batch.h"
#include "ops/linux/syscalls.h"
#include "ops/linux/uffd.h"
#include "ops/linux/uffd_mapping.h"
#include "ops/linux/uffd_rwp.h"
#include "ops/linux/uffd_wp.h"
#include "ops/linux/watch.h"

namespace damon {

int AccessChecker::open(size_t max_samples) {
    if (const int error = scan_.open(sizes_.base_bytes)) return error;
    if (const int error = mappings_.open()) return error;
    last_look_.clear();
    marked_share_ = 0;
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
                                SharedMarks::kMaxContexts);
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
        (void)last_look_.reserve(max_samples);  // without it arming takes more calls
    }
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
    forget();
    // Registrations live on in the remains of mappings that were split or grew since the last reading.
    mappings_.reload(statistics_);
    for (CachedMapping& mapping : mappings_.all()) unregister_mapping(mapping);
}

void AccessChecker::look(std::span<Sample> samples) {
    if (forked()) {
        for (Sample& sample : samples) set_blind(sample, Blind::kForked);
    }
    disturbed_ = uffd_epoch() != epoch_;
    looked_us_ = now_us_;
    forget();
    for (size_t done = 0; done < samples.size(); done += PageBatch::kMax) {
        look_batch(samples.subspan(done, std::min(PageBatch::kMax, samples.size() - done)));
    }
    last_look_.sort();
}

void AccessChecker::look_batch(std::span<Sample> samples) {
    const bool rwp = enabled(AccessCheck::kUffdRwp);
    PageBatch read;  // where the entries of pagemap tell all, or the first thing
    PageBatch plain;
    for (size_t i = 0; i < samples.size(); ++i) {
        const Watch watch = watch_of(samples[i]);
        const uint64_t page = align_down(samples[i].addr, sizes_.base_bytes);
        if (watch == Watch::kBlind) {
            answer(samples[i], 0);
        } else {
            (watch == Watch::kUffdRwp || (rwp && watch == Watch::kPresence) ? read : plain).add(page, i);
        }
    }
    scan_.look({plain.pages, plain.size}, {plain.states, plain.size});
    scan_.read({read.pages, read.size}, {read.states, read.size}, marks_.crowded() || !rwp ? nullptr : &last_look_);
    look_at_unmarked(samples, read.sample_idx, {read.pages, read.size}, {read.states, read.size});
    for (const PageBatch* batch : {&plain, &read}) {
        for (size_t i = 0; i < batch->size; ++i) answer(samples[batch->sample_idx[i]], batch->states[i]);
    }
}

// A page that lost its mark was accessed, if it is still what it was when it was armed.
void AccessChecker::look_at_unmarked(std::span<const Sample> samples, const uint32_t* sample_idx,
                                     std::span<const uint64_t> pages, std::span<uint32_t> states) {
    PageBatch unmarked;
    for (size_t i = 0; i < pages.size(); ++i) {
        if ((states[i] & (PageScan::kMarked | PageScan::kFailed)) != 0) continue;
        if (watch_of(samples[sample_idx[i]]) == Watch::kUffdRwp) unmarked.add(pages[i], i);
    }
    scan_.look({unmarked.pages, unmarked.size}, {unmarked.states, unmarked.size});
    for (size_t i = 0; i < unmarked.size; ++i) states[unmarked.sample_idx[i]] = unmarked.states[i];
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
