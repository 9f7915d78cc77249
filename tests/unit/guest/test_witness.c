/* What Xen's trace says of each crossing, in the records of the releases that differ. Xen is this file. */
#include "tests/unit/suite.h"

#include <stdint.h>

/* Xen's answer to a hypercall of the image's. */
static uint64_t answer(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
#define vt_image_call answer
#include "guest/image/witness.c" /* NOLINT(bugprone-suspicious-include): in no object of the program */

#include <string.h>

enum { LIST_FRAME = 1, FIRST_FRAME = 2, LIST_AT = 4 };

static uint8_t *pages[VT_WITNESS_PAGES];
static uint32_t written;

/* Frames are numbered through; the list of them is Xen's. */
static bool map_page(void *page, uint64_t frame, bool writable)
{
    (void)writable;
    pages[frame - LIST_FRAME] = page;
    if (frame != LIST_FRAME)
        return true;
    struct list *list = page;
    list->pages = VT_WITNESS_PAGES - 1;
    list->offset[0] = LIST_AT;
    for (uint32_t i = 0; i < VT_WITNESS_PAGES - 1; i++)
        ((uint32_t *)page)[LIST_AT + i] = FIRST_FRAME + i;
    return true;
}

static uint64_t answer(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct sysctl *request = (struct sysctl *)(uintptr_t)a;
    (void)b, (void)c, (void)d;
    if (number != HYPERVISOR_SYSCTL || request->command != SYSCTL_TBUF_OP)
        return (uint64_t)-38;
    if (request->version != 0x16)
        return (uint64_t)ACCES;
    if (request->operation == GET_INFO)
        request->frame = LIST_FRAME;
    return 0;
}

static void put(uint32_t event, uint32_t extra)
{
    struct buffer *buffer = (struct buffer *)(void *)pages[1];
    const uint32_t record[] = {event | UINT32_C(1) << 28 | CYCLES, 0, 0, extra};
    memcpy(buffer->records + written, record, sizeof record);
    buffer->produced = written += sizeof record;
}

static struct vt_image_seen look(const uint32_t (*records)[2], size_t count)
{
    struct vt_image_seen seen;
    ck_assert(vt_image_witness_open(map_page));
    vt_image_witness_begin();
    for (size_t i = 0; i < count; i++)
        put(records[i][0], records[i][1]);
    ck_assert(vt_image_witness_end(&seen));
    return seen;
}

/* The last is the hypercall that ends the trace. Before Xen 4.19 both vendors' exits were one event. */
START_TEST(a_vmexit_is_an_exit_in_every_release)
{
    static const uint32_t events[] = {0x81002, 0x81102, 0x81003, 0x81103};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        const uint32_t records[][2] = {{events[i], 0x72}, {events[i], 0x60}, {0x81001, 0}, {events[i], 0x81}};
        memset(&shared, 0, sizeof shared);
        written = 0;
        struct vt_image_seen seen = look(records, sizeof records / sizeof records[0]);
        ck_assert_uint_eq(seen.exits, 2);
        ck_assert_uint_eq(seen.irq_exits, 1);
        ck_assert_uint_eq(seen.hypercalls, 0);
    }
}
END_TEST

START_TEST(a_pv_domain_enters_in_many_ways)
{
    static const uint32_t records[][2] = {{0x20110d, 1}, {0x201006, 0}, {0x201103, 6}, {0x20110d, 35}};
    struct vt_image_seen seen = look(records, sizeof records / sizeof records[0]);
    ck_assert_uint_eq(seen.exits, 3);
    ck_assert_uint_eq(seen.hypercalls, 1);
    ck_assert_uint_eq(seen.insn_emulation, 1);
}
END_TEST

VT_SUITE(a_vmexit_is_an_exit_in_every_release, a_pv_domain_enters_in_many_ways)
