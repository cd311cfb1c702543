// Headers: blocks of 2880 bytes, 36 cards of 80 (FITS standard 4.0, sections 3 and 4).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "fits/fits_block.hpp"
#include "fits/fits_cards.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kBlocks = 4;  // read at once: of most headers all

// A quoted text, with doubled quotes inside; `rest` is what follows it.
std::string quoted_text(std::string_view from, std::string_view& rest) {
  std::string text;
  std::size_t i = 1;
  for (; i < from.size(); ++i) {
    if (from[i] == '\'') {
      if (i + 1 >= from.size() || from[i + 1] != '\'') break;
      ++i;
    }
    text += from[i];
  }
  rest = from.substr(std::min(i + 1, from.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string_view comment_in(std::string_view rest) {
  const std::size_t slash = rest.find('/');
  return slash == std::string_view::npos ? std::string_view() : trimmed(rest.substr(slash + 1));
}

}  // namespace

FitsCards::FitsCards(const OpenedFile& file, std::uint64_t offset) : file_(&file) {
  std::string blocks;
  end_ = offset;
  for (std::size_t at = 0;; at += kFitsBlock) {
    if (at == blocks.size()) {
      const std::uint64_t left = end_ < file.size() ? (file.size() - end_) / kFitsBlock : 0;
      if (left == 0) file.fail("is cut short: a header has no END; get it again");
      blocks.resize(std::min(left, kBlocks) * kFitsBlock);
      file.read(end_, std::as_writable_bytes(std::span(blocks)));
      at = 0;
    }
    end_ += kFitsBlock;
    if (take_block(std::string_view(blocks).substr(at, kFitsBlock))) return;
  }
}

// True if the header ends in this block.
bool FitsCards::take_block(std::string_view block) {
  for (std::size_t at = 0; at < block.size(); at += kFitsCard) {
    const std::string_view card = block.substr(at, kFitsCard);
    if (trimmed(card) == "END") return true;
    take(card);
  }
  return false;
}

void FitsCards::take(std::string_view card) {
  const std::string name(trimmed(card.substr(0, 8)));
  if (name == "CONTINUE" && !continued_.empty()) {
    std::string& value = cards_[continued_].value;
    std::string_view rest = trimmed(card.substr(8));
    if (rest.empty() || rest[0] != '\'') return continued_.clear();
    value.pop_back();  // the '&'
    value += quoted_text(rest, rest);
    if (!value.ends_with('&')) continued_.clear();
    return;
  }
  continued_.clear();
  if (name == "HISTORY") return take_history(card.substr(8));
  if (card.substr(8, 2) != "= " || cards_.contains(name)) return;
  std::string_view rest = trimmed(card.substr(10));
  Card& out = cards_[name];
  if (!rest.empty() && rest[0] == '\'') {
    out.value = quoted_text(rest, rest);
    if (out.value.ends_with('&')) continued_ = name;
  } else {
    out.value = trimmed(rest.substr(0, rest.find('/')));
  }
  out.comment = comment_in(rest);
}

// Lines that are longer than a card go on in the next one.
void FitsCards::take_history(std::string_view text) {
  std::string& history = cards_["HISTORY"].value;
  history += text.substr(0, text.find_last_not_of(' ') + 1);
  if (text.ends_with(' ')) history += '\n';
}

std::string FitsCards::text(const std::string& name) const {
  const auto it = cards_.find(name);
  return it == cards_.end() ? "" : it->second.value;
}

std::string FitsCards::comment(const std::string& name) const {
  const auto it = cards_.find(name);
  return it == cards_.end() ? "" : it->second.comment;
}

template <class T>
std::optional<T> FitsCards::parse(const std::string& name) const {
  const auto it = cards_.find(name);
  if (it == cards_.end()) return std::nullopt;
  std::string text = it->second.value;
  if (text.starts_with('+')) text.erase(0, 1);
  std::replace(text.begin(), text.end(), 'D', 'E');
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  file_->fail(fmt::format("keyword {} holds '{}', which must be a number; correct the header", name,
                          it->second.value));
}

std::optional<double> FitsCards::number(const std::string& name) const {
  return parse<double>(name);
}

std::optional<std::int64_t> FitsCards::integer(const std::string& name) const {
  return parse<std::int64_t>(name);
}

std::uint64_t FitsCards::count(const std::string& name,
                               std::optional<std::uint64_t> otherwise) const {
  if (otherwise && !has(name)) return *otherwise;
  const auto n = integer(name);
  if (!n || *n < 0) {
    file_->fail(
        fmt::format("a header has no {} that is a count: the file is damaged; get it again", name));
  }
  return static_cast<std::uint64_t>(*n);
}

namespace {

// Size of the data according to a header, padded to whole blocks.
std::uint64_t data_bytes(const OpenedFile& file, const FitsCards& cards) {
  const std::uint64_t axes = cards.count("NAXIS");
  if (axes == 0) return 0;
  if (axes > 999) file.fail("a header has more than 999 axes: the file is damaged; get it again");
  std::uint64_t elements = 1;
  bool fits = true;
  const auto multiply = [&](std::uint64_t n) {
    fits = fits && !__builtin_mul_overflow(elements, n, &elements);
  };
  for (std::uint64_t i = 1; i <= axes; ++i) multiply(cards.count(fmt::format("NAXIS{}", i)));
  fits = fits && !__builtin_add_overflow(elements, cards.count("PCOUNT", 0), &elements);
  multiply(cards.count("GCOUNT", 1));
  const std::int64_t bits = cards.integer("BITPIX").value_or(8);
  multiply(static_cast<std::uint64_t>(bits < 0 ? -(bits + 1) / 8 + 1 : bits / 8));
  if (!fits || elements > std::uint64_t{1} << 62) {
    file.fail("a header promises more data than there can be: the file is damaged; get it again");
  }
  return (elements + kFitsBlock - 1) / kFitsBlock * kFitsBlock;
}

FitsHdu hdu_at(const OpenedFile& file, std::uint64_t offset) {
  FitsCards cards(file, offset);
  const std::uint64_t data = cards.end();
  const std::uint64_t bytes = data_bytes(file, cards);
  return {std::move(cards), offset, data, data + bytes};
}

}  // namespace

void require_fits(const OpenedFile& file) {
  if (file.head(9) == "SIMPLE  =") return;
  file.fail(
      "it does not begin as a FITS file must, with SIMPLE; check that it is the file you mean");
}

FitsHdu first_hdu(const OpenedFile& file) {
  require_fits(file);
  return hdu_at(file, 0);
}

std::optional<FitsHdu> next_hdu(const OpenedFile& file, const FitsHdu& hdu) {
  if (hdu.end >= file.size() || file.size() - hdu.end < kFitsBlock) return std::nullopt;
  return hdu_at(file, hdu.end);
}

}  // namespace qsohost::inline io_v1
