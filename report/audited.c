#include "report/audited.h"

#include <string.h>

const struct vt_result *vt_audited_find(const struct vt_table *table)
{
    for (size_t i = 0; i < table->result_count; i++)
        if (json_is_object(table->results[i]->audit))
            return table->results[i];
    return NULL;
}

const char *vt_audited_word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

const json_t *vt_audited_trial(const json_t *instruction)
{
    const json_t *trials = json_object_get(instruction, "trials"), *trial;
    size_t index;
    json_array_foreach(trials, index, trial)
    {
        if (strcmp(vt_audited_word(trial, "outcome"), vt_audited_word(instruction, "outcome")) == 0)
            return trial;
    }
    return json_array_get(trials, 0);
}

const json_t *vt_audited_silent(const struct vt_result *result, size_t i)
{
    const json_t *instruction;
    size_t index;
    json_array_foreach(json_object_get(result->audit, "instructions"), index, instruction)
    {
        if (strcmp(vt_audited_word(instruction, "outcome"), "silent") == 0 && i-- == 0)
            return instruction;
    }
    return NULL;
}

const char *vt_audited_verdict(const struct vt_result *result)
{
    return vt_audited_word(json_object_get(result->audit, "verdict"), "text");
}
