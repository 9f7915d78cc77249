#include "cli/confined.h"
#include "base/process/confine.h"
#include "show/gnuplot.h"

void vt_cli_confine(const char *output, const char *folder, bool charts)
{
    const char *const outputs[] = {output, folder};
    if (charts)
        vt_gnuplot_prepare();
    vt_confine_reader(outputs, sizeof outputs / sizeof outputs[0]);
}
