/* What is recorded of a processor: the ways of batches that came to their end. */
#include "lab/profile/record.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

enum { BEGIN = 0x100000, END = 0x100010, FUNCTION = 0x100100, LOST = 0x100200, HOST = 0x200000 };

static uint64_t run(struct vt_record *record, uint64_t address, const char *code, size_t size)
{
    struct vt_stretch stretch = {.count = 0};

    vt_record_extend(&stretch, vt_record_instruction(record, address, (const uint8_t *)code, size));
    vt_record_execute(record, &stretch);
    return address + size;
}

static void nothing(struct vt_record *record, uint64_t address, int count)
{
    while (count-- > 0)
        address = run(record, address, "\x50", 1);
}

static void enter(struct vt_record *record)
{
    run(record, HOST, "\x0f\x01\xd8", 3);
}

/* Leaves the guest for `count` instructions. */
static void answer(struct vt_record *record, int count)
{
    nothing(record, HOST + 3, count);
    enter(record);
}

/* Twice the same exit. */
static void batch(struct vt_record *record)
{
    enter(record);
    run(record, BEGIN, "\x0f\x31", 2);
    for (int i = 0; i < 2; i++) {
        nothing(record, FUNCTION, 1);
        answer(record, 10);
    }
    run(record, END, "\x0f\x31", 2);
}

static size_t count_lines(const char *text, char first)
{
    size_t count = 0;

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += *line == first;
    }
    return count;
}

START_TEST(what_follows_a_batch_that_an_exception_ended_is_no_way)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END, .lost = LOST};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    struct vt_record *record = vt_record_open(&places, stream);

    ck_assert_ptr_nonnull(record);
    batch(record);
    run(record, BEGIN, "\x0f\x31", 2);
    nothing(record, FUNCTION, 1);
    nothing(record, LOST, 1);
    answer(record, 5000); /* whatever there is until another batch begins */
    nothing(record, FUNCTION + 0x800, 1);
    batch(record);
    vt_record_close(record);
    fclose(stream);
    ck_assert_uint_eq(count_lines(text, 'b'), 2);
    ck_assert_uint_eq(count_lines(text, 's'), 1);
    ck_assert_uint_lt(count_lines(text, 'i'), 100);
    free(text);
}
END_TEST

VT_SUITE(what_follows_a_batch_that_an_exception_ended_is_no_way)
