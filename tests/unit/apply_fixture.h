// A small world for apply passes: regions, schemes, and actions that do what the test says. Core units are single
// bytes.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <vector>

#include "engine/schemes/apply_walk.h"
#include "engine/schemes/scheme_commit.h"

namespace damon::test {

// One action or score that was asked for, as a plain value.
struct Asked {
    RequestKind kind = RequestKind::kApply;
    uint32_t scheme_idx = 0;
    uint32_t target_idx = 0;
    AddressRange range;
    bool operator==(const Asked&) const = default;
};

class ApplyFixture : public ::testing::Test {
protected:
    ApplyFixture() {
        attrs_.sample_us = 10;
        attrs_.aggr_us = 100;
        attrs_.min_nr_regions = 3;
        traits_.has_apply = true;
        cadence_.start(attrs_);
        EXPECT_TRUE(regions_.reserve(64));
    }

    // Touching regions of one size from address 0 on, all samples answered.
    struct Layout {
        size_t nr_regions;
        uint64_t size;
    };
    uint32_t add_target(Layout layout) {
        const size_t target = regions_.nr_targets();
        EXPECT_TRUE(regions_.resize_targets(target + 1));
        for (size_t i = 0; i < layout.nr_regions; ++i) {
            EXPECT_TRUE(regions_.insert(target, i, {i * layout.size, (i + 1) * layout.size}));
            regions_.at(target, i).evidence = regions_.at(target, i).last_evidence = kEvidenceAnswered;
        }
        return static_cast<uint32_t>(target);
    }

    // As long as so many windows that were not late.
    void set_age(size_t target, size_t index, uint32_t windows) {
        regions_.at(target, index).age = windows;
        regions_.at(target, index).age_us = windows * attrs_.aggr_us;
    }

    // Appends a scheme that is due at every pass and matches everything.
    SchemeParams& add_scheme(DamosAction action = DamosAction::kStat) {
        SchemeParams scheme;
        scheme.action = action;
        scheme.apply_interval_us = 1;
        EXPECT_TRUE(schemes_.push_back(std::move(scheme)));
        return schemes_.back();
    }

    static DamosFilter address_filter(AddressRange range, bool allow) {
        DamosFilter filter;
        filter.type = FilterType::kAddr;
        filter.range = range;
        filter.matching = true;
        filter.allow = allow;
        return filter;
    }

    // Takes the schemes' parameters over, as start and commit do.
    void commit_schemes() {
        EXPECT_TRUE(carry_over_schemes(states_.span(), schemes_.span(), attrs_, cadence_, states_));
        EXPECT_TRUE(walk_.reserve(schemes_.span()));
    }

    ApplyContext context() {
        return {regions_, schemes_.span(), states_.span(), attrs_, cadence_, traits_, min_region_sz_, passes_};
    }

    // One pass at `now_us`; what was asked, in order.
    std::vector<Asked> pass(uint64_t now_us = 0) {
        if (states_.size() != schemes_.size()) commit_schemes();
        std::vector<Asked> asked;
        if (!walk_.begin(context(), now_us)) return asked;
        for (MetricQuery& query : walk_.metric_queries()) measure_(query);
        ActionRequest request;
        while (walk_.next_request(context(), request)) {
            asked.push_back({request.kind, request.scheme_idx, request.target_idx, request.range});
            walk_.complete(context(), apply_(request));
            EXPECT_TRUE(regions_.is_valid());
        }
        return asked;
    }

    std::vector<AddressRange> ranges_of(uint32_t target) const {
        std::vector<AddressRange> ranges;
        for (size_t i = 0; i < regions_.nr_regions_of(target); ++i) ranges.push_back(regions_.at(target, i).range);
        return ranges;
    }

    // Those of one scheme, of the actions.
    static std::vector<AddressRange> applied(const std::vector<Asked>& asked, uint32_t scheme_idx = 0) {
        std::vector<AddressRange> ranges;
        for (const Asked& one : asked) {
            if (one.kind == RequestKind::kApply && one.scheme_idx == scheme_idx) ranges.push_back(one.range);
        }
        return ranges;
    }

    using Ranges = std::vector<AddressRange>;

    RegionList regions_;
    Vector<SchemeParams> schemes_;
    Vector<SchemeState> states_;
    Attrs attrs_;
    Cadence cadence_;
    OpsTraits traits_;
    uint64_t min_region_sz_ = 1;
    PassEvidence passes_;
    ApplyWalk walk_;
    // By default all of a region is dealt with, in no time.
    std::function<Outcome(const ActionRequest&)> apply_ = [](const ActionRequest& request) {
        return Outcome{.applied = request.range.size(), .filter_passed = 0, .elapsed_ns = 0, .score = 0};
    };
    std::function<void(MetricQuery&)> measure_ = [](MetricQuery&) {};
};

}  // namespace damon::test
