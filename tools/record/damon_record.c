/* SPDX-License-Identifier: MIT */
#include "damon_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KIND_WINDOW = 1, KIND_EVENT = 4, CONSTANT = 16, MOST_REGIONS = 1 << 20, NR_COLUMNS = 9, NR_NUMBERS = 10 };

static const char fields[] =
    "\"window_fields\":[\"time_ns\",\"wall_ns\",\"seq\",\"window_us\",\"sample_us\",\"aggr_us\",\"max_nr_accesses\","
    "\"nr_targets\",\"flags\",\"nr_regions\"],\"region_fields\":[\"target_idx\",\"gap\",\"size\",\"nr_accesses\","
    "\"age\","
    "\"age_us\",\"idle_us\",\"flags\",\"unknown_reason\"]";

/* As zlib has it: goes on from the checksum of what stands before. */
static uint32_t crc32_of(uint32_t before, const void* data, size_t bytes) {
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = ~before;
    for (const unsigned char* at = data; bytes != 0; bytes--, at++) {
        crc = table[(crc ^ *at) & 15] ^ crc >> 4;
        crc = table[(crc ^ *at >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

static size_t put_number(unsigned char* at, uint64_t number, size_t width) {
    for (size_t i = 0; i < width; i++) at[i] = (unsigned char)(number >> 8 * i);
    return width;
}

/* What is put into the file: counted and summed up first, then written, a piece at a time. */
struct output {
    int fd; /* -1: only counted */
    int error;
    uint32_t crc;
    size_t bytes, used;
    unsigned char piece[4096];
};

static void flush(struct output* out) {
    for (size_t done = 0; out->fd >= 0 && out->error == 0 && done < out->used;) {
        const ssize_t written = write(out->fd, out->piece + done, out->used - done);
        if (written > 0)
            done += (size_t)written;
        else if (written == 0 || errno != EINTR)
            out->error = written == 0 ? -EIO : -errno;
    }
    out->crc = crc32_of(out->crc, out->piece, out->used);
    out->bytes += out->used;
    out->used = 0;
}

static void put(struct output* out, uint64_t number, size_t width) {
    if (sizeof out->piece - out->used < width) flush(out);
    out->used += put_number(out->piece + out->used, number, width);
}

static void put_text(struct output* out, const char* text) {
    for (; *text != '\0'; text++) put(out, (unsigned char)*text, 1);
}

/* As within quotes of JSON. What is no ASCII becomes '?': it need not be UTF-8. */
static void put_word(struct output* out, const char* name, const char* word) {
    put_text(out, name);
    for (; *word != '\0'; word++) {
        const unsigned char letter = (unsigned char)*word;
        if (letter == '"' || letter == '\\') put(out, '\\', 1);
        put(out, letter < ' ' || letter > '~' ? '?' : letter, 1);
    }
    put(out, '"', 1);
}

static void put_count(struct output* out, const char* name, uint64_t number) {
    char text[96];
    snprintf(text, sizeof text, "%s%" PRIu64, name, number);
    put_text(out, text);
}

/* One line, or nothing. */
static void read_line(const char* path, char* line, size_t bytes) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? 0 : read(fd, line, bytes - 1);
    if (fd >= 0) close(fd);
    line[got > 0 ? got : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* The number of region `i` in a column of region_fields. */
static uint64_t number_of(const struct damon_region_info* regions, size_t i, int column) {
    const struct damon_region_info* region = &regions[i];
    switch (column) {
        case 0:
            return region->target_idx;
        case 1:
            return region->start - (i == 0 ? 0 : regions[i - 1].end);
        case 2:
            return region->end - region->start;
        case 3:
            return region->nr_accesses;
        case 4:
            return region->age;
        case 5:
            return region->age_us;
        case 6:
            return region->idle_us + 1; /* 0: not known */
        case 7:
            return region->flags;
        default:
            return (uint64_t)(region->unknown_reason < 0 ? 0 : region->unknown_reason);
    }
}

/* The width of its numbers, and the numbers; or one of them, where all are the same. */
static void put_column(struct output* out, const struct damon_region_info* regions, size_t nr, int column) {
    uint64_t most = 0;
    int is_constant = 1;
    for (size_t i = 0; i < nr; i++) {
        const uint64_t number = number_of(regions, i, column);
        if (number > most) most = number;
        is_constant &= number == number_of(regions, 0, column);
    }
    const size_t width = most >> 8 == 0 ? 1 : most >> 16 == 0 ? 2 : most >> 32 == 0 ? 4 : 8;
    put(out, width + (is_constant ? CONSTANT : 0), 1);
    for (size_t i = 0; i < (is_constant ? 1 : nr); i++) put(out, number_of(regions, i, column), width);
}

struct window {
    const struct damon_region_info* regions;
    size_t nr_regions;
    const struct damon_snapshot_info* info;
};

static void put_window(struct output* out, const struct damon_record* record, const void* of) {
    const struct window* window = of;
    const struct damon_snapshot_info* info = window->info;
    const uint64_t numbers[NR_NUMBERS] = {
        info->time_ns, record->wall_ns + info->time_ns, info->seq,        info->window_us, info->sample_us,
        info->aggr_us, info->max_nr_accesses,           info->nr_targets, info->flags,     window->nr_regions};
    for (int i = 0; i < NR_NUMBERS; i++) put(out, numbers[i], 8);
    for (int i = 0; window->nr_regions != 0 && i < NR_COLUMNS; i++)
        put_column(out, window->regions, window->nr_regions, i);
}

static void put_end(struct output* out, const struct damon_record* record, const void* of) {
    (void)of;
    put_count(out, "{\"time_ns\":", record->last_ns);
    put_text(out, ",\"name\":\"end\",\"values\":{}}");
}

static uint64_t wall_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct origin {
    char record_id[64], host[128], boot_id[64], program[32];
};

static void put_header(struct output* out, const struct damon_record* record, const void* of) {
    const struct origin* origin = of;
    put_word(out, "{\"record_id\":\"", origin->record_id);
    put_word(out, ",\"host\":\"", origin->host);
    put_word(out, ",\"boot_id\":\"", origin->boot_id);
    put_word(out, ",\"program\":\"", origin->program);
    put_word(out, ",\"library\":\"", "damon_record.c");
    put_count(out, ",\"part\":0,\"pid\":", (uint64_t)getpid());
    put_count(out, ",\"monotonic_ns\":", record->last_ns);
    put_count(out, ",\"wall_ns\":", record->wall_ns + record->last_ns);
    put_text(out, ",\"attrs\":{},\"labels\":{");
    if (record->label[0] != '\0') {
        put_word(out, "\"", record->label);
        put_word(out, ":\"", record->word);
    }
    put_text(out, "},");
    put_text(out, fields);
    put_text(out, "}");
}

typedef void (*put_payload)(struct output* out, const struct damon_record* record, const void* of);

/* `head` with the payload's length and the checksum of what `summed` says behind it, then the payload. What could not
 * be written as a whole is cut off again. */
static int write_frame(struct damon_record* record, unsigned char* head, size_t head_bytes, size_t summed,
                       put_payload payload, const void* of) {
    struct output out = {.fd = -1};
    payload(&out, record, of);
    flush(&out);
    const size_t bytes = out.bytes;
    put_number(head + head_bytes - 8, bytes, 4);
    out = (struct output){.fd = -1, .crc = crc32_of(0, head, summed)};
    payload(&out, record, of);
    flush(&out);
    put_number(head + head_bytes - 4, out.crc, 4);
    out = (struct output){.fd = record->fd};
    for (size_t i = 0; i < head_bytes; i++) put(&out, head[i], 1);
    payload(&out, record, of);
    flush(&out);
    if (out.error == 0) {
        record->end += head_bytes + bytes;
    } else if (ftruncate(record->fd, (off_t)record->end) == 0) {
        (void)lseek(record->fd, (off_t)record->end, SEEK_SET);
    }
    return out.error;
}

static int write_header(struct damon_record* record, uint64_t time_ns) {
    unsigned char head[20] = "DAMONREC\1";
    struct origin origin;
    read_line("/proc/sys/kernel/random/uuid", origin.record_id, sizeof origin.record_id);
    read_line("/proc/sys/kernel/hostname", origin.host, sizeof origin.host);
    read_line("/proc/sys/kernel/random/boot_id", origin.boot_id, sizeof origin.boot_id);
    read_line("/proc/self/comm", origin.program, sizeof origin.program);
    record->last_ns = time_ns;
    record->wall_ns = wall_now_ns() - time_ns;
    return write_frame(record, head, sizeof head, 0, put_header, &origin);
}

static int write_one(struct damon_record* record, unsigned char kind, put_payload payload, const void* of) {
    unsigned char head[12] = {kind}; /* as it is, not packed */
    return write_frame(record, head, sizeof head, 8, payload, of);
}

int damon_record_create(struct damon_record* record, const char* path, const char* label, const char* word) {
    if (record == NULL) return -EINVAL;
    memset(record, 0, sizeof *record);
    record->fd = -1;
    if (path == NULL || (label == NULL) != (word == NULL)) return -EINVAL;
    if (label != NULL) {
        if (strlen(label) >= sizeof record->label || strlen(word) >= sizeof record->word) return -EINVAL;
        memcpy(record->label, label, strlen(label));
        memcpy(record->word, word, strlen(word));
    }
    record->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (record->fd < 0) return -errno;
    if (fchmod(record->fd, 0600) == 0) return 0;
    const int error = -errno;
    close(record->fd);
    record->fd = -1;
    return error;
}

int damon_record_write(struct damon_record* record, const struct damon_region_info* regions, size_t nr_regions,
                       const struct damon_snapshot_info* info) {
    if (record == NULL || record->fd < 0 || info == NULL || (regions == NULL && nr_regions != 0)) return -EINVAL;
    if (nr_regions > MOST_REGIONS) return -E2BIG;
    if (info->seq == 0 || info->seq == record->seq) return 0;
    for (size_t i = 0; i < nr_regions; i++) {
        const struct damon_region_info* before = i == 0 ? NULL : &regions[i - 1];
        if (regions[i].start >= regions[i].end) return -EINVAL;
        if (before != NULL && before->target_idx == regions[i].target_idx && before->end > regions[i].start)
            return -EINVAL;
    }
    if (!record->is_begun) {
        const int error = write_header(record, info->time_ns);
        if (error != 0) return error;
        record->is_begun = 1;
    }
    const struct window window = {regions, nr_regions, info};
    const int error = write_one(record, KIND_WINDOW, put_window, &window);
    if (error != 0) return error;
    record->seq = info->seq;
    record->last_ns = info->time_ns;
    return 0;
}

int damon_record_close(struct damon_record* record) {
    if (record == NULL || record->fd < 0) return 0;
    int error = record->is_begun ? 0 : write_header(record, 0);
    if (error == 0) error = write_one(record, KIND_EVENT, put_end, NULL);
    if (close(record->fd) != 0 && error == 0) error = -errno;
    record->fd = -1;
    return error;
}
