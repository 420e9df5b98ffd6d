#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Header values that are lists or have parameters (RFC 9110, 5.6).
namespace squall::http {

// A value with parameters: `form-data; name="a"`.
struct HeaderParams {
  using List = std::vector<std::pair<std::string, std::string>>;

  std::string value;  // the text before the first `;`
  List params;        // in their order, names in lower case

  // The first parameter of that name in lower case, or null.
  const std::string* find(std::string_view name) const noexcept;

  bool operator==(const HeaderParams&) const = default;
};

// Splits at each `;` outside quotes. Quoted values lose quotes and backslashes; a parameter without a value
// has an empty one (HUT-74). `name*=UTF-8''%e2%82%ac` is decoded from UTF-8 or ISO-8859-1 to UTF-8 and
// replaces a plain `name` (RFC 8187; HUT-72), unless it is malformed. RFC 2231's continuations (`name*0=`)
// stay parameters of that name. Accepts any text; linear time.
HeaderParams parse_header(std::string_view text);

// The reverse: quotes values that are not tokens, and writes values with characters outside ASCII as
// `name*=UTF-8''...`. An empty value is left out with its `=`. Throws std::invalid_argument for a name that
// is not a token, and a value that has control characters or is not UTF-8.
std::string format_header(std::string_view value, const HeaderParams::List& params);

// The Content-Disposition of a download: `attachment; filename="report.pdf"` (RFC 6266). A file name with
// characters outside ASCII, or with quotes, backslashes or percent signs, which browsers read differently, is
// sent twice: with `_` in their place for old browsers, and as `filename*`. Throws std::invalid_argument for
// a file name that has control characters or is not UTF-8, and a `type` that is not a token.
std::string content_disposition(std::string_view type, std::string_view filename);

// Removes the next element of a comma-separated list from `rest`, and returns it without blanks around it.
// Commas in quotes do not separate. Empty elements are skipped (RFC 9110, 5.6.1). nullopt at the end.
std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept;

// The same with another separator, and with empty pieces. After the last piece `rest` is empty, and its
// data() null.
std::string_view next_quoted_piece(std::string_view& rest, char separator) noexcept;

// Removes quotes and backslashes of a quoted string. Text without quotes around it is returned unchanged.
std::string unquote_string(std::string_view text);

}  // namespace squall::http
