#include "data/ending.hpp"

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

Ending caught_ending() {
  try {
    throw;
  } catch (const NotFound& e) {
    return {Outcome::NotFound, e.what()};
  } catch (const TryAgain& e) {
    return {Outcome::Failed, e.what()};
  } catch (const BadObject& e) {
    return {Outcome::BadObject, e.what()};
  }
}

}  // namespace qsohost::inline v1
