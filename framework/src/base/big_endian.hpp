// Big-endian numbers, as in FITS and PostgreSQL.
#pragma once

#include <boost/endian/conversion.hpp>

namespace qsohost::inline v1 {

template <class T>
T load_be(const void* from) {
  return boost::endian::endian_load<T, sizeof(T), boost::endian::order::big>(
      static_cast<const unsigned char*>(from));
}

template <class T>
void store_be(void* to, T value) {
  boost::endian::endian_store<T, sizeof(T), boost::endian::order::big>(
      static_cast<unsigned char*>(to), value);
}

}  // namespace qsohost::inline v1
