#include "votable/votable_input.hpp"

#include <algorithm>
#include <utility>

#include "files/block_input.hpp"
#include "qsohost/names.hpp"
#include "votable/votable_document.hpp"

namespace qsohost::inline io_v1 {

namespace {

class VoTableInput final : public BlockInput {
 public:
  VoTableInput(VoDocument document, bool has_others)
      : document_(std::move(document)), has_others_(has_others) {
    for (const VoField& field : table().fields) columns_.push_back(field.column);
  }

  std::string_view form() const override { return "VOTable"; }
  std::uint64_t rows() const override { return table().rows; }
  const std::vector<InputColumn>& columns() const override { return columns_; }
  std::optional<std::string> keyword(const std::string& name) const override;
  std::optional<TimeSystem> time_system() const override { return document_.time_system; }
  std::vector<OtherTable> others() const override;
  std::vector<std::string> warnings() const override { return document_.warnings; }

 protected:
  std::vector<Cells> read_block(std::uint64_t number,
                                std::span<const std::size_t> columns) override {
    return document_.spool->read(number, columns);
  }

 private:
  const VoTable& table() const { return document_.tables[document_.chosen]; }
  std::string option_name(const VoTable& table) const;

  VoDocument document_;
  bool has_others_;
  std::vector<InputColumn> columns_;
};

// PARAMs are the keywords of VOTables; those of the table come first.
std::optional<std::string> VoTableInput::keyword(const std::string& name) const {
  for (const VoParams* params : {&table().params, &document_.params}) {
    const auto it = params->find(lower_case(name));
    if (it != params->end()) return it->second;
  }
  return std::nullopt;
}

// Its name, if that means no other table.
std::string VoTableInput::option_name(const VoTable& table) const {
  const std::string& name = table.name.empty() ? table.id : table.name;
  const auto is_called_so = [&](const VoTable& t) {
    return lower_case(t.name) == lower_case(name) || lower_case(t.id) == lower_case(name);
  };
  const bool is_number = name.find_first_not_of("0123456789") == name.npos;
  if (is_number || std::ranges::count_if(document_.tables, is_called_so) != 1) {
    return std::to_string(table.number);
  }
  return name;
}

std::vector<OtherTable> VoTableInput::others() const {
  std::vector<OtherTable> out;
  for (const VoTable& t : document_.tables) {
    if (!has_others_ || !t.has_data || t.fields.empty() || &t == &table()) continue;
    std::vector<std::string> columns;
    for (const VoField& field : t.fields) columns.push_back(field.column.info.name);
    out.push_back({option_name(t), t.rows, std::move(columns)});
  }
  return out;
}

}  // namespace

std::unique_ptr<TableInput> open_votable(OpenedFile file, std::string_view hdu) {
  return std::make_unique<VoTableInput>(read_document(file, hdu), trimmed(hdu).empty());
}

}  // namespace qsohost::inline io_v1
