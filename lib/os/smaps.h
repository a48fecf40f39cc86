// /proc/self/smaps: what each mapping of this process has in memory, and what of it was accessed since the accessed
// bits were last cleared. A pure parser, and a reader in small steps: one read walks the page tables of a mapping or
// two with the address space held for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/address_range.h"
#include "os/own_file.h"

namespace damon {

// Bytes of one mapping.
struct SmapsEntry {
    AddressRange range;
    uint64_t present = 0;   // Rss
    uint64_t accessed = 0;  // Referenced
    uint64_t shared = 0;    // mapped by another process too
    uint64_t locked = 0;
    uint64_t huge = 0;  // AnonHugePages
};

// Takes the text in pieces that may end anywhere.
class SmapsParser {
public:
    using Visit = void (*)(void* context, const SmapsEntry& entry);

    void reset() { *this = SmapsParser(); }
    // Calls visit for each entry that is complete.
    void feed(std::string_view text, Visit visit, void* context);
    // The text has ended.
    void finish(Visit visit, void* context);

private:
    static constexpr size_t kLineBytes = 96;  // what matters of a line; names of files are longer

    void take_line(Visit visit, void* context);

    SmapsEntry entry_;
    bool in_entry_ = false;
    size_t line_bytes_ = 0;
    char line_[kLineBytes] = {};
};

class SmapsFile {
public:
    static constexpr size_t kSmallRead = 700;   // a mapping or two
    static constexpr size_t kLargeRead = 4096;  // some five

    // From the first mapping on. 0 or a negative errno.
    int open();
    void close() { file_.close(); }
    // Bytes read, 0: the end, or a negative errno; -EBADF: the program closed the file.
    int64_t read(size_t bytes, SmapsParser::Visit visit, void* context);

private:
    OwnFile file_;
    uint64_t offset_ = 0;
    SmapsParser parser_;
};

}  // namespace damon
