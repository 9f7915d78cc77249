#include "tests/unit/fuzzed.h"

#include "tests/unit/suite.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (1 << 20)

uint64_t fuzzed_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33 ^ *state << 31;
}

static void change(uint8_t *data, size_t size, uint64_t *state)
{
    for (uint64_t count = fuzzed_random(state) % 4 + 1; count > 0; count--) {
        uint64_t random = fuzzed_random(state);
        uint8_t *at = data + random % size;
        *at = random >> 40 & 1 ? (uint8_t)(random >> 48) : (uint8_t)(*at ^ 1u << (random >> 41 & 7));
    }
}

static void try(fuzzed_target *target, const char *path, unsigned rounds)
{
    uint8_t *data = malloc(2 * MOST_BYTES), *changed = data + MOST_BYTES;
    FILE *file = fopen(path, "re");
    uint64_t state = rounds;

    ck_assert_ptr_nonnull(data);
    ck_assert_ptr_nonnull(file);
    size_t size = fread(data, 1, MOST_BYTES, file);
    fclose(file);
    if (rounds == 0)
        target(data, size);
    for (unsigned i = 0; i < rounds && size > 0; i++) {
        memcpy(changed, data, size);
        change(changed, size, &state);
        /* Every other one cut short. */
        target(changed, i & 1 ? fuzzed_random(&state) % size : size);
    }
    free(data);
}

void fuzzed_variations(fuzzed_target *target, const char *path, unsigned rounds)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    unsigned count = 0;

    ck_assert_msg(directory != NULL, "%s is not there", path);
    while ((entry = readdir(directory))) {
        char name[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        try(target, name, rounds);
        count++;
    }
    closedir(directory);
    ck_assert_uint_gt(count, 0);
}

void fuzzed_corpus(fuzzed_target *target, const char *path)
{
    fuzzed_variations(target, path, 0);
}
