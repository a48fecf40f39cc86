#include "ops/linux/last_look.h"

#include <algorithm>

#include "ops/linux/uapi.h"

namespace damon {

bool LastLook::reserve(size_t max_samples) {
    return spans_.reserve(max_samples) && words_.reserve(max_samples * (1 + 2 * kMaxPagesPerSample / 64));
}

void LastLook::clear() {
    spans_.clear();
    words_.clear();
    hint_ = 0;
}

void LastLook::add(uint64_t first, uint64_t page_bytes, std::span<const uint64_t> entries) {
    const size_t nr_words = (entries.size() + 63) / 64 * 2;
    if (entries.empty() || spans_.size() == spans_.capacity() || words_.size() + nr_words > words_.capacity()) return;
    page_bytes_ = page_bytes;
    const size_t first_word = words_.size();
    const Span span{first, static_cast<uint32_t>(entries.size()), static_cast<uint32_t>(first_word)};
    if (!spans_.push_back(span) || !words_.resize(first_word + nr_words)) return clear();
    for (size_t i = 0; i < entries.size(); ++i) {
        const uint64_t bit = uint64_t{1} << i % 64;
        if ((entries[i] & uapi::kEntryPresent) == 0) continue;
        words_[first_word + i / 64 * 2] |= bit;
        if ((entries[i] & uapi::kEntryMarked) != 0) words_[first_word + i / 64 * 2 + 1] |= bit;
    }
}

void LastLook::sort() {
    const auto before = [](const Span& a, const Span& b) { return a.start < b.start; };
    if (!std::is_sorted(spans_.begin(), spans_.end(), before)) std::sort(spans_.begin(), spans_.end(), before);
    hint_ = 0;
}

size_t LastLook::first_ending_after(uint64_t address) const {
    const auto ends_before = [&](const Span& span) { return end_of(span) <= address; };
    return static_cast<size_t>(std::partition_point(spans_.begin(), spans_.end(), ends_before) - spans_.begin());
}

LastLook::Page LastLook::find(uint64_t page) {
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
    if ((words[0] >> index % 64 & 1) == 0) return Page::kAbsent;
    return (words[1] >> index % 64 & 1) != 0 ? Page::kMarked : Page::kPresent;
}

bool LastLook::is_partly_marked(AddressRange block) {
    bool marked = false;
    bool unmarked = false;
    for (size_t i = first_ending_after(block.start); i < spans_.size() && spans_[i].start < block.end; ++i) {
        const Span& span = spans_[i];
        const uint64_t start = std::max(block.start, span.start);
        const uint64_t end = std::min(block.end, end_of(span));
        size_t index = (start - span.start) / page_bytes_;
        const size_t last = (end - span.start) / page_bytes_;
        while (index < last) {
            const size_t nr = std::min(64 - index % 64, last - index);
            const uint64_t all = nr == 64 ? ~uint64_t{0} : (uint64_t{1} << nr) - 1;
            const uint64_t marks = words_[span.first_word + index / 64 * 2 + 1] >> index % 64 & all;
            marked |= marks != 0;
            unmarked |= marks != all;
            if (marked && unmarked) return true;
            index += nr;
        }
    }
    return false;
}

}  // namespace damon
