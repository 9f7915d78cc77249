#include "guest/boot/core.h"
#include "guest/boot/port.h"
#include "guest/boot/text.h"
#include "guest/image/image.h"
#include "guest/image/road.h"

#include <cpuid.h>
#include <string.h>

#define PAIRS      41
#define LEAST      7       /* pairs, however long they take */
#define LONG_BATCH 100     /* us: drowns the clock, dodges most interrupts */
#define PATIENCE   500     /* ms a case may take */
#define SOME_KHZ   2000000 /* where the counter's speed is unknown */
#define MOST       (UINT64_C(1) << 20)

#define MSR_SMI_COUNT 0x34

struct batches {
    const struct vt_case *c;
    const struct vt_image_road *road; /* NULL: as it stands */
    struct vt_road_batch last;        /* there */
    uint64_t count[2][VT_ROAD_COUNTS];
    uint64_t vectors[2][VT_ROAD_VECTORS];
    uint64_t iterations;
    uint64_t ticks[2][PAIRS];
    bool smi[PAIRS];
    bool counts_smi;
    uint64_t interrupts[2]; /* delivered, in all pairs */
    unsigned pairs;
};

static uint64_t khz(void)
{
    return vt_boot_clock_khz() ? vt_boot_clock_khz() : SOME_KHZ;
}

static void say_head(const struct vt_case *c, const struct vt_image_road *road, const char *status)
{
    vt_boot_say("@row ");
    vt_boot_say(c->name);
    vt_boot_say(" ");
    if (road) {
        vt_boot_say(road->name);
        vt_boot_say(" ");
    }
    vt_boot_say(status);
}

/* For a person: what the loader or the screen shows behind the case's name. */
static void tell(const char *what, uint64_t number, const char *unit)
{
    char *last = vt_boot_info()->last, digits[21], *at = digits + sizeof digits - 1;

    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    vt_boot_copy_text(last, 16, what);
    while (*last)
        last++;
    if (*unit) {
        vt_boot_copy_text(last, sizeof digits, at);
        while (*last)
            last++;
        vt_boot_copy_text(last, 32, unit);
    }
    vt_boot_show(vt_boot_info()->last);
    vt_boot_show("\n");
}

void vt_boot_measure_refuse(const struct vt_case *c, const struct vt_image_road *road, const char *reason)
{
    say_head(c, road, "unsupported ");
    vt_boot_say(reason);
    vt_boot_say_end();
    tell("  not here", 0, "");
}

static void say_fault(const struct vt_case *c)
{
    say_head(c, NULL, "fault ");
    vt_boot_say_number(vt_image_vector());
    vt_boot_say(" ");
    vt_boot_say_number(vt_boot_mailbox()->exception.error);
    vt_boot_say_end();
    tell("  exception ", vt_image_vector(), " ");
    if (vt_image_vector() >= 32)
        vt_boot_quiet_end_of_interrupt();
}

static void say_end_of_road(const struct batches *b)
{
    static const char *const words[] = {[VT_ROAD_FAULT] = "fault ",
                                        [VT_ROAD_TIMEOUT] = "timeout ",
                                        [VT_ROAD_HALTED] = "halted ",
                                        [VT_ROAD_BROKEN] = "broken "};

    say_head(b->c, b->road, words[b->last.end]);
    vt_boot_say_number(b->last.vector);
    vt_boot_say_end();
    tell("  not measured", 0, "");
}

static bool run_on_road(struct batches *b, int twin, uint64_t *ticks)
{
    b->road->batch(b->c, twin == 0, b->iterations, &b->last);
    *ticks = b->last.tsc[1] - b->last.tsc[0];
    return b->last.end == VT_ROAD_DONE;
}

static bool run_twin(struct batches *b, int twin, uint64_t *ticks)
{
    uint64_t tsc[2];

    if (b->road)
        return run_on_road(b, twin, ticks);
    if (!vt_image_batch(twin ? b->c->baseline : b->c->body, b->iterations, vt_boot_scratch(), tsc))
        return false;
    *ticks = tsc[1] - tsc[0];
    return true;
}

/* Doubled until a body lasts, the second time as well: the first finds things cold. */
static bool calibrate(struct batches *b)
{
    uint64_t most = b->c->max_iterations ? b->c->max_iterations : MOST, ticks, again;

    for (b->iterations = 1;; b->iterations *= 2) {
        if (!run_twin(b, 1, &ticks) || !run_twin(b, 0, &ticks) || !run_twin(b, 0, &again))
            return false;
        ticks = again < ticks ? again : ticks;
        if (ticks >= khz() * LONG_BATCH / 1000 || b->iterations * 2 > most)
            return true;
    }
}

/* Intel SDM 4, MSR_SMI_COUNT: of a family that has it, where nobody stands before the processor. */
static bool has_smi_count(void)
{
    unsigned a, b, c, d;
    uint64_t count;
    __cpuid(0, a, b, c, d);
    return b == 0x756e6547 && !vt_boot_is_under_hypervisor() && vt_boot_try_rdmsr(MSR_SMI_COUNT, &count);
}

static void add_counts(struct batches *b, int twin)
{
    for (size_t i = 0; i < VT_ROAD_COUNTS; i++)
        b->count[twin][i] += b->last.count[i];
    for (size_t i = 0; i < VT_ROAD_VECTORS; i++)
        b->vectors[twin][i] += b->last.vectors[i];
}

static bool run_pair(struct batches *b)
{
    uint64_t before = b->counts_smi ? vt_boot_rdmsr(MSR_SMI_COUNT) : 0;

    for (int twin = 0; twin < 2; twin++) {
        uint64_t delivered = vt_boot_mailbox()->interrupts;
        if (!run_twin(b, twin, &b->ticks[twin][b->pairs]))
            return false;
        b->interrupts[twin] += vt_boot_mailbox()->interrupts - delivered;
        if (b->road)
            add_counts(b, twin);
    }
    b->smi[b->pairs] = b->counts_smi && vt_boot_rdmsr(MSR_SMI_COUNT) != before;
    b->pairs++;
    return true;
}

static bool run_pairs(struct batches *b)
{
    uint64_t begin = vt_boot_tsc();

    while (b->pairs < PAIRS)
        if (b->pairs >= LEAST && vt_boot_tsc() - begin > khz() * PATIENCE)
            return true;
        else if (!run_pair(b))
            return false;
    return true;
}

static void say_count(const char *name, uint64_t body, uint64_t baseline)
{
    vt_boot_say(" ");
    vt_boot_say(name);
    vt_boot_say(" ");
    vt_boot_say_number(body);
    vt_boot_say(" ");
    vt_boot_say_number(baseline);
}

/* "traps 700 0 #13 700 0 bare 800 100": as guest/image/road.c says it to a lab. */
static void say_seen_by_road(const struct batches *b)
{
    static const char digits[] = "0123456789";
    uint64_t crossings = 0, ticks = b->road->bare ? b->road->bare(&crossings) : 0;

    for (size_t i = 0; i < VT_ROAD_COUNTS && b->road->counts[i]; i++)
        say_count(b->road->counts[i], b->count[0][i], b->count[1][i]);
    for (size_t i = 0; i < VT_ROAD_VECTORS; i++)
        if (b->vectors[0][i] || b->vectors[1][i]) {
            const char name[] = {'#', digits[i / 10], digits[i % 10], 0};
            say_count(name, b->vectors[0][i], b->vectors[1][i]);
        }
    if (ticks)
        say_count("bare", ticks, crossings);
}

/* "ok 100 2310 1150 ... : interrupts 700 0 smi 3 17": operations, ticks of body and baseline in turn;
 * interrupts that bodies and baselines took; pairs that a system-management interrupt hit. */
static void say_batches(const struct batches *b)
{
    say_head(b->c, b->road, "ok ");
    vt_boot_say_number(b->iterations);
    for (unsigned pair = 0; pair < b->pairs; pair++)
        for (int twin = 0; twin < 2; twin++) {
            vt_boot_say(" ");
            vt_boot_say_number(b->ticks[twin][pair]);
        }
    vt_boot_say(" :");
    if (b->road)
        say_seen_by_road(b);
    else if (b->c->needs & VT_NEED_INTERRUPTS)
        say_count("interrupts", b->interrupts[0], b->interrupts[1]);
    if (b->counts_smi)
        vt_boot_say(" smi");
    for (unsigned pair = 0; pair < b->pairs; pair++)
        if (b->smi[pair]) {
            vt_boot_say(" ");
            vt_boot_say_number(pair);
        }
    vt_boot_say_end();
}

/* The median pair's toll. */
static void say_result(const struct batches *b)
{
    uint64_t toll[PAIRS] = {0};

    say_batches(b);
    for (unsigned i = 0; i < b->pairs; i++) {
        uint64_t body = b->ticks[0][i], baseline = b->ticks[1][i],
                 value = body > baseline ? body - baseline : 0;
        unsigned at = i;
        for (; at > 0 && toll[at - 1] > value; at--)
            toll[at] = toll[at - 1];
        toll[at] = value;
    }
    tell("  ", toll[b->pairs / 2] / b->iterations, " cycles");
}

/*
 * A hypervisor may write into the code of its guest: KVM puts its own vendor's hypercall in the place of the
 * other's (KVM_X86_QUIRK_FIX_HYPERCALL_INSN). The head of a body is as much as that needs.
 */
static struct {
    uint8_t bytes[256];
    uint8_t *place;
    size_t size;
} kept;

static void keep_code(const struct vt_case *c)
{
    size_t left = (size_t)(vt_guest_code_end - (const uint8_t *)(uintptr_t)c->body);

    kept.place = (uint8_t *)(uintptr_t)c->body;
    kept.size = left < sizeof kept.bytes ? left : sizeof kept.bytes;
    memcpy(kept.bytes, kept.place, kept.size);
}

/* Was it written to? It is as it was again. */
static bool mend_code(void)
{
    size_t same = 0;

    while (same < kept.size && kept.place[same] == kept.bytes[same])
        same++;
    if (same == kept.size)
        return false;
    memcpy(kept.place, kept.bytes, kept.size);
    return true;
}

void vt_boot_measure(const struct vt_case *c, const struct vt_image_road *road)
{
    static struct batches b;
    struct vt_mailbox *mailbox = vt_boot_mailbox();

    b = (struct batches){.c = c, .road = road, .counts_smi = has_smi_count()};
    mailbox->skip_vector = c->needs & VT_NEED_HANDLERS ? c->skip_vector : UINT64_MAX;
    mailbox->skip_length = c->skip_length;
    keep_code(c);
    bool ran = calibrate(&b) && run_pairs(&b);
    if (mend_code())
        vt_boot_measure_refuse(
            c, road,
            "the hypervisor below wrote another instruction in its place: what ran is not this case");
    else if (ran)
        say_result(&b);
    else if (road)
        say_end_of_road(&b);
    else
        say_fault(c);
    mailbox->skip_vector = UINT64_MAX;
}
