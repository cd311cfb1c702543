// What pugixml takes without a word, and what must not be in an answer of an archive.
#pragma once

#include <string_view>

namespace qsohost::inline io_v1 {

// Throws BadObject, with line and column, for the declaration of an entity, for a reference to any
// but the five of XML (pugixml would leave "&name;" in the cell), and for elements nested deeper
// than any table's, which would cost far more memory than the text has.
void check_markup(std::string_view text);

}  // namespace qsohost::inline io_v1
