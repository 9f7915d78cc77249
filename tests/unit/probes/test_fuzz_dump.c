/* Dumps of CPUID, whole, changed and cut short: each is understood or refused in one line. */
#include "tests/unit/fuzzed.h"
#include "tests/unit/suite.h"

#define DUMPS "tests/data/cpuid"
#define FORMS "tests/data/dumps"

/* The target itself, built without a fuzzer. */
#include "tests/fuzz/fuzz_dump.c" /* NOLINT(bugprone-suspicious-include) */

START_TEST(dumps_are_understood_or_refused_in_one_line)
{
    fuzzed_corpus(LLVMFuzzerTestOneInput, DUMPS);
    fuzzed_variations(LLVMFuzzerTestOneInput, DUMPS, 20);
    fuzzed_corpus(LLVMFuzzerTestOneInput, FORMS);
    fuzzed_variations(LLVMFuzzerTestOneInput, FORMS, 20);
}
END_TEST

VT_SUITE(dumps_are_understood_or_refused_in_one_line)
