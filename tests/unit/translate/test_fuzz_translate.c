/* The translator on what its fuzzer found worth keeping, and on random code. */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#define CORPUS "tests/fuzz/corpus/translate"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_translate.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(the_corpus_ends_in_a_return_a_fault_or_a_stop)
{
    fuzzed_corpus(LLVMFuzzerTestOneInput, CORPUS);
    fuzzed_variations(LLVMFuzzerTestOneInput, CORPUS, 100);
}
END_TEST

START_TEST(random_code_harms_nobody)
{
    uint64_t state = 0x4321;

    for (unsigned round = 0; round < 1000; round++) {
        uint8_t data[64];

        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)fuzzed_random(&state);
        LLVMFuzzerTestOneInput(data, 1 + fuzzed_random(&state) % sizeof data);
    }
}
END_TEST

VT_SUITE(the_corpus_ends_in_a_return_a_fault_or_a_stop, random_code_harms_nobody)
