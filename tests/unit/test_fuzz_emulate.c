/* What the fuzzer of the emulator found worth keeping, and random inputs, on every run and with any compiler.
 */
#include "tests/unit/suite.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORPUS "tests/fuzz/corpus/emulate"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_emulate.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(the_corpus_ends_in_guest_faults)
{
    DIR *directory = opendir(CORPUS);
    struct dirent *entry;
    unsigned count = 0;

    ck_assert_ptr_nonnull(directory);
    while ((entry = readdir(directory))) {
        uint8_t data[4096];
        char path[512];
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", CORPUS, entry->d_name);
        file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (!file)
            continue;
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
        fclose(file);
        count++;
    }
    closedir(directory);
    ck_assert_uint_gt(count, 0);
}
END_TEST

START_TEST(random_bytes_end_in_guest_faults)
{
    uint64_t state = 0x1234;

    for (unsigned round = 0; round < 20000; round++) {
        uint8_t data[700];

        for (size_t i = 0; i < sizeof data; i++) {
            state = state * 6364136223846793005 + 1442695040888963407;
            data[i] = state >> 56;
        }
        if (round & 1)
            memset(data + 1, 0, 8 * 64);
        LLVMFuzzerTestOneInput(data, sizeof data);
    }
}
END_TEST

VT_SUITE(the_corpus_ends_in_guest_faults, random_bytes_end_in_guest_faults)
