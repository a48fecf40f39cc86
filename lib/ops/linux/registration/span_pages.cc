#include "ops/linux/registration/span_pages.h"

namespace damon {

void SpanPages::clear() {
    spans_.clear();
    blocks_ = 0;
}

void SpanPages::note_blocks(AddressRange range) {
    for (uint64_t block = range.start >> kBlockShift; block <= (range.end - 1) >> kBlockShift; ++block) {
        blocks_ |= uint64_t{1} << block % 64;
    }
}

bool SpanPages::add(AddressRange range, uint64_t page_bytes, uint64_t epoch) {
    if (range.empty() || spans_.size() == spans_.capacity()) return false;
    Armed added;
    added.range = range;
    added.epoch = epoch;
    page_bytes_ = page_bytes;
    note_blocks(range);
    return spans_.push_back(added);
}

bool SpanPages::take(AddressRange range, Armed& out) {
    for (size_t i = 0; i < spans_.size(); ++i) {
        if (spans_[i].range != range) continue;
        out = spans_[i];
        spans_[i] = spans_.back();
        spans_.truncate(spans_.size() - 1);
        blocks_ = 0;
        for (const Armed& span : spans_) note_blocks(span.range);
        return true;
    }
    return false;
}

bool SpanPages::overlaps(AddressRange range) const {
    for (const Armed& span : spans_) {
        if (span.range.intersects(range)) return true;
    }
    return false;
}

void SpanPages::hit(AddressRange part) {
    for (Armed& span : spans_) {
        const AddressRange inside = span.range.intersection(part);
        for (uint64_t page = inside.start; page < inside.end; page += page_bytes_) {
            span.hit.set(static_cast<unsigned>((page - span.range.start) / page_bytes_));
        }
    }
}

void SpanPages::lose(AddressRange part, Unknown) {
    for (Armed& span : spans_) span.lost = span.lost || span.range.intersects(part);
}

}  // namespace damon
