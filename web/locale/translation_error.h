#pragma once

#include <stdexcept>

namespace squall::web::detail {

// A file of translations that cannot be used; the text says why.
class TranslationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace squall::web::detail
