#include "run/make_products.hpp"

#include <fmt/format.h>

#include "chain/calls_under_way.hpp"
#include "chain/stage_call.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

SinkChunks chunks_of(const Chain& chain, const RunDb& db) {
  const auto batches = db.batches();
  SinkChunks out;
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    if (chain.stages()[i].offer.role != Role::Sink) continue;
    std::vector<Chunk>& chunks = out[i];
    for (const auto& [ordinal, objects] : db.objects_in(i)) {
      chunks.push_back({ordinal, batches.at(ordinal).attempt, objects});
    }
  }
  return out;
}

void finish_sinks(Chain& chain, const SinkChunks& chunks, ProductFiles& products) {
  for (const auto& [index, of_sink] : chunks) {
    ChainStage& stage = chain.stages()[index];
    guarded(stage, nullptr, [&] { static_cast<Sink&>(*stage.stage).finish(of_sink, products); });
  }
}

void publish_products(const Chain& chain, ProductFiles& products) {
  const CallUnderWay under_way(chain, "publication of the products");
  products.publish();
}

void make_products(Chain& chain, const SinkChunks& chunks, ProductFiles& products) {
  finish_sinks(chain, chunks, products);
  publish_products(chain, products);
}

}  // namespace qsohost::inline v1
