#include "votable/votable_data.hpp"

namespace qsohost::inline io_v1 {

std::unique_ptr<VoData> read_data(std::string_view form, const std::vector<VoField>& fields,
                                  VoRows* to) {
  if (form == "TABLEDATA") return read_tabledata(fields, to);
  if (form == "FITS") {
    throw BadData(
        "the data are a FITS file inside of the VOTable, which is not read; save the table as FITS "
        "or as another form of VOTable (TOPCAT and STILTS can)");
  }
  return read_binary(fields, form == "BINARY2", to);
}

}  // namespace qsohost::inline io_v1
