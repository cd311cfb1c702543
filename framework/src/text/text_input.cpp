#include "text/text_input.hpp"
namespace qsohost::inline io_v1 {
std::unique_ptr<TableInput> open_text(OpenedFile file) { file.fail("text forms are not read yet"); }
}
