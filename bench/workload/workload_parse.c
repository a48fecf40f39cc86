/* SPDX-License-Identifier: MIT */
/* Workloads from a text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

#define MAX_WORDS 9

/* A number with an optional K, M or G; 0: it is one. */
static int parse_number(const char* word, uint64_t* number) {
    char* end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(word, &end, 10);
    if (end == word || errno != 0 || word[0] == '-') return -EINVAL;
    const char* units = " KMG";
    const char* unit = *end == '\0' ? units : strchr(units + 1, *end);
    if (unit == NULL || (*end != '\0' && end[1] != '\0')) return -EINVAL;
    const unsigned shift = 10 * (unsigned)(unit - units);
    if (value > UINT64_MAX >> shift) return -EINVAL;
    *number = (uint64_t)value << shift;
    return 0;
}

static int find_region(const struct workload* w, const char* name) {
    for (size_t i = 0; i < workload_nr_regions(w); i++) {
        if (strcmp(workload_region_name(w, i), name) == 0) return (int)i;
    }
    return -ENOENT;
}

static const char* parse_access(struct workload* w, char** words, size_t nr_words) {
    struct workload_access access = {0};
    uint64_t weight = 0;
    if (nr_words != 6 && nr_words != 8) return "access REGION seq|rand STRIDE WEIGHT r|w [OFFSET LENGTH] is wanted";
    const int region = find_region(w, words[1]);
    if (region < 0) return "no region has this name so far";
    if (strcmp(words[2], "seq") != 0 && strcmp(words[2], "rand") != 0) return "the order is seq or rand";
    if (strcmp(words[5], "r") != 0 && strcmp(words[5], "w") != 0) return "the last word is r or w";
    if (parse_number(words[3], &access.stride) != 0) return "the stride is not a number";
    if (parse_number(words[4], &weight) != 0 || weight > 1000000) return "the weight is not a number up to 1000000";
    if (nr_words == 8 && (parse_number(words[6], &access.offset) != 0 || parse_number(words[7], &access.length) != 0)) {
        return "offset and length are not numbers";
    }
    access.region = (size_t)region;
    access.order = words[2][0] == 's' ? WORKLOAD_SEQUENTIAL : WORKLOAD_RANDOM;
    access.weight = (uint32_t)weight;
    access.is_write = words[5][0] == 'w';
    const int error = workload_add_access(w, &access);
    if (error == -ENOMEM) return "out of memory";
    return error == 0 ? NULL : "a phase must come before, the part must lie in the region, the stride be 8, 16, ...";
}

/* NULL, or what is wrong. */
static const char* parse_line(struct workload* w, char** words, size_t nr_words) {
    uint64_t number = 0;
    if (strcmp(words[0], "access") == 0) return parse_access(w, words, nr_words);
    if (strcmp(words[0], "rest") == 0) {
        if (nr_words != 2 || parse_number(words[1], &number) != 0) return "rest MICROSECONDS is wanted";
        workload_set_rest_us(w, number);
        return NULL;
    }
    const int is_region = strcmp(words[0], "region") == 0;
    if (!is_region && strcmp(words[0], "phase") != 0) return "the first word is region, phase, access or rest";
    if (nr_words != 3 || parse_number(words[2], &number) != 0) {
        return is_region ? "region NAME LENGTH is wanted" : "phase NAME DURATION_MS is wanted";
    }
    if (is_region && find_region(w, words[1]) >= 0) return "a region has this name already";
    const int added = is_region ? workload_add_region(w, words[1], number) : workload_add_phase(w, words[1], number);
    if (added == -ENOMEM) return "out of memory";
    return added >= 0 ? NULL : "the number must not be 0";
}

static size_t split_words(char* line, char** words) {
    size_t count = 0;
    line[strcspn(line, "#")] = '\0';
    char* rest = NULL;
    for (char* word = strtok_r(line, " \t\r", &rest); word != NULL; word = strtok_r(NULL, " \t\r", &rest)) {
        if (count < MAX_WORDS) words[count++] = word;
    }
    return count;
}

/* Changes `text`. NULL, or what is wrong in line *number. */
static const char* parse_text(struct workload* w, char* text, unsigned* number) {
    for (char* line = text; line != NULL;) {
        char* next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        char* words[MAX_WORDS];
        const size_t nr_words = split_words(line, words);
        ++*number;
        const char* problem = nr_words == 0 ? NULL : parse_line(w, words, nr_words);
        if (problem != NULL) return problem;
        line = next;
    }
    return workload_nr_phases(w) == 0 ? "there is no phase" : NULL;
}

struct workload* workload_parse(const char* text, char* error, size_t error_bytes) {
    struct workload* w = workload_new();
    char* copy = strdup(text);
    unsigned number = 0;
    const char* problem = w == NULL || copy == NULL ? "out of memory" : parse_text(w, copy, &number);
    free(copy);
    if (problem == NULL) return w;
    if (error_bytes > 0) snprintf(error, error_bytes, "line %u: %s", number, problem);
    workload_free(w);
    return NULL;
}
