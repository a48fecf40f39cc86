#include "os/smaps.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "os/syscalls.h"
#include "os/text_parts.h"

namespace damon {
namespace {

// Of the thread, since that of the process is empty once its first thread has ended.
constexpr char kPath[] = "/proc/thread-self/smaps";

// Takes a hexadecimal number off the front.
bool take_address(std::string_view& text, uint64_t& value) {
    size_t digits = 0;
    value = 0;
    for (; digits < text.size() && digits <= 16; ++digits) {
        const char c = text[digits];
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) break;
        value = value << 4 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
    }
    text = text_after(text, digits);
    return digits != 0 && digits <= 16;
}

bool parse_range(std::string_view line, AddressRange& range) {
    if (!take_address(line, range.start) || !text_begins(line, "-")) return false;
    line = text_after(line, 1);
    return take_address(line, range.end) && text_begins(line, " ") && !range.empty();
}

// The number of a line such as "Rss:     12 kB", in bytes.
bool parse_kilobytes(std::string_view line, uint64_t& bytes) {
    while (text_begins(line, " ") || text_begins(line, "\t")) line = text_after(line, 1);
    uint64_t kb = 0;
    size_t digits = 0;
    for (; digits < line.size() && line[digits] >= '0' && line[digits] <= '9'; ++digits) {
        kb = saturating_add(saturating_mul(kb, 10), static_cast<uint64_t>(line[digits] - '0'));
    }
    bytes = saturating_mul(kb, 1024);
    return digits != 0 && text_begins(text_after(line, digits), " kB");
}

struct Field {
    std::string_view name;
    uint64_t SmapsEntry::*value;
};
constexpr Field kFields[] = {
    {"Rss:", &SmapsEntry::present},         {"Referenced:", &SmapsEntry::accessed},
    {"Shared_Clean:", &SmapsEntry::shared}, {"Shared_Dirty:", &SmapsEntry::shared},
    {"AnonHugePages:", &SmapsEntry::huge},  {"Locked:", &SmapsEntry::locked},
};

}  // namespace

void SmapsParser::take_line(Visit visit, void* context) {
    const std::string_view line{line_, line_bytes_};
    line_bytes_ = 0;
    AddressRange range;
    if (parse_range(line, range)) {
        finish(visit, context);
        entry_.range = range;
        in_entry_ = true;
        return;
    }
    if (!in_entry_) return;
    if (text_begins(line, "VmFlags:")) return finish(visit, context);  // the last line of an entry
    for (const Field& field : kFields) {
        uint64_t bytes = 0;
        if (!text_begins(line, field.name) || !parse_kilobytes(text_after(line, field.name.size()), bytes)) continue;
        entry_.*field.value = saturating_add(entry_.*field.value, bytes);
        return;
    }
}

void SmapsParser::feed(std::string_view text, Visit visit, void* context) {
    for (const char c : text) {
        if (c == '\n') {
            take_line(visit, context);
        } else if (line_bytes_ < kLineBytes) {
            line_[line_bytes_++] = c;
        }
    }
}

void SmapsParser::finish(Visit visit, void* context) {
    if (in_entry_) visit(context, entry_);
    in_entry_ = false;
    entry_ = {};
}

int SmapsFile::open() {
    offset_ = 0;
    parser_.reset();
    return open_proc_file(file_, kPath);
}

int64_t SmapsFile::read(size_t bytes, SmapsParser::Visit visit, void* context) {
    char text[kLargeRead];
    if (!file_.is_ours()) return -EBADF;
    bytes = std::min(bytes, sizeof text);
    ssize_t got = sys::pread(file_.number(), text, bytes, offset_);
    if (got == -ESRCH) {  // the thread that opened it has ended
        if (const int error = open_proc_file(file_, kPath)) return error;
        got = sys::pread(file_.number(), text, bytes, offset_);
    }
    if (got < 0) return got;
    offset_ += static_cast<uint64_t>(got);
    parser_.feed({text, static_cast<size_t>(got)}, visit, context);
    if (got == 0) parser_.finish(visit, context);
    return got;
}

}  // namespace damon
