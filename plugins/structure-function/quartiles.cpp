#include "quartiles.hpp"

#include <cmath>

namespace sf {
namespace {

// Numbers of 8 bytes, for all bins together, and the least for each so that few sweeps suffice.
constexpr std::size_t kRoom = std::size_t{1} << 18, kLeastRoom = 512;

double number_of(std::uint64_t key) {
  return std::bit_cast<double>((key >> 63) != 0 ? key & ~(std::uint64_t{1} << 63) : ~key);
}

}  // namespace

Quantile::Quantile(double fraction, std::size_t numbers, std::size_t room)
    : numbers_(numbers), room_(room) {
  if (numbers == 0) return;
  const double place = fraction * static_cast<double>(numbers - 1);
  rank_ = static_cast<std::size_t>(place);
  rest_ = place - std::floor(place);
  prepare();
}

void Quantile::prepare() {
  kept_.clear();
  if (numbers_ <= room_ || low_ == high_) {
    state_ = State::Keeping;
    return;
  }
  state_ = State::Counting;
  shift_ = 0;
  while ((high_ - low_) >> shift_ >= room_) ++shift_;
  kept_.assign(room_, 0);
}

// Moves the keys below `rank_` before it and those above it behind.
std::uint64_t Quantile::kept_at_rank() {
  const auto at = kept_.begin() + static_cast<std::ptrdiff_t>(rank_);
  std::nth_element(kept_.begin(), at, kept_.end());
  return *at;
}

std::uint64_t Quantile::key_above() const {
  if (rank_ + 1 == numbers_) return next_;
  if (low_ == high_) return low_;
  return *std::min_element(kept_.begin() + static_cast<std::ptrdiff_t>(rank_) + 1, kept_.end());
}

void Quantile::end_sweep() {
  if (state_ == State::Counting) {
    std::size_t cell = 0;
    for (; rank_ >= kept_[cell]; ++cell) rank_ -= kept_[cell];
    numbers_ = kept_[cell];
    low_ += static_cast<std::uint64_t>(cell) << shift_;
    high_ = std::min(high_, low_ + ((std::uint64_t{1} << shift_) - 1));
    prepare();
  } else if (state_ == State::Keeping) {
    value_ = number_of(low_ == high_ ? low_ : kept_at_rank());
    if (rest_ > 0) value_ += rest_ * (number_of(key_above()) - value_);
    kept_ = {};
    state_ = State::Known;
  }
}

Quartiles::Quartiles(std::span<const std::size_t> numbers) {
  const std::size_t room = std::max(kRoom / (2 * numbers.size()), kLeastRoom);
  for (const std::size_t n : numbers) {
    lower_.emplace_back(0.25, n, room);
    upper_.emplace_back(0.75, n, room);
  }
}

bool Quartiles::need_sweep() const {
  const auto is_known = [](const Quantile& q) { return q.is_known(); };
  return !std::ranges::all_of(lower_, is_known) || !std::ranges::all_of(upper_, is_known);
}

void Quartiles::end_sweep() {
  for (std::vector<Quantile>* all : {&lower_, &upper_}) {
    for (Quantile& q : *all) q.end_sweep();
  }
}

}  // namespace sf
