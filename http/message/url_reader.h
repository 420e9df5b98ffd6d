#pragma once

#include <squall/http/message/url.h>
#include <squall/http/message/url_chars.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// A URL's parts, checked and normalised, except that the host may have upper case.
struct URLPieces {
  std::string_view scheme;
  std::optional<std::string_view> userinfo;
  std::string_view host;  // with brackets
  std::optional<std::uint16_t> port;
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

// Splits a URL reference into its parts and checks each of them (RFC 3986, 4.1).
//
// Result:    `pieces`, views into the text or into this object.
// Errors:    read() returns false and fills `fault`.
class URLReader {
 public:
  // Borrows both until the object is destroyed.
  URLReader(std::string_view text, URLFault& fault) noexcept : text_(text), rest_(text), fault_(fault) {}

  bool read();

  URLPieces pieces;
  bool has_scheme = false;
  bool has_authority = false;

 private:
  bool fail(std::size_t offset, std::string_view reason) {
    fault_ = {offset, reason};
    return false;
  }
  // The offset of a view into the text.
  std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }
  // Takes `size` bytes off the front of rest_, or all of it.
  std::string_view cut(std::size_t size);
  bool check(std::string_view part, const URLChars& legal);
  bool read_scheme();
  bool read_authority(std::string_view authority);
  bool read_ipv6(std::string_view address);
  bool check_name(std::string_view name);
  bool read_port(std::string_view digits);

  std::string_view text_;
  std::string_view rest_;
  URLFault& fault_;
  std::string ipv6_;  // the host in brackets, in its shortest form
};

}  // namespace squall::http
