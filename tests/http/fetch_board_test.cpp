#include <catch2/catch.hpp>

#include "http/fetch_board.hpp"

using namespace qsohost;

TEST_CASE("objects of several batches add up, and a batch that is left takes its open ones along") {
  FetchBoard board;
  CHECK(board.read().empty());
  FetchBoard::Entry first(board, "ztf");
  first.update(500, 8);
  first.update(420, 6);
  {
    FetchBoard::Entry second(board, "ztf");
    second.update(100, 4);
    second.update(30, 1);
    FetchBoard::Entry other(board, "gaia");
    other.update(10, 1);
    CHECK(board.read().size() == 2);
  }
  const FetchProgress ztf = board.read().front();
  CHECK(ztf.stage == "ztf");
  CHECK(ztf.objects == 570);
  CHECK(ztf.settled == 150);
  CHECK(ztf.requests == 6);
  CHECK(ztf.rate > 0);
}

TEST_CASE("an object about which more is asked is not settled any more") {
  FetchBoard board;
  FetchBoard::Entry batch(board, "ztf");
  batch.update(3, 3);
  batch.update(1, 1);
  batch.update(2, 2);
  CHECK(board.read().front().settled == 1);
  batch.update(0, 0);
  CHECK(board.read().front().settled == 3);
  CHECK(board.read().front().objects == 3);
}
