// Surveys: what finds small hot sets that one random page a region misses. A sample that hits in a region that was not
// hot is followed (Zoom) until the run of hot pages around it has exact bounds, or turns out to be none. Runs become
// regions at the end of the window. Pure: it emits spans and is answered with bit maps; it is told what that cost, and
// keeps within its budget.
//
// Only cuts enter DAMON's regions (M-27): no count, no age. What is not as hot as it looked merges back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "engine/monitor/region_list.h"
#include "engine/survey/budget.h"
#include "engine/survey/found_runs.h"
#include "engine/survey/quiet_regions.h"
#include "engine/survey/zoom.h"
#include "model/attrs.h"
#include "model/sample.h"
#include "model/span.h"

namespace damon {

class Survey {
public:
    static constexpr size_t kMaxZooms = 16;
    static constexpr size_t kMaxRetries = 32;

    // Before a run and at each change of parameters: takes memory where it is needed. share_bp 0: no surveys. False:
    // out of memory.
    [[nodiscard]] bool prepare(const Attrs& attrs, uint64_t share_bp, uint32_t page_bytes);
    [[nodiscard]] bool copy_from(const Survey& other);
    // Attributes that need no memory have changed.
    void set_window(const Attrs& attrs);
    // A run begins.
    void start(uint64_t seed);
    // Targets, regions or time jumped: what is being followed is dropped. Spans that are armed still are looked at when
    // their time comes, and their answers ignored.
    void forget();

    bool active() const { return budget_.share_bp() != 0; }
    // Whether hits that surprise are followed: in the middle of a window there are the most regions, and what is found
    // can be cut out where there are two less at its end.
    bool follows(size_t nr_regions) const { return active() && nr_regions <= FoundRuns::most_regions(max_nr_regions_); }
    // Whether samples leave no gap. Else they are DAMON's own: among few regions it is the chance of the samples that
    // lets bounds move.
    bool spreads_samples(size_t nr_regions) const {
        return active() && FoundRuns::leaves_most(nr_regions, max_nr_regions_);
    }

    // One sampling interval, around which the caller arms and looks:
    // Spans to be armed now. Valid until look().
    std::span<Span> arm(uint64_t interval_us);
    // Spans that are to be looked at now, to be answered in place. Valid until follow().
    std::span<Span> look();
    // What arming and looking cost.
    void charge(uint64_t cost_ns) { budget_.charge(cost_ns); }
    // Takes the answers of the spans that were looked at, and of the interval's samples, parallel to the regions.
    void follow(std::span<const Sample> samples, std::span<const Region> regions, uint64_t elapsed_us);

    // At the end of a window, before its counts are reset.
    void end_window(RegionList& regions, RunLimits limits);
    bool keeps_whole(uint32_t target_idx, const Region& region) const {
        return runs_.keeps_whole(target_idx, region, window_);
    }

    // As draw_samples, but the addresses of a region are points that leave no gap (low discrepancy), from an offset of
    // its own, so that no period of the program's can hide from them.
    void draw_samples(RegionList& regions, std::span<Sample> samples, uint64_t tick) const;

    size_t nr_zooms() const { return zooms_.size(); }
    size_t nr_runs() const { return runs_.size(); }
    const SurveyBudget& budget() const { return budget_; }

    bool operator==(const Survey&) const = default;

private:
    struct Following {
        Zoom zoom;
        uint32_t target_idx = 0;
        uint32_t id = 0;
        uint8_t nr_retries = 0;
        bool waits = false;  // for answers
        bool operator==(const Following&) const = default;
    };
    struct Retry {
        AddressRange region;
        uint64_t address = 0;
        uint64_t due = 0;  // interval
        uint32_t target_idx = 0;
        uint8_t nr_retries = 0;
        bool operator==(const Retry&) const = default;
    };

    void begin(uint32_t target_idx, AddressRange region, uint64_t address, uint8_t nr_retries);
    void begin_retries();
    void ask(Following& following);
    void take_answers();
    void conclude(const Following& following, Zoom::Verdict verdict);
    void follow_surprises(std::span<const Sample> samples, std::span<const Region> regions);
    bool is_followed(uint32_t target_idx, uint64_t address) const;

    SurveyBudget budget_;
    uint32_t page_bytes_ = 4096;
    uint64_t max_nr_regions_ = 0;
    uint64_t window_ = 0;    // sampling intervals
    uint16_t patience_ = 1;  // sampling intervals that a span of a zoom stays armed
    uint64_t seed_ = 0;
    uint64_t interval_ = 0;
    uint64_t random_ = 0;
    uint32_t next_id_ = 1;
    Vector<Following> zooms_;  // oldest first
    Vector<Retry> retries_;
    Vector<Span> armed_;
    Vector<Span> looking_;
    FoundRuns runs_;
    QuietRegions quiet_;
};

}  // namespace damon
