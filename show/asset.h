/*
 * The files a page is made of, as bytes inside the program: style, script, and the
 * chapters on method and words; the published figures; the story, one text for each language, and its
 * drawings.
 */
#ifndef VT_SHOW_ASSET_H
#define VT_SHOW_ASSET_H

#include <stddef.h>

extern const char vt_asset_story_en[], vt_asset_story_ko[], vt_asset_picture_rings[], vt_asset_picture_trap[],
    vt_asset_picture_hardware[];
extern const size_t vt_asset_story_en_size, vt_asset_story_ko_size, vt_asset_picture_rings_size,
    vt_asset_picture_trap_size, vt_asset_picture_hardware_size;
extern const char vt_asset_style[], vt_asset_script[], vt_asset_method[], vt_asset_published[];
extern const size_t vt_asset_style_size, vt_asset_script_size, vt_asset_method_size, vt_asset_published_size;

#endif
