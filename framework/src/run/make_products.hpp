// The end of a run: products from chunks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/stage.hpp"
#include "run/product_files.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// For each sink, by its place in the chain: the chunks of the committed attempt of every batch, in
// the order of the products' rows, with their objects by the ledger.
using SinkChunks = std::map<std::size_t, std::vector<Chunk>>;
SinkChunks chunks_of(const Chain& chain, const RunDb& db);

// Open sinks write their products, which publish_products() then gives their final names.
void finish_sinks(Chain& chain, const SinkChunks& chunks, ProductFiles& products);
void publish_products(const Chain& chain, ProductFiles& products);
// Both.
void make_products(Chain& chain, const SinkChunks& chunks, ProductFiles& products);

}  // namespace qsohost::inline v1
