#include "support/naive_survey.h"

#include <algorithm>
#include <sstream>

namespace damon::test {
namespace {

constexpr int64_t kMap = 128;
constexpr size_t kZooms = 16;
constexpr size_t kRetries = 32;

bool known(const Span& span, int64_t page = 0) { return span.known.test(static_cast<unsigned>(page)); }
bool hit(const Span& span, int64_t page = 0) { return known(span, page) && span.hit.test(static_cast<unsigned>(page)); }

std::string text_of(const Span& span) {
    std::ostringstream out;
    out << "target " << span.target_idx << " page " << span.start / span.page_bytes << " +" << span.nr_pages << " for "
        << span.nr_intervals;
    return out.str();
}

// Of pages whose state is known.
struct Share {
    int64_t of = 0, hot = 0;
    void add(bool is_known, bool is_hot) {
        of += is_known;
        hot += is_known && is_hot;
    }
    bool three_quarters() const { return of > 0 && hot * 100 >= of * 75; }
    bool a_quarter_at_most() const { return hot * 100 <= of * 25; }
};

}  // namespace

void NaiveSurvey::set_terms(const Terms& terms) {
    const bool was_off = terms_.share_bp == 0;
    terms_ = terms;
    tokens_ = was_off ? full() : std::min(tokens_, full());
    if (terms.share_bp == 0) forget();
}

void NaiveSurvey::start() {
    forget();
    orphans_.clear();
    interval_ = 0;
    tokens_ = full();
}

void NaiveSurvey::forget() {
    for (const Zoom& zoom : zooms_) {
        for (const Span& span : zoom.out) orphans_.push_back({zoom.look_at, span});
    }
    zooms_.clear();
    again_.clear();
    runs_.clear();
    waiting_.clear();
}

// Method 7 and the paragraph behind the list: a quarter of the regions that there may be, or 40 where that is less.
uint64_t NaiveSurvey::most_regions() const {
    return std::max(terms_.max_nr_regions / 4, std::min<uint64_t>(terms_.max_nr_regions, 40));
}

bool NaiveSurvey::follows(size_t nr_regions) const { return terms_.share_bp != 0 && nr_regions <= most_regions(); }

bool NaiveSurvey::has_room(size_t nr_regions) const { return terms_.share_bp != 0 && nr_regions + 2 <= most_regions(); }

bool NaiveSurvey::spreads_samples(size_t nr_regions) const {
    return terms_.share_bp != 0 && nr_regions + 2 <= terms_.max_nr_regions / 4;
}

// A fifth of a window, and no more than 20 intervals.
uint64_t NaiveSurvey::patience() const {
    const uint64_t fifth = terms_.window / 5;
    return fifth < 1 ? 1 : fifth > 20 ? 20 : fifth;
}

NaiveSurvey::Zoom NaiveSurvey::zoom_of(uint32_t target_idx, AddressRange region, int64_t page, unsigned retries) const {
    Zoom zoom;
    zoom.target_idx = target_idx;
    zoom.region = region;
    zoom.first = static_cast<int64_t>((region.start + terms_.page_bytes - 1) / terms_.page_bytes);
    zoom.end = static_cast<int64_t>(region.end / terms_.page_bytes);
    zoom.page = std::max(zoom.first, std::min(page, zoom.end - 1));
    zoom.retries = retries;
    return zoom;
}

// Method 5: doubling distances at first, 15 pages a round then, the last 64 together.
void NaiveSurvey::side_questions(const Side& side, std::vector<Asked>& out) {
    const int64_t unknown = side.unknown();
    const int64_t way = side.cold > side.hot ? 1 : -1;
    if (unknown == 0) return;
    if (unknown <= 64) {
        const int64_t lowest = way > 0 ? side.hot + 1 : side.cold + 1;
        out.push_back({static_cast<uint64_t>(lowest), static_cast<uint64_t>(unknown)});
        return;
    }
    if (!side.galloped) {
        int64_t distance = 64;
        for (int nr = 0; nr < 18 && distance <= unknown; ++nr, distance *= 2) {
            out.push_back({static_cast<uint64_t>(side.hot + way * distance), 1});
        }
        return;
    }
    for (int64_t part = 1; part <= 15; ++part) {
        out.push_back({static_cast<uint64_t>(side.hot + way * ((unknown + 1) * part / 16)), 1});
    }
}

std::vector<NaiveSurvey::Asked> NaiveSurvey::questions(const Zoom& zoom) const {
    std::vector<Asked> asked;
    if (zoom.phase == Phase::kConfirm) asked.push_back({static_cast<uint64_t>(zoom.page), 1});
    if (zoom.phase == Phase::kLocal) {
        const int64_t nr = std::min(kMap, zoom.end - zoom.first);
        int64_t first = std::max(zoom.first, zoom.page - kMap / 2);
        if (first + nr > zoom.end) first = zoom.end - nr;
        asked.push_back({static_cast<uint64_t>(first), static_cast<uint64_t>(nr)});
    }
    if (zoom.phase == Phase::kEdges) {
        side_questions(zoom.below, asked);
        side_questions(zoom.above, asked);
    }
    return asked;
}

// Method 6. Outside of fewer than 32 pages nothing is compared.
std::string NaiveSurvey::check_contrast(const Zoom& zoom, std::span<const Span> spans) const {
    const int64_t run = zoom.above.hot - zoom.below.hot + 1;
    const size_t wanted = zoom.end - zoom.first - run < 32 ? 8 : 16;
    if (spans.size() < wanted) return "too few pages to compare\n";
    for (size_t i = 0; i < wanted; ++i) {
        const auto page = static_cast<int64_t>(spans[i].start / terms_.page_bytes);
        const bool inside = zoom.below.hot <= page && page <= zoom.above.hot;
        const bool in_region = zoom.first <= page && page < zoom.end;
        if (spans[i].nr_pages != 1 || !in_region || inside != (i < 8)) return "compared: " + text_of(spans[i]) + "\n";
    }
    return {};
}

std::string NaiveSurvey::arm(std::span<const Span> spans, uint64_t sample_us) {
    const bool may_begin = terms_.share_bp != 0 && tokens_ > 0;
    // Down to what comes in within four intervals.
    const bool may_go_on =
        terms_.share_bp != 0 && tokens_ > -static_cast<int64_t>(4 * std::min<uint64_t>(sample_us, 10'000'000)) *
                                              static_cast<int64_t>(terms_.share_bp);
    size_t next = 0;
    const auto take = [&](Zoom& zoom, const std::vector<Asked>& asked, unsigned intervals) -> std::string {
        for (const Asked& each : asked) {
            if (next == spans.size()) return "not asked: page " + std::to_string(each.first) + "\n";
            const Span& span = spans[next++];
            if (span.start != each.first * terms_.page_bytes || span.nr_pages != each.nr ||
                span.target_idx != zoom.target_idx || span.nr_intervals != intervals ||
                span.page_bytes != terms_.page_bytes) {
                return "asked: " + text_of(span) + "; not page " + std::to_string(each.first) + " +" +
                       std::to_string(each.nr) + " for " + std::to_string(intervals) + "\n";
            }
            zoom.out.push_back(span);
        }
        zoom.look_at = interval_ + intervals;
        return {};
    };
    unsigned nr_large = 0;
    bool held_back = false;
    for (Zoom& zoom : zooms_) {
        if (!zoom.out.empty()) continue;
        held_back = held_back || !may_go_on;
        if (!may_go_on) break;
        if (zoom.phase == Phase::kConfirm) {
            if (std::string wrong = take(zoom, questions(zoom), 1); !wrong.empty()) return wrong;
            continue;
        }
        if (nr_large == 2) {
            ++counts_.crowded;
            continue;
        }
        ++nr_large;
        std::vector<Asked> asked = questions(zoom);
        if (zoom.phase == Phase::kContrast) {
            if (std::string wrong = check_contrast(zoom, spans.subspan(next)); !wrong.empty()) return wrong;
            const int64_t run = zoom.above.hot - zoom.below.hot + 1;
            const size_t nr = zoom.end - zoom.first - run < 32 ? 8 : 16;
            for (size_t i = 0; i < nr; ++i) asked.push_back({spans[next + i].start / terms_.page_bytes, 1});
            ++counts_.contrasts;
        }
        if (std::string wrong = take(zoom, asked, static_cast<unsigned>(patience())); !wrong.empty()) return wrong;
    }
    counts_.dry += held_back;
    // What is left are pages that are asked again.
    while (next != spans.size()) {
        const Span& span = spans[next];
        const auto page = static_cast<int64_t>(span.start / terms_.page_bytes);
        const auto due = std::ranges::find_if(again_, [&](const Again& each) {
            return each.target_idx == span.target_idx && each.page == page && each.earliest <= interval_;
        });
        if (due == again_.end() || !may_begin || zooms_.size() == kZooms) return "asked: " + text_of(span) + "\n";
        Zoom zoom = zoom_of(due->target_idx, due->region, due->page, due->retries);
        if (std::string wrong = take(zoom, questions(zoom), 1); !wrong.empty()) return wrong;
        zooms_.push_back(zoom);
        again_.erase(due);
        ++counts_.retries;
    }
    for (const Again& each : again_) {
        if (each.latest <= interval_ && may_begin && zooms_.size() < kZooms) {
            return "not asked again: page " + std::to_string(each.page) + "\n";
        }
    }
    return {};
}

std::string NaiveSurvey::look(std::span<const Span> spans) const {
    std::vector<Span> due;
    for (const auto& [look_at, span] : orphans_) {
        if (look_at == interval_ + 1) due.push_back(span);
    }
    for (const Zoom& zoom : zooms_) {
        if (!zoom.out.empty() && zoom.look_at == interval_ + 1) due.insert(due.end(), zoom.out.begin(), zoom.out.end());
    }
    if (due.size() != spans.size()) {
        return "looked at: " + std::to_string(spans.size()) + " spans, not " + std::to_string(due.size()) + "\n";
    }
    for (const Span& span : spans) {
        const auto at = std::ranges::find_if(due, [&](const Span& each) {
            return each.asker == span.asker && each.start == span.start && each.nr_pages == span.nr_pages;
        });
        if (at == due.end()) return "looked at: " + text_of(span) + "\n";
        due.erase(at);
    }
    return {};
}

// Method 4: the run is the hit pages around the page, single holes bridged.
NaiveSurvey::Outcome NaiveSurvey::map(Zoom& zoom, const Span& span, uint64_t page_bytes) {
    const auto first = static_cast<int64_t>(span.start / page_bytes);
    const int64_t end = first + span.nr_pages;
    const auto hot = [&](int64_t page) { return first <= page && page < end && hit(span, page - first); };
    if (!hot(zoom.page)) return Outcome::kAgain;
    int64_t low = zoom.page;
    int64_t high = zoom.page;
    while (hot(high + 1) || hot(high + 2)) ++high;
    while (hot(low - 1) || hot(low - 2)) --low;
    Share inside;
    Share outside;
    for (int64_t page = first; page < end; ++page) {
        (low <= page && page <= high ? inside : outside).add(known(span, page - first), hot(page));
    }
    if (high - low + 1 < 4 || !inside.three_quarters() || !outside.a_quarter_at_most()) return Outcome::kRefuted;
    const bool below = low == first && first > zoom.first;
    const bool above = high + 1 == end && end < zoom.end;
    zoom.below = {low, below ? zoom.first - 1 : low - 1, !below};
    zoom.above = {high, above ? zoom.end : high + 1, !above};
    zoom.far = below || above;
    zoom.phase = Phase::kEdges;
    return sides_known(zoom);
}

void NaiveSurvey::take(Side& side, std::span<const Span>& spans) const {
    std::vector<Asked> asked;
    side_questions(side, asked);
    const std::span<const Span> mine = spans.first(asked.size());
    spans = spans.subspan(asked.size());
    const int64_t way = side.cold > side.hot ? 1 : -1;
    if (asked.size() == 1 && static_cast<int64_t>(asked[0].nr) == side.unknown()) {
        const auto lowest = static_cast<int64_t>(asked[0].first);
        const int64_t nr = static_cast<int64_t>(asked[0].nr);
        const auto hot = [&](int64_t page) {
            return lowest <= page && page < lowest + nr && hit(mine[0], page - lowest);
        };
        while (hot(side.hot + way) || hot(side.hot + 2 * way)) side.hot += way;
        side.cold = side.hot + way;
        return;
    }
    side.galloped = true;
    for (const Span& span : mine) {
        const auto page = static_cast<int64_t>(span.start / terms_.page_bytes);
        if (!known(span)) continue;
        if (!hit(span)) {
            side.cold = page;
            return;
        }
        side.hot = page;
    }
}

NaiveSurvey::Outcome NaiveSurvey::sides_known(Zoom& zoom) {
    if (zoom.below.unknown() != 0 || zoom.above.unknown() != 0) return Outcome::kGoesOn;
    if (zoom.below.hot == zoom.first && zoom.above.hot == zoom.end - 1) return Outcome::kRefuted;
    if (!zoom.far) return Outcome::kFound;
    zoom.phase = Phase::kContrast;
    return Outcome::kGoesOn;
}

NaiveSurvey::Outcome NaiveSurvey::answer(Zoom& zoom, std::span<const Span> spans) const {
    switch (zoom.phase) {
        case Phase::kConfirm:
            ++zoom.asked;
            zoom.hits += hit(spans[0]);
            if (zoom.hits == 2) zoom.phase = Phase::kLocal;
            // Two of three are needed.
            return zoom.asked - zoom.hits == 2 ? Outcome::kAgain : Outcome::kGoesOn;
        case Phase::kLocal:
            return map(zoom, spans[0], terms_.page_bytes);
        case Phase::kEdges:
            if (++zoom.rounds > 8) return Outcome::kRefuted;
            take(zoom.below, spans);
            take(zoom.above, spans);
            return sides_known(zoom);
        case Phase::kContrast:
            break;
    }
    Share inside;
    Share outside;
    for (size_t i = 0; i < spans.size(); ++i) (i < 8 ? inside : outside).add(known(spans[i]), hit(spans[i]));
    return inside.three_quarters() && outside.a_quarter_at_most() ? Outcome::kFound : Outcome::kRefuted;
}

void NaiveSurvey::refuted(uint32_t target_idx, AddressRange region) {
    ++counts_.refuted;
    for (Waiting& waiting : waiting_) {
        if (waiting.target_idx != target_idx || !waiting.region.intersects(region)) continue;
        waiting.doublings = std::min(6u, waiting.doublings + 1);
        waiting.region = region;
        waiting.until = window_ + (uint64_t{1} << waiting.doublings);
        return;
    }
    waiting_.push_back({region, target_idx, window_ + 1, 0});
}

void NaiveSurvey::conclude(const Zoom& zoom, Outcome outcome) {
    const uint64_t page = terms_.page_bytes;
    if (outcome == Outcome::kRefuted) return refuted(zoom.target_idx, zoom.region);
    if (outcome == Outcome::kFound) {
        Run run;
        run.range = {static_cast<uint64_t>(zoom.below.hot) * page, static_cast<uint64_t>(zoom.above.hot + 1) * page};
        run.target_idx = zoom.target_idx;
        runs_.push_back(run);
        ++counts_.found;
        return;
    }
    if (zoom.retries == 3 || again_.size() == kRetries) {
        ++counts_.given_up;
        return;
    }
    again_.push_back({zoom.target_idx, zoom.region, zoom.page, zoom.retries + 1, interval_ + 10, interval_ + 30});
}

bool NaiveSurvey::waits_for(uint32_t target_idx, uint64_t address) const {
    const auto is_it = [&](const auto& each) {
        return each.target_idx == target_idx && each.page == static_cast<int64_t>(address / terms_.page_bytes);
    };
    return std::ranges::any_of(again_, is_it) || std::ranges::any_of(zooms_, is_it);
}

// Where a hit is no news: followed, found, or waiting.
bool NaiveSurvey::is_followed(uint32_t target_idx, uint64_t address) const {
    const auto page = static_cast<int64_t>(address / terms_.page_bytes);
    for (const Zoom& zoom : zooms_) {
        if (zoom.target_idx != target_idx) continue;
        const bool early = zoom.phase == Phase::kConfirm || zoom.phase == Phase::kLocal;
        if (early ? page > zoom.page - 64 && page < zoom.page + 64 : page > zoom.below.cold && page < zoom.above.cold) {
            return true;
        }
    }
    for (const Run& run : runs_) {
        if (run.windows != 0 && run.target_idx == target_idx && run.range.contains(address)) return true;
    }
    for (const Waiting& waiting : waiting_) {
        if (waiting.until > window_ && waiting.target_idx == target_idx && waiting.region.contains(address))
            return true;
    }
    return false;
}

void NaiveSurvey::follow(std::span<const Span> answered, std::span<const Sample> samples,
                         std::span<const NaiveSurveyed> regions, uint64_t elapsed_us) {
    ++interval_;
    const auto earned = static_cast<int64_t>(std::min<uint64_t>(elapsed_us, 10'000'000) * terms_.share_bp);
    tokens_ = std::min(tokens_ + earned, full());
    std::erase_if(orphans_, [this](const auto& each) { return each.first <= interval_; });
    std::vector<Zoom> going_on;
    for (Zoom& zoom : zooms_) {
        if (zoom.out.empty() || zoom.look_at != interval_) {
            going_on.push_back(zoom);
            continue;
        }
        std::vector<Span> spans;
        for (const Span& span : answered) {
            if (span.asker == zoom.out[0].asker) spans.push_back(span);
        }
        zoom.out.clear();
        const Outcome outcome = answer(zoom, spans);
        if (outcome == Outcome::kGoesOn) {
            going_on.push_back(zoom);
        } else {
            conclude(zoom, outcome);
        }
    }
    zooms_ = going_on;
    if (tokens_ <= 0 || !follows(regions.size())) return;
    for (size_t i = 0; i < samples.size(); ++i) {
        if (samples[i].seen != Seen::kYes || regions[i].last_nr_accesses * 10 >= terms_.window * 9) continue;
        if (regions[i].range.size() < 2 * terms_.page_bytes) continue;  // nothing to cut
        if (is_followed(samples[i].target_idx, samples[i].addr)) {
            ++counts_.waited;
            continue;
        }
        if (zooms_.size() == kZooms) return;
        const auto page = static_cast<int64_t>(samples[i].addr / terms_.page_bytes);
        zooms_.push_back(zoom_of(samples[i].target_idx, regions[i].range, page, 0));
        ++counts_.zooms;
    }
}

std::vector<NaiveSurveyed> NaiveSurvey::end_window(std::vector<NaiveSurveyed> regions, size_t nr_targets) {
    if (terms_.share_bp == 0) return regions;
    ++window_;
    // What was refuted is remembered for as long again as it waited.
    std::erase_if(waiting_,
                  [this](const Waiting& each) { return window_ > each.until + (uint64_t{1} << each.doublings); });
    std::vector<Run> kept;
    for (Run run : runs_) {
        if (run.target_idx >= nr_targets) continue;
        if (run.cut && run.windows > 0) --run.windows;
        const bool stays = std::ranges::any_of(regions, [&](const NaiveSurveyed& region) {
            return region.target_idx == run.target_idx && region.range == run.range && hot_enough(region.nr_accesses);
        });
        if (!run.cut || run.windows > 0 || stays) kept.push_back(run);
    }
    runs_ = kept;
    cut(regions);
    return regions;
}

// The largest first. Regions are of at least min_region_sz; a run that would be less than half of its region is not
// cut.
void NaiveSurvey::cut(std::vector<NaiveSurveyed>& regions) {
    std::vector<Run*> fresh;
    for (Run& run : runs_) {
        if (!run.cut) fresh.push_back(&run);
    }
    std::ranges::stable_sort(fresh, [](const Run* a, const Run* b) { return a->range.size() > b->range.size(); });
    for (Run* run : fresh) {
        run->cut = true;
        const uint64_t unit = terms_.min_region_sz;
        const AddressRange outer{run->range.start / unit * unit, (run->range.end + unit - 1) / unit * unit};
        if (2 * run->range.size() < outer.size() || !has_room(regions.size())) {
            ++counts_.not_cut;
            continue;
        }
        ++counts_.cut;
        run->range = outer;
        for (const uint64_t border : {outer.start, outer.end}) {
            for (size_t i = 0; i < regions.size(); ++i) {
                NaiveSurveyed& left = regions[i];
                if (left.target_idx != run->target_idx || left.range.start >= border || left.range.end <= border)
                    continue;
                NaiveSurveyed right = left;
                left.range.end = right.range.start = border;
                regions.insert(regions.begin() + static_cast<ptrdiff_t>(i) + 1, right);
                break;
            }
        }
    }
}

bool NaiveSurvey::keeps_whole(const NaiveSurveyed& region) const {
    return std::ranges::any_of(runs_, [&](const Run& run) {
        return run.cut && run.target_idx == region.target_idx && run.range.covers(region.range) &&
               (run.windows > 0 || hot_enough(region.last_nr_accesses));
    });
}

}  // namespace damon::test
