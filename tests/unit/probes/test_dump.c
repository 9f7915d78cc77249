#include "probes/dump/dump.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF0(vendor_ebx)                                                                                    \
    "   0x00000000 0x00: eax=0x00000001 ebx=0x" vendor_ebx " ecx=0x6c65746e edx=0x49656e69\n"
#define INTEL    LEAF0("756e6547")
#define LEAF1    "   0x00000001 0x00: eax=0x000306c3 ebx=0x00100800 ecx=0x7fdafbbf edx=0xbfebfbff\n"
#define EXTENDED "   0x80000000 0x00: eax=0x80000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
#define WHOLE    INTEL LEAF1 EXTENDED

static struct vt_error error;

static int parse(struct vt_facts *facts, const char *text)
{
    error.text[0] = '\0';
    return vt_dump_parse(facts, "dump", text, strlen(text), &error);
}

static uint32_t reg_of(const struct vt_facts *facts, size_t processor, uint32_t leaf, uint32_t subleaf,
                       int reg)
{
    const struct vt_leaf *found = vt_facts_find(&facts->processors[processor], leaf, subleaf);
    ck_assert_ptr_nonnull(found);
    return found->reg[reg];
}

START_TEST(cpuid_text_is_read)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, "CPU 0:\n" WHOLE "CPU 7:\n" WHOLE), 0);
    ck_assert_uint_eq(facts.count, 2);
    ck_assert_int_eq(facts.processors[1].number, 7);
    ck_assert_uint_eq(reg_of(&facts, 1, 1, 0, VT_EAX), 0x306c3);
    ck_assert_uint_eq(reg_of(&facts, 0, 1, 0, VT_ECX), 0x7fdafbbf);
    vt_facts_free(&facts);
}
END_TEST

START_TEST(headings_may_be_missing)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, WHOLE), 0);
    ck_assert_uint_eq(facts.count, 1);
    vt_facts_free(&facts);
    ck_assert_int_eq(parse(&facts, "CPU:\n" WHOLE), 0);
    vt_facts_free(&facts);
    ck_assert_int_eq(
        parse(&facts, "Disclaimer: cpuid may not support decoding of all cpuid registers.\nCPU:\n" WHOLE), 0);
    vt_facts_free(&facts);
}
END_TEST

START_TEST(line_ends_of_other_systems_are_read)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, "CPU 0:\r\n"
                                   "   0x00000000 0x00: eax=0x00000000 ebx=0x756e6547 ecx=0x6c65746e "
                                   "edx=0x49656e69\r\n\r\n"),
                     0);
    vt_facts_free(&facts);
}
END_TEST

START_TEST(subleaves_without_a_column_count_up)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, "CPUID 00000000: 00000004-756E6547-6C65746E-49656E69\n"
                                   "CPUID 00000004: 00000121-00000001-00000000-00000000\n"
                                   "CPUID 00000004: 00000122-00000002-00000000-00000000 [L1I: 32 KB]\n"
                                   "CPUID 00000004: 00000143-00000003-00000000-00000000 [SL 07]\n"),
                     0);
    ck_assert_uint_eq(reg_of(&facts, 0, 4, 0, VT_EBX), 1);
    ck_assert_uint_eq(reg_of(&facts, 0, 4, 1, VT_EBX), 2);
    ck_assert_uint_eq(reg_of(&facts, 0, 4, 7, VT_EBX), 3);
    vt_facts_free(&facts);
}
END_TEST

/* libcpuid's raw format, as its arrays stand for leaves. */
static char *libcpuid_text(int basics, int extended)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    fputs("version=0.6.2\n", stream);
    for (int i = 0; i < basics; i++)
        fprintf(stream, "basic_cpuid[%d]=%08x 68747541 444d4163 69746e65\n", i, i ? 0 : 0xd);
    for (int i = 0; i < extended; i++)
        fprintf(stream, "ext_cpuid[%d]=%08x 00000000 00000000 00000%03x\n", i, i ? 0U : 0x8000001f, i);
    fputs("intel_fn4[3]=00000001 00000002 00000003 00000004\n", stream);
    fclose(stream);
    return text;
}

#define LEAF4(subleaf, type) "4 " subleaf " 1c0041" type " 01c0003f 0000003f 00000000\n"

/* Converted collections have them: the subleaf of the first for all. */
START_TEST(a_subleaf_repeated_in_a_row_counts_up)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, "CPUID 00000000 00000000 00000004 756e6547 6c65746e 49656e69\n"
                                   "CPUID 0000000" LEAF4("00000000", "21") "CPUID 0000000" LEAF4(
                                       "00000000", "22") "CPUID 0000000" LEAF4("00000000", "43")),
                     0);
    ck_assert_uint_eq(reg_of(&facts, 0, 4, 0, VT_EAX), 0x1c004121);
    ck_assert_uint_eq(reg_of(&facts, 0, 4, 2, VT_EAX), 0x1c004143);
    ck_assert_uint_eq(facts.dump.note_count, 1);
    ck_assert_ptr_nonnull(strstr(facts.dump.notes[0], "line 3: "));
    vt_facts_free(&facts);
    /* Apart from one another they are two processors without a heading. */
    ck_assert_int_ne(
        parse(&facts, "CPUID 00000000 00000000 00000004 756e6547 6c65746e 49656e69\n"
                      "CPUID 0000000" LEAF4(
                          "00000000", "21") "CPUID 00000001 00000000 000306c3 00100800 7fdafbbf bfebfbff\n"
                                            "CPUID 0000000" LEAF4("00000000", "22")),
        0);
    ck_assert_ptr_nonnull(strstr(error.text, "contradicts line 2"));
}
END_TEST

START_TEST(libcpuid_arrays_are_leaves)
{
    struct vt_facts facts;
    char *text = libcpuid_text(32, 32);
    ck_assert_int_eq(parse(&facts, text), 0);
    ck_assert_uint_eq(reg_of(&facts, 0, 0x8000000a, 0, VT_EDX), 10);
    ck_assert_uint_eq(reg_of(&facts, 0, 4, 3, VT_ECX), 3);
    vt_facts_free(&facts);
    free(text);
}
END_TEST

START_TEST(libcpuid_cut_off)
{
    struct vt_facts facts;
    char *text = libcpuid_text(32, 20);
    ck_assert_int_ne(parse(&facts, text), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "cut off"));
    free(text);
}
END_TEST

/* What must be refused, where, and with which words. */
static const struct {
    const char *text;
    const char *line, *words;
} refused[] = {
    {"", "line 1", "without a CPUID leaf"},
    {"\n\n", "line 3", "without a CPUID leaf"},
    {"CPU 0:\n", "line 1", "no leaves"},
    {"hello\n", "line 1", "not a line of a CPUID dump"},
    {WHOLE "eax=0x0000", "line 4", "not a line"},
    {INTEL "   0x00000001 0x00: eax=0x000306c3 ebx=0x0010", "line 2", "not a line"},
    {INTEL "   0x00000001 0x00: eax=0x000306c3 ebx=0x00100800 ecx=0x7fdafbbf edx=0xbfebfbf\n", "line 2",
     "8 digits"},
    {INTEL "   0x00000001 0x00: eax=0x000306c31 ebx=0x00100800 ecx=0x7fdafbbf edx=0xbfebfbff\n", "line 2",
     "not a line"},
    {INTEL "\001\002\003\n", "line 2", "binary"},
    {INTEL, "line 1", "cut off"},
    {LEAF1 EXTENDED, "line 1", "no leaf 0"},
    {WHOLE LEAF1, NULL, NULL}, /* the same again says nothing new */
    {WHOLE "   0x00000001 0x00: eax=0x000306c4 ebx=0x00100800 ecx=0x7fdafbbf edx=0xbfebfbff\n", "line 4",
     "contradicts line 2"},
    {"CPU 0:\n" WHOLE "CPU 0:\n" WHOLE, "line 5", "twice"},
    {"CPU 0:\n" WHOLE "CPU 1:\n" LEAF0("756e6548") LEAF1 EXTENDED, "line 6", "vendor"},
    {LEAF0("00000000") LEAF1 EXTENDED, "line 1", "no vendor"},
    {INTEL "and so on\n" LEAF1 EXTENDED, "line 2", "not a line"}, /* text within a processor's leaves */
    {WHOLE "CPU 1:\n" INTEL
           "   0x00000001 0x00: eax=0x000106c3 ebx=0x00100800 ecx=0x7fdafbbf edx=0xbfebfbff\n",
     "line 6", "contradicts line 2: family 6 model 60 there, family 6 model 28 here"},
    {"00000000 00000001 756E6547 6C65746E 49656E69\n00000001 000306C3 00100800 7FDAFBBF BFEBFB\n", "line 2",
     "not a line"},
    {"CPUID 00000000: 00000001-756E6547-6C65746E-49656E69\nCPUID 00000001: 0003\n", "line 2", "not a line"},
    {"CPUID 00000000: 00000001-756E6547-6C65746E-49656E69-00000000\n"
     "CPUID 00000001: 000306C3-00100800-7FDAFBBF-BFEBFBFF\n",
     "line 2", "more or fewer numbers"},
    {"CPU 0:\n   vendor_id = \"GenuineIntel\"\n", "line 2", "cpuid -r"},
    {"processor\t: 0\nvendor_id\t: GenuineIntel\n", "line 2", "/proc/cpuinfo"},
    {"\n0, 0, 20, 1970169159, 1818588270, 1231384169\n", "line 2", "decimal numbers"},
    {"cpuid.1.eax = \"0000:0000:0000:0101:0000:0110:0101:0111\"\n", "line 1", "VMware"},
    {"BZh91AY", "line 1", "bzip2 -dc FILE | vmtoll probe --from-cpuid -"},
    {WHOLE "basic_cpuid[0]=00000000 00000000 00000000 00000000\n", "line 4", "another dump format"},
    {"CPU 99999999999999999999:\n", "line 1", "not a line"},
    {"basic_cpuid[999]=00000000 00000000 00000000 00000000\n", "line 1", "not a line"},
};

START_TEST(bad_dumps_are_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct vt_facts facts;
        int status = parse(&facts, refused[i].text);
        if (!refused[i].line) {
            ck_assert_int_eq(status, 0);
            vt_facts_free(&facts);
            continue;
        }
        ck_assert_msg(status != 0, "accepted: %s", refused[i].text);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
        ck_assert_msg(strstr(error.text, refused[i].line), "no '%s' in: %s", refused[i].line, error.text);
        ck_assert_msg(strstr(error.text, refused[i].words), "no '%s' in: %s", refused[i].words, error.text);
    }
}
END_TEST

static bool notes(const struct vt_facts *facts, const char *words)
{
    for (size_t i = 0; i < facts->dump.note_count; i++)
        if (strstr(facts->dump.notes[i], words))
            return true;
    return false;
}

START_TEST(leaves_above_the_maximum_are_noted)
{
    struct vt_facts facts;
    uint32_t reg[4];
    ck_assert_int_eq(
        parse(&facts,
              "CPU 0:\n" INTEL LEAF1
              "   0x00000007 0x00: eax=0x00000000 ebx=0xffffffff ecx=0x00000000 edx=0x00000000\n"
              "   0x00000008 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n" EXTENDED
              "   0x80000001 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000004 edx=0x00000000\n"
              "   0x8000000a 0x00: eax=0x00000001 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"),
        0);
    ck_assert_int_eq(vt_facts_leaf(&facts, 7, 0, reg), VT_BEYOND);
    ck_assert_int_eq(vt_facts_leaf(&facts, 0x80000001, 0, reg), VT_BEYOND);
    ck_assert(notes(&facts, "line 4: leaf 0x7 and 1 more above 0x1, the last one that line 2 announces"));
    ck_assert(notes(&facts, "line 7: leaf 0x80000001 and 1 more above 0x80000000, the last one that line 6"));
    ck_assert_uint_eq(facts.dump.note_count, 2);
    vt_facts_free(&facts);
}
END_TEST

START_TEST(whole_dumps_have_no_notes)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, WHOLE), 0);
    ck_assert_uint_eq(facts.dump.note_count, 0);
    ck_assert_str_eq(facts.dump.form, "cpuid -r");
    vt_facts_free(&facts);
}
END_TEST

/* Numbers as in a dump of memory, after the leaves of a list of registers. */
START_TEST(other_numbers_of_a_report_are_no_leaves)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, "CPUID 00000000: 00000001-756E6547-6C65746E-49656E69\n"
                                   "CPUID 00000001: 000306C3-00100800-7FDAFBBF-BFEBFBFF\n"
                                   "\n"
                                   "------[ Memory ]------\n"
                                   "00000001 00000002 00000003 00000004 00000005\n"
                                   "00000000 00000002 00000003 00000004 00000005\n"
                                   "00000000 00000002\n"),
                     0);
    ck_assert_uint_eq(facts.count, 1);
    ck_assert_uint_eq(facts.processors[0].count, 2);
    vt_facts_free(&facts);
}
END_TEST

/* "Users\\" and Cyrillic letters of Windows' code page 1251, which are no UTF-8. */
START_TEST(letters_of_older_encodings_are_text)
{
    struct vt_facts facts;
    ck_assert_int_eq(parse(&facts, "user.home C:\\Users\\\314\340\355\361\356\342\nCPU 0:\n" WHOLE), 0);
    ck_assert_uint_eq(facts.count, 1);
    vt_facts_free(&facts);
    ck_assert_int_ne(parse(&facts, "CPU 0:\n\300\200\n" INTEL), 0); /* an overlong zero is no zero */
    ck_assert_ptr_null(strstr(error.text, "binary"));
}
END_TEST

START_TEST(long_lines_are_refused)
{
    struct vt_facts facts;
    size_t size = 3 << 20;
    char *text = malloc(size + 1);
    memset(text, '0', size);
    text[size] = '\0';
    ck_assert_int_ne(vt_dump_parse(&facts, "dump", text, size, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "line 1: the line is longer"));
    free(text);
}
END_TEST

START_TEST(a_later_processor_that_ends_early_is_cut_off)
{
    struct vt_facts facts;
    const char *text = "CPU 0:\n" INTEL LEAF1
                       "   0x80000000 0x00: eax=0x80000002 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
                       "   0x80000001 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
                       "   0x80000002 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
                       "CPU 1:\n" INTEL LEAF1
                       "   0x80000000 0x00: eax=0x80000002 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
                       "   0x80000001 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n";
    ck_assert_int_ne(parse(&facts, text), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "line 11: cut off: CPU 1"));
}
END_TEST

START_TEST(leaves_beyond_the_announced_ones_do_not_exist)
{
    struct vt_facts facts;
    uint32_t reg[4];
    /* Lists of registers may go beyond; an Intel processor then repeats its last leaf there. */
    ck_assert_int_eq(parse(&facts, "CPUID 00000000: 00000001-756E6547-6C65746E-49656E69\n"
                                   "CPUID 00000001: 000306C3-00100800-7FDAFBBF-BFEBFBFF\n"
                                   "CPUID 00000007: FFFFFFFF-FFFFFFFF-FFFFFFFF-FFFFFFFF\n"
                                   "CPUID 80000000: 80000001-00000000-00000000-00000000\n"
                                   "CPUID 8000000A: FFFFFFFF-FFFFFFFF-FFFFFFFF-FFFFFFFF\n"),
                     0);
    ck_assert_int_eq(vt_facts_leaf(&facts, 1, 0, reg), VT_READ);
    ck_assert_int_eq(vt_facts_leaf(&facts, 7, 0, reg), VT_BEYOND);
    ck_assert_int_eq(vt_facts_leaf(&facts, 0x8000000a, 0, reg), VT_BEYOND);
    ck_assert_uint_eq(reg[VT_EDX], 0);
    ck_assert_int_eq(vt_facts_leaf(&facts, 0x80000001, 0, reg), VT_MISSING);
    vt_facts_free(&facts);
}
END_TEST

VT_SUITE(cpuid_text_is_read, headings_may_be_missing, line_ends_of_other_systems_are_read,
         subleaves_without_a_column_count_up, a_subleaf_repeated_in_a_row_counts_up,
         libcpuid_arrays_are_leaves, libcpuid_cut_off, bad_dumps_are_refused,
         leaves_above_the_maximum_are_noted, whole_dumps_have_no_notes,
         other_numbers_of_a_report_are_no_leaves, long_lines_are_refused, letters_of_older_encodings_are_text,
         a_later_processor_that_ends_early_is_cut_off, leaves_beyond_the_announced_ones_do_not_exist)
