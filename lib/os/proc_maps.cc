#include "os/proc_maps.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "model/saved_mappings.h"
#include "os/syscalls.h"
#include "os/text_parts.h"

namespace damon {
namespace {

// Takes an unsigned number off the front; at least one digit, no overflow.
bool take_number(std::string_view& text, unsigned base, uint64_t& value) {
    value = 0;
    size_t digits = 0;
    for (; digits < text.size(); ++digits) {
        const char character = text[digits];
        unsigned digit = 99;
        if (character >= '0' && character <= '9') digit = static_cast<unsigned>(character - '0');
        if (character >= 'a' && character <= 'f') digit = static_cast<unsigned>(character - 'a') + 10;
        if (digit >= base) break;
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value)) return false;
    }
    text.remove_prefix(digits);
    return digits != 0;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

bool take_flags(std::string_view& text, Mapping& mapping) {
    if (text.size() < 4) return false;
    const bool readable_known = text[0] == 'r' || text[0] == '-';
    const bool executable_known = text[2] == 'x' || text[2] == '-';
    if (!readable_known || !executable_known || (text[1] != 'w' && text[1] != '-')) return false;
    if (text[3] != 's' && text[3] != 'p') return false;
    mapping.readable = text[0] == 'r';
    mapping.writable = text[1] == 'w';
    mapping.shared = text[3] == 's';
    text.remove_prefix(4);
    return true;
}

// A path of a file system begins with a slash, as do the names of the kernel's nameless files, which no file can have
// in a root directory where they are not written to.
MappingKind kind_of(std::string_view name, bool shared) {
    if (name.empty() || name == "[heap]" || text_begins(name, "[anon:")) return MappingKind::kAnonymous;
    if (name == "[stack]") return MappingKind::kStack;
    if (text_begins(name, "[anon_shmem:")) return MappingKind::kSharedMemory;
    if (text_begins(name, "/dev/zero")) return shared ? MappingKind::kSharedMemory : MappingKind::kAnonymous;
    if (text_begins(name, "/anon_hugepage")) return shared ? MappingKind::kSharedMemory : MappingKind::kAnonymous;
    if (text_begins(name, "/dev/hugepages")) return shared ? MappingKind::kSharedMemory : MappingKind::kAnonymous;
    for (const std::string_view memory : {"/memfd:", "/SYSV", "/dev/shm/", "/run/shm/"}) {
        if (text_begins(name, memory)) return MappingKind::kSharedMemory;
    }
    // Below /sys and /proc: rings of the kernel's tracing, memory of devices.
    for (const std::string_view special :
         {"/dev/", "/sys/", "/proc/", "/[aio]", "/secretmem", "/dmabuf:", "/drm mm object"}) {
        if (text_begins(name, special)) return MappingKind::kSpecial;
    }
    return name.front() == '/' ? MappingKind::kFile : MappingKind::kSpecial;
}

// Of one piece that is read; a later kernel may have a few that are unknown here.
constexpr uint64_t kMaxBadLines = 4;

// Feeds whole lines of a growing text to a visitor; the unfinished rest stays in front of the buffer.
struct LineFeed {
    static constexpr size_t kBytes = 8192;  // above any line: a path has at most 4,096 bytes

    char buffer[kBytes];
    size_t filled = 0;
    std::string_view name;  // that lines must end with

    void feed(ProcMaps::Visit visit, void* context, uint64_t& bad_lines) {
        size_t start = 0;
        while (const void* found = memchr(buffer + start, '\n', filled - start)) {
            const size_t end = static_cast<size_t>(static_cast<const char*>(found) - buffer);
            Mapping mapping;
            const std::string_view line{buffer + start, end - start};
            if (parse_maps_line(line, mapping)) {
                if (text_ends(line, name)) visit(context, mapping);
            } else {
                ++bad_lines;
            }
            start = end + 1;
        }
        // A line that fills the whole buffer is none of these files'.
        if (start == 0 && filled == kBytes) {
            bad_lines += kMaxBadLines;
            start = filled;
        }
        memmove(buffer, buffer + start, filled - start);
        filled -= start;
    }
};

}  // namespace

bool parse_maps_line(std::string_view line, Mapping& mapping) {
    mapping = {};
    uint64_t ignored = 0;
    if (!take_number(line, 16, mapping.range.start) || !take(line, '-')) return false;
    if (!take_number(line, 16, mapping.range.end) || !take(line, ' ')) return false;
    if (mapping.range.empty()) return false;
    if (!take_flags(line, mapping) || !take(line, ' ')) return false;
    if (!take_number(line, 16, mapping.offset) || !take(line, ' ')) return false;
    if (!take_number(line, 16, ignored) || !take(line, ':')) return false;  // device
    if (!take_number(line, 16, ignored) || !take(line, ' ')) return false;
    if (!take_number(line, 10, mapping.inode)) return false;
    while (take(line, ' ')) {
    }
    mapping.vsyscall = line == "[vsyscall]";
    mapping.kind = kind_of(line, mapping.shared);
    mapping.path = line;
    mapping.name = mapping_name_of(line.data(), line.size(), mapping.offset);
    return true;
}

int ProcMaps::open(pid_t pid) {
    close();
    // Not /proc/self: that is the first thread, which may have ended.
    char path[32] = "/proc/thread-self/maps";
    if (pid != 0) snprintf(path, sizeof path, "/proc/%d/maps", pid);
    pid_ = pid;
    return open_proc_file(file_, path);
}

// The file is the opening thread's, and cannot be read once that has ended.
int64_t ProcMaps::read_at(uint64_t offset, char* text, size_t bytes) {
    const ssize_t got = sys::pread(file_.number(), text, bytes, offset);
    if (got != -ESRCH || pid_ != 0) return got;
    if (const int error = open(0)) return error;
    return sys::pread(file_.number(), text, bytes, offset);
}

void ProcMaps::close() { file_.close(); }

int ProcMaps::read_all(Visit visit, void* context, uint64_t& bad_lines, std::string_view name) {
    LineFeed lines;
    lines.name = name;
    for (uint64_t offset = 0;;) {
        if (!file_.is_ours()) return -EBADF;
        const int64_t got = read_at(offset, lines.buffer + lines.filled, LineFeed::kBytes - lines.filled);
        if (got < 0) return static_cast<int>(got);
        if (got == 0) break;
        offset += static_cast<uint64_t>(got);
        lines.filled += static_cast<size_t>(got);
        uint64_t bad = 0;
        lines.feed(visit, context, bad);
        bad_lines += bad;
        // The program has put another file, perhaps one without an end, under the number since.
        if (bad >= kMaxBadLines) return -EBADF;
    }
    if (lines.filled != 0) ++bad_lines;
    return 0;
}

int ProcMaps::query(uint64_t address, Mapping& mapping) { return ask(0, address, {}, mapping); }

int ProcMaps::query_next(uint64_t address, Mapping& mapping) { return ask(uapi::kQueryOrNext, address, {}, mapping); }

int ProcMaps::query_named(uint64_t address, std::span<char> name, Mapping& mapping) {
    return ask(0, address, name, mapping);
}

int ProcMaps::ask(uint64_t flags, uint64_t address, std::span<char> name, Mapping& mapping) {
    uapi::ProcmapQuery query;
    query.vma_name_addr = reinterpret_cast<uint64_t>(name.data());
    query.vma_name_size = static_cast<uint32_t>(name.size());
    query.query_flags = flags;
    query.query_addr = address;
    const long result = sys::ioctl(file_.number(), uapi::kProcmapQuery, &query);
    // Any file may be under the number by then: what it answers (ENOTTY, EINVAL, ...) tells nothing about the mappings.
    if (result < 0 && !file_.is_ours()) return -EBADF;
    if (result == -ENOSYS) return -ENOTTY;  // an emulator of user space does not know the request
    if (result < 0) return static_cast<int>(result);
    mapping = {};
    mapping.range = {query.vma_start, query.vma_end};
    mapping.inode = query.inode;
    mapping.offset = query.vma_offset;
    mapping.readable = (query.vma_flags & uapi::kVmaReadable) != 0;
    mapping.writable = (query.vma_flags & uapi::kVmaWritable) != 0;
    mapping.shared = (query.vma_flags & uapi::kVmaShared) != 0;
    mapping.page_bytes = query.vma_page_size;
    if (query.vma_name_size > 1 && query.vma_name_size <= name.size()) {  // with the zero behind it
        mapping.path = {name.data(), query.vma_name_size - 1};
    }
    if (!name.empty()) mapping.kind = kind_of(mapping.path, mapping.shared);
    return 0;
}

int ProcMaps::find(uint64_t address, Mapping& mapping) {
    const int queried = query(address, mapping);
    if (queried != -ENOTTY) return queried;
    struct Search {
        uint64_t address;
        Mapping* found;
        bool any;
    } search{address, &mapping, false};
    uint64_t bad_lines = 0;
    const int error = read_all(
        [](void* context, const Mapping& seen) {
            auto* wanted = static_cast<Search*>(context);
            if (!seen.range.contains(wanted->address)) return;
            *wanted->found = seen;
            wanted->any = true;
        },
        &search, bad_lines);
    if (error != 0) return error;
    return search.any ? 0 : -ENOENT;
}

}  // namespace damon
