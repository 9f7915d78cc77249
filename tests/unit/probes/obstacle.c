#include "tests/unit/probes/obstacle.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct vt_obstacle obstacle_told;

void obstacle_says(const char *code, const char *reason, const char *fix)
{
    ck_assert_str_eq(obstacle_told.code, code);
    ck_assert_msg(strstr(obstacle_told.reason, reason), "no '%s' in: %s", reason, obstacle_told.reason);
    ck_assert_msg(strstr(obstacle_told.fix, fix), "no '%s' in: %s", fix, obstacle_told.fix);
}

void obstacle_never_offers(const char *fix)
{
    ck_assert_msg(!strstr(obstacle_told.fix, fix), "'%s' in: %s", fix, obstacle_told.fix);
}

struct vt_kvm_scene scene_usual(void)
{
    return (struct vt_kvm_scene){
        .node = {.mode = S_IFCHR | 0660,
                 .gid = 108,
                 .major = 10,
                 .minor = 232,
                 .owner = "root",
                 .group = "kvm",
                 .has_kvm_group = true},
        .process = {.uid = 1000, .gid = 1000, .user = "alice", .label = "unconfined"},
        .module = {.name = "kvm_intel",
                   .registered = VT_YES,
                   .minor = 232,
                   .loaded = true,
                   .state = VT_MODULE_THERE},
    };
}

void obstacle_explain(const char *facts, const struct vt_kvm_scene *scene, int number)
{
    json_t *document = json_loads(facts, 0, NULL);
    ck_assert_ptr_nonnull(document);
    vt_kvm_explain_open(document, scene, number, &obstacle_told);
    json_decref(document);
}

struct vt_kvm_scene scene_without(enum vt_module_state state)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.node = (struct vt_kvm_node){.number = ENOENT, .has_kvm_group = true};
    scene.module.registered = VT_NO;
    scene.module.loaded = false;
    scene.module.state = state;
    return scene;
}
