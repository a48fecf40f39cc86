#include "os/metrics/cgroup.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/arithmetic.h"
#include "os/metrics_text.h"
#include "os/own_file.h"
#include "os/syscalls.h"
#include "os/text_parts.h"

namespace damon {
namespace {

constexpr unsigned kMaxDepth = 24;

// An entry as the kernel writes it: inode and offset (8 bytes each), length (2), type (1), name.
constexpr size_t kLengthAt = 16;
constexpr size_t kTypeAt = 18;
constexpr size_t kNameAt = 19;

int find_below(int directory_fd, uint64_t memcg_id, unsigned depth) {
    alignas(8) char entries[1024];
    for (;;) {
        const ssize_t bytes = sys::getdents(directory_fd, entries, sizeof entries);
        if (bytes <= 0) return bytes < 0 ? static_cast<int>(bytes) : -ENOENT;
        uint16_t length = 0;
        for (ssize_t at = 0; at < bytes; at += length) {
            uint64_t inode = 0;
            memcpy(&inode, entries + at, sizeof inode);
            memcpy(&length, entries + at + kLengthAt, sizeof length);
            const char* name = entries + at + kNameAt;
            if (entries[at + kTypeAt] != DT_DIR || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
            if (inode != memcg_id && depth == kMaxDepth) continue;
            if (inode == memcg_id) return sys::open_read_at(directory_fd, name);
            const ScopedFile below(sys::open_read_at(directory_fd, name));
            const int found = below.fd() < 0 ? -ENOENT : find_below(below.fd(), memcg_id, depth + 1);
            if (found >= 0) return found;
        }
    }
}

// Of a short text that a fresh descriptor gives; a negative errno.
ssize_t read_start(int fresh, char* text, size_t size) {
    const ScopedFile file(fresh);
    return file.fd() < 0 ? file.fd() : sys::read(file.fd(), text, size);
}

int open_cgroup_root(const char* root) {
    char path[256 + sizeof "/memory"];
    snprintf(path, sizeof path, "%s/memory", root);
    const int v1 = sys::open_read(path);
    return v1 >= 0 ? v1 : sys::open_read(root);
}

}  // namespace

std::string_view memory_cgroup_path(std::string_view text, bool& in_v1) {
    std::string_view v2;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        std::string_view rest = text_after(line, line.find(':'));  // without a colon: nothing
        rest = text_after(rest, 1);
        std::string_view controllers = text_front(rest, rest.find(':'));
        if (rest.size() == controllers.size()) continue;
        const std::string_view path = text_after(rest, controllers.size() + 1);
        if (controllers.empty()) v2 = path;
        while (!controllers.empty()) {
            const std::string_view controller = text_front(controllers, controllers.find(','));
            if (controller == "memory") {
                in_v1 = true;
                return path;
            }
            controllers = text_after(controllers, controller.size() + 1);
        }
    }
    in_v1 = false;
    return v2;
}

uint64_t memcg_id_of(pid_t pid) {
    char text[4096];
    char path[4096] = "/proc/self/cgroup";
    if (pid != 0) snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    const ssize_t length = read_start(sys::open_read(path), text, sizeof text);
    if (length <= 0) return 0;
    bool in_v1 = false;
    const std::string_view group = memory_cgroup_path({text, static_cast<size_t>(length)}, in_v1);
    if (group.empty() || group.size() > sizeof path - 64) return 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s%.*s", in_v1 ? "/memory" : "", static_cast<int>(group.size()),
             group.data());
    uint64_t inode = 0;
    const ScopedFile directory(sys::open_read(path));
    return directory.fd() >= 0 && sys::inode_of(directory.fd(), inode) == 0 ? inode : 0;
}

int open_cgroup(const char* root, uint64_t memcg_id) {
    const ScopedFile top(open_cgroup_root(root));
    if (top.fd() < 0) return top.fd();
    uint64_t inode = 0;
    if (sys::inode_of(top.fd(), inode) == 0 && inode == memcg_id) return open_cgroup_root(root);
    return find_below(top.fd(), memcg_id, 0);
}

namespace {

// Above this no memory can be: version 1 says so where nothing is limited.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

bool read_amount(int directory, const char* name, uint64_t& value) {
    char text[64];
    const ssize_t length = read_start(sys::open_read_at(directory, name), text, sizeof text);
    return length > 0 && limit_value({text, static_cast<size_t>(length)}, value);
}

// False: it cannot be read here. Without a limit that of `room` stays 0.
bool room_of(int directory, MemcgRoom& room) {
    uint64_t usage = 0;
    uint64_t limit = UINT64_MAX;
    if (read_amount(directory, "memory.current", usage)) {
        uint64_t high = UINT64_MAX;
        (void)read_amount(directory, "memory.max", limit);
        (void)read_amount(directory, "memory.high", high);
        limit = std::min(limit, high);
    } else if (!read_amount(directory, "memory.usage_in_bytes", usage) ||
               !read_amount(directory, "memory.limit_in_bytes", limit)) {
        return false;
    }
    if (limit != 0 && limit < kNoLimit) room = {limit, limit - std::min(limit, usage)};
    return true;
}

bool is_tighter(const MemcgRoom& room, const MemcgRoom& than) {
    constexpr uint64_t kMillion = 1'000'000;
    if (room.limit == 0) return false;
    return than.limit == 0 || mul_div(room.free, kMillion, room.limit) < mul_div(than.free, kMillion, than.limit);
}

// The path of the directory above; false: this is the top of what is mounted.
bool go_up(char* path, size_t top) {
    char* slash = strrchr(path + top, '/');
    if (slash == nullptr) return false;
    *slash = '\0';
    return true;
}

}  // namespace

int own_memcg_room(const char* root, MemcgRoom& room) {
    char text[4096];
    char path[4096];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    const ssize_t length = read_start(sys::open_read(path), text, sizeof text);
    if (length <= 0) return -ENOENT;
    bool in_v1 = false;
    const std::string_view group = memory_cgroup_path({text, static_cast<size_t>(length)}, in_v1);
    const int top = snprintf(path, sizeof path, "%s/sys/fs/cgroup%s", root, in_v1 ? "/memory" : "");
    if (group.empty() || static_cast<size_t>(top) + group.size() >= sizeof path) return -ENOENT;
    memcpy(path + top, group.data(), group.size());
    path[static_cast<size_t>(top) + group.size()] = '\0';
    room = {};
    bool any = false;
    do {
        // A container may name its group as the host does, and see it mounted as the top.
        const ScopedFile directory(sys::open_read(path));
        MemcgRoom here;
        if (directory.fd() < 0 || !room_of(directory.fd(), here)) continue;
        any = true;
        if (is_tighter(here, room)) room = here;
    } while (go_up(path, static_cast<size_t>(top)));
    if (room.limit != 0) return 0;
    return any ? -ENODATA : -ENOENT;
}

}  // namespace damon
