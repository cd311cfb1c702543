// Options that contradict one another, or themselves.
#include "plain_filter.hpp"

using namespace qsohost;

class Twice : public PlainFilter {
  Option<double> one_{this, "radius", 1, "one"};
  Option<double> other_{this, "radius", 2, "another"};
};

class BeyondLimit : public PlainFilter {
  Option<double> radius_{this, "radius", 5, "a default beyond its limit", {.max = 3}};
};

class NoChoice : public PlainFilter {
  Option<std::string> mode_{this, "mode", "fast", "not among them", {.choices = {"slow"}}};
};

class NoUrl : public PlainFilter {
  Option<Url> url_{this, "url", {"archive.org"}, "not whole"};
};

class NothingFits : public PlainFilter {
  Option<double> radius_{this, "radius", 2, "no number fits", {.min = 3, .max = 1}};
};

class InTables : public PlainFilter {
  struct Band : OptionOwner {
    Option<std::int64_t> width{this, "width", 0, "too narrow", {.min = 1}};
  };
  OptionTables<Band> band_{this, "band", "bands"};
};

QSOHOST_PLUGIN("faulty-options", "1.2.0", stage<Twice>("twice", "x"),
               stage<BeyondLimit>("beyond-limit", "x"), stage<NoChoice>("no-choice", "x"),
               stage<NoUrl>("no-url", "x"), stage<NothingFits>("nothing-fits", "x"),
               stage<InTables>("in-tables", "x"));
