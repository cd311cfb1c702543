// Light curves of some rows of a product.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/light_curve.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {

// Calls `visit(k, curve)` for row rows[k] (ascending) of a light-curve product, with the epochs as
// they are in the file. Errors of magnitudes that the product has as errors of fluxes are computed.
// Throws RunError if the product lacks a column of the light curve.
void each_curve(const Product& product, const std::string& group,
                std::span<const std::uint64_t> rows,
                const std::function<void(std::size_t, const LightCurve&)>& visit);

// Whether each_curve can read the light curves of this group.
bool has_curve(const Product& product, const std::string& group);

// The light-curve products that hold this group, the last of the chain first: a product tells in
// its header the chain up to its own stage.
std::vector<const Product*> curve_products(const RunProducts& run, const std::string& group);

// Groups of all light-curve products, in their order.
std::vector<std::string> curve_groups(const RunProducts& run);

// The epochs that take part in fits, in time order.
LightCurve usable(const LightCurve& fetched);

}  // namespace qsohost::cli
