#include "ops/linux/access/checks/page_state_cache.h"

#include <algorithm>

#include "os/uapi.h"

namespace damon {

bool PageStateCache::reserve(size_t max_samples) {
    return spans_.reserve(max_samples) && words_.reserve(max_samples * (1 + 2 * kMaxPagesPerSample / 64));
}

void PageStateCache::clear() {
    spans_.clear();
    words_.clear();
    hint_ = 0;
}

// Pages [first, last) of the span whose words begin at `first_word`. A page that is marked and not present stands for
// one of which nothing is known.
void PageStateCache::set(size_t first_word, size_t first, size_t last, Page page) {
    const bool present = page == Page::kPresent || page == Page::kMarked;
    const bool marked = page == Page::kNotRead || page == Page::kMarked;
    while (first < last) {
        const size_t nr = std::min(64 - first % 64, last - first);
        const uint64_t bits = (nr == 64 ? ~uint64_t{0} : (uint64_t{1} << nr) - 1) << first % 64;
        uint64_t* words = &words_[first_word + first / 64 * 2];
        words[0] = present ? words[0] | bits : words[0] & ~bits;
        words[1] = marked ? words[1] | bits : words[1] & ~bits;
        first += nr;
    }
}

void PageStateCache::add(AddressRange range, uint64_t page_bytes, std::span<const uapi::PageRegion> runs) {
    const size_t nr_pages = range.size() / page_bytes;
    const size_t nr_words = (nr_pages + 63) / 64 * 2;
    const size_t first_word = words_.size();
    if (nr_pages == 0 || spans_.size() == spans_.capacity() || first_word + nr_words > words_.capacity()) return;
    page_bytes_ = page_bytes;
    const Span span{range.start, static_cast<uint32_t>(nr_pages), static_cast<uint32_t>(first_word)};
    if (!spans_.push_back(span) || !words_.resize(first_word + nr_words)) return clear();
    set(first_word, 0, nr_pages, Page::kMarked);
    for (const uapi::PageRegion& run : runs) {
        const uint64_t start = std::max(run.start, range.start);
        const uint64_t end = std::min(run.end, range.end);
        if (start >= end) continue;
        const bool present = (run.categories & uapi::kPagePresent) != 0;
        const bool huge = (run.categories & uapi::kPageHuge) != 0;
        const Page page = !present ? Page::kAbsent : huge ? Page::kNotRead : Page::kPresent;
        set(first_word, (start - range.start) / page_bytes, (end - range.start) / page_bytes, page);
    }
}

void PageStateCache::sort() {
    const auto before = [](const Span& a, const Span& b) { return a.start < b.start; };
    if (!std::is_sorted(spans_.begin(), spans_.end(), before)) std::sort(spans_.begin(), spans_.end(), before);
    hint_ = 0;
}

size_t PageStateCache::first_ending_after(uint64_t address) const {
    const auto ends_before = [&](const Span& span) { return end_of(span) <= address; };
    return static_cast<size_t>(std::partition_point(spans_.begin(), spans_.end(), ends_before) - spans_.begin());
}

PageStateCache::Page PageStateCache::find(uint64_t page) {
    // The page of the next sample is mostly in the same span, or in the next one.
    while (hint_ < spans_.size() && end_of(spans_[hint_]) <= page && hint_ + 1 < spans_.size() &&
           spans_[hint_ + 1].start <= page) {
        ++hint_;
    }
    if (hint_ >= spans_.size() || spans_[hint_].start > page) hint_ = first_ending_after(page);
    if (hint_ >= spans_.size()) {
        hint_ = 0;
        return Page::kNotRead;
    }
    const Span& span = spans_[hint_];
    if (page < span.start || page >= end_of(span)) return Page::kNotRead;
    const size_t index = (page - span.start) / page_bytes_;
    const uint64_t* words = &words_[span.first_word + index / 64 * 2];
    const bool marked = (words[1] >> index % 64 & 1) != 0;
    if ((words[0] >> index % 64 & 1) == 0) return marked ? Page::kNotRead : Page::kAbsent;
    return marked ? Page::kMarked : Page::kPresent;
}

bool PageStateCache::is_partly_marked(AddressRange block) {
    uint64_t marked = 0;
    uint64_t unmarked = 0;
    for (size_t i = first_ending_after(block.start); i < spans_.size() && spans_[i].start < block.end; ++i) {
        const Span& span = spans_[i];
        const uint64_t start = std::max(block.start, span.start);
        const uint64_t end = std::min(block.end, end_of(span));
        size_t index = (start - span.start) / page_bytes_;
        const size_t last = (end - span.start) / page_bytes_;
        while (index < last) {
            const size_t nr = std::min(64 - index % 64, last - index);
            const uint64_t all = nr == 64 ? ~uint64_t{0} : (uint64_t{1} << nr) - 1;
            const uint64_t* words = &words_[span.first_word + index / 64 * 2];
            marked |= (words[0] & words[1]) >> index % 64 & all;
            unmarked |= ~words[1] >> index % 64 & all;
            if (marked != 0 && unmarked != 0) return true;
            index += nr;
        }
    }
    return false;
}

}  // namespace damon
