#include "fleet/chance.h"

#include <math.h>

/* P(|T| > t) of Student's t, t = sqrt(df) tan(angle): the density becomes a power of the cosine. */
static double tail(double angle, double df)
{
    enum { STEPS = 256 };
    /* Where the integrand has fallen to 1e-9 of what it is at `angle`, the rest does not matter. */
    double end = df > 1 ? acos(cos(angle) * exp(-20.7 / df)) : M_PI / 2, step = (end - angle) / STEPS,
           sum = 0;
    for (int i = 0; i <= STEPS; i++)
        sum += pow(cos(angle + i * step), df - 1) * (i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2);
    double whole = sqrt(M_PI) / 2 * exp(lgamma(df / 2) - lgamma((df + 1) / 2));
    return sum * step / 3 / whole;
}

double vt_fleet_critical(size_t count, double alarm)
{
    /* The median absolute deviation knows the spread as well as 37 % of the values would by squares. */
    double df = fmin(fmax(0.37 * ((double)count - 1), 1), 400), low = 0, high = M_PI / 2 - 1e-9;
    for (int i = 0; i < 48; i++) {
        double middle = (low + high) / 2;
        if (tail(middle, df) > alarm / (double)count)
            low = middle;
        else
            high = middle;
    }
    return sqrt(df) * tan(high);
}

double vt_fleet_at_least(size_t least, size_t count, double rate)
{
    double sum = 0, n = (double)count;
    if (least == 0 || rate >= 1)
        return 1;
    for (size_t k = least; k <= count; k++) {
        double term = exp(lgamma(n + 1) - lgamma((double)k + 1) - lgamma(n - (double)k + 1) +
                          (double)k * log(rate) + (n - (double)k) * log1p(-rate));
        sum += term;
        if (term < 1e-12 * sum)
            break;
    }
    return fmin(sum, 1);
}

double vt_fleet_rate(double z, size_t beyond, size_t count, double largest)
{
    double rate = (double)(beyond + 1) / (double)(count + 1);
    /* Beyond the largest one seen, a tail as heavy as measurements on shared machines have; few deviations
     * tell little of it: on such a machine one figure in some hundreds is disturbed by half. */
    if (beyond == 0 && z > largest)
        rate *= fmax(pow(largest / z, 4), count < 2000 ? 0.1 : 0);
    return fmin(rate, 1);
}
