#include "acted_on.h"

#include <fcntl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/declared_skip.h"

namespace damon::test {
namespace {

std::string text_of(const char* path) {
    char text[4096] = {};
    FILE* file = fopen(path, "re");
    if (file == nullptr) return {};
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return {text, length};
}

bool in_memory(int fd) {
    struct statfs facts;
    constexpr long kTmpfs = 0x01021994;
    constexpr long kRamfs = static_cast<long>(0x858458f6);
    if (fstatfs(fd, &facts) != 0) abort();
    return facts.f_type == kTmpfs || facts.f_type == kRamfs;
}

}  // namespace

FileMemory::FileMemory(size_t nr_pages, int flags, size_t pages_a_write) : nr_pages_(nr_pages) {
    std::string path = testing::TempDir() + "acted_on_XXXXXX";
    const int fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) abort();
    unlink(path.c_str());
    if (in_memory(fd)) {
        close(fd);
        declared_skip("disk-file", "temporary files are in memory");
        return;
    }
    const size_t words_a_page = page_bytes() / sizeof(uint64_t);
    std::vector<uint64_t> words;
    for (size_t page = 0; page < nr_pages; ++page) {
        for (size_t i = 0; i < words_a_page; ++i) words.push_back(page * 1'000'003 + i);
        if ((page + 1) % pages_a_write != 0 && page + 1 != nr_pages) continue;
        const size_t bytes = words.size() * sizeof(uint64_t);
        if (write(fd, words.data(), bytes) != static_cast<ssize_t>(bytes)) abort();
        words.clear();
    }
    fsync(fd);  // clean pages leave memory without being written
    void* data = mmap(nullptr, nr_pages * page_bytes(), PROT_READ | PROT_WRITE, flags, fd, 0);
    close(fd);
    if (data == MAP_FAILED) abort();
    // Where a mapping may have huge pages, the kernel makes one of 2 MiB of the file, and takes its pages out of the
    // page tables for it. Not every kernel has huge pages.
    (void)madvise(data, nr_pages * page_bytes(), MADV_NOHUGEPAGE);
    data_ = static_cast<char*>(data);
}

FileMemory::~FileMemory() {
    if (data_ != nullptr) munmap(data_, nr_pages_ * page_bytes());
}

void FileMemory::touch(size_t first, size_t last) const {
    for (size_t page = first; page < last; ++page) (void)*reinterpret_cast<volatile const char*>(address(page));
}

bool FileMemory::is_as_filled() const {
    for (size_t page = 0; page < nr_pages_; ++page) {
        const auto* words = reinterpret_cast<const uint64_t*>(address(page));
        for (size_t i = 0; i < page_bytes() / sizeof *words; ++i) {
            if (words[i] != page * 1'000'003 + i) return false;
        }
    }
    return true;
}

Acting::Acting(DamosAction action) {
    scheme.action = action;
    executor.start();
}

Outcome Acting::apply(AddressRange range, int32_t pid) {
    ActionRequest request;
    request.scheme = &scheme;
    request.range = range;
    // As the engine says it (S-33).
    request.ops_filters_default_reject = !scheme.ops_filters.empty() && scheme.ops_filters.back().allow;
    executor.new_interval(now_us);
    return executor.apply(request, pid, checker);
}

void Acting::filter(FilterType type, bool matching, bool allow, AddressRange sizes) {
    DamosFilter added;
    added.type = type;
    added.matching = matching;
    added.allow = allow;
    added.range = sizes;
    if (!scheme.ops_filters.push_back(added)) abort();
}

uint64_t present_bytes(AddressRange range) {
    RangeScan scan;
    if (scan.open(0, page_bytes()) != 0) abort();
    uint64_t bytes = 0;
    while (!range.empty()) {
        PageRun runs[64];
        uint64_t until = 0;
        const int nr_runs = scan.look(range, runs, until);
        if (nr_runs < 1) abort();
        for (int i = 0; i < nr_runs; ++i) bytes += runs[i].present() ? runs[i].range.size() : 0;
        range.start = until;
    }
    return bytes;
}

uint64_t in_memory_bytes(AddressRange range) {
    std::vector<unsigned char> pages(range.size() / page_bytes());
    if (mincore(reinterpret_cast<void*>(range.start), range.size(), pages.data()) != 0) abort();
    return static_cast<uint64_t>(std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; })) *
           page_bytes();
}

bool has_swap() { return text_of("/proc/swaps").find('\n') + 1 < text_of("/proc/swaps").size(); }

bool has_huge_pages() {
    const std::string enabled = text_of("/sys/kernel/mm/transparent_hugepage/enabled");
    return !enabled.empty() && enabled.find("[never]") == std::string::npos;
}

}  // namespace damon::test
