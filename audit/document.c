#include "audit/audit.h"
#include "config.h"
#include "guest/catalogue.h"

#include <math.h>
#include <string.h>

static json_t *text(const char *value)
{
    return value && *value ? json_string(value) : json_null();
}

static json_t *answer_json(enum vt_audit_answer answer)
{
    return answer == VT_AUDIT_UNDECIDED ? json_null() : json_boolean(answer == VT_AUDIT_YES);
}

typedef bool selects(const struct vt_audit_instruction *instruction);

static bool is_breaking(const struct vt_audit_instruction *i)
{
    return i->outcome == VT_AUDIT_SILENT;
}

static bool is_undecided(const struct vt_audit_instruction *i)
{
    return i->outcome == VT_AUDIT_UNKNOWN;
}

static json_t *names_json(const struct vt_audit *audit, selects *wanted)
{
    json_t *array = json_array();
    for (size_t i = 0; i < audit->instruction_count; i++)
        if (wanted(&audit->instructions[i]))
            json_array_append_new(array, json_string(audit->instructions[i].name));
    return array;
}

static json_t *verdict_json(const struct vt_audit *audit)
{
    return json_pack("{s:o, s:s, s:o, s:o}", "classically_virtualizable", answer_json(audit->answer), "text",
                     audit->verdict, "breaking", names_json(audit, is_breaking), "undecided",
                     names_json(audit, is_undecided));
}

static json_t *closes_json(const struct vt_audit *audit, enum vt_audit_assist assist)
{
    json_t *array = json_array();
    for (size_t i = 0; i < audit->instruction_count; i++)
        if (audit->instructions[i].assist == assist && audit->instructions[i].outcome != VT_AUDIT_ABSENT)
            json_array_append_new(array, json_string(audit->instructions[i].name));
    return array;
}

static json_t *assists_json(const struct vt_audit *audit)
{
    json_t *array = json_array();
    for (int i = VT_AUDIT_NO_ASSIST + 1; i < VT_AUDIT_ASSISTS; i++)
        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", vt_audit_assist_name(i), "title",
                             vt_audit_assist_title(i), "state", vt_audit_state_name(audit->assists[i].state),
                             "evidence", text(audit->assists[i].evidence), "covers", closes_json(audit, i)));
    return array;
}

static json_t *bytes_json(const struct vt_audit_stub *stub)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * 15 + 1];
    size_t length = stub->length < 15 ? stub->length : 15;
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[stub->code[i] >> 4];
        hex[2 * i + 1] = digits[stub->code[i] & 15];
    }
    return json_stringn(hex, 2 * length);
}

/* NULL, which packs as null: the instruction raised nothing. */
static json_t *fault_json(const struct vt_audit_run *run)
{
    if (run->end != VT_AUDIT_FAULTED)
        return json_null();
    json_t *vector = run->trap > 0 ? json_string(vt_guest_vector_name((uint64_t)run->trap)) : json_null();
    return json_pack("{s:i, s:i, s:o, s:o, s:I}", "signal", run->signal, "si_code", run->signal_code,
                     "vector", vector, "trap", run->trap > 0 ? json_integer(run->trap) : json_null(), "error",
                     (json_int_t)run->error);
}

static json_t *assisted_json(const struct vt_audit_finding *finding)
{
    if (finding->trial->assist == VT_AUDIT_NO_ASSIST)
        return json_null();
    return json_pack("{s:s, s:s, s:o}", "assist", vt_audit_assist_name(finding->trial->assist), "outcome",
                     vt_audit_outcome_name(finding->assisted), "seen", text(finding->assisted_note));
}

static json_t *trial_json(const struct vt_audit_finding *finding)
{
    const struct vt_audit_trial *trial = finding->trial;
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "operation",
                     trial->stub->text, "with", text(trial->with), "bytes", bytes_json(trial->stub), "mode",
                     trial->stub->mode == VT_AUDIT_64 ? "64-bit" : "compatibility", "outcome",
                     vt_audit_outcome_name(finding->outcome), "seen", text(finding->seen), "expected",
                     text(finding->expected), "note", text(finding->note), "fault", fault_json(&finding->run),
                     "with_assist", assisted_json(finding), "ns",
                     isnan(finding->run.ns) ? json_null() : json_real(finding->run.ns), "reference",
                     trial->reference);
}

static json_t *instruction_json(const struct vt_audit *audit, const struct vt_audit_instruction *instruction)
{
    json_t *trials = json_array();
    for (size_t i = 0; i < instruction->count; i++)
        json_array_append_new(trials, trial_json(&audit->findings[instruction->first + i]));
    return json_pack("{s:s, s:s, s:s, s:o}", "name", instruction->name, "group",
                     vt_audit_group_name(instruction->group), "outcome",
                     vt_audit_outcome_name(instruction->outcome), "trials", trials);
}

json_t *vt_audit_json(const struct vt_audit *audit)
{
    json_t *instructions = json_array();
    for (size_t i = 0; i < audit->instruction_count; i++)
        json_array_append_new(instructions, instruction_json(audit, &audit->instructions[i]));
    return json_pack("{s:s, s:{s:s}, s:o, s:o, s:o, s:s, s:o}", "schema", VT_AUDIT_SCHEMA, "tool", "version",
                     VT_VERSION, "verdict", verdict_json(audit), "under_hypervisor",
                     audit->hypervisor_known ? json_boolean(audit->under_hypervisor) : json_null(), "assists",
                     assists_json(audit), "guest", vt_audit_guest_text(), "instructions", instructions);
}
