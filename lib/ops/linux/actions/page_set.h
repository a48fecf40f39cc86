// A set of pages of one chunk.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "model/address_range.h"

namespace damon {

class PageSet {
public:
    static constexpr size_t kMaxPages = 8192;

    // The pages of `chunk`, none of them in the set.
    PageSet(AddressRange chunk, uint64_t page_bytes) : start_(chunk.start), page_bytes_(page_bytes) {
        DAMON_CHECK(chunk.size() / page_bytes <= kMaxPages);
    }

    void add(AddressRange pages) { set(pages, true); }
    void remove(AddressRange pages) { set(pages, false); }
    void remove_page(size_t index) { words_[index / 64] &= ~bit(index); }
    bool has_page(size_t index) const { return (words_[index / 64] & bit(index)) != 0; }

    uint64_t bytes() const {
        uint64_t pages = 0;
        for (const uint64_t word : words_) pages += static_cast<unsigned>(std::popcount(word));
        return pages * page_bytes_;
    }

private:
    static uint64_t bit(size_t index) { return uint64_t{1} << (index % 64); }
    void set(AddressRange pages, bool in) {
        const size_t last = (pages.end - start_) / page_bytes_;
        for (size_t index = (pages.start - start_) / page_bytes_; index < last; ++index) {
            words_[index / 64] = in ? words_[index / 64] | bit(index) : words_[index / 64] & ~bit(index);
        }
    }

    uint64_t start_;
    uint64_t page_bytes_;
    uint64_t words_[kMaxPages / 64] = {};
};

}  // namespace damon
