#include <stdexcept>

#include "plain_filter.hpp"

class Throws : public PlainFilter {
 public:
  Throws() { throw std::runtime_error("no licence file"); }
};

class ThrowsNumber : public PlainFilter {
 public:
  ThrowsNumber() { throw 42; }
};

QSOHOST_PLUGIN("throwing-create", "1.0.0", qsohost::stage<Throws>("throws", "cannot be made"),
               qsohost::stage<ThrowsNumber>("throws-number", "cannot be made either"));
