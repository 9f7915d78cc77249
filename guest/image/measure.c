#include "guest/image/image.h"
#include "guest/abi.h"
#include "guest/image/witness.h"

static uint16_t link = VT_PORT_LINK;

void vt_image_say_to(uint16_t port)
{
    link = port;
}

void vt_image_say(const char *text)
{
    for (; *text; text++)
        __asm__ volatile("outb %0, %1" : : "a"(*text), "d"(link));
}

void vt_image_say_number(uint64_t number)
{
    char digits[21], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    vt_image_say(at);
}

void vt_image_announce(uint64_t index, uint64_t count, const char *name)
{
    vt_image_say("@case ");
    vt_image_say_number(index);
    vt_image_say(" ");
    vt_image_say_number(count);
    vt_image_say(" ");
    vt_image_say(name);
    vt_image_say("\n");
}

static void say_head(const struct vt_image_row *row)
{
    vt_image_say("@row ");
    vt_image_say(row->name);
    vt_image_say(" ");
    vt_image_say(row->form);
}

static void refuse(const struct vt_image_row *row, const char *reason)
{
    say_head(row);
    vt_image_say(" unsupported ");
    vt_image_say(reason);
    vt_image_say("\n");
}

static void say_fault(const struct vt_image_row *row)
{
    say_head(row);
    vt_image_say(" fault ");
    vt_image_say_number(vt_image_vector());
    vt_image_say("\n");
}

static uint64_t batch_length(const struct vt_image_row *row)
{
    bool limited = row->max_iterations && row->max_iterations < VT_IMAGE_ITERATIONS;
    return limited ? row->max_iterations : VT_IMAGE_ITERATIONS;
}

static bool run_twin(const struct vt_image_row *row, int twin, struct vt_scratch *scratch, uint64_t tsc[2])
{
    return vt_image_batch(twin ? row->baseline : row->body, batch_length(row), scratch, tsc);
}

/* As many pairs again as were measured, now under Xen's eyes. */
static bool witness(const struct vt_image_row *row, struct vt_scratch *scratch, struct vt_image_seen total[2])
{
    for (int pair = 0; pair < VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            struct vt_image_seen seen;
            uint64_t tsc[2];
            vt_image_witness_begin();
            bool returned = run_twin(row, twin, scratch, tsc);
            if (!vt_image_witness_end(&seen) || !returned)
                return false;
            total[twin].exits += seen.exits;
            total[twin].hypercalls += seen.hypercalls;
            total[twin].irq_exits += seen.irq_exits;
            total[twin].insn_emulation += seen.insn_emulation;
        }
    return true;
}

static void say_count(const char *name, uint64_t body, uint64_t baseline)
{
    vt_image_say(" ");
    vt_image_say(name);
    vt_image_say(" ");
    vt_image_say_number(body);
    vt_image_say(" ");
    vt_image_say_number(baseline);
}

/* ": exits 700 0 ...": counters by their names in base/counter.h, of all bodies and of all baselines. */
static void say_evidence(const struct vt_image_row *row, struct vt_scratch *scratch)
{
    struct vt_image_seen seen[2] = {0};
    bool witnessed = vt_image_witness_present() && witness(row, scratch, seen);

    if (!witnessed && !row->has_proof)
        return;
    vt_image_say(" :");
    if (row->has_proof)
        say_count("honoured", row->proved ? batch_length(row) * VT_IMAGE_PAIRS : 0, 0);
    if (!witnessed)
        return;
    say_count("exits", seen[0].exits, seen[1].exits);
    say_count("hypercalls", seen[0].hypercalls, seen[1].hypercalls);
    say_count("irq_exits", seen[0].irq_exits, seen[1].irq_exits);
    say_count("insn_emulation", seen[0].insn_emulation, seen[1].insn_emulation);
}

/* The first batch of each twin is thrown away: it finds cold translations. */
void vt_image_measure(const struct vt_image_row *row, struct vt_scratch *scratch)
{
    uint64_t ticks[2][VT_IMAGE_PAIRS + 1], tsc[2];

    for (int pair = 0; pair <= VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            if (!run_twin(row, twin, scratch, tsc)) {
                say_fault(row);
                return;
            }
            ticks[twin][pair] = tsc[1] - tsc[0];
        }
    say_head(row);
    vt_image_say(" ok ");
    vt_image_say_number(batch_length(row));
    for (int pair = 1; pair <= VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            vt_image_say(" ");
            vt_image_say_number(ticks[twin][pair]);
        }
    say_evidence(row, scratch);
    vt_image_say("\n");
}

void vt_image_run(const struct vt_case *c, const char *reason, struct vt_mailbox *mailbox,
                  struct vt_scratch *scratch)
{
    const struct vt_image_row row = {.name = c->name,
                                     .form = "plain",
                                     .body = c->body,
                                     .baseline = c->baseline,
                                     .max_iterations = c->max_iterations};

    if (reason) {
        refuse(&row, reason);
        return;
    }
    mailbox->skip_vector = c->needs & VT_NEED_HANDLERS ? c->skip_vector : UINT64_MAX;
    mailbox->skip_length = c->skip_length;
    vt_image_measure(&row, scratch);
    mailbox->skip_vector = UINT64_MAX;
}
