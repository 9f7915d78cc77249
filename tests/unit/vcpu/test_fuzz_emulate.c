/* The emulator on what its fuzzer found worth keeping, and on random inputs. */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#include <string.h>

#define CORPUS "tests/fuzz/corpus/emulate"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_emulate.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(the_corpus_ends_in_guest_faults)
{
    fuzzed_corpus(LLVMFuzzerTestOneInput, CORPUS);
    fuzzed_variations(LLVMFuzzerTestOneInput, CORPUS, 200);
}
END_TEST

START_TEST(random_bytes_end_in_guest_faults)
{
    uint64_t state = 0x1234;

    for (unsigned round = 0; round < 20000; round++) {
        uint8_t data[700];

        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)fuzzed_random(&state);
        if (round & 1)
            memset(data + 1, 0, 8 * 64);
        LLVMFuzzerTestOneInput(data, sizeof data);
    }
}
END_TEST

VT_SUITE(the_corpus_ends_in_guest_faults, random_bytes_end_in_guest_faults)
