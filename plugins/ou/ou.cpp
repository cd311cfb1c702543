// Fits of an Ornstein-Uhlenbeck process, alone and with leave-one-out cleaning.
#include "multiband_stage.hpp"
#include "ou_fit_stage.hpp"
#include "ou_loo_stage.hpp"

QSOHOST_PLUGIN(
    "ou", QSOHOST_VERSION,
    qsohost::stage<ou::OuLoo>("ou-loo",
                              "Ornstein-Uhlenbeck (damped random walk) fits, and cleaning by "
                              "leaving each epoch out"),
    qsohost::stage<ou::OuFit>("ou-fit", "Ornstein-Uhlenbeck (damped random walk) fits"),
    qsohost::stage<ou::multiband::OuMultiband>(
        "ou-multiband", "one Ornstein-Uhlenbeck process (damped random walk) in all bands"));
