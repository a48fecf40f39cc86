// What the last look saw of the page tables, kept for the arming that follows it at once. Where samples are dense the
// pages that will be armed lie among those that were read, and need not be asked about again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/address_range.h"
#include "os/uapi.h"

namespace damon {

class PageStateCache {
public:
    enum class Page : uint8_t { kNotRead, kAbsent, kPresent, kMarked };

    // Room for what so many samples make the look read, at 56 bytes each; what does not fit is not kept. False: out of
    // memory, as it was.
    bool reserve(size_t max_samples);
    void clear();

    // What a scan told of `range`: `runs`, ascending, of pages that are accessed or not present; the rest is marked. Of
    // huge pages that are not marked nothing is kept.
    void add(AddressRange range, uint64_t page_bytes, std::span<const uapi::PageRegion> runs);
    // The same as a sink of PageScan; `cache` is a PageStateCache.
    static void add_to(void* cache, AddressRange range, uint64_t page_bytes, std::span<const uapi::PageRegion> runs) {
        static_cast<PageStateCache*>(cache)->add(range, page_bytes, runs);
    }
    // All were added.
    void sort();

    // kMarked: present and marked. Cheapest in the order of the samples.
    Page find(uint64_t page);

    // Whether the block, one huge page at most, is known to be mapped by base pages: some of it is marked and some of
    // it is not, while a huge page is marked as a whole; and the kernel makes no huge page of marked pages.
    bool is_partly_marked(AddressRange block);

private:
    struct Span {
        uint64_t start;
        uint32_t nr_pages;
        uint32_t first_word;  // words_[first_word + 2 n]: which of 64 pages are present; the next one: which are marked
    };
    static constexpr size_t kMaxPagesPerSample = 128;

    void set(size_t first_word, size_t first, size_t last, Page page);
    uint64_t end_of(const Span& span) const { return span.start + span.nr_pages * page_bytes_; }
    size_t first_ending_after(uint64_t address) const;

    Vector<Span> spans_;  // once sorted: by address; they may overlap where targets do
    Vector<uint64_t> words_;
    uint64_t page_bytes_ = 4096;
    size_t hint_ = 0;
};

}  // namespace damon
