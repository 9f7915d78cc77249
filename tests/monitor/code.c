/* What lies beside the cases in this image: the recorder and the code that misbehaves. */
#include "tests/difference/effect_code.h"

EFFECT_CODE
