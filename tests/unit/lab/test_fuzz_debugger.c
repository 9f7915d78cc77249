/*
 * What fuzz_debugger.c is started with, and variations, by any compiler.
 *
 * beside others
 */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#define CORPUS "tests/fuzz/corpus/debugger"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_debugger.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(the_corpus_and_its_variations_harm_nobody)
{
    fuzzed_corpus(LLVMFuzzerTestOneInput, CORPUS);
    /* A recording's room is eighty megabytes, all of which a sanitizer marks each time. */
    fuzzed_variations(LLVMFuzzerTestOneInput, CORPUS, VT_ADDRESS_SANITIZER ? 15 : 300);
}
END_TEST

VT_SUITE(the_corpus_and_its_variations_harm_nobody)
