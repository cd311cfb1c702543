// A filter that does nothing, for plugins that are bad in other ways.
#pragma once

#include <qsohost/plugin.hpp>

class PlainFilter : public qsohost::Filter {
 public:
  void apply(qsohost::Batch& /*batch*/, qsohost::Counts& /*counts*/) const override {}
};
