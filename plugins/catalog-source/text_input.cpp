// Text tables have no types, so a first pass infers them. The file is memory-mapped, and pages that
// were read are released, so that memory does not grow with the file.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <qsohost/io/text.hpp>

#include "table_input.hpp"

namespace catalog {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;

class MappedFile {
 public:
  explicit MappedFile(const std::string& name) {
    const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd < 0 || ::fstat(fd, &info) != 0) fail(name, fd);
    if (!S_ISREG(info.st_mode)) {
      ::close(fd);
      throw RunError(fmt::format("{}: not a file; see option 'path'", name));
    }
    size_ = static_cast<std::size_t>(info.st_size);
    if (size_ > 0) {
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (data_ == MAP_FAILED) fail(name, fd);
      ::madvise(data_, size_, MADV_SEQUENTIAL);
    }
    ::close(fd);
  }
  ~MappedFile() {
    if (size_ > 0) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }

  // The pages before `position` are not needed for now; they are loaded again on access.
  void forget_before(const char* position) {
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    const auto* begin = static_cast<const char*>(data_);
    if (position < begin || position > begin + size_) return;  // a cell that was rewritten
    const std::size_t whole = static_cast<std::size_t>(position - begin) / kPiece * kPiece;
    if (whole <= forgotten_) return;
    ::madvise(static_cast<char*>(data_) + forgotten_, whole - forgotten_, MADV_DONTNEED);
    forgotten_ = whole;
  }
  void restart() { forgotten_ = 0; }

 private:
  [[noreturn]] static void fail(const std::string& name, int fd) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    throw RunError(fmt::format("{}: cannot be read: {}", name, std::strerror(error)));
  }
  void* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t forgotten_ = 0;
};

// The types that the cells seen so far allow.
class Guess {
 public:
  explicit Guess(const qsohost::TableField& field) {
    if (!field.is_text) return;
    any = true;
    integer = number = false;
    why_text = "the table's header declares it a text";
  }

  void see(std::string_view cell, std::size_t line) {
    if (!number && any) return;
    if (qsohost::is_missing(cell)) return;
    any = true;
    if (integer) integer = qsohost::parse_int(cell).has_value();
    if (integer) return;
    number = qsohost::parse_double(cell).has_value();
    if (!number) why_text = fmt::format("line {} has '{}'", line, cell);
  }
  DType dtype() const {
    if (any && integer) return DType::I64;
    return number ? DType::F64 : DType::String;
  }

  std::string why_text;

 private:
  bool any = false;  // a cell was not empty
  bool integer = true;
  bool number = true;
};

double number(std::string_view cell) {
  if (const auto value = qsohost::parse_double(cell)) return *value;
  const auto hexadecimal = qsohost::parse_int(cell);
  return hexadecimal ? static_cast<double>(*hexadecimal) : std::numeric_limits<double>::quiet_NaN();
}

void append(Column& column, std::string_view cell) {
  if (column.dtype() == DType::String) {
    return column.append_string(qsohost::is_missing(cell) ? "" : cell);
  }
  if (column.dtype() == DType::F64) return column.append(number(cell));
  if (const auto value = qsohost::parse_int(cell)) return column.append(*value);
  column.append_null();
}

class TextInput final : public TableInput {
 public:
  explicit TextInput(const std::filesystem::path& file) : name_(file.string()), file_(name_) {
    restart();
    std::vector<Guess> guesses;
    for (const qsohost::TableField& field : reader_->fields()) {
      columns_.push_back({{field.name, DType::F64, field.unit, field.description}, ""});
      guesses.emplace_back(field);
    }
    while (advance()) {
      for (std::size_t i = 0; i < guesses.size(); ++i) guesses[i].see(cells_[i], reader_->line());
      ++rows_;
    }
    for (std::size_t i = 0; i < guesses.size(); ++i) {
      columns_[i].info.dtype = guesses[i].dtype();
      columns_[i].why_text = std::move(guesses[i].why_text);
    }
  }

  const std::string& name() const override { return name_; }
  const std::vector<InputColumn>& columns() const override { return columns_; }
  std::uint64_t rows() const override { return rows_; }

  void start(std::vector<std::size_t> columns) override {
    chosen_ = std::move(columns);
    restart();
  }

  std::vector<Column> next(std::size_t n) override {
    std::vector<Column> columns;
    for (const std::size_t i : chosen_) columns.emplace_back(columns_[i].info);
    lines_.clear();
    while (lines_.size() < n && advance()) {
      for (std::size_t i = 0; i < chosen_.size(); ++i) append(columns[i], cells_[chosen_[i]]);
      lines_.push_back(reader_->line());
    }
    return columns;
  }

  std::string place(std::size_t i) const override { return fmt::format("line {}", lines_[i]); }

 private:
  // An error in a user's file stops the chain, even if in a response it would affect one object.
  template <class F>
  auto reading(const F& f) {
    try {
      return f();
    } catch (const qsohost::Error& e) {
      throw RunError(fmt::format("{}: {}", name_, e.what()));
    }
  }

  void restart() {
    file_.restart();
    reading([&] { reader_.emplace(file_.text(), qsohost::TableOrigin::User); });
  }

  bool advance() {
    const bool more = reading([&] { return reader_->next(cells_); });
    if (more && !cells_.empty()) file_.forget_before(cells_[0].data());
    return more;
  }

  std::string name_;
  MappedFile file_;
  std::optional<qsohost::TableReader> reader_;
  std::vector<std::string_view> cells_;
  std::vector<InputColumn> columns_;
  std::uint64_t rows_ = 0;
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> lines_;  // of the last block
};

}  // namespace

std::unique_ptr<TableInput> open_text(const std::filesystem::path& file) {
  return std::make_unique<TextInput>(file);
}

}  // namespace catalog
