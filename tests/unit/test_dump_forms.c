/* The same two processors as other tools print them and as people pass them on: all read alike. */
#include "probes/dump.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define FORMS "tests/data/dumps"

static void load(struct vt_facts *facts, const char *name)
{
    struct vt_error error;
    char path[512];
    snprintf(path, sizeof path, FORMS "/%s", name);
    ck_assert_msg(vt_dump_load(facts, path, &error) == 0, "%s", error.text);
}

static void compare_processors(const char *name, const struct vt_processor *is,
                               const struct vt_processor *should)
{
    ck_assert_msg(is->number == should->number, "%s: CPU %ld is CPU %ld", name, should->number, is->number);
    ck_assert_msg(is->count == should->count, "%s: %zu leaves, not %zu", name, is->count, should->count);
    for (size_t i = 0; i < is->count; i++) {
        const struct vt_leaf *a = &is->leaves[i], *b = &should->leaves[i];
        ck_assert_msg(a->leaf == b->leaf && a->subleaf == b->subleaf, "%s: leaf 0x%x:%x in place of 0x%x:%x",
                      name, a->leaf, a->subleaf, b->leaf, b->subleaf);
        ck_assert_msg(memcmp(a->reg, b->reg, sizeof a->reg) == 0, "%s: leaf 0x%x:%x differs", name, a->leaf,
                      a->subleaf);
    }
}

static void compare(const char *name, const struct vt_facts *should)
{
    struct vt_facts is;
    load(&is, name);
    ck_assert_msg(is.count == should->count, "%s: %zu processors", name, is.count);
    for (size_t i = 0; i < is.count; i++)
        compare_processors(name, &is.processors[i], &should->processors[i]);
    ck_assert_msg(is.dump.note_count == 0, "%s: %s", name, is.dump.notes[0]);
    vt_facts_free(&is);
}

START_TEST(every_form_reads_alike)
{
    struct vt_facts should;
    DIR *directory = opendir(FORMS);
    unsigned count = 0;
    ck_assert_ptr_nonnull(directory);
    load(&should, "reference.txt");
    ck_assert_uint_eq(should.count, 2);
    ck_assert_uint_eq(should.processors[1].count, 12);
    for (struct dirent *entry; (entry = readdir(directory)); count++)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "README") != 0)
            compare(entry->d_name, &should);
    closedir(directory);
    vt_facts_free(&should);
    ck_assert_uint_gt(count, 30);
}
END_TEST

VT_SUITE(every_form_reads_alike)
