// The fields of the WebSocket handshake, and the payload of a close frame. Extensions are judged as by a
// grammar that reads character by character. A server's answer keeps its options, and a client that made the
// offer accepts it. A close payload that is accepted can be written again. UTF-8 is judged the same in
// pieces.

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/codec/handshake_fields.h>
#include <squall/websocket/codec/utf8_stream.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::websocket {
namespace {

// RFC 6455, 9.1, and the lists and blanks of RFC 9110, 5.6.
class Grammar {
 public:
  explicit Grammar(std::string_view text) : text_(text) {}

  // The extensions as a text, or nullopt.
  std::optional<std::string> extensions() {
    std::string all;
    std::size_t parts = 0;
    for (;;) {
      skip_blanks();
      if (at_ == text_.size()) break;
      if (skip(',')) continue;
      const std::string name = token();
      if (name.empty() || ++parts > kMaxExtensionParts) return std::nullopt;
      all += name;
      skip_blanks();
      while (skip(';')) {
        if (!param(all) || ++parts > kMaxExtensionParts) return std::nullopt;
        skip_blanks();
      }
      all += ',';
      if (at_ != text_.size() && !skip(',')) return std::nullopt;
    }
    return all;
  }

 private:
  bool param(std::string& all) {
    skip_blanks();
    const std::string name = token();
    if (name.empty()) return false;
    all += ';' + name;
    skip_blanks();
    if (!skip('=')) return true;
    skip_blanks();
    const std::string value = skip('"') ? quoted() : token();
    all += '=' + value;
    return is_token(value);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool skip(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string token() {
    std::string token;
    while (at_ < text_.size() && is_token_char(text_[at_])) token += text_[at_++];
    return token;
  }
  // Up to the second quote; empty without it.
  std::string quoted() {
    std::string value;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && ++at_ == text_.size()) return {};
      value += text_[at_++];
    }
    return skip('"') ? value : std::string();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string text_of(const std::vector<Extension>& extensions) {
  std::string all;
  for (const Extension& extension : extensions) {
    all += extension.name;
    for (const ExtensionParam& param : extension.params) {
      all.append(";").append(param.name);
      if (param.value) all.append("=").append(*param.value);
    }
    all += ',';
  }
  return all;
}

bool keeps(const DeflateWindow& window, const DeflateWindow& wish) {
  return window.bits >= 8 && window.bits <= wish.bits && (wish.context_takeover || !window.context_takeover);
}

DeflateOptions options_of(unsigned choice) {
  const auto window = [](unsigned part) {
    return DeflateWindow{.bits = 8 + static_cast<int>(part % 8), .context_takeover = part % 16 < 8};
  };
  return {.send = window(choice), .receive = window(choice / 16)};
}

void check_extensions(std::string_view text, const DeflateOptions& options) {
  const auto extensions = parse_extensions(text);
  const auto expected = Grammar(text).extensions();
  FUZZ_CHECK(extensions.has_value() == expected.has_value());
  if (!extensions) return;
  FUZZ_CHECK(text_of(*extensions) == *expected);
  if (const auto answer = answer_deflate(*extensions, options)) {
    FUZZ_CHECK(keeps(answer->terms.send, options.send));
    FUZZ_CHECK(parse_extensions(answer->field)->size() == 1);
  }
  std::optional<DeflateTerms> terms;
  if (accept_deflate(*extensions, &options, terms)) {
    FUZZ_CHECK(terms.has_value() != extensions->empty());
    FUZZ_CHECK(!terms || (keeps(terms->send, options.send) && keeps(terms->receive, options.receive)));
  }
  FUZZ_CHECK(accept_deflate(*extensions, nullptr, terms) == extensions->empty());
}

void check_subprotocols(std::string_view text) {
  const auto protocols = parse_subprotocols(text);
  if (!protocols) return;
  const char* at = text.data();
  for (const std::string_view protocol : *protocols) {
    FUZZ_CHECK(is_token(protocol) && protocol.data() >= at);
    at = protocol.data() + protocol.size();
    FUZZ_CHECK(at <= text.data() + text.size());
  }
}

void check_close(std::string_view text) {
  CloseStatus status;
  const Fault fault = parse_close(text, status);
  FUZZ_CHECK(!fault || fault.code == 1002 || fault.code == 1007);
  if (!fault && text.size() <= kMaxControlPayload) FUZZ_CHECK(ClosePayload(status).bytes() == text);
}

void check_utf8(std::string_view text, std::size_t step) {
  Utf8Stream pieces;
  Utf8Stream bytes;
  bool is_alive = true;
  for (std::string_view rest = text; !rest.empty() && is_alive;) {
    const std::string piece(rest.substr(0, step));
    rest.remove_prefix(piece.size());
    is_alive = pieces.feed(piece);
    bool is_alive_bytewise = true;
    for (const char& c : piece) is_alive_bytewise = bytes.feed({&c, 1});
    FUZZ_CHECK(is_alive == is_alive_bytewise && pieces.is_complete() == bytes.is_complete());
  }
  FUZZ_CHECK((is_alive && pieces.is_complete()) == is_utf8(text));
}

void check(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(input.substr(1));
  check_extensions(text, options_of(choice));
  check_subprotocols(text);
  check_close(text);
  check_utf8(text, choice % 40 + 1);
  FUZZ_CHECK(!is_handshake_key(text) || text.size() == 24);
}

}  // namespace
}  // namespace squall::websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::websocket::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
