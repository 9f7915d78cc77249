#include "show/asset.h"

/* The assembler finds the files from the root of the tree, where the build runs. */
#define ASSET(name, file)                                                                                    \
    __asm__(".section .rodata, \"a\", @progbits\n"                                                           \
            ".global " #name "\n" #name ":\n.incbin \"" file "\"\n.Lend_" #name ":\n"                        \
            ".balign 8\n.global " #name "_size\n" #name "_size: .quad .Lend_" #name " - " #name "\n"         \
            ".text\n")

ASSET(vt_asset_style, "show/page.css");
ASSET(vt_asset_script, "show/page.js");
ASSET(vt_asset_method, "show/page_method.html");
ASSET(vt_asset_published, "data/published.json");
ASSET(vt_asset_story_en, "report/story/en.txt");
ASSET(vt_asset_story_ko, "report/story/ko.txt");
ASSET(vt_asset_picture_rings, "report/story/rings.svg");
ASSET(vt_asset_picture_trap, "report/story/trap.svg");
ASSET(vt_asset_picture_hardware, "report/story/hardware.svg");
