#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Values of headers that are lists or have parameters (RFC 9110, 5.6).
namespace squall::http {

// `form-data; name="a"` taken apart.
struct HeaderParams {
  using List = std::vector<std::pair<std::string, std::string>>;

  std::string value;  // before the first `;`, as it is spelled
  List params;        // in order, names in lower case

  // The first of that name.
  const std::string* find(std::string_view name) const noexcept;

  bool operator==(const HeaderParams&) const = default;
};

// Parameters are separated by `;` outside quotes. Quoted values lose quotes and backslashes, those without
// any value have an empty one (HUT-74). `name*=UTF-8''%e2%82%ac` is decoded to UTF-8, from UTF-8 or
// ISO-8859-1, and stands in the place of a plain `name` (RFC 8187; HUT-72); where it is malformed, the plain
// one stays. RFC 2231's continuations (`name*0=`) are parameters of that name. Nothing fails; linear time.
HeaderParams parse_header(std::string_view text);

// The reverse: values that are no tokens are quoted, those with characters outside ASCII become
// `name*=UTF-8''...`. Empty ones are left out together with their `=`. Throws std::invalid_argument if a name
// is no token, a value has control characters or is not UTF-8.
std::string format_header(std::string_view value, const HeaderParams::List& params);

// `attachment; filename="report.pdf"`, for a response that is to be saved (RFC 6266). A name that is not
// plain ASCII, or has quotes, backslashes or percent signs in it, which browsers read differently, goes
// twice: with those replaced by `_` for the old ones, and as `filename*`. Throws std::invalid_argument if it
// has control characters or is not UTF-8, or if `type` is no token.
std::string content_disposition(std::string_view type, std::string_view filename);

// The next element of a list that is separated by commas outside quotes, without blanks around it; `rest` is
// what follows. Empty elements are passed over (RFC 9110, 5.6.1). None at the end.
std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept;

// The same of what is separated by `separator`, empty pieces included; at the end `rest` becomes a view of
// nothing (`data()` is null).
std::string_view next_quoted_piece(std::string_view& rest, char separator) noexcept;

// `a "quoted\"" thing` without its quotes and backslashes; as it is if it has no quotes around it.
std::string unquote_string(std::string_view text);

}  // namespace squall::http
