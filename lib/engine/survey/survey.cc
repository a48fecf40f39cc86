#include "engine/survey/survey.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
constexpr uint8_t kMaxTries = 3;          // after the first
constexpr uint64_t kFirstRetry = 10;      // intervals
constexpr uint64_t kRetrySpread = 21;     // 10 to 30
constexpr unsigned kZoomsAnInterval = 2;  // that arm more than one page
constexpr uint64_t kMostPatience = 20;
// Where every zoom has asked for as much as it can there are as many spans.
constexpr size_t kMaxSpans = Span::kMaxArmed;
static_assert(kMaxSpans >= Survey::kMaxZooms * Zoom::kMaxSpans);

// One step of splitmix64.
constexpr uint64_t mix(uint64_t value) {
    uint64_t mixed = value + kGolden;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

}  // namespace

bool Survey::prepare(const Attrs& attrs, uint64_t share_bp, uint32_t page_bytes) {
    if (share_bp != 0) {
        if (!zooms_.reserve(kMaxZooms) || !retries_.reserve(kMaxRetries) || !armed_.reserve(kMaxSpans) ||
            !looking_.reserve(kMaxSpans) || !runs_.reserve(attrs.max_nr_regions) || !quiet_.reserve()) {
            return false;
        }
        page_bytes_ = page_bytes;
    }
    set_window(attrs);
    if (budget_.share_bp() == 0) {
        budget_.start(share_bp);
    } else {
        budget_.set_share(share_bp);
    }
    if (share_bp == 0) forget();
    return true;
}

void Survey::set_window(const Attrs& attrs) {
    window_ = attrs.aggr_samples();
    max_nr_regions_ = attrs.max_nr_regions;
    patience_ = static_cast<uint16_t>(std::clamp<uint64_t>(window_ / 5, 1, kMostPatience));
}

bool Survey::copy_from(const Survey& other) {
    Survey copy;
    if (!copy.zooms_.copy_from(other.zooms_) || !copy.zooms_.reserve(other.zooms_.capacity()) ||
        !copy.retries_.copy_from(other.retries_) || !copy.retries_.reserve(other.retries_.capacity()) ||
        !copy.armed_.copy_from(other.armed_) || !copy.armed_.reserve(other.armed_.capacity()) ||
        !copy.looking_.copy_from(other.looking_) || !copy.looking_.reserve(other.looking_.capacity()) ||
        !copy.runs_.copy_from(other.runs_) || !copy.quiet_.copy_from(other.quiet_)) {
        return false;
    }
    copy.budget_ = other.budget_;
    copy.page_bytes_ = other.page_bytes_;
    copy.max_nr_regions_ = other.max_nr_regions_;
    copy.window_ = other.window_;
    copy.patience_ = other.patience_;
    copy.seed_ = other.seed_;
    copy.interval_ = other.interval_;
    copy.random_ = other.random_;
    copy.next_id_ = other.next_id_;
    *this = std::move(copy);
    return true;
}

void Survey::start(uint64_t seed) {
    seed_ = mix(seed);
    random_ = mix(seed_);
    interval_ = 0;
    next_id_ = 1;
    budget_.start(budget_.share_bp());
    forget();
    armed_.clear();
}

void Survey::forget() {
    zooms_.clear();
    retries_.clear();
    runs_.clear();
    quiet_.clear();
}

void Survey::draw_samples(RegionList& regions, std::span<Sample> samples, uint64_t tick) const {
    DAMON_CHECK(samples.size() == regions.nr_regions());
    const Region* region = regions.all().data();
    Sample* sample = samples.data();
    for (uint32_t target = 0; target < regions.nr_targets(); ++target) {
        const Sample* const end = sample + regions.nr_regions_of(target);
        for (; sample != end; ++sample, ++region) {
            const AddressRange range = region->range;
            const uint64_t point = mix(range.start ^ seed_) + tick * kGolden;
            const auto offset = (static_cast<unsigned __int128>(point) * range.size()) >> 64;
            *sample = {.addr = range.start + static_cast<uint64_t>(offset), .region = range, .target_idx = target};
        }
    }
}

std::span<Span> Survey::arm(uint64_t interval_us) {
    if (!active()) return {};
    if (budget_.may_begin()) begin_retries();
    const size_t first = armed_.size();
    unsigned nr_armed = 0;
    if (budget_.may_go_on(interval_us)) {
        for (Following& following : zooms_) {
            if (following.waits) continue;
            if (!following.zoom.confirms() && nr_armed++ >= kZoomsAnInterval) continue;
            ask(following);
        }
    }
    return armed_.span().subspan(first);
}

void Survey::begin_retries() {
    size_t kept = 0;
    for (const Retry& retry : retries_) {
        const bool due = retry.due <= interval_ && zooms_.size() < kMaxZooms;
        if (due) {
            begin(retry.target_idx, retry.region, retry.address, retry.nr_retries);
        } else {
            retries_[kept++] = retry;
        }
    }
    retries_.truncate(kept);
}

void Survey::begin(uint32_t target_idx, AddressRange region, uint64_t address, uint8_t nr_retries) {
    Following following;
    following.zoom = Zoom(region, address, page_bytes_);
    following.target_idx = target_idx;
    following.id = next_id_++;
    following.nr_retries = nr_retries;
    (void)zooms_.push_back(following);  // there is room
}

void Survey::ask(Following& following) {
    if (armed_.size() + Zoom::kMaxSpans > armed_.capacity()) return;
    Span spans[Zoom::kMaxSpans];
    random_ += kGolden;
    const size_t nr_spans = following.zoom.ask(spans, mix(random_));
    for (Span& span : std::span(spans, nr_spans)) {
        span.target_idx = following.target_idx;
        span.asker = following.id;
        span.nr_intervals = following.zoom.confirms() ? 1 : patience_;
        (void)armed_.push_back(span);
    }
    following.waits = nr_spans != 0;
}

std::span<Span> Survey::look() {
    looking_.clear();
    size_t kept = 0;
    for (Span& span : armed_) {
        if (--span.nr_intervals == 0) {
            (void)looking_.push_back(span);
        } else {
            armed_[kept++] = span;
        }
    }
    armed_.truncate(kept);
    return looking_.span();
}

void Survey::follow(std::span<const Sample> samples, std::span<const Region> regions, uint64_t elapsed_us) {
    ++interval_;
    budget_.pass(elapsed_us);
    take_answers();
    looking_.clear();
    if (budget_.may_begin() && follows(regions.size())) follow_surprises(samples, regions);
}

void Survey::take_answers() {
    const Span* const begin = looking_.data();
    const Span* const end = begin + looking_.size();
    size_t kept = 0;
    for (size_t i = 0; i < zooms_.size(); ++i) {
        Following following = zooms_[i];
        const auto mine = [&](const Span& span) { return span.asker == following.id; };
        const Span* const first = std::find_if(begin, end, mine);
        const Span* const last = std::find_if_not(first, end, mine);
        Zoom::Verdict verdict = Zoom::Verdict::kGoesOn;
        if (first != last) {
            verdict = following.zoom.answer({first, last});
            following.waits = false;
        }
        if (verdict == Zoom::Verdict::kGoesOn) {
            zooms_[kept++] = following;
        } else {
            conclude(following, verdict);
        }
    }
    zooms_.truncate(kept);
}

void Survey::conclude(const Following& following, Zoom::Verdict verdict) {
    const Zoom& zoom = following.zoom;
    if (verdict == Zoom::Verdict::kFound) return runs_.add(following.target_idx, zoom.run());
    if (verdict == Zoom::Verdict::kRefuted) return quiet_.refuted(following.target_idx, zoom.region());
    if (following.nr_retries >= kMaxTries || retries_.size() >= kMaxRetries) return;
    Retry retry;
    retry.region = zoom.region();
    retry.address = zoom.address();
    retry.due = interval_ + kFirstRetry + mix(random_ += kGolden) % kRetrySpread;
    retry.target_idx = following.target_idx;
    retry.nr_retries = static_cast<uint8_t>(following.nr_retries + 1);
    (void)retries_.push_back(retry);
}

bool Survey::is_followed(uint32_t target_idx, uint64_t address) const {
    const bool zoomed = std::any_of(zooms_.begin(), zooms_.end(), [&](const Following& following) {
        return following.target_idx == target_idx && following.zoom.covers(address);
    });
    return zoomed || !runs_.is_news(target_idx, address) || quiet_.waits(target_idx, address);
}

void Survey::follow_surprises(std::span<const Sample> samples, std::span<const Region> regions) {
    const size_t nr = std::min(samples.size(), regions.size());
    for (size_t i = 0; i < nr && zooms_.size() < kMaxZooms; ++i) {
        if (samples[i].seen != Seen::kYes || 10 * uint64_t{regions[i].last_nr_accesses} >= 9 * window_) continue;
        const Sample& sample = samples[i];
        if (regions[i].size() < 2 * uint64_t{page_bytes_} || is_followed(sample.target_idx, sample.addr)) continue;
        begin(sample.target_idx, regions[i].range, sample.addr, 0);
    }
}

void Survey::end_window(RegionList& regions, RunLimits limits) {
    if (!active()) return;
    quiet_.end_window();
    runs_.end_window(regions, limits);
}

}  // namespace damon
