/* What fuzz_gate.c is started with, and variations, by any compiler. */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#define CORPUS "tests/fuzz/corpus/gate"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_gate.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(the_corpus_and_its_variations_harm_nobody)
{
    if (!is_open())
        vt_skip("no virtual machine can be made here");
    fuzzed_corpus(LLVMFuzzerTestOneInput, CORPUS);
    fuzzed_variations(LLVMFuzzerTestOneInput, CORPUS, 20);
}
END_TEST

VT_SUITE(the_corpus_and_its_variations_harm_nobody)
