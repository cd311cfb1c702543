// The stages of this plugin, one .cpp each.
#pragma once

#include <qsohost/stage.hpp>

namespace ztf {

qsohost::Stage* make_ztf_files();
qsohost::Stage* make_irsa_ztf();

}  // namespace ztf
