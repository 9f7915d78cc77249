#include "fleet/collect.h"
#include "result/load/load.h"

#include <errno.h>

struct reading {
    struct vt_collection *to;
    struct vt_load_options options;
    void (*complain)(const struct vt_error *error);
    size_t complaints;
};

static int turn_into_fleet(struct reading *reading)
{
    struct vt_collection *collection = reading->to;
    if (vt_fleet_start(&collection->fleet, NULL, NULL) != 0)
        return -ENOMEM;
    collection->many = true;
    reading->options.samples = false;
    reading->options.facts_only = vt_fleet_facts(&collection->fleet);
    int status = 0;
    for (size_t i = 0; i < collection->count; i++)
        if (status == 0)
            status = vt_fleet_add(&collection->fleet, collection->results[i]);
        else
            vt_result_free(collection->results[i]);
    collection->count = 0;
    return status;
}

static int take(struct vt_result *result, void *context)
{
    struct reading *reading = context;
    struct vt_collection *collection = reading->to;
    if (!collection->many && collection->count < VT_COLLECT_BESIDE) {
        collection->results[collection->count++] = result;
        return 0;
    }
    if (!collection->many && turn_into_fleet(reading) != 0) {
        vt_result_free(result);
        return -ENOMEM;
    }
    return vt_fleet_add(&collection->fleet, result);
}

static void complain(const struct vt_error *error, void *context)
{
    struct reading *reading = context;
    reading->complaints++;
    reading->complain(error);
}

static enum vt_exit read_few(struct reading *reading, const struct vt_gather *gather)
{
    const struct vt_collection *collection = reading->to;
    reading->options = (struct vt_load_options){.samples = true, .complain = complain};
    for (size_t i = 0; i < gather->count; i++) {
        struct vt_error error;
        if (vt_result_load(gather->files[i], &reading->options, take, reading, &error) == 0)
            continue;
        complain(&error, reading);
        if (gather->count == 1 && !collection->count && !collection->many)
            return error.exit;
    }
    if (!collection->count && !collection->many)
        return VT_EXIT_USAGE;
    return reading->complaints ? VT_EXIT_NO : VT_EXIT_DONE;
}

static enum vt_exit read_many(struct reading *reading, const struct vt_gather *gather, const char *by)
{
    struct vt_collection *collection = reading->to;
    struct vt_error error;
    size_t bad = 0;
    if (vt_fleet_start(&collection->fleet, by, &error) != 0 ||
        vt_gather_read(gather, &collection->fleet, reading->complain, &bad, &error) != 0) {
        reading->complain(&error);
        return error.exit;
    }
    collection->many = true;
    if (collection->fleet.result_count == 0)
        return VT_EXIT_USAGE;
    return bad ? VT_EXIT_NO : VT_EXIT_DONE;
}

enum vt_exit vt_collect(struct vt_collection *collection, const struct vt_gather *gather, const char *by,
                        void (*complain_to)(const struct vt_error *error))
{
    struct reading reading = {.to = collection, .complain = complain_to};
    struct vt_error error;
    *collection = (struct vt_collection){.count = 0};
    enum vt_exit status = by || gather->count > VT_COLLECT_BESIDE ? read_many(&reading, gather, by)
                                                                  : read_few(&reading, gather);
    if (!collection->fleet.result_count || vt_fleet_finish(&collection->fleet, &error) == 0)
        return status;
    vt_fleet_release(&collection->fleet);
    complain_to(&error);
    return error.exit;
}

void vt_collect_release(struct vt_collection *collection)
{
    for (size_t i = 0; i < collection->count; i++)
        vt_result_free(collection->results[i]);
    vt_fleet_release(&collection->fleet);
}
