/*
 * What fuzz_modify.c is started with, and variations, by any compiler.
 *
 * beside others
 */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#define CORPUS "tests/fuzz/corpus/modify"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_modify.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(the_corpus_and_its_variations_harm_nobody)
{
    fuzzed_corpus(LLVMFuzzerTestOneInput, CORPUS);
    fuzzed_variations(LLVMFuzzerTestOneInput, CORPUS, 300);
}
END_TEST

VT_SUITE(the_corpus_and_its_variations_harm_nobody)
