// Encodings of XML files that expat does not know by itself.
#pragma once

#define XML_DTD  // Expat's header then declares the limit of entities, which all builds have
#include <expat.h>

namespace qsohost::inline io_v1 {

// For XML_SetUnknownEncodingHandler.
int find_encoding(void* unused, const XML_Char* name, XML_Encoding* encoding);

}  // namespace qsohost::inline io_v1
