/* The loader of result documents and all formats on what their fuzzer found worth keeping, and variations. */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#define CORPUS "tests/fuzz/corpus/result"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_result.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(documents_are_shown_or_refused_in_one_line)
{
    fuzzed_corpus(LLVMFuzzerTestOneInput, CORPUS);
    fuzzed_variations(LLVMFuzzerTestOneInput, CORPUS, 300);
}
END_TEST

VT_SUITE(documents_are_shown_or_refused_in_one_line)
