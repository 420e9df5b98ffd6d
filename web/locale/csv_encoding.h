#pragma once

#include <cstdint>

namespace squall::web {

// The encoding of CSV files of translations.
enum class CsvEncoding : std::uint8_t {
  by_mark,  // UTF-16 if the file begins with its byte order mark, otherwise UTF-8
  utf8,     // with or without a byte order mark
  utf16,    // little-endian without a byte order mark
};

}  // namespace squall::web
