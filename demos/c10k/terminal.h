#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fleet.h"

namespace c10k {

// The samples as a page of text with the last `width` minus some columns of each chart, for a terminal that
// understands ANSI sequences: drawn over the page before.
std::string draw(const std::vector<Sample>& samples, std::size_t connections, std::size_t width);

// Hides the cursor and clears the screen; the destructor undoes the first.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // The columns of the terminal; 80 if it does not say.
  static std::size_t width() noexcept;
};

}  // namespace c10k
