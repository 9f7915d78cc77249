#include "audit/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum vt_audit_outcome worse(enum vt_audit_outcome a, enum vt_audit_outcome b)
{
    return a < b ? a : b;
}

static void start_instruction(struct vt_audit *audit, size_t first)
{
    const struct vt_audit_finding *finding = &audit->findings[first];
    audit->instructions[audit->instruction_count++] = (struct vt_audit_instruction){
        .name = finding->trial->instruction,
        .group = finding->trial->group,
        .outcome = finding->outcome,
        .assist = finding->trial->assist,
        .assisted = finding->assisted,
        .first = first,
        .count = 1,
    };
}

static bool starts_instruction(const struct vt_audit *audit, size_t i)
{
    const struct vt_audit_finding *findings = audit->findings;
    return i == 0 || strcmp(findings[i - 1].trial->instruction, findings[i].trial->instruction) != 0;
}

static void gather(struct vt_audit *audit)
{
    for (size_t i = 0; i < audit->finding_count; i++) {
        if (starts_instruction(audit, i)) {
            start_instruction(audit, i);
            continue;
        }
        struct vt_audit_instruction *last = &audit->instructions[audit->instruction_count - 1];
        last->outcome = worse(last->outcome, audit->findings[i].outcome);
        last->assisted = worse(last->assisted, audit->findings[i].assisted);
        last->count++;
    }
}

static void judge_umip(struct vt_audit_assist_finding *assist, const struct vt_audit_finding *finding)
{
    const char *text = finding->trial->stub->text;
    assist->state = finding->outcome == VT_AUDIT_SILENT ? VT_AUDIT_INACTIVE : VT_AUDIT_ON;
    if (finding->outcome == VT_AUDIT_UNKNOWN)
        assist->state = VT_AUDIT_STATES;
    snprintf(assist->evidence, sizeof assist->evidence, "%s: %s%s%s", text, finding->seen,
             *finding->note ? "; " : "", finding->note);
}

static void judge_switchable(struct vt_audit_assist_finding *assist, const struct vt_audit_finding *finding)
{
    const char *text = finding->trial->stub->text;
    if (finding->outcome == VT_AUDIT_TRAPS) {
        assist->state = VT_AUDIT_ON;
        snprintf(assist->evidence, sizeof assist->evidence, "%s raises %s", text, finding->seen);
    } else if (finding->assisted == VT_AUDIT_TRAPS) {
        assist->state = VT_AUDIT_AVAILABLE;
        snprintf(assist->evidence, sizeof assist->evidence, "switched on for a trial, %s raised %s", text,
                 finding->assisted_note);
    } else {
        assist->state = VT_AUDIT_REFUSED_HERE;
        snprintf(assist->evidence, sizeof assist->evidence, "%s", finding->assisted_note);
    }
}

/* The first instruction an assist closes speaks for it. */
static void judge_assists(struct vt_audit *audit)
{
    bool seen[VT_AUDIT_ASSISTS] = {false};
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct vt_audit_finding *finding = &audit->findings[i];
        enum vt_audit_assist kind = finding->trial->assist;
        if (kind == VT_AUDIT_NO_ASSIST || seen[kind] || finding->outcome == VT_AUDIT_ABSENT)
            continue;
        seen[kind] = true;
        if (kind == VT_AUDIT_UMIP)
            judge_umip(&audit->assists[kind], finding);
        else
            judge_switchable(&audit->assists[kind], finding);
    }
}

struct text {
    char *at;
    size_t left;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length < text->left ? (size_t)length : text->left - 1;
    text->at += used;
    text->left -= used;
}

typedef bool selects(const struct vt_audit_instruction *instruction);

static size_t count(const struct vt_audit *audit, selects *wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < audit->instruction_count; i++)
        found += wanted(&audit->instructions[i]);
    return found;
}

static size_t say_names(struct text *text, const struct vt_audit *audit, selects *wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < audit->instruction_count; i++)
        if (wanted(&audit->instructions[i]))
            say(text, "%s%s", found++ ? ", " : "", audit->instructions[i].name);
    return found;
}

static bool is_classic(const struct vt_audit_instruction *i)
{
    return i->group == VT_AUDIT_ROBIN_IRVINE;
}

static bool is_classic_silent(const struct vt_audit_instruction *i)
{
    return is_classic(i) && i->outcome == VT_AUDIT_SILENT;
}

static bool is_other_silent(const struct vt_audit_instruction *i)
{
    return !is_classic(i) && i->outcome == VT_AUDIT_SILENT;
}

static bool is_unknown(const struct vt_audit_instruction *i)
{
    return i->outcome == VT_AUDIT_UNKNOWN;
}

static bool is_umip(const struct vt_audit_instruction *i)
{
    return i->assist == VT_AUDIT_UMIP;
}

static bool is_umip_emulated(const struct vt_audit_instruction *i)
{
    return is_umip(i) && i->outcome == VT_AUDIT_EMULATED;
}

static bool is_umip_trapping(const struct vt_audit_instruction *i)
{
    return is_umip(i) && i->outcome == VT_AUDIT_TRAPS;
}

static bool is_umip_silent(const struct vt_audit_instruction *i)
{
    return is_umip(i) && i->outcome == VT_AUDIT_SILENT;
}

static bool is_closable_cpuid(const struct vt_audit_instruction *i)
{
    return i->assist == VT_AUDIT_CPUID_FAULTING && i->outcome == VT_AUDIT_SILENT &&
           i->assisted == VT_AUDIT_TRAPS;
}

static bool is_closable_tsd(const struct vt_audit_instruction *i)
{
    return i->assist == VT_AUDIT_TSD && i->outcome == VT_AUDIT_SILENT && i->assisted == VT_AUDIT_TRAPS;
}

/* Nothing the CPU offers makes it trap. */
static bool is_open(const struct vt_audit_instruction *i)
{
    return i->outcome == VT_AUDIT_SILENT && i->assisted != VT_AUDIT_TRAPS && !is_umip(i);
}

static void say_answer(struct text *text, const struct vt_audit *audit)
{
    size_t classic = count(audit, is_classic_silent), others = count(audit, is_other_silent);
    if (audit->answer == VT_AUDIT_YES) {
        say(text, "Yes: as configured, this CPU can be virtualized by trap and emulate alone (Popek and "
                  "Goldberg): every sensitive instruction traps at ring 3.");
    } else if (audit->answer == VT_AUDIT_UNDECIDED) {
        say(text, "Undecided: no sensitive instruction was seen to run silently at ring 3, but some could "
                  "not be tried: ");
        say_names(text, audit, is_unknown);
        say(text, ".");
    } else {
        say(text,
            "No: as configured, this CPU cannot be virtualized by trap and emulate alone (Popek and "
            "Goldberg): %zu of the %zu names of Robin and Irvine's seventeen sensitive unprivileged "
            "instructions",
            classic, count(audit, is_classic));
        say(text, others ? " and %zu others run at ring 3 without a trap." : " run at ring 3 without a trap.",
            others);
    }
}

static void say_umip(struct text *text, const struct vt_audit *audit)
{
    if (count(audit, is_umip_emulated)) {
        say(text, " UMIP closes ");
        say_names(text, audit, is_umip_emulated);
        say(text, ", but Linux answers their faults itself: only a hypervisor in the kernel gets the trap.");
    }
    if (count(audit, is_umip_trapping)) {
        say(text, " UMIP closes ");
        say_names(text, audit, is_umip_trapping);
        say(text, ".");
    }
    if (count(audit, is_umip_silent)) {
        say(text, " UMIP is off; it would close ");
        say_names(text, audit, is_umip_silent);
        say(text, ".");
    }
}

static void say_closable(struct text *text, const struct vt_audit *audit, enum vt_audit_assist assist,
                         selects *wanted)
{
    if (count(audit, wanted) == 0)
        return;
    say(text, " %s, off now, closes ", vt_audit_assist_title(assist));
    say_names(text, audit, wanted);
    say(text, " when a hypervisor switches it on.");
}

static void say_open(struct text *text, const struct vt_audit *audit)
{
    if (count(audit, is_open) == 0)
        return;
    say(text, " No assist here closes ");
    say_names(text, audit, is_open);
    say(text, ".");
}

static void say_unknown(struct text *text, const struct vt_audit *audit)
{
    if (audit->answer != VT_AUDIT_NO || count(audit, is_unknown) == 0)
        return;
    say(text, " Not found out: ");
    say_names(text, audit, is_unknown);
    say(text, ".");
}

static enum vt_audit_answer find_answer(const struct vt_audit *audit)
{
    if (count(audit, is_classic_silent) + count(audit, is_other_silent) > 0)
        return VT_AUDIT_NO;
    return count(audit, is_unknown) ? VT_AUDIT_UNDECIDED : VT_AUDIT_YES;
}

void vt_audit_conclude(struct vt_audit *audit)
{
    struct text text = {audit->verdict, sizeof audit->verdict};
    gather(audit);
    judge_assists(audit);
    audit->answer = find_answer(audit);
    say_answer(&text, audit);
    say_umip(&text, audit);
    say_closable(&text, audit, VT_AUDIT_CPUID_FAULTING, is_closable_cpuid);
    say_closable(&text, audit, VT_AUDIT_TSD, is_closable_tsd);
    say_open(&text, audit);
    say_unknown(&text, audit);
}
