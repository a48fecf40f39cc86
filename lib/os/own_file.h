// A descriptor that stays open between uses, in a program that may close any descriptor and get its number for a file
// of its own (closefrom(3), dup2(2)). A number is used and closed only while it is provably the file that was opened
// here: the open file carries a mark that the program has no reason to set, F_SETSIG with a signal that is never sent
// (there is no O_ASYNC) and F_SETOWN with the process that opened it. So a child of fork knows what is its parent's,
// and no other file of the program, whatever it is, is taken for ours. Works for every kind of file, without
// privileges.
//
// Between the check and the use lies less than a microsecond in which another thread may still take the number: so what
// is called on it should not hurt another file (PAGEMAP_SCAN and PROCMAP_QUERY answer ENOTTY there, pread moves
// nothing, and no text is read without end).
//
// Closing is the use that can hurt: dup2(2) onto a number between the check and the close loses what the program put
// there. A table of descriptors of the library's own would end that: a keeper thread with CLOSE_RANGE_UNSHARE that
// opens all files and makes the workers. It is left out, since it is not small. What the program calls on threads of
// its own (manual steps, questions, exclusions) would be a request to the keeper each; callbacks must see the program's
// descriptors, which takes a thread more for each context that has any; and an exec of the program would wait for the
// kernel to unregister all memory. Nor can a file be passed from such a table to a high number of the program's:
// pidfd_getfd(2) and SCM_RIGHTS give it the lowest free one, as open(2) does.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace damon {

// A number, and which of the library's files it was given to: a number that the program freed may be ours again, for
// another file. Aligned so that clang, too, makes one instruction of an atomic operation on it, and no call of
// libatomic.
struct alignas(8) OwnNumber {
    int32_t fd = -1;  // negative: an errno, or nothing
    uint32_t cookie = 0;
    bool operator==(const OwnNumber&) const = default;
};

// What a fresh descriptor must be of to be the one that was opened: between open(2) and the move to a high number the
// program may have put a file of its own under the low one.
enum class FileKind : uint8_t {
    kAny,
    kKernel,  // of /proc, /sys or a cgroup, or a descriptor without a name (userfaultfd, pidfd)
    kMemory,  // of memfd_create, with a name that begins with "damon"
};

// A program that closes all its descriptors may do so between opening and first use, a few times in a row.
inline constexpr int kTriesToOpen = 4;

class OwnFile {
public:
    OwnFile() = default;
    ~OwnFile() { close(); }
    OwnFile(const OwnFile&) = delete;
    OwnFile& operator=(const OwnFile&) = delete;

    // Takes a fresh descriptor over, moved to a high number where programs rarely look; what was open before is closed,
    // and counted as reopened where the program had closed it.
    // A negative errno is passed through. 0 or a negative errno, and then nothing is open.
    int adopt(int fresh, FileKind kind = FileKind::kAny);

    // Closes the file if the number is still ours; else the number is left alone.
    void close();

    // Something was adopted and not closed here. The program may have closed it.
    bool is_open() const { return number_.fd >= 0; }
    // The number without a check, negative: none.
    int number() const { return number_.fd; }
    // Whether the number is the file that was adopted, by this process.
    bool is_ours() const;
    // Was adopted, and the program has closed it, or this is a child of the process that opened it.
    bool is_lost() const { return is_open() && !is_ours(); }

private:
    OwnNumber number_;
    pid_t opener_ = 0;
};

// A fresh descriptor for the length of a scope, moved and marked as above. Negative errnos are passed through.
class ScopedFile {
public:
    explicit ScopedFile(int fresh, FileKind kind = FileKind::kAny);
    ~ScopedFile();
    ScopedFile(const ScopedFile&) = delete;
    ScopedFile& operator=(const ScopedFile&) = delete;
    int fd() const { return number_.fd; }

private:
    OwnNumber number_;
};

// Opens a file of /proc. 0 or a negative errno; -EBADF where the program has put a file of its own under the number.
int open_proc_file(OwnFile& file, const char* path);

// The same for who keeps the number itself. A fresh descriptor, moved and marked, or a negative errno: -EBADF where the
// program has put a file of its own under the number.
OwnNumber move_and_mark(int fresh, FileKind kind = FileKind::kAny);
bool is_own_number(OwnNumber number, pid_t opener);
// Closes it if it is that file.
void close_own_number(OwnNumber number, pid_t opener);

// Descriptors that the program closed and that were opened anew, in this process so far; any thread.
uint64_t nr_reopened_files();
void count_reopened_file();

}  // namespace damon
