#include "guest/image/witness.h"

#include <stddef.h>

/* xen/include/public/xen.h, sysctl.h */
#define HYPERVISOR_SYSCTL 35
#define SYSCTL_TBUF_OP    2
#define ACCES             (-13)

/* The numbers Xen's releases give their sysctl interface; 4.17's first. What is used here is the same in all.
 */
#define FIRST_VERSION 0x15
#define VERSIONS      16

enum trace_operation { GET_INFO = 0, SET_MASK = 2, SET_SIZE = 3, ENABLE = 4, DISABLE = 5 };

/* struct xen_sysctl with its union as struct xen_sysctl_tbuf_op */
struct sysctl {
    uint32_t command, version;
    uint32_t operation, pad;
    uint64_t cpus, cpu_count;
    uint32_t event_mask, pad2;
    uint64_t frame;
    uint32_t size, pad3;
    uint8_t rest[128];
};

/* trace.h: TRC_PV_ENTRY, TRC_HVM_ENTRYEXIT and TRC_SCHED_VERBOSE, classes and subclasses in one mask */
#define EVENTS        0x002a9000
#define EVENT(header) ((header)&0x0fffffff)
#define EXTRA(header) ((header) >> 28 & 7)
#define CYCLES        0x80000000
#define TRACE_64_FLAG 0x100

enum event {
    LOST_RECORDS = 0x1f001,
    WRAP_BUFFER = 0x1f002,
    SCHED_YIELD = 0x28005,
    HVM_VMEXIT = 0x81002,
    HVM_SVM_EXIT = 0x81003, /* since Xen 4.19, which left the one above to VT-x */
    PV_TRAP = 0x201003,
    PV_PAGE_FAULT = 0x201004,
    PV_FORCED_INVALID_OP = 0x201005,
    PV_EMULATE_PRIVOP = 0x201006,
    PV_MATH_STATE_RESTORE = 0x201008,
    PV_PAGING_FIXUP = 0x201009,
    PV_GDT_LDT_MAPPING_FAULT = 0x20100a,
    PV_PTWR_EMULATION = 0x20100b,
    PV_HYPERCALL = 0x20100d,
};

/* AMD APM 2 appendix C: #VMEXIT for a physical interrupt, for VMMCALL */
#define EXIT_INTR    0x60
#define EXIT_VMMCALL 0x81

/* struct t_info of trace.h, with one processor; struct t_buf is the start of the first page of records. */
struct list {
    uint16_t pages;
    uint16_t offset[]; /* of the processor's frame numbers, in units of 4 bytes */
};

struct buffer {
    uint32_t consumed, produced; /* below twice the size of `records` */
    uint8_t records[(VT_WITNESS_PAGES - 1) * 4096 - 8];
};

static struct {
    uint8_t list[4096];
    struct buffer buffer;
} shared __attribute__((aligned(4096)));

static struct {
    bool present;
    uint32_t version, from;
} witness;

static uint64_t control(struct sysctl *request)
{
    request->command = SYSCTL_TBUF_OP;
    request->version = witness.version;
    return vt_image_call(HYPERVISOR_SYSCTL, (uint64_t)(uintptr_t)request, 0, 0, 0);
}

static bool find_version(struct sysctl *info)
{
    for (uint32_t i = 0; i < VERSIONS; i++) {
        witness.version = FIRST_VERSION ^ i;
        *info = (struct sysctl){.operation = GET_INFO};
        int64_t status = (int64_t)control(info);
        if (status != ACCES)
            return status == 0;
    }
    return false;
}

bool vt_image_witness_open(bool (*map)(void *page, uint64_t frame, bool writable))
{
    struct sysctl info, size = {.operation = SET_SIZE, .size = VT_WITNESS_PAGES - 1};
    struct sysctl mask = {.operation = SET_MASK, .event_mask = EVENTS}, disable = {.operation = DISABLE};

    if (!find_version(&info) || control(&size) != 0 || control(&disable) != 0 || control(&mask) != 0)
        return false;
    info = (struct sysctl){.operation = GET_INFO};
    if (control(&info) != 0 || !map(shared.list, info.frame, false))
        return false;
    const struct list *list = (const struct list *)(const void *)shared.list;
    uint64_t first = list->offset[0];
    if (list->pages != VT_WITNESS_PAGES - 1 || (first + list->pages) * 4 > sizeof shared.list)
        return false;
    const uint32_t *frames = (const uint32_t *)(const void *)shared.list + first;
    for (size_t i = 0; i < VT_WITNESS_PAGES - 1; i++)
        if (!map((uint8_t *)&shared.buffer + i * 4096, frames[i], true))
            return false;
    witness.present = true;
    return true;
}

bool vt_image_witness_present(void)
{
    return witness.present;
}

void vt_image_witness_begin(void)
{
    struct sysctl enable = {.operation = ENABLE};
    volatile struct buffer *buffer = &shared.buffer;

    witness.from = buffer->produced;
    buffer->consumed = witness.from;
    control(&enable);
}

static void count_exit(uint32_t code, struct vt_image_seen *seen)
{
    seen->irq_exits += code == EXIT_INTR;
    seen->hypercalls += code == EXIT_VMMCALL;
}

static bool count(uint32_t event, uint32_t first_extra, struct vt_image_seen *seen)
{
    switch ((enum event)(event & ~(uint32_t)TRACE_64_FLAG)) {
    case LOST_RECORDS:
        return false;
    case WRAP_BUFFER:
        return true;
    case SCHED_YIELD:
        seen->yields++;
        return true;
    case HVM_VMEXIT:
    case HVM_SVM_EXIT:
        count_exit(first_extra, seen);
        break;
    case PV_HYPERCALL:
        seen->hypercalls++;
        break;
    case PV_FORCED_INVALID_OP:
    case PV_EMULATE_PRIVOP:
    case PV_PTWR_EMULATION:
        seen->insn_emulation++;
        break;
    case PV_TRAP:
    case PV_PAGE_FAULT:
    case PV_MATH_STATE_RESTORE:
    case PV_PAGING_FIXUP:
    case PV_GDT_LDT_MAPPING_FAULT:
        break;
    default:
        return true;
    }
    seen->exits++;
    return true;
}

/* A record never runs over the buffer's end: a filler comes before it. */
static bool count_all(uint32_t to, struct vt_image_seen *seen)
{
    const uint32_t room = sizeof shared.buffer.records;

    for (uint32_t at = witness.from; at != to;) {
        uint32_t place = at >= room ? at - room : at;
        const uint32_t *record = (const uint32_t *)(const void *)(shared.buffer.records + place);
        uint32_t header = *record, head = header & CYCLES ? 3 : 1, size = 4 * (head + EXTRA(header));
        if (place + size > room || !count(EVENT(header), EXTRA(header) ? record[head] : 0, seen))
            return false;
        at += size;
        at = at >= 2 * room ? at - 2 * room : at;
    }
    return true;
}

bool vt_image_witness_end(struct vt_image_seen *seen)
{
    struct sysctl disable = {.operation = DISABLE};

    *seen = (struct vt_image_seen){0};
    control(&disable);
    if (!count_all(*(volatile uint32_t *)&shared.buffer.produced, seen))
        return false;
    /* The last one seen is the one above. */
    if (seen->exits == 0 || seen->hypercalls == 0)
        return false;
    seen->exits--;
    seen->hypercalls--;
    return true;
}
