#include "audit/audit.h"
#include "base/wrap.h"
#include "cli/command.h"
#include "cli/options.h"
#include "show/pen/pen.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

enum { COLUMNS = 110, ASSIST_COLUMN = 29 };

static void print_wrapped(const char *text, int indent)
{
    vt_wrap(text, COLUMNS, indent, indent, stdout);
    putchar('\n');
}

static void print_assists(const struct vt_audit *audit)
{
    printf("\n%-15s %-12s %s\n", "ASSIST", "STATE", "EVIDENCE");
    for (int i = VT_AUDIT_NO_ASSIST + 1; i < VT_AUDIT_ASSISTS; i++) {
        printf("%-15s %-12s ", vt_audit_assist_title(i), vt_audit_state_name(audit->assists[i].state));
        print_wrapped(audit->assists[i].evidence, ASSIST_COLUMN);
    }
}

static const char *seen_of(const struct vt_audit_finding *finding)
{
    return *finding->seen ? finding->seen : "-";
}

static int operation_width(const struct vt_audit_trial *trial)
{
    return vt_wrap_width(trial->stub->text) + (trial->with ? vt_wrap_width(trial->with) + 3 : 0);
}

static void widen(int *width, int wanted)
{
    *width = wanted > *width ? wanted : *width;
}

/* Columns are as wide as their widest entry, in all groups alike. */
static void measure(const struct vt_audit *audit, struct vt_pen_column columns[4])
{
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct vt_audit_finding *finding = &audit->findings[i];
        widen(&columns[0].width, operation_width(finding->trial));
        widen(&columns[1].width, vt_wrap_width(vt_audit_outcome_name(finding->outcome)));
        widen(&columns[2].width, vt_wrap_width(seen_of(finding)));
    }
}

static void print_group(const struct vt_audit *audit, enum vt_audit_group group,
                        const struct vt_pen_column columns[4])
{
    struct vt_pen pen = vt_pen_on(stdout, &vt_pen_text, NULL);
    printf("\n%s\n", vt_audit_group_title(group));
    vt_pen_table(&pen, vt_audit_group_title(group), columns, 4);
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct vt_audit_finding *finding = &audit->findings[i];
        if (finding->trial->group != group)
            continue;
        vt_pen_row(&pen, (const struct vt_pen_cell[]){
                             {.text = finding->trial->stub->text, .note = finding->trial->with},
                             {.text = vt_audit_outcome_name(finding->outcome)},
                             {.text = seen_of(finding)},
                             {.text = finding->expected},
                         });
        if (finding->outcome == VT_AUDIT_UNKNOWN)
            printf("  %s\n", finding->note);
    }
    vt_pen_end_table(&pen);
}

static void print_legend(void)
{
    putchar('\n');
    for (int i = 0; i < VT_AUDIT_OUTCOMES; i++)
        printf("%-9s %s\n", vt_audit_outcome_name(i), vt_audit_outcome_text(i));
    printf("%-9s ", "guest");
    print_wrapped(vt_audit_guest_text(), 10);
}

static void print_text(const struct vt_audit *audit)
{
    struct vt_pen_column columns[] = {{.head = "operation"},
                                      {.head = "outcome"},
                                      {.head = "at ring 3, here"},
                                      {.head = "a guest kernel expects"}};
    measure(audit, columns);
    print_wrapped(audit->verdict, 0);
    if (audit->under_hypervisor)
        print_wrapped(
            "This machine is itself a guest: the hypervisor outside may answer CPUID and others in the "
            "CPU's place.",
            0);
    print_assists(audit);
    for (int i = 0; i < VT_AUDIT_GROUPS; i++)
        print_group(audit, i, columns);
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
