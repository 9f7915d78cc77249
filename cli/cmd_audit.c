#include "audit/audit.h"
#include "cli/command.h"
#include "cli/options.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 110, ASSIST_COLUMN = 29, TEXT = 96 };

/* Prints from `column` on and breaks between words; further lines start at `indent`. */
static void print_wrapped(const char *text, int column, int indent)
{
    for (bool first = true; *text; first = false) {
        int length = (int)strcspn(text, " ");
        if (!first && column + 1 + length > COLUMNS) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            column += printf(" ");
        }
        column += printf("%.*s", length, text);
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_assists(const struct vt_audit *audit)
{
    printf("\n%-15s %-12s %s\n", "ASSIST", "STATE", "EVIDENCE");
    for (int i = VT_AUDIT_NO_ASSIST + 1; i < VT_AUDIT_ASSISTS; i++) {
        printf("%-15s %-12s ", vt_audit_assist_title(i), vt_audit_state_name(audit->assists[i].state));
        print_wrapped(audit->assists[i].evidence, ASSIST_COLUMN, ASSIST_COLUMN);
    }
}

static const char *operation_of(const struct vt_audit_finding *finding, char text[TEXT])
{
    const struct vt_audit_trial *trial = finding->trial;
    const char *with = trial->with;
    snprintf(text, TEXT, "%s%s%s%s", trial->stub->text, with ? " (" : "", with ? with : "", with ? ")" : "");
    return text;
}

static const char *seen_of(const struct vt_audit_finding *finding)
{
    return *finding->seen ? finding->seen : "-";
}

struct widths {
    int operation, outcome, seen;
};

static void widen(int *width, const char *text)
{
    int length = (int)strlen(text);
    *width = length > *width ? length : *width;
}

static struct widths measure(const struct vt_audit *audit)
{
    struct widths widths = {0};
    char operation[TEXT];
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct vt_audit_finding *finding = &audit->findings[i];
        widen(&widths.operation, operation_of(finding, operation));
        widen(&widths.outcome, vt_audit_outcome_name(finding->outcome));
        widen(&widths.seen, seen_of(finding));
    }
    return widths;
}

static void print_row(struct widths widths, const char *operation, const char *outcome, const char *seen,
                      const char *expected)
{
    printf("%-*s  %-*s  %-*s  %s\n", widths.operation, operation, widths.outcome, outcome, widths.seen, seen,
           expected);
}

static void print_group(const struct vt_audit *audit, enum vt_audit_group group, struct widths widths)
{
    char operation[TEXT];
    printf("\n%s\n", vt_audit_group_title(group));
    print_row(widths, "OPERATION", "OUTCOME", "AT RING 3, HERE", "A GUEST KERNEL EXPECTS");
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct vt_audit_finding *finding = &audit->findings[i];
        if (finding->trial->group != group)
            continue;
        print_row(widths, operation_of(finding, operation), vt_audit_outcome_name(finding->outcome),
                  seen_of(finding), finding->expected);
        if (finding->outcome == VT_AUDIT_UNKNOWN)
            printf("  %s\n", finding->note);
    }
}

static void print_legend(void)
{
    putchar('\n');
    for (int i = 0; i < VT_AUDIT_OUTCOMES; i++)
        printf("%-9s %s\n", vt_audit_outcome_name(i), vt_audit_outcome_text(i));
    printf("%-9s ", "guest");
    print_wrapped(vt_audit_guest_text(), 10, 10);
}

static void print_text(const struct vt_audit *audit)
{
    struct widths widths = measure(audit);
    print_wrapped(audit->verdict, 0, 0);
    if (audit->under_hypervisor)
        print_wrapped(
            "This machine is itself a guest: the hypervisor outside may answer CPUID and others in the "
            "CPU's place.",
            0, 0);
    print_assists(audit);
    for (int i = 0; i < VT_AUDIT_GROUPS; i++)
        print_group(audit, i, widths);
    print_legend();
}

static int print_json(const struct vt_audit *audit)
{
    json_t *document = vt_audit_json(audit);
    if (!document || json_dumpf(document, stdout, JSON_INDENT(2)) != 0) {
        json_decref(document);
        return ferror(stdout) ? VT_EXIT_DONE : VT_EXIT_INTERNAL;
    }
    putchar('\n');
    json_decref(document);
    return VT_EXIT_DONE;
}

int vt_cmd_audit(int argc, char **argv)
{
    const char *format = NULL;
    const struct vt_option options[] = {
        vt_options_format(&format),
        vt_options_json(&format),
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "audit",
        .operands = "",
        .summary =
            "Execute every sensitive and privileged instruction at ring 3 and say which trap here and\n"
            "which silently differ from what a guest kernel expects.",
        .options = options,
        .notes = "Exit status: 0 whatever the verdict, 3 when the audit could not run.",
    };
    struct vt_audit audit;
    struct vt_error error;
    int status = vt_options_parse(&synopsis, &argc, &argv);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (vt_audit_run(&audit, &error) < 0)
        return vt_cli_fail(&error);
    status = VT_EXIT_DONE;
    if (vt_options_want_json(format))
        status = print_json(&audit);
    else
        print_text(&audit);
    vt_audit_free(&audit);
    return status;
}
