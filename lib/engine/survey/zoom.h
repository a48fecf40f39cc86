// What became of one surprising sample: the page is asked again, then the 128 pages around it, then how far the run of
// hot pages reaches. A value that asks and is answered; it knows no time, no price and no other zoom.
//
//   confirm    the page itself, up to three times; two hits are needed
//   local      the 128 pages around it in one map
//   gallop     where the run reaches the map's edge: pages at growing distances, up to the region's bounds
//   narrow     between the last hit and the first miss: 15 pages, or all where they are few
//   contrast   of a run beyond the map: 8 pages inside that must be hot, 8 outside that must not
#pragma once

#include <cstdint>
#include <span>

#include "model/address_range.h"
#include "model/span.h"

namespace damon {

class Zoom {
public:
    // Spans of one round at most.
    static constexpr size_t kMaxSpans = 36;

    enum class Verdict : uint8_t {
        kGoesOn,
        kFound,         // run() has exact bounds
        kInconclusive,  // the page was not hit again: perhaps later
        kRefuted,       // hot pages that are no run, or the whole region
    };

    Zoom() = default;
    // `address` was hit by a sample of `region`.
    Zoom(AddressRange region, uint64_t address, uint32_t page_bytes);

    // The spans of the next round, without target and asker, to be looked at together. How many.
    size_t ask(std::span<Span> spans, uint64_t random) const;
    // Whether the next round is of one page for one interval; the others stay armed for longer.
    bool confirms() const { return phase_ == Phase::kConfirm; }
    // The answers of one round, in the order of ask.
    Verdict answer(std::span<const Span> spans);

    // Bytes; whole pages inside the region.
    AddressRange run() const { return {run_.start * page_bytes_, run_.end * page_bytes_}; }
    AddressRange region() const { return region_; }
    uint64_t address() const { return page_ * page_bytes_; }
    // Where hits are no news while this goes on.
    bool covers(uint64_t address) const;

    bool operator==(const Zoom&) const = default;

private:
    enum class Phase : uint8_t { kConfirm, kLocal, kEdges, kContrast };

    // One end of the run: the outermost page known to be hot, and the innermost known not to be, or the region's bound.
    struct Edge {
        uint64_t hot = 0;
        uint64_t cold = 0;
        bool galloping = false;
        bool upwards = false;
        // Pages in between. Page 0 has a bound below it too, modulo 2^64.
        uint64_t gap() const { return (upwards ? cold - hot : hot - cold) - 1; }
        uint64_t at(uint64_t distance) const { return upwards ? hot + distance : hot - distance; }
        bool operator==(const Edge&) const = default;
    };

    size_t ask_edge(const Edge& edge, std::span<Span> spans) const;
    size_t ask_contrast(std::span<Span> spans, uint64_t random) const;
    Span span_of(uint64_t first_page, uint64_t nr_pages) const;
    Verdict confirm(const Span& span);
    Verdict map_surroundings(const Span& span);
    Verdict find_edges(std::span<const Span> spans);
    size_t move_edge(Edge& edge, std::span<const Span> spans) const;
    static void fill_gap(Edge& edge, const Span& all);
    Verdict compare(std::span<const Span> spans) const;
    Verdict edges_found();

    AddressRange region_;  // bytes
    AddressRange pages_;   // of the region, whole ones: numbers of pages
    AddressRange run_;     // numbers of pages
    uint64_t page_ = 0;
    uint32_t page_bytes_ = 4096;
    Phase phase_ = Phase::kConfirm;
    uint8_t nr_hits_ = 0;
    uint8_t nr_asked_ = 0;
    uint8_t nr_rounds_ = 0;
    bool galloped_ = false;
    Edge lower_;
    Edge upper_;
};

}  // namespace damon
