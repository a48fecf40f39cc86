#include "os/own_file.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "os/process.h"
#include "os/syscalls.h"
#include "os/text_parts.h"

namespace damon {
namespace {

// Above what a program with a few hundred files uses, below the usual limit of 1,024.
constexpr int kFirstNumber = 900;

constinit std::atomic<uint64_t> reopened{0};

// Which file a number was last given to. Two numbers may share a place: then the earlier file counts as lost, and is
// opened anew.
constexpr size_t kNrPlaces = 1024;
constinit std::atomic<uint32_t> places[kNrPlaces];
constinit std::atomic<uint32_t> last_cookie{0};

// Whether it is a file of proc with the last name of the path: another one may have got the number of a descriptor that
// the program closed, and the path itself may lead through links (/proc/self). Without an answer only the first holds.
bool is_named(int fd, const char* path) {
    if (!sys::is_of_proc(fd)) return false;
    char text[128];
    const ssize_t length = sys::path_of(fd, text, sizeof text);
    if (length < 0) return true;
    const std::string_view name = text_after(path, std::string_view(path).rfind('/'));
    const std::string_view link = {text, static_cast<size_t>(length)};
    return text_after(link, link.size() - std::min(link.size(), name.size())) == name;
}

bool is_of_kind(int fd, FileKind kind) {
    if (kind == FileKind::kKernel) return sys::is_of_kernel(fd);
    if (kind == FileKind::kAny) return true;
    char text[64];
    const ssize_t length = sys::path_of(fd, text, sizeof text);
    return length < 0 || text_begins({text, static_cast<size_t>(length)}, "/memfd:damon");
}

// Between the check and the close the program must not get the time to close the number itself and to open another
// file: a thread that has just yielded is hardly ever preempted within a microsecond, where one whose time is over may
// be.
void close_marked(int fd, pid_t opener) {
    sched_yield();
    if (sys::is_marked_file(fd, opener)) sys::close(fd);
}

std::atomic<uint32_t>& given_to(int fd) { return places[static_cast<size_t>(fd) % kNrPlaces]; }

// A number that was never marked, while it holds a file of that kind as one is opened here. The yield: as above.
void close_unmarked(int fd, FileKind kind) {
    sched_yield();
    if (is_of_kind(fd, kind) && sys::is_closed_on_exec(fd)) sys::close(fd);
}

// What was moved is a file of the program's. Where it had put that under the low number before, the high one is a
// second number of it, which is closed; where it put it under the high one, the high number is the program's, and the
// low one has the file that was opened.
void give_up_moved(int fresh, int moved, FileKind kind) {
    if (sys::is_same_file(fresh, moved) && sys::is_closed_on_exec(moved)) return sys::close(moved);
    close_unmarked(fresh, kind);
}

}  // namespace

OwnNumber move_and_mark(int fresh, FileKind kind) {
    if (fresh < 0) return {fresh, 0};
    const pid_t opener = pid_of(process_id());
    // The limit may be lower, or all of it in use: the number that it has will do. So will one that is high.
    const int moved = fresh < kFirstNumber ? sys::duplicate_above(fresh, kFirstNumber) : -EEXIST;
    const int fd = moved >= 0 ? moved : fresh;
    // Another thread may have put a file of the program under either number.
    if (!is_of_kind(fd, kind)) {
        if (moved >= 0) give_up_moved(fresh, moved, kind);
        return {-EBADF, 0};
    }
    if (const int error = sys::mark_file(fd, opener)) {
        if (moved >= 0) close_unmarked(moved, kind);
        close_unmarked(fresh, kind);
        return {error, 0};
    }
    if (!is_of_kind(fd, kind)) {  // it did so in between, and its file has the mark now
        sys::unmark_file(fd);
        if (moved >= 0) close_unmarked(fresh, kind);
        return {-EBADF, 0};
    }
    // Or it does so only now.
    if (moved >= 0) close_marked(fresh, opener);
    if (!sys::is_marked_file(fd, opener)) return {-EBADF, 0};
    const uint32_t cookie = last_cookie.fetch_add(1, std::memory_order_relaxed) + 1;
    given_to(fd).store(cookie, std::memory_order_relaxed);
    return {fd, cookie};
}

bool is_own_number(OwnNumber number, pid_t opener) {
    if (number.fd < 0 || given_to(number.fd).load(std::memory_order_relaxed) != number.cookie) return false;
    return sys::is_marked_file(number.fd, pid_of(opener));
}

void close_own_number(OwnNumber number, pid_t opener) {
    if (is_own_number(number, opener)) close_marked(number.fd, pid_of(opener));
}

int OwnFile::adopt(int fresh, FileKind kind) {
    const bool lost = is_lost() && opener_ == process_id();
    close();
    const OwnNumber number = move_and_mark(fresh, kind);
    if (number.fd < 0) return number.fd;
    number_ = number;
    opener_ = process_id();
    if (lost) count_reopened_file();
    return 0;
}

bool OwnFile::is_ours() const { return is_open() && opener_ == process_id() && is_own_number(number_, opener_); }

void OwnFile::close() {
    if (is_ours()) close_marked(number_.fd, pid_of(opener_));
    number_ = {};
    opener_ = 0;
}

ScopedFile::ScopedFile(int fresh, FileKind kind) : number_(move_and_mark(fresh, kind)) {}

// By this process: a child of fork has no scope of its parent's to leave.
ScopedFile::~ScopedFile() { close_own_number(number_, process_id()); }

int open_proc_file(OwnFile& file, const char* path) {
    int error = -EBADF;
    for (int tries = 0; error == -EBADF && tries < kTriesToOpen; ++tries) {
        error = file.adopt(sys::open_read(path), FileKind::kKernel);
        if (error != 0 || is_named(file.number(), path)) continue;
        file.close();
        error = -EBADF;
    }
    return error;
}

uint64_t nr_reopened_files() { return reopened.load(std::memory_order_relaxed); }
void count_reopened_file() { reopened.fetch_add(1, std::memory_order_relaxed); }

}  // namespace damon
