// The DATA of one TABLE, in any of the forms that a VOTable can have them in.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "votable/votable_field.hpp"
#include "votable/votable_rows.hpp"
#include "votable/xml_reader.hpp"

namespace qsohost::inline io_v1 {

// Gets all that stands inside of the element that names the form. Functions throw BadData.
class VoData {
 public:
  virtual ~VoData() = default;
  virtual void start(std::string_view element, const XmlAttributes& attributes) = 0;
  virtual void end(std::string_view element) = 0;
  virtual void text(std::string_view piece) = 0;
  // At the end of the form's element.
  virtual void finish() = 0;
  std::uint64_t rows() const { return rows_; }

 protected:
  std::uint64_t rows_ = 0;
};

// `form` is TABLEDATA, BINARY, BINARY2 or FITS. `to`: where the rows go; null if they are only
// counted. Both must outlive the result.
std::unique_ptr<VoData> read_data(std::string_view form, const std::vector<VoField>& fields,
                                  VoRows* to);

std::unique_ptr<VoData> read_tabledata(const std::vector<VoField>& fields, VoRows* to);
// `has_null_flags`: BINARY2.
std::unique_ptr<VoData> read_binary(const std::vector<VoField>& fields, bool has_null_flags,
                                    VoRows* to);

}  // namespace qsohost::inline io_v1
