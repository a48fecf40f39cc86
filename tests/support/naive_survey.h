// Surveys, written a second time from the rules (docs/surveys.md, Method and Budget) and for clarity alone. It watches
// what is asked and answered, interval by interval, and says where that is not what the rules want. What they leave to
// chance (when a page is asked again, which pages are compared) it takes as it is shown, if they allow it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/address_range.h"
#include "model/sample.h"
#include "model/span.h"

namespace damon::test {

struct NaiveSurveyed {
    AddressRange range;
    uint32_t target_idx = 0;
    uint32_t nr_accesses = 0;
    uint32_t last_nr_accesses = 0;
};

class NaiveSurvey {
public:
    struct Terms {
        uint64_t share_bp = 0;
        uint64_t page_bytes = 4096;
        uint64_t window = 20;  // sampling intervals
        uint64_t max_nr_regions = 1'000;
        uint64_t min_region_sz = 4096;
    };

    // As long as it was off the bucket is full.
    void set_terms(const Terms& terms);
    const Terms& terms() const { return terms_; }
    void start();
    void forget();
    bool follows(size_t nr_regions) const;
    bool has_room(size_t nr_regions) const;  // for a cut
    bool spreads_samples(size_t nr_regions) const;

    // One interval, in this order. A text says what is wrong.
    std::string arm(std::span<const Span> spans, uint64_t sample_us);
    std::string look(std::span<const Span> spans) const;  // not answered yet
    void charge(uint64_t cost_ns) { tokens_ -= 12 * static_cast<int64_t>(cost_ns); }
    void follow(std::span<const Span> answered, std::span<const Sample> samples, std::span<const NaiveSurveyed> regions,
                uint64_t elapsed_us);

    // The regions that a window ends with, cut.
    std::vector<NaiveSurveyed> end_window(std::vector<NaiveSurveyed> regions, size_t nr_targets);
    bool keeps_whole(const NaiveSurveyed& region) const;
    // A page that is asked, or will be again. Where it is hit meanwhile nobody can tell from outside which of the two
    // is asked.
    bool waits_for(uint32_t target_idx, uint64_t address) const;

    // How often what happened, so that a test knows what it has seen.
    struct Counts {
        uint64_t zooms = 0, retries = 0, given_up = 0, found = 0, refuted = 0, cut = 0, not_cut = 0, dry = 0,
                 waited = 0, crowded = 0, contrasts = 0;
    };
    const Counts& counts() const { return counts_; }

private:
    enum class Phase { kConfirm, kLocal, kEdges, kContrast };
    enum class Outcome { kGoesOn, kFound, kRefuted, kAgain };
    struct Asked {
        uint64_t first = 0, nr = 0;
    };
    // Outwards of the run: pages between the outermost hot one and the innermost cold one are not known.
    struct Side {
        int64_t hot = 0, cold = 0;
        bool galloped = true;
        int64_t unknown() const { return (cold > hot ? cold - hot : hot - cold) - 1; }
    };
    struct Zoom {
        uint32_t target_idx = 0;
        AddressRange region;
        int64_t first = 0, end = 0;  // the region's whole pages
        int64_t page = 0;
        unsigned retries = 0;
        Phase phase = Phase::kConfirm;
        unsigned asked = 0, hits = 0, rounds = 0;
        bool far = false;  // a side went beyond the map
        Side below, above;
        std::vector<Span> out;  // armed; empty: to be asked
        uint64_t look_at = 0;   // interval
    };
    struct Again {
        uint32_t target_idx = 0;
        AddressRange region;
        int64_t page = 0;
        unsigned retries = 0;
        uint64_t earliest = 0, latest = 0;
    };
    struct Run {
        AddressRange range;
        uint32_t target_idx = 0;
        unsigned windows = 3;
        bool cut = false;
    };
    struct Waiting {
        AddressRange region;
        uint32_t target_idx = 0;
        uint64_t until = 0;
        unsigned doublings = 0;
    };

    Zoom zoom_of(uint32_t target_idx, AddressRange region, int64_t page, unsigned retries) const;
    std::vector<Asked> questions(const Zoom& zoom) const;
    static void side_questions(const Side& side, std::vector<Asked>& out);
    std::string check_contrast(const Zoom& zoom, std::span<const Span> spans) const;
    Outcome answer(Zoom& zoom, std::span<const Span> spans) const;
    static Outcome map(Zoom& zoom, const Span& span, uint64_t page_bytes);
    void take(Side& side, std::span<const Span>& spans) const;
    static Outcome sides_known(Zoom& zoom);
    bool is_followed(uint32_t target_idx, uint64_t address) const;
    void conclude(const Zoom& zoom, Outcome outcome);
    void refuted(uint32_t target_idx, AddressRange region);
    void cut(std::vector<NaiveSurveyed>& regions);

    int64_t full() const { return static_cast<int64_t>(terms_.share_bp) * 12 * 500'000 / 3; }
    bool hot_enough(uint64_t nr_accesses) const { return nr_accesses * 10 >= terms_.window * 8; }
    uint64_t patience() const;
    uint64_t most_regions() const;

    Terms terms_;
    int64_t tokens_ = 0;  // twelfths of a nanosecond
    uint64_t interval_ = 0;
    uint64_t window_ = 0;
    std::vector<Zoom> zooms_;
    std::vector<Again> again_;
    std::vector<Run> runs_;
    std::vector<Waiting> waiting_;
    std::vector<std::pair<uint64_t, Span>> orphans_;  // of zooms that were forgotten, and when they are looked at
    Counts counts_;
};

}  // namespace damon::test
