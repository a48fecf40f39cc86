#include "engine/survey/zoom.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kMapPages = Span::kMaxPages;
constexpr unsigned kConfirmations = 3;
constexpr unsigned kHitsNeeded = 2;
constexpr uint64_t kLeastRun = 4;
constexpr unsigned kMaxRounds = 8;
constexpr size_t kGallops = 18;     // 32 GiB of 4 KiB pages; beyond, the pages of the next round lie far apart
constexpr uint64_t kAllPages = 64;  // as few are asked for together; the first step of a gallop is longer
constexpr uint64_t kParts = 16;
constexpr size_t kContrastPages = 8;
constexpr uint64_t kLeastOutside = 32;  // fewer are not worth a comparison
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

uint64_t scale(uint64_t fraction, uint64_t size) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(fraction) * size) >> 64);
}

struct Tally {
    unsigned hits = 0;
    unsigned known = 0;
    void add(const Span& span, unsigned page) {
        known += span.known.test(page);
        hits += span.known.test(page) && span.hit.test(page);
    }
    bool mostly_hot() const { return known != 0 && 4 * hits >= 3 * known; }
    bool mostly_cold() const { return 4 * hits <= known; }
};

bool hot(const Span& span, unsigned page) { return span.known.test(page) && span.hit.test(page); }

}  // namespace

Zoom::Zoom(AddressRange region, uint64_t address, uint32_t page_bytes)
    : region_(region),
      pages_{align_up(region.start, page_bytes) / page_bytes, region.end / page_bytes},
      page_(address / page_bytes),
      page_bytes_(page_bytes) {
    page_ = std::clamp(page_, pages_.start, std::max(pages_.end, pages_.start + 1) - 1);
}

bool Zoom::covers(uint64_t address) const {
    const uint64_t page = address / page_bytes_;
    if (phase_ == Phase::kConfirm || phase_ == Phase::kLocal) return absolute_difference(page, page_) < kMapPages / 2;
    return page >= lower_.cold + 1 && page < upper_.cold;
}

Span Zoom::span_of(uint64_t first_page, uint64_t nr_pages) const {
    Span span;
    span.start = first_page * page_bytes_;
    span.page_bytes = page_bytes_;
    span.nr_pages = static_cast<uint16_t>(nr_pages);
    return span;
}

size_t Zoom::ask(std::span<Span> spans, uint64_t random) const {
    switch (phase_) {
        case Phase::kConfirm:
            spans[0] = span_of(page_, 1);
            return 1;
        case Phase::kLocal: {
            const uint64_t nr_pages = std::min(kMapPages, pages_.size());
            const uint64_t first = page_ - std::min(page_ - pages_.start, kMapPages / 2);
            spans[0] = span_of(std::min(first, pages_.end - nr_pages), nr_pages);
            return 1;
        }
        case Phase::kEdges: {
            const size_t below = ask_edge(lower_, spans);
            return below + ask_edge(upper_, spans.subspan(below));
        }
        case Phase::kContrast:
            return ask_contrast(spans, random);
    }
    return 0;
}

// Pages from the hot one outwards, or all that are left in one span.
size_t Zoom::ask_edge(const Edge& edge, std::span<Span> spans) const {
    const uint64_t gap = edge.gap();
    if (gap == 0) return 0;
    if (gap <= kAllPages) {
        spans[0] = span_of(edge.upwards ? edge.hot + 1 : edge.cold + 1, gap);
        return 1;
    }
    size_t nr = 0;
    if (!edge.galloping) {
        for (uint64_t part = 1; part < kParts; ++part) {
            spans[nr++] = span_of(edge.at(mul_div(gap + 1, part, kParts)), 1);
        }
        return nr;
    }
    for (uint64_t distance = kAllPages; distance <= gap && nr < kGallops; distance *= 2) {
        spans[nr++] = span_of(edge.at(distance), 1);
    }
    return nr;
}

size_t Zoom::ask_contrast(std::span<Span> spans, uint64_t random) const {
    const uint64_t below = run_.start - pages_.start;
    const uint64_t outside = pages_.size() - run_.size();
    for (size_t i = 0; i < kContrastPages; ++i, random += kGolden) {
        spans[i] = span_of(run_.start + scale(random, run_.size()), 1);
    }
    if (outside < kLeastOutside) return kContrastPages;
    for (size_t i = 0; i < kContrastPages; ++i, random += kGolden) {
        const uint64_t page = scale(random, outside);
        const uint64_t at = page < below ? pages_.start + page : run_.end + (page - below);
        spans[kContrastPages + i] = span_of(at, 1);
    }
    return 2 * kContrastPages;
}

Zoom::Verdict Zoom::answer(std::span<const Span> spans) {
    if (spans.empty()) return Verdict::kInconclusive;
    switch (phase_) {
        case Phase::kConfirm:
            return confirm(spans[0]);
        case Phase::kLocal:
            return map_surroundings(spans[0]);
        case Phase::kEdges:
            return find_edges(spans);
        case Phase::kContrast:
            return compare(spans);
    }
    return Verdict::kInconclusive;
}

Zoom::Verdict Zoom::confirm(const Span& span) {
    ++nr_asked_;
    nr_hits_ = static_cast<uint8_t>(nr_hits_ + hot(span, 0));
    if (nr_hits_ >= kHitsNeeded) {
        phase_ = Phase::kLocal;
        return Verdict::kGoesOn;
    }
    const bool may_still = nr_hits_ + (kConfirmations - nr_asked_) >= kHitsNeeded;
    return may_still ? Verdict::kGoesOn : Verdict::kInconclusive;
}

// The run is the hit pages around the page, with single holes; a page of which nothing is known is no end either.
Zoom::Verdict Zoom::map_surroundings(const Span& span) {
    const uint64_t first = span.start / page_bytes_;
    const uint64_t end = first + span.nr_pages;
    if (page_ < first || page_ >= end || !hot(span, static_cast<unsigned>(page_ - first))) {
        return Verdict::kInconclusive;
    }
    const auto is_hot = [&](uint64_t page) {
        return page >= first && page < end && hot(span, static_cast<unsigned>(page - first));
    };
    run_ = {page_, page_ + 1};
    while (is_hot(run_.end) || is_hot(run_.end + 1)) ++run_.end;
    while (is_hot(run_.start - 1) || is_hot(run_.start - 2)) --run_.start;
    Tally inside;
    Tally outside;
    for (uint64_t page = first; page < end; ++page) {
        (run_.start <= page && page < run_.end ? inside : outside).add(span, static_cast<unsigned>(page - first));
    }
    if (run_.size() < kLeastRun || !inside.mostly_hot() || !outside.mostly_cold()) return Verdict::kRefuted;
    const bool goes_below = run_.start == first && first > pages_.start;
    const bool goes_above = run_.end == end && end < pages_.end;
    lower_ = {run_.start, goes_below ? pages_.start - 1 : run_.start - 1, goes_below, false};
    upper_ = {run_.end - 1, goes_above ? pages_.end : run_.end, goes_above, true};
    galloped_ = lower_.galloping || upper_.galloping;
    phase_ = Phase::kEdges;
    return edges_found();
}

Zoom::Verdict Zoom::find_edges(std::span<const Span> spans) {
    if (++nr_rounds_ > kMaxRounds) return Verdict::kRefuted;
    const size_t below = move_edge(lower_, spans);
    move_edge(upper_, spans.subspan(below));
    return edges_found();
}

// Takes the answers of this edge from the front; how many they were.
size_t Zoom::move_edge(Edge& edge, std::span<const Span> spans) const {
    Span asked[kMaxSpans];
    const size_t nr = std::min(ask_edge(edge, asked), spans.size());
    if (nr == 1 && spans[0].nr_pages == edge.gap()) {
        fill_gap(edge, spans[0]);
        return 1;
    }
    edge.galloping = false;
    for (size_t i = 0; i < nr; ++i) {
        if (!spans[i].known.test(0)) continue;
        const uint64_t page = spans[i].start / page_bytes_;
        (spans[i].hit.test(0) ? edge.hot : edge.cold) = page;
        if (edge.cold == page) break;
    }
    return nr;
}

// All pages of the gap are answered: the edge is where two of them in a row are not hot.
void Zoom::fill_gap(Edge& edge, const Span& all) {
    const auto is_hot = [&](uint64_t distance) {
        if (distance > all.nr_pages) return false;
        return hot(all, static_cast<unsigned>(edge.upwards ? distance - 1 : all.nr_pages - distance));
    };
    uint64_t reach = 0;
    while (is_hot(reach + 1) || is_hot(reach + 2)) ++reach;
    edge.hot = edge.at(reach);
    edge.cold = edge.at(1);
}

Zoom::Verdict Zoom::edges_found() {
    if (lower_.gap() != 0 || upper_.gap() != 0) return Verdict::kGoesOn;
    run_ = {lower_.hot, upper_.hot + 1};
    if (run_ == pages_) return Verdict::kRefuted;
    if (!galloped_) return Verdict::kFound;
    phase_ = Phase::kContrast;
    return Verdict::kGoesOn;
}

Zoom::Verdict Zoom::compare(std::span<const Span> spans) const {
    Tally inside;
    Tally outside;
    for (size_t i = 0; i < spans.size(); ++i) (i < kContrastPages ? inside : outside).add(spans[i], 0);
    return inside.mostly_hot() && outside.mostly_cold() ? Verdict::kFound : Verdict::kRefuted;
}

}  // namespace damon
