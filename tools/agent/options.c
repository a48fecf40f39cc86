#include "options.h"

#include <stdio.h>
#include <string.h>

struct option_name {
    const char* name;
    size_t offset;
};

static const uint64_t default_ring_bytes = 2 << 20;

#define PLAIN(name) \
    { #name, offsetof(struct agent_options, name) }
#define ATTR(name) \
    { #name, offsetof(struct agent_options, attrs.name) }
#define GOAL(name) \
    { "goal_" #name, offsetof(struct agent_options, attrs.intervals_goal.name) }

static const struct option_name option_names[] = {
    PLAIN(delay_ms),      PLAIN(min_rss_bytes), PLAIN(ring_bytes),         PLAIN(follow_fork),  PLAIN(coverage),
    PLAIN(paused),        PLAIN(warm_every_ms), ATTR(sample_us),           ATTR(aggr_us),       ATTR(ops_update_us),
    ATTR(min_nr_regions), ATTR(max_nr_regions), ATTR(max_overhead_permil), ATTR(referenced_us), GOAL(access_bp),
    GOAL(aggrs),          GOAL(min_sample_us),  GOAL(max_sample_us),       PLAIN(reader),       PLAIN(auto_passes_us),
    PLAIN(at_once),
};

static const char* const left_alone[] = {
    "buildah",    "bwrap",          "capsh",   "chfn",       "chroot",      "chsh",      "crun",   "damon",
    "doas",       "firejail",       "flatpak", "fusermount", "fusermount3", "gdb",       "login",  "ltrace",
    "machinectl", "newgidmap",      "newgrp",  "newuidmap",  "nsenter",     "passwd",    "perf",   "pkexec",
    "podman",     "rootlesskit",    "runc",    "runuser",    "setpriv",     "ssh-agent", "strace", "su",
    "sudo",       "systemd-nspawn", "unshare", "valgrind",
};

static void wrong(struct agent_options* options, const char* what, const char* text, size_t length) {
    if (length > 60) length = 60;
    snprintf(options->error, sizeof options->error, "DAMON_AGENT: %s '%.*s'", what, (int)length, text);
}

/* A decimal number; 0: it is none, or does not fit. */
static int read_number(const char* text, size_t length, uint64_t* value) {
    uint64_t number = 0;
    if (length == 0 || length > 20) return 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (digit > 9 || number > (UINT64_MAX - digit) / 10) return 0;
        number = number * 10 + digit;
    }
    *value = number;
    return 1;
}

static void read_one(struct agent_options* options, const char* text, size_t length) {
    const char* equals = memchr(text, '=', length);
    uint64_t value = 0;
    if (equals == NULL) {
        wrong(options, "no value in", text, length);
        return;
    }
    size_t name_length = (size_t)(equals - text), value_length = length - name_length - 1;
    if (name_length == 7 && memcmp(text, "exclude", 7) == 0) {
        options->exclude = equals + 1;
        options->exclude_length = value_length;
        return;
    }
    for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++) {
        const char* name = option_names[i].name;
        if (strlen(name) != name_length || memcmp(name, text, name_length) != 0) continue;
        if (!read_number(equals + 1, value_length, &value))
            wrong(options, "no number in", text, length);
        else
            memcpy((char*)options + option_names[i].offset, &value, sizeof value);
        return;
    }
    wrong(options, "there is no option", text, name_length);
}

void options_read(struct agent_options* options, const char* text) {
    memset(options, 0, sizeof *options);
    options->delay_ms = 200;
    options->min_rss_bytes = 4 << 20;
    options->ring_bytes = default_ring_bytes;
    options->warm_every_ms = 30000;
    options->auto_passes_us = 10000000;
    damon_attrs_init(&options->attrs);
    while (text != NULL && *text != '\0' && options->error[0] == '\0') {
        size_t length = strcspn(text, ",");
        if (length != 0) read_one(options, text, length);
        text += length;
        if (*text == ',') text++;
    }
    const uint64_t ring = options->ring_bytes;
    if (ring >= 65536 && ring <= ((uint64_t)1 << 28) && (ring & (ring - 1)) == 0) return;
    options->ring_bytes = default_ring_bytes; /* the file tells the error */
    if (options->error[0] == '\0')
        snprintf(options->error, sizeof options->error,
                 "DAMON_AGENT: ring_bytes is %llu; it must be a power of two from 65536 to 268435456",
                 (unsigned long long)ring);
}

int options_exclude(const struct agent_options* options, const char* name) {
    size_t length = strlen(name);
    const char* at = options->exclude;
    for (size_t i = 0; i < sizeof left_alone / sizeof *left_alone; i++)
        if (strcmp(name, left_alone[i]) == 0) return 1;
    const char* end = at == NULL ? NULL : at + options->exclude_length;
    while (at != NULL && at < end) {
        const char* colon = memchr(at, ':', (size_t)(end - at));
        size_t one = (size_t)((colon == NULL ? end : colon) - at);
        if (one != 0 && one == length && memcmp(at, name, length) == 0) return 1;
        at = colon == NULL ? end : colon + 1;
    }
    return 0;
}

static int digit_of(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    return -1;
}

long options_bytes(const char* text, unsigned char* out, size_t room) {
    size_t length = strlen(text);
    if (length % 2 != 0 || length / 2 > room) return -1;
    for (size_t i = 0; i < length; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (high < 0 || low < 0) return -1;
        out[i / 2] = (unsigned char)(high << 4 | low);
    }
    return (long)(length / 2);
}
