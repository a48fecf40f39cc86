// The text of /proc/PID/maps: no text may crash the parser, what it accepts must be what sscanf reads, and the three
// ranges of the accepted mappings must be those that the rules name (M-2).
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/arithmetic.h"
#include "fuzz/fuzz_target.h"
#include "ops/linux/three_regions.h"
#include "os/proc_maps.h"

namespace damon::test {
namespace {

constexpr uint64_t kPage = 4096;

void expect(bool condition, const char* what, std::string_view line) {
    if (condition) return;
    fprintf(stderr, "%s: '%.*s'\n", what, static_cast<int>(line.size()), line.data());
    abort();
}

// A line that was accepted reads the same with the C library.
void check_fields(std::string_view line, const Mapping& mapping) {
    const std::string text(line);
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t inode = 0;
    char rights[5] = {};
    const int fields =
        sscanf(text.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64, &start, &end, rights, &inode);
    expect(fields == 4, "accepted, but sscanf does not", line);
    expect(mapping.range == AddressRange{start, end} && start < end, "range", line);
    expect(mapping.inode == inode, "inode", line);
    expect(mapping.writable == (rights[1] == 'w') && mapping.shared == (rights[3] == 's'), "rights", line);
}

// M-2 with all gaps at hand.
bool three_ranges(const std::vector<AddressRange>& mappings, AddressRange (&ranges)[3]) {
    std::vector<AddressRange> gaps;
    for (size_t i = 1; i < mappings.size(); ++i) gaps.push_back({mappings[i - 1].end, mappings[i].start});
    std::stable_sort(gaps.begin(), gaps.end(), [](AddressRange a, AddressRange b) { return a.size() > b.size(); });
    if (gaps.size() < 2 || gaps[1].empty()) return false;
    const AddressRange low = gaps[0].start < gaps[1].start ? gaps[0] : gaps[1];
    const AddressRange high = gaps[0].start < gaps[1].start ? gaps[1] : gaps[0];
    ranges[0] = {align_up(mappings.front().start, kPage), align_up(low.start, kPage)};
    ranges[1] = {align_up(low.end, kPage), align_up(high.start, kPage)};
    ranges[2] = {align_up(high.end, kPage), align_up(mappings.back().end, kPage)};
    return true;
}

void check_three_regions(const std::vector<AddressRange>& mappings) {
    ThreeRegions three;
    for (const AddressRange mapping : mappings) three.add(mapping);
    AddressRange found[3];
    AddressRange expected[3];
    const bool any = three.finish(kPage, found);
    expect(any == three_ranges(mappings, expected), "whether there are three ranges", "");
    expect(!any || std::equal(found, found + 3, expected), "the three ranges", "");
}

}  // namespace
}  // namespace damon::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace damon;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<AddressRange> mappings;
    for (size_t start = 0; start < text.size();) {
        const size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = text.substr(start, end - start);
        start = end + 1;
        Mapping mapping;
        if (!parse_maps_line(line, mapping)) continue;
        test::check_fields(line, mapping);
        // The kernel lists mappings in address order, and page by page.
        const bool in_order = mappings.empty() || mappings.back().end <= mapping.range.start;
        if (in_order && mapping.range.end < UINT64_MAX - test::kPage) mappings.push_back(mapping.range);
    }
    test::check_three_regions(mappings);
    return 0;
}
